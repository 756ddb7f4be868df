namespace Kafka.Protocol;

/// <summary>
/// A request body, tied to the type of its response so that a client can be typed:
/// <c>TResponse Send&lt;TResponse&gt;(IRequest&lt;TResponse&gt;)</c>.
/// </summary>
/// <typeparam name="TResponse">What answers it.</typeparam>
#pragma warning disable CA1040 // The type parameter is the content.
public interface IRequest<TResponse> : IApiMessage
    where TResponse : IApiMessage, new();
#pragma warning restore CA1040
