namespace Streams.Testing;

/// <summary>What a <see cref="TopologyTestDriver"/> pretends beside the application's own settings.</summary>
public sealed record TopologyTestDriverOptions
{
    /// <summary>Where the driver's wall clock stands at first. Default: the Unix epoch, so that a test gives the same result at every run.</summary>
    public DateTimeOffset InitialWallClockTime { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>
    /// Number of partitions of every topic that <see cref="Partitions"/> does not name. Default 1. With 1 and nothing in <see cref="Partitions"/> the
    /// driver does as Kafka's own: one task runs the whole topology, every topic has one partition, also a repartition topic that asks for more.
    /// </summary>
    public int PartitionsPerTopic { get; init; } = 1;

    /// <summary>
    /// Numbers of partitions by topic. With several partitions there is a task per sub-topology and partition, as in an application; internal
    /// topics get their numbers by the application's rules, and topics that are joined must agree.
    /// </summary>
    public IReadOnlyDictionary<string, int> Partitions { get; init; } = new Dictionary<string, int>();

    /// <summary>
    /// Whether a task commits after each record, as in Kafka's driver. Default true. Otherwise only <see cref="TopologyTestDriver.Commit"/>,
    /// <see cref="TopologyTestDriver.Restart"/> and processors that ask for it commit, and until then record caches hold updates back as they do
    /// between the commits of an application.
    /// </summary>
    public bool CommitEachRecord { get; init; } = true;

    internal bool HasSeveralPartitions => PartitionsPerTopic > 1 || Partitions.Count > 0;

    internal int PartitionsOf(string topic) => Partitions.TryGetValue(topic, out var count) ? count : PartitionsPerTopic;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(PartitionsPerTopic, 1);
        ArgumentNullException.ThrowIfNull(Partitions);
        foreach (var (topic, count) in Partitions)
        {
            if (count < 1) throw new ArgumentException($"Topic '{topic}' cannot have {count} partitions; it has at least 1.");
        }
    }
}
