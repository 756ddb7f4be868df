using System.Buffers;

namespace Streams.Core;

/// <summary>Which tasks an instance has, as all instances are told: for queries that have to be asked elsewhere.</summary>
/// <param name="ApplicationServer">Where to ask it; empty when it did not say.</param>
/// <param name="Active">Tasks it processes.</param>
/// <param name="Standby">Tasks it keeps a copy of.</param>
internal sealed record HostedTasks(string ApplicationServer, IReadOnlyList<TaskId> Active, IReadOnlyList<TaskId> Standby);

/// <summary>What the leader tells an instance: its tasks, and the partition counts that everybody is to work with.</summary>
/// <remarks>Source: Kafka's <c>AssignmentInfo</c>.</remarks>
internal sealed record MemberAssignment
{
    /// <summary>Value of <see cref="ErrorCode"/>: the application is to close everywhere, and every member has said that it knows.</summary>
    public const int ShutdownHeard = 2;

    private const short Version = 1;

    /// <summary>Tasks to run.</summary>
    public required IReadOnlyList<TaskId> Tasks { get; init; }

    /// <summary>Tasks to keep a copy of: standbys, and warm-ups on their way to become active here.</summary>
    public IReadOnlyList<TaskId> StandbyTasks { get; init; } = [];

    /// <summary>Number of partitions of every source and internal topic.</summary>
    public required IReadOnlyDictionary<string, int> PartitionCounts { get; init; }

    /// <summary>Who has what, once this assignment is in force; empty when no instance named an address.</summary>
    public IReadOnlyList<HostedTasks> Hosts { get; init; } = [];

    /// <summary>Milliseconds after which this member is to ask for another rebalance, because warm-ups may have caught up by then; 0 for never.</summary>
    public long ProbeAfterMs { get; init; }

    /// <summary>Something that every instance is to know: 0 for nothing, <see cref="MemberMetadata.ShutdownRequested"/> when a member asked for it, <see cref="ShutdownHeard"/>.</summary>
    public int ErrorCode { get; init; }

    public ReadOnlyMemory<byte> Encode(IReadOnlyCollection<TopicPartition> partitions)
    {
        var userData = new ArrayBufferWriter<byte>();
        WireFormat.WriteInt16(userData, Version);
        WireFormat.WriteInt32(userData, ErrorCode);
        WireFormat.WriteInt64(userData, ProbeAfterMs);
        WireFormat.WriteTasks(userData, Tasks);
        WireFormat.WriteTasks(userData, StandbyTasks);
        WireFormat.WriteInt32(userData, PartitionCounts.Count);
        foreach (var (topic, count) in PartitionCounts)
        {
            WireFormat.WriteString(userData, topic);
            WireFormat.WriteInt32(userData, count);
        }

        WireFormat.WriteInt32(userData, Hosts.Count);
        foreach (var host in Hosts)
        {
            WireFormat.WriteString(userData, host.ApplicationServer);
            WireFormat.WriteTasks(userData, host.Active);
            WireFormat.WriteTasks(userData, host.Standby);
        }

        return WireFormat.WriteAssignment(partitions, userData.WrittenSpan);
    }

    public static MemberAssignment Decode(ReadOnlySpan<byte> assignment)
    {
        if (assignment.IsEmpty) return new MemberAssignment { Tasks = [], PartitionCounts = new Dictionary<string, int>() };
        var reader = new WireFormat.Reader(WireFormat.UserDataOfAssignment(assignment));
        reader.Version(Version);
        var errorCode = reader.Int32();
        var probeAfterMs = reader.Int64();
        if (probeAfterMs < 0) throw WireFormat.Malformed($"a rebalance {probeAfterMs} ms ahead");
        var tasks = reader.Tasks();
        var standbys = reader.Tasks();
        var count = reader.Count(minimumElementSize: sizeof(short) + sizeof(int));
        var counts = new Dictionary<string, int>(count);
        for (var index = 0; index < count; index++)
        {
            var topic = reader.String();
            var partitions = reader.Int32();
            counts[topic] = partitions > 0 ? partitions : throw WireFormat.Malformed($"{partitions} partitions of topic '{topic}'");
        }

        var hosts = new HostedTasks[reader.Count(sizeof(short) + 2 * sizeof(int))];
        for (var index = 0; index < hosts.Length; index++) hosts[index] = new HostedTasks(reader.String(), reader.Tasks(), reader.Tasks());
        return new MemberAssignment
        {
            Tasks = tasks,
            StandbyTasks = standbys,
            PartitionCounts = counts,
            Hosts = hosts,
            ProbeAfterMs = probeAfterMs,
            ErrorCode = errorCode,
        };
    }
}
