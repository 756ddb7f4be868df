using System.Globalization;
using Kafka.Protocol.Records;
using Streams.Core;
using Streams.Kafka.Consuming;
using Streams.Kafka.Wire;

namespace Streams.Kafka.Producing;

/// <summary>How the managed producer writes: what the engine asks for, under the user's settings. Names and defaults are Kafka's unless said otherwise.</summary>
internal sealed record ManagedProducerSettings
{
    /// <summary>Every name that is taken.</summary>
    public static readonly string[] Names =
    [
        "compression.codec", "compression.type", "compression.level", "message.max.bytes", "max.request.size", "retry.backoff.ms", "retry.backoff.max.ms", "queue.buffering.max.kbytes",
        "buffer.memory", "request.required.acks", "acks", "enable.idempotence", "transactional.id", "transaction.timeout.ms", "batch.size", "queue.buffering.max.ms", "linger.ms",
        "message.timeout.ms", "delivery.timeout.ms", "request.timeout.ms", "max.in.flight", "max.in.flight.requests.per.connection",
    ];

    /// <summary>Five requests to a broker may wait for their answers, as in Kafka's clients; their partitions differ (<c>max.in.flight.requests.per.connection</c>).</summary>
    private const int DefaultInFlight = 5;

    /// <summary>
    /// Bytes at which a batch is full, before compression (default 512 KiB, <c>batch.size</c>; Kafka's 16 KiB suits its many batches in flight, here one of a partition is, so that
    /// it has to last for a round trip).
    /// </summary>
    public int BatchBytes { get; private init; }

    /// <summary>Largest batch, and so record, before compression, and about the largest request (default 1 MiB, <c>max.request.size</c>, librdkafka's <c>message.max.bytes</c>).</summary>
    public int MaxRequestBytes { get; private init; }

    /// <summary>How long a batch waits for company (<c>linger.ms</c>; the engine's by default).</summary>
    public TimeSpan Linger { get; private init; }

    /// <summary>Bound on bytes not yet acknowledged (<c>buffer.memory</c>; the engine's by default).</summary>
    public long MaxBufferedBytes { get; private init; }

    /// <summary>How long after its first record a batch is offered again (default 2 min, <c>delivery.timeout.ms</c>). A request under way is waited for.</summary>
    public TimeSpan DeliveryTimeout { get; private init; }

    /// <summary>How long one request may take (default 30 s, <c>request.timeout.ms</c>).</summary>
    public TimeSpan RequestTimeout { get; private init; }

    /// <summary>First pause before a batch is offered again (default 100 ms, <c>retry.backoff.ms</c>); doubles up to <see cref="MaxRetryBackoff"/>.</summary>
    public TimeSpan RetryBackoff { get; private init; }

    /// <summary>Longest pause (default 1 s, <c>retry.backoff.max.ms</c>).</summary>
    public TimeSpan MaxRetryBackoff { get; private init; }

    /// <summary>Requests to one broker that wait for an answer, 1 to 5.</summary>
    public int MaxInFlightPerBroker { get; private init; }

    /// <summary>Codec.</summary>
    public CompressionType Compression { get; private init; }

    /// <summary>Its level; <c>null</c> for its own default (<c>compression.level</c>).</summary>
    public int? CompressionLevel { get; private init; }

    /// <summary>Takes the producer's settings.</summary>
    /// <exception cref="ConfigException">One has a value that is not allowed, or is not known.</exception>
    public static ManagedProducerSettings Take(ProducerOptions options, WireSettings wire, ClientSettings settings)
    {
        const string NoLevel = "-1";
        var codec = settings.TakeText(options.Compression, "compression.codec", "compression.type");
        if (!Enum.TryParse<CompressionType>(codec, ignoreCase: true, out var compression) || !Enum.IsDefined(compression))
            throw new ConfigException($"Producer {options.ClientId}: compression.type is '{codec}': none, gzip, snappy, lz4 and zstd are allowed.");
        var level = settings.TakeText(NoLevel, "compression.level");
        if (!int.TryParse(level, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var levelNumber))
            throw new ConfigException($"Producer {options.ClientId}: compression.level is '{level}', not a whole number.");
        var maxRequestBytes = settings.TakeInt32(1 << 20, 1000, 1_000_000_000, "message.max.bytes", "max.request.size");
        var backoff = TakeTime(settings, TimeSpan.FromMilliseconds(100), "retry.backoff.ms");
        var kilobytes = settings.TakeInt32(0, 1, int.MaxValue, "queue.buffering.max.kbytes");
        var acks = settings.TakeText("all", "request.required.acks", "acks");
        if (acks is not ("all" or "-1")) throw new ConfigException($"Producer {options.ClientId}: acks is '{acks}', but the application needs it to be 'all'; remove the setting.");
        settings.Insist(
            ("enable.idempotence", "true"),
            ("transactional.id", options.TransactionalId ?? ""),
            ("transaction.timeout.ms", ((long)options.TransactionTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)));
        var read = new ManagedProducerSettings
        {
            BatchBytes = Math.Min(settings.TakeInt32(512 << 10, 0, int.MaxValue, "batch.size"), maxRequestBytes),
            MaxRequestBytes = maxRequestBytes,
            Linger = settings.TakeMilliseconds(options.Linger, "queue.buffering.max.ms", "linger.ms"),
            MaxBufferedBytes = kilobytes > 0 ? 1024L * kilobytes : settings.TakeInt32(options.MaxBufferedBytes, 1, int.MaxValue, "buffer.memory"),
            DeliveryTimeout = TakeTime(settings, TimeSpan.FromMinutes(2), "message.timeout.ms", "delivery.timeout.ms"),
            RequestTimeout = TakeTime(settings, wire.RequestTimeout, "request.timeout.ms"),
            RetryBackoff = backoff,
            MaxRetryBackoff = Max(backoff, TakeTime(settings, TimeSpan.FromSeconds(1), "retry.backoff.max.ms")),
            MaxInFlightPerBroker = settings.TakeInt32(DefaultInFlight, 1, DefaultInFlight, "max.in.flight", "max.in.flight.requests.per.connection"),
            Compression = compression,
            CompressionLevel = level == NoLevel ? null : levelNumber,
        };
        settings.RefuseRest(FetchSettings.Names);
        return read;
    }

    // One millisecond at least: without any pause a broker that is away would have us ask as fast as we can.
    private static TimeSpan TakeTime(ClientSettings settings, TimeSpan fallback, params ReadOnlySpan<string> names) =>
        TimeSpan.FromMilliseconds(settings.TakeInt32((int)fallback.TotalMilliseconds, 1, int.MaxValue, names));

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
