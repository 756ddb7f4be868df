using System.Globalization;
using Conformance;
using Streams.Core;
using Streams.Dsl;
using Streams.Testing;

namespace RandomTopologies;

/// <summary>How a case is run.</summary>
internal sealed record RunOptions
{
    public StoreType Stores { get; init; } = StoreType.InMemory;

    public int Partitions { get; init; } = 1;

    public long CacheBytes { get; init; }

    public bool CommitEachRecord { get; init; } = true;

    /// <summary>Indexes of the events after which the tasks commit.</summary>
    public IReadOnlySet<int> Commits { get; init; } = new HashSet<int>();

    /// <summary>Indexes of the events after which everything is stopped and started.</summary>
    public IReadOnlySet<int> Restarts { get; init; } = new HashSet<int>();
}

/// <summary>A record that a run wrote.</summary>
internal sealed record Written(string Topic, string? Key, string? Value, long? Timestamp, string Headers)
{
    public override string ToString() => $"{Topic}: ({Key ?? "null"}, {Value ?? "null"}) at {Timestamp?.ToString(CultureInfo.InvariantCulture) ?? "-"}{Headers}";
}

/// <summary>What a run did.</summary>
/// <param name="Steps">Per event, the records it caused, by topic and in order.</param>
/// <param name="Stores">Contents of every store of a given name, all partitions together, sorted.</param>
/// <param name="DroppedRecords">Number of records dropped.</param>
internal sealed record Outcome(IReadOnlyList<IReadOnlyList<Written>> Steps, IReadOnlyList<string> Stores, long DroppedRecords)
{
    private static readonly string[] _joinChangelogs = ["app-KSTREAM-JOINTHIS-", "app-KSTREAM-JOINOTHER-", "app-KSTREAM-OUTERTHIS-", "app-KSTREAM-OUTEROTHER-"];

    public static Outcome Of(RandomCase given, RunOptions options)
    {
        var topology = Interpreter.Build(given.ToCase(), options.Stores);
        using var driver = new TopologyTestDriver(
            topology,
            new StreamsConfig { ApplicationId = "app", StateStoreCacheMaxBytes = options.CacheBytes, EmitInterval = TimeSpan.Zero },
            new TopologyTestDriverOptions { PartitionsPerTopic = options.Partitions, CommitEachRecord = options.CommitEachRecord });
        var steps = new List<IReadOnlyList<Written>>();
        foreach (var (index, input) in given.Input.Index())
        {
            if (input.Topic is null) driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(input.AdvanceWallClockMs));
            else driver.CreateInputTopic<string, string>(input.Topic).PipeInput(new TestRecord<string, string>(input.Key!, input.Value!, input.Timestamp, input.Headers));
            if (options.Commits.Contains(index)) driver.Commit();
            if (options.Restarts.Contains(index)) driver.Restart();
            steps.Add(Drain(driver));
        }

        driver.Commit();
        steps.Add(Drain(driver));
        return new Outcome(steps, Contents(driver, options.Partitions), driver.DroppedRecords);
    }

    private static List<Written> Drain(TopologyTestDriver driver) =>
    [
        .. driver.ProducedTopicNames.SelectMany(topic => driver.CreateOutputTopic(topic, Serdes.ByteArray, Serdes.ByteArray).ReadRecordsToList()
            .Select(record => new Written(
                topic, WithoutNumber(topic, Text(topic, record.HasKey, record.Key)), Text(topic, record.HasValue, record.Value), record.Timestamp,
                string.Concat(record.Headers.Select(header => $" {header.Key}={Convert.ToHexString((header.Value ?? default).Span)}"))))),
    ];

    // The windows of a stream join, and what waits for a table, number their records in the last 4 bytes of a key; how far the numbers are is nobody's business.
    private static string? WithoutNumber(string topic, string? key) =>
        _joinChangelogs.Any(prefix => topic.StartsWith(prefix, StringComparison.Ordinal)) || topic.EndsWith("-Buffer-changelog", StringComparison.Ordinal) ? key?[..^8] : key;

    // Changelogs and repartition topics are compared to the byte.
    private static string? Text(string topic, bool isPresent, byte[] bytes) =>
        !isPresent ? null : topic.StartsWith("app-", StringComparison.Ordinal) ? Convert.ToHexString(bytes) : System.Text.Encoding.UTF8.GetString(bytes);

    private static List<string> Contents(TopologyTestDriver driver, int partitions)
    {
        var rows = new List<string>();
        foreach (var (name, store) in driver.GetAllStateStores())
        {
            for (var partition = 0; partition < partitions; partition++)
            {
                var dumped = StoreDump.Of(new Dictionary<string, IStateStore> { [name] = partition == 0 ? store : driver.GetStateStore<IStateStore>(name, partition) });
                rows.AddRange(dumped.SelectMany(entry => entry.Value.Select(row => $"{name} {row}")));
            }
        }

        // A global store is the same in every partition.
        return [.. rows.Distinct().Order(StringComparer.Ordinal)];
    }
}
