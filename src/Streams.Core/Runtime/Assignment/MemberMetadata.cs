using System.Buffers;

namespace Streams.Core;

/// <summary>
/// What an instance tells the leader of its group. Travels as the user data of a consumer-protocol subscription, so that group tools can show the topics.
/// </summary>
/// <remarks>Source: Kafka's <c>SubscriptionInfo</c>; the bytes are our own, because members of another kind cannot share the group (ADR 0006).</remarks>
internal sealed record MemberMetadata
{
    /// <summary>Position of a task that runs here and has nothing to catch up.</summary>
    public const long CaughtUp = -2;

    /// <summary>Position of a task whose state lies here, nobody knows how far.</summary>
    public const long UnknownPosition = -3;

    /// <summary>Value of <see cref="ErrorCode"/>: the application is to close everywhere.</summary>
    public const int ShutdownRequested = 1;

    private const short Version = 1;
    private const int MaxThreads = 100_000;

    /// <summary>Identifies the process.</summary>
    public required Guid ProcessId { get; init; }

    /// <summary>How many threads it has: its share of the work. 0 while all have been removed.</summary>
    public required int Threads { get; init; }

    /// <summary>Generation in which <see cref="OwnedTasks"/> were assigned. Of two that claim a task, the later one is right (KIP-792).</summary>
    public int Generation { get; init; } = -1;

    /// <summary>Active tasks it has now and works on until it is told otherwise.</summary>
    public IReadOnlyList<TaskId> OwnedTasks { get; init; } = [];

    /// <summary>
    /// How far the local state of tasks is, active, standby or only on disk: the sum of the changelog offsets of its stores, <see cref="CaughtUp"/> or
    /// <see cref="UnknownPosition"/>.
    /// </summary>
    public IReadOnlyDictionary<TaskId, long> Positions { get; init; } = new Dictionary<TaskId, long>();

    /// <summary>Where others can ask this instance, <c>host:port</c>; empty for nowhere. Kafka's <c>application.server</c>.</summary>
    public string ApplicationServer { get; init; } = "";

    /// <summary>Where it runs, for keeping replicas apart. Kafka's <c>client.tag.</c> settings (KIP-708).</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>Something that the whole group is to know; 0 for nothing. <see cref="ShutdownRequested"/> is the only one so far (KIP-671).</summary>
    public int ErrorCode { get; init; }

    /// <summary>Differs from one join to the next: a coordinator takes a follower that joins again with the same bytes for one that missed an answer.</summary>
    public byte Nonce { get; init; }

    public ReadOnlyMemory<byte> Encode(IReadOnlyCollection<string> topics)
    {
        var userData = new ArrayBufferWriter<byte>();
        WireFormat.WriteInt16(userData, Version);
        WireFormat.WriteByte(userData, Nonce);
        ProcessId.TryWriteBytes(userData.GetSpan(16), bigEndian: true, out _);
        userData.Advance(16);
        WireFormat.WriteInt32(userData, Threads);
        WireFormat.WriteInt32(userData, Generation);
        WireFormat.WriteInt32(userData, ErrorCode);
        WireFormat.WriteTasks(userData, OwnedTasks);
        WireFormat.WriteInt32(userData, Positions.Count);
        foreach (var (task, position) in Positions)
        {
            WireFormat.WriteInt32(userData, task.Subtopology);
            WireFormat.WriteInt32(userData, task.Partition);
            WireFormat.WriteInt64(userData, position);
        }

        WireFormat.WriteString(userData, ApplicationServer);
        WireFormat.WriteInt32(userData, Tags.Count);
        foreach (var (name, value) in Tags)
        {
            WireFormat.WriteString(userData, name);
            WireFormat.WriteString(userData, value);
        }

        return WireFormat.WriteSubscription(topics, userData.WrittenSpan);
    }

    public static MemberMetadata Decode(ReadOnlySpan<byte> subscription)
    {
        var reader = new WireFormat.Reader(WireFormat.UserDataOfSubscription(subscription));
        reader.Version(Version);
        var nonce = reader.Byte();
        var processId = new Guid(reader.Bytes(16), bigEndian: true);
        var threads = reader.Int32();
        if (threads is < 0 or > MaxThreads) throw WireFormat.Malformed($"{threads} threads");
        var generation = reader.Int32();
        var errorCode = reader.Int32();
        var owned = reader.Tasks();
        var count = reader.Count(2 * sizeof(int) + sizeof(long));
        var positions = new Dictionary<TaskId, long>(count);
        for (var index = 0; index < count; index++)
        {
            var task = reader.Task();
            var position = reader.Int64();
            positions[task] = position is >= 0 or CaughtUp or UnknownPosition ? position : throw WireFormat.Malformed($"position {position} of task '{task}'");
        }

        var server = reader.String();
        count = reader.Count(2 * sizeof(short));
        var tags = new Dictionary<string, string>(count);
        for (var index = 0; index < count; index++)
        {
            var name = reader.String();
            tags[name] = reader.String();
        }

        return new MemberMetadata
        {
            ProcessId = processId,
            Threads = threads,
            Generation = generation,
            ErrorCode = errorCode,
            OwnedTasks = owned,
            Positions = positions,
            ApplicationServer = server,
            Tags = tags,
            Nonce = nonce,
        };
    }
}
