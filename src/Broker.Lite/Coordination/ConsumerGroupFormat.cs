using System.Collections.Immutable;
using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>Kafka's record formats of <c>__consumer_offsets</c> for groups with the consumer protocol, byte for byte.</summary>
/// <remarks>
/// Keys: int16 version (3 group, 5 member, 6 target assignment, 7 a member's target, 8 a member's current assignment), group id, member id
/// for 5, 7 and 8; strings with an int16 length. Values: int16 version 0, then compact forms with tagged fields. Key version 4, the topics'
/// partitions, is not written: Kafka dropped it for the hash in tag 0 of the group (KIP-1101), whose value only its writer can
/// interpret. Source: Kafka's ConsumerGroup*Key and ConsumerGroup*Value schemas.
/// </remarks>
internal static class ConsumerGroupFormat
{
    public const short GroupKeyVersion = 3;
    public const short MemberKeyVersion = 5;
    public const short TargetKeyVersion = 6;
    public const short TargetMemberKeyVersion = 7;
    public const short CurrentMemberKeyVersion = 8;

    private const short ValueVersion = 0;
    private const int MetadataHashTag = 0;

    public static JournalEntry GroupEntry(string groupId, int epoch, long metadataHash) => new(Key(GroupKeyVersion, groupId), Value(writer =>
    {
        writer.WriteInt32(epoch);
        writer.WriteUnsignedVarint(1);
        var tag = writer.BeginTaggedField();
        tag.WriteInt64(metadataHash);
        writer.EndTaggedField(MetadataHashTag);
    }));

    public static JournalEntry MemberEntry(string groupId, ConsumerMember member) => new(Key(MemberKeyVersion, groupId, member.Id), Value(writer =>
    {
        writer.WriteNullableString(member.InstanceId, compact: true);
        writer.WriteNullableString(member.RackId, compact: true);
        writer.WriteString(member.ClientId, compact: true);
        writer.WriteString(member.ClientHost, compact: true);
        writer.WriteStringArray([.. member.Topics], compact: true);
        writer.WriteNullableString(member.TopicRegex, compact: true);
        writer.WriteInt32(member.RebalanceTimeoutMs);
        writer.WriteNullableString(member.ServerAssignor, compact: true);
        writer.WriteNoTaggedFields();
    }));

    public static JournalEntry TargetEntry(string groupId, int epoch) => new(Key(TargetKeyVersion, groupId), Value(writer =>
    {
        writer.WriteInt32(epoch);
        writer.WriteNoTaggedFields();
    }));

    public static JournalEntry TargetMemberEntry(string groupId, string memberId, ImmutableHashSet<PartitionId> target) =>
        new(Key(TargetMemberKeyVersion, groupId, memberId), Value(writer =>
        {
            WritePartitions(writer, target);
            writer.WriteNoTaggedFields();
        }));

    public static JournalEntry CurrentMemberEntry(string groupId, ConsumerMember member) =>
        new(Key(CurrentMemberKeyVersion, groupId, member.Id), Value(writer =>
        {
            writer.WriteInt32(member.Epoch);
            writer.WriteInt32(member.PreviousEpoch);
            writer.WriteInt8((sbyte)member.State);
            WritePartitions(writer, member.Assigned);
            WritePartitions(writer, member.PendingRevocation);
            writer.WriteNoTaggedFields();
        }));

    /// <summary>What removes a member, in the order in which Kafka removes it.</summary>
    public static IEnumerable<JournalEntry> MemberTombstones(string groupId, string memberId) =>
    [
        new(Key(CurrentMemberKeyVersion, groupId, memberId), null),
        new(Key(TargetMemberKeyVersion, groupId, memberId), null),
        new(Key(MemberKeyVersion, groupId, memberId), null),
    ];

    /// <summary>What removes a group without members.</summary>
    public static IEnumerable<JournalEntry> GroupTombstones(string groupId) =>
        [new(Key(TargetKeyVersion, groupId), null), new(Key(GroupKeyVersion, groupId), null)];

    /// <summary>Applies one record, as the topic is replayed from the start.</summary>
    /// <returns>False for values of versions not known here, which are skipped.</returns>
    /// <exception cref="ProtocolException">The record is damaged.</exception>
    public static bool Replay(short keyVersion, ref ProtocolReader key, ReadOnlyMemory<byte>? valueBytes, GroupDirectory groups)
    {
        var groupId = key.ReadString(compact: false);
        var memberId = keyVersion is GroupKeyVersion or TargetKeyVersion ? "" : key.ReadString(compact: false);
        if (valueBytes is null)
        {
            ReplayTombstone(keyVersion, groupId, memberId, groups);
            return true;
        }

        var value = new ProtocolReader(valueBytes.Value);
        if (value.ReadInt16() != ValueVersion)
            return false;
        // All of it is read before any of it is applied: a damaged record must not leave half of itself behind.
        var apply = Read(keyVersion, memberId, ref value);
        var group = groups.Find(groupId) ?? groups.Create(groupId, -1);
        apply(group.Consumer ??= new ConsumerGroup());
        return true;
    }

