using Kafka.Protocol;

namespace Broker.Lite;

/// <summary>A test's hand in the broker: may watch, answer, delay or fail any request instead of its handler.</summary>
/// <param name="request">The request as decoded, or as handed to <see cref="LocalConnection"/>.</param>
/// <param name="version">The version it came in; for local requests the highest one.</param>
/// <param name="next">Runs the broker's own handler. Its result is null for a request without response (Produce with acks=0).</param>
/// <param name="cancellationToken">Cancelled when the connection or the broker ends.</param>
/// <returns>The response to send, of the type that belongs to the request; null sends none.</returns>
public delegate ValueTask<IApiMessage?> RequestInterceptor(
    IApiMessage request, short version, Func<ValueTask<IApiMessage?>> next, CancellationToken cancellationToken);
