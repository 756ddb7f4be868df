using Streams.Core;
using Streams.Kafka.Producing;

namespace Streams.Kafka.Consuming;

/// <summary>How a managed consumer fetches; names and defaults are Kafka's.</summary>
internal sealed record FetchSettings
{
    /// <summary>Every name that is taken.</summary>
    public static readonly string[] Names =
    [
        "fetch.wait.max.ms", "fetch.max.wait.ms", "fetch.min.bytes", "fetch.max.bytes", "fetch.message.max.bytes", "max.partition.fetch.bytes", "client.rack", "metadata.max.age.ms",
        "check.crcs", "enable.auto.commit", "auto.offset.reset", "isolation.level",
    ];

    /// <summary>How long a broker waits for <see cref="MinBytes"/> (default 500 ms, <c>fetch.max.wait.ms</c>).</summary>
    public required TimeSpan MaxWait { get; init; }

    /// <summary>Bytes that a broker waits for (default 1, <c>fetch.min.bytes</c>).</summary>
    public required int MinBytes { get; init; }

    /// <summary>Bytes of one answer (default 50 MiB, <c>fetch.max.bytes</c>); a first batch comes whole even if it is larger.</summary>
    public required int MaxBytes { get; init; }

    /// <summary>Bytes of one partition in an answer (default 1 MiB, <c>max.partition.fetch.bytes</c>); as above.</summary>
    public required int MaxPartitionBytes { get; init; }

    /// <summary>Where this client is (default nowhere, <c>client.rack</c>): a leader may send it to a replica in the same rack (KIP-392).</summary>
    public required string Rack { get; init; }

    /// <summary>How long a nearer replica is read before the leader is asked again (default 5 min, <c>metadata.max.age.ms</c>).</summary>
    public required TimeSpan MaxReplicaAge { get; init; }

    /// <exception cref="ConfigException">A value is wrong, or a setting is none of this client's.</exception>
    public static FetchSettings From(ClientSettings settings, ConsumerOptions options)
    {
        var read = new FetchSettings
        {
            MaxWait = settings.TakeMilliseconds(TimeSpan.FromMilliseconds(500), "fetch.wait.max.ms", "fetch.max.wait.ms"),
            MinBytes = settings.TakeInt32(1, 0, int.MaxValue, "fetch.min.bytes"),
            MaxBytes = settings.TakeInt32(50 << 20, 1, int.MaxValue, "fetch.max.bytes"),
            MaxPartitionBytes = settings.TakeInt32(1 << 20, 1, int.MaxValue, "fetch.message.max.bytes", "max.partition.fetch.bytes"),
            Rack = settings.TakeText("", "client.rack"),
            MaxReplicaAge = settings.TakeMilliseconds(TimeSpan.FromMinutes(5), "metadata.max.age.ms"),
        };
        settings.Insist(
            ("check.crcs", "true"),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "none"),
            ("isolation.level", options.ReadCommitted ? "read_committed" : "read_uncommitted"));
        settings.RefuseRest(ManagedProducerSettings.Names);
        return read;
    }
}