    private static Action<ConsumerGroup> Read(short keyVersion, string memberId, ref ProtocolReader value)
    {
        switch (keyVersion)
        {
            case GroupKeyVersion:
                var epoch = value.ReadInt32();
                var hash = ReadMetadataHash(ref value);
                return group => (group.Epoch, group.MetadataHash) = (epoch, hash);
            case MemberKeyVersion:
                var read = new ConsumerMember
                {
                    Id = memberId,
                    InstanceId = value.ReadNullableString(compact: true),
                    RackId = value.ReadNullableString(compact: true),
                    ClientId = value.ReadString(compact: true),
                    ClientHost = value.ReadString(compact: true),
                    Topics = [.. value.ReadStringArray(compact: true)],
                    TopicRegex = value.ReadNullableString(compact: true),
                    RebalanceTimeoutMs = value.ReadInt32(),
                    ServerAssignor = value.ReadNullableString(compact: true),
                };
                return group => group.Members[memberId] = group.Members.TryGetValue(memberId, out var member)
                    ? read with { Epoch = member.Epoch, PreviousEpoch = member.PreviousEpoch, State = member.State, Assigned = member.Assigned, PendingRevocation = member.PendingRevocation }
                    : read;
            case TargetKeyVersion:
                var targetEpoch = value.ReadInt32();
                return group => group.TargetEpoch = targetEpoch;
            case TargetMemberKeyVersion:
                var target = ReadPartitions(ref value);
                return group => group.Targets[memberId] = target;
            default:
                var (memberEpoch, previousEpoch, state) = (value.ReadInt32(), value.ReadInt32(), (ConsumerMemberState)value.ReadInt8());
                var (assigned, revoked) = (ReadPartitions(ref value), ReadPartitions(ref value));
                return group => group.Members[memberId] = (group.Members.GetValueOrDefault(memberId) ?? new ConsumerMember { Id = memberId }) with
                {
                    Epoch = memberEpoch,
                    PreviousEpoch = previousEpoch,
                    // A state of later brokers: worked out again at the next heartbeat.
                    State = Enum.IsDefined(state) ? state : ConsumerMemberState.UnreleasedPartitions,
                    Assigned = assigned,
                    PendingRevocation = revoked,
                };
        }
    }

    private static void ReplayTombstone(short keyVersion, string groupId, string memberId, GroupDirectory groups)
    {
        if (groups.Find(groupId) is not { Consumer: { } consumer } group)
            return;
        switch (keyVersion)
        {
            case GroupKeyVersion:
                group.Consumer = null;
                if (group.Offsets.Count == 0 && group.PendingOffsets.Count == 0)
                    groups.Remove(group);
                break;
            case MemberKeyVersion:
                consumer.Members.Remove(memberId);
                break;
            case TargetKeyVersion:
                consumer.TargetEpoch = 0;
                break;
            case TargetMemberKeyVersion:
                consumer.Targets.Remove(memberId);
                break;
            default:
                if (consumer.Members.TryGetValue(memberId, out var member))
                    consumer.Members[memberId] = member with { Epoch = 0, PreviousEpoch = 0, State = ConsumerMemberState.Stable, Assigned = [], PendingRevocation = [] };
                break;
        }
    }

    private static long ReadMetadataHash(ref ProtocolReader value)
    {
        for (var fields = value.ReadUnsignedVarint(); fields > 0; fields--)
        {
            var tag = value.ReadUnsignedVarint();
            var size = value.ReadUnsignedVarint();
            if (tag == MetadataHashTag && size == sizeof(long))
                return value.ReadInt64();
            for (; size > 0; size--)
                value.ReadInt8();
        }

        return 0;
    }

    private static void WritePartitions(ProtocolWriter writer, ImmutableHashSet<PartitionId> partitions) =>
        writer.WriteArray(
            [
                .. partitions
                    .GroupBy(partition => partition.TopicId, partition => partition.Partition)
                    .OrderBy(topic => topic.Key)
                    .Select(topic => new TopicPartitions { TopicId = topic.Key, Partitions = [.. topic.Order()] }),
            ],
            ValueVersion,
            compact: true);

    private static ImmutableHashSet<PartitionId> ReadPartitions(ref ProtocolReader reader) =>
    [
        .. reader.ReadArray<TopicPartitions>(ValueVersion, compact: true)
            .SelectMany(topic => topic.Partitions.Select(partition => new PartitionId(topic.TopicId, partition))),
    ];

    private static byte[] Key(short version, string groupId, string? memberId = null)
    {
        using var key = new ProtocolWriter();
        key.WriteInt16(version);
        key.WriteString(groupId, compact: false);
        if (memberId is not null)
            key.WriteString(memberId, compact: false);
        return key.ToArray();
    }

    private static byte[] Value(Action<ProtocolWriter> write)
    {
        using var value = new ProtocolWriter();
        value.WriteInt16(ValueVersion);
        write(value);
        return value.ToArray();
    }

    private sealed class TopicPartitions : IMessage
    {
        public Guid TopicId { get; set; }

        public List<int> Partitions { get; set; } = [];

        public void Read(ref ProtocolReader reader, short version)
        {
            TopicId = reader.ReadUuid();
            Partitions = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteUuid(TopicId);
            writer.WriteInt32Array(Partitions, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
