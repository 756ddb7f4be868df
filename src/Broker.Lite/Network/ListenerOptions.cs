using System.Net;

namespace Broker.Lite.Network;

/// <summary>The settings a <see cref="Listener"/> follows.</summary>
internal sealed record ListenerOptions
{
    public required IPEndPoint EndPoint { get; init; }

    public string? AdvertisedHost { get; init; }

    public int? AdvertisedPort { get; init; }

    public required int MaxConnections { get; init; }

    public required int MaxRequestBytes { get; init; }

    public required long MaxQueuedRequestBytes { get; init; }

    /// <summary>
    /// A connection on which nothing happens for this long is closed, also in the middle of a request it does not finish.
    /// </summary>
    public required TimeSpan MaxIdle { get; init; }
}
