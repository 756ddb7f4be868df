namespace Streams.Kafka.Wire;

/// <summary>How the managed connections behave. Units and defaults follow Kafka's clients where they have the setting.</summary>
internal sealed record WireSettings
{
    /// <summary>Where to begin.</summary>
    public required IReadOnlyList<BrokerAddress> Bootstrap { get; init; }

    /// <summary>Name in the broker's logs.</summary>
    public required string ClientId { get; init; }

    /// <summary>TLS and SASL.</summary>
    public SecuritySettings Security { get; init; } = SecuritySettings.Plaintext;

    /// <summary>How long one request may take (default 30 s, <c>request.timeout.ms</c>); after it the connection is given up.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connecting, the TLS handshake and authentication may take together (default 10 s, <c>socket.connection.setup.timeout.ms</c>).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a call may take with all its attempts (default 60 s, <c>default.api.timeout.ms</c>).</summary>
    public TimeSpan ApiTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>First pause before another attempt (default 50 ms); doubles, with a fifth of jitter either way, up to <see cref="MaxBackoff"/>.</summary>
    public TimeSpan InitialBackoff { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Longest pause between attempts (default 1 s, <c>reconnect.backoff.max.ms</c>).</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest answer accepted, in bytes (default 100 MiB, as <c>receive.message.max.bytes</c>); a longer one ends the connection before anything is allocated.</summary>
    public int MaxResponseBytes { get; init; } = 100 << 20;

    /// <summary>
    /// Whether each connection reads on a thread of its own and callers go on there when their answer has come (default no: both on the thread pool). For callers whose latency matters and who
    /// never block: an answer then wakes one thread, whatever else the pool is at, instead of two or three that may have to wait for a processor each.
    /// </summary>
    public bool ReadsOnOwnThread { get; init; }

    /// <summary>Requests waiting for an answer on one connection (default 16); further ones wait their turn.</summary>
    public int MaxInFlight { get; init; } = 16;
}
