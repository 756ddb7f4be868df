using Streams.Core;

namespace Streams.Client;

/// <summary>How a <see cref="Producer{K, V}"/> writes.</summary>
public sealed record ProducerSettings
{
    /// <summary>Name of the client in the broker's logs (default <c>producer</c>).</summary>
    public string ClientId { get; init; } = "producer";

    /// <summary>Makes the producer transactional; of two producers with the same id the newer fences the older. Default: none. Kafka: <c>transactional.id</c>.</summary>
    public string? TransactionalId { get; init; }

    /// <summary>How long a transaction may stay open (default 1 min). Kafka: <c>transaction.timeout.ms</c>.</summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Codec: none, gzip, snappy, lz4 or zstd. Default none. Kafka: <c>compression.type</c>.</summary>
    public string Compression { get; init; } = "none";

    /// <summary>Bound on bytes accepted and not yet acknowledged (default 32 MiB); at the bound producing waits. A larger record waits until it is alone.</summary>
    public int MaxBufferedBytes { get; init; } = 32 << 20;

    /// <summary>Bound on records accepted and not yet acknowledged (default 100,000); at the bound producing waits.</summary>
    public int MaxBufferedRecords { get; init; } = 100_000;

    /// <summary>Further client settings by their Kafka names; the embedded broker has none.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>Checks everything.</summary>
    /// <exception cref="ConfigException">Names everything that is wrong.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(ClientId)) faults.Add($"{nameof(ClientId)} is empty");
        if (TransactionalId is { Length: 0 }) faults.Add($"{nameof(TransactionalId)} is empty; leave it null for a producer without transactions");
        if (TransactionTimeout < TimeSpan.FromMilliseconds(1) || TransactionTimeout > TimeSpan.FromDays(1)) faults.Add($"{nameof(TransactionTimeout)} is {TransactionTimeout}, not between 1 ms and 1 day");
        if (MaxBufferedBytes < 1) faults.Add($"{nameof(MaxBufferedBytes)} is {MaxBufferedBytes}, not at least 1");
        if (MaxBufferedRecords < 1) faults.Add($"{nameof(MaxBufferedRecords)} is {MaxBufferedRecords}, not at least 1");
        if (faults.Count > 0) throw new ConfigException($"The settings of producer '{ClientId}' are wrong: {string.Join("; ", faults)}.");
    }
}
