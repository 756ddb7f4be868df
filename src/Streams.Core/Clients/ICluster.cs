namespace Streams.Core;

/// <summary>
/// A Kafka-like cluster as the engine needs it: the one setting that decides where an application runs.
/// </summary>
/// <remarks>Adapters: <c>Streams.Kafka</c> (Apache Kafka or any broker over TCP), <c>Streams.Embedded</c> (a broker in this process), and the test driver's.</remarks>
public interface ICluster : IAsyncDisposable
{
    /// <summary>What it is and where, for logs and errors.</summary>
    string Description { get; }

    /// <summary>Makes a consumer of partitions that are assigned by hand.</summary>
    IRecordConsumer CreateConsumer(ConsumerOptions options);

    /// <summary>Makes a producer.</summary>
    IRecordProducer CreateProducer(ProducerOptions options);

    /// <summary>Makes an administrator.</summary>
    IClusterAdmin CreateAdmin(string clientId);

    /// <summary>Makes a connection to the coordinator of a consumer group.</summary>
    IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId);
}

/// <summary>How a consumer reads.</summary>
public sealed record ConsumerOptions
{
    /// <summary>Name of the client in the broker's logs.</summary>
    public required string ClientId { get; init; }

    /// <summary>Whether records of open and aborted transactions are hidden. Default: no.</summary>
    public bool ReadCommitted { get; init; }

    /// <summary>Bound on fetched bytes that wait to be polled, per consumer (default 32 MiB).</summary>
    public int MaxBufferedBytes { get; init; } = 32 << 20;

    /// <summary>Further client settings by their Kafka names.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>How a producer writes.</summary>
public sealed record ProducerOptions
{
    /// <summary>Name of the client in the broker's logs.</summary>
    public required string ClientId { get; init; }

    /// <summary>Makes the producer transactional; <c>null</c> for an idempotent one.</summary>
    public string? TransactionalId { get; init; }

    /// <summary>How long a transaction may stay open (default 10 s, as Kafka Streams).</summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a record waits for company before it is sent (default 100 ms, as Kafka Streams; a flush does not wait).</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Codec: none, gzip, snappy, lz4 or zstd. Default none.</summary>
    public string Compression { get; init; } = "none";

    /// <summary>Bound on bytes not yet acknowledged (default 32 MiB); past it a send waits.</summary>
    public int MaxBufferedBytes { get; init; } = 32 << 20;

    /// <summary>
    /// Asked, on the thread that uses the producer, about records of a topic that the cluster has refused for good: true leaves them out, false (and no function at all) makes
    /// the call throw. Not asked in transactions, which such a refusal ends.
    /// </summary>
    public Func<string, ProductionException, bool>? OnRefused { get; init; }

    /// <summary>
    /// Cancelled when the application is closing and has no time left for the cluster: calls that wait for it then end soon with <see cref="ClusterUnavailableException"/>,
    /// those with a cancellation token of their own included, except <see cref="IRecordProducer.AbortTransaction"/>. Default: never.
    /// </summary>
    public CancellationToken Closing { get; init; }

    /// <summary>Further client settings by their Kafka names.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
