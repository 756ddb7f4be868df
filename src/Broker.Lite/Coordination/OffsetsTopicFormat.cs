using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>
/// Kafka's record formats of <c>__consumer_offsets</c>, byte for byte, so that Kafka's own tools can read the topic.
/// </summary>
/// <remarks>
/// Big-endian, strings with an int16 length. Keys: int16 version 0 or 1, group, topic, partition for offsets; int16 version 2, group for a
/// group. Values written: offsets version 3 (offset, leader epoch, metadata, commit time), groups version 3 (protocol type, generation,
/// protocol, leader, time, members). Source: Kafka's OffsetCommitKey/Value and GroupMetadataKey/Value schemas.
/// </remarks>
internal static class OffsetsTopicFormat
{
    private const short OffsetKeyVersion = 1;
    private const short GroupKeyVersion = 2;
    private const short OffsetValueVersion = 3;
    private const short GroupValueVersion = 3;

    public static JournalEntry OffsetEntry(string groupId, OffsetPartition partition, in CommittedOffset offset)
    {
        using var value = new ProtocolWriter();
        value.WriteInt16(OffsetValueVersion);
        value.WriteInt64(offset.Offset);
        value.WriteInt32(offset.LeaderEpoch);
        value.WriteString(offset.Metadata, compact: false);
        value.WriteInt64(offset.CommitTimestampMs);
        return new JournalEntry(OffsetKey(groupId, partition), value.ToArray());
    }

    public static JournalEntry OffsetTombstone(string groupId, OffsetPartition partition) => new(OffsetKey(groupId, partition), null);

    /// <summary>The group's generation, with the members and assignments it has now.</summary>
    public static JournalEntry GroupEntry(Group group)
    {
        using var value = new ProtocolWriter();
        value.WriteInt16(GroupValueVersion);
        value.WriteString(group.ProtocolType ?? "", compact: false);
        value.WriteInt32(group.GenerationId);
        value.WriteNullableString(group.ProtocolName, compact: false);
        value.WriteNullableString(group.LeaderId, compact: false);
        value.WriteInt64(group.StateTimestampMs);
        value.WriteInt32(group.Members.Count);
        foreach (var member in group.Members)
        {
            value.WriteString(member.Id, compact: false);
            value.WriteNullableString(member.InstanceId, compact: false);
            value.WriteString(member.ClientId, compact: false);
            value.WriteString(member.ClientHost, compact: false);
            value.WriteInt32(member.RebalanceTimeoutMs);
            value.WriteInt32(member.SessionTimeoutMs);
            value.WriteBytes(member.MetadataFor(group.ProtocolName), compact: false);
            value.WriteBytes(member.Assignment, compact: false);
        }

        return new JournalEntry(GroupKey(group.Id), value.ToArray());
    }

    public static JournalEntry GroupTombstone(string groupId) => new(GroupKey(groupId), null);

    /// <summary>
    /// Applies one record of the topic to the groups, as it is replayed from the start. Members are not brought back: their clients are
    /// told that they are unknown and join again, in a later generation than any they have seen.
    /// </summary>
    /// <param name="keyBytes">The record's key.</param>
    /// <param name="valueBytes">The record's value, or null.</param>
    /// <param name="groups">The groups as the records before have made them.</param>
    /// <param name="origin">Where the record comes from.</param>
    /// <returns>False for keys and values of versions not known here, which are skipped.</returns>
    /// <exception cref="ProtocolException">The record is damaged.</exception>
    public static bool Replay(ReadOnlyMemory<byte> keyBytes, ReadOnlyMemory<byte>? valueBytes, GroupDirectory groups, ReplayOrigin origin)
    {
        var key = new ProtocolReader(keyBytes);
        var version = key.ReadInt16();
        switch (version)
        {
            case 0 or OffsetKeyVersion:
                var groupId = key.ReadString(compact: false);
                var partition = new OffsetPartition(key.ReadString(compact: false), key.ReadInt32());
                return ReplayOffset(groupId, partition, valueBytes, groups, origin);
            case GroupKeyVersion:
                return ReplayGroup(key.ReadString(compact: false), valueBytes, groups);
            case ConsumerGroupFormat.GroupKeyVersion or ConsumerGroupFormat.MemberKeyVersion or ConsumerGroupFormat.TargetKeyVersion
                or ConsumerGroupFormat.TargetMemberKeyVersion or ConsumerGroupFormat.CurrentMemberKeyVersion:
                return ConsumerGroupFormat.Replay(version, ref key, valueBytes, groups);
            default:
                return false;
        }
    }

    private static bool ReplayOffset(
        string groupId, OffsetPartition partition, ReadOnlyMemory<byte>? valueBytes, GroupDirectory groups, ReplayOrigin origin)
    {
        if (valueBytes is null)
        {
            groups.Find(groupId)?.RemoveOffset(partition);
            return true;
        }

        var value = new ProtocolReader(valueBytes.Value);
        var version = value.ReadInt16();
        if (version is < 0 or > OffsetValueVersion)
            return false;
        var offset = value.ReadInt64();
        var leaderEpoch = version >= 3 ? value.ReadInt32() : -1;
        var metadata = value.ReadString(compact: false);
        var timestamp = value.ReadInt64();
        var group = groups.Find(groupId) ?? groups.Create(groupId, timestamp);
        var committed = new CommittedOffset(offset, leaderEpoch, metadata, timestamp, origin.JournalOffset);
        if (origin.IsTransactional)
            groups.AddPending(group, origin.ProducerId, partition, committed);
        else
            group.Offsets[partition] = committed;
        return true;
    }

    private static bool ReplayGroup(string groupId, ReadOnlyMemory<byte>? valueBytes, GroupDirectory groups)
    {
        var group = groups.Find(groupId);
        if (valueBytes is null)
        {
            if (group is null)
                return true;
            // A group that has gone over to the consumer protocol is no classic one any more, and keeps its offsets.
            (group.ProtocolType, group.GenerationId) = (null, 0);
            if (group.Consumer is null && group.Offsets.Count == 0 && group.PendingOffsets.Count == 0)
                groups.Remove(group);
            return true;
        }

        var value = new ProtocolReader(valueBytes.Value);
        var version = value.ReadInt16();
        if (version is < 0 or > GroupValueVersion)
            return false;
        var protocolType = value.ReadString(compact: false);
        var generation = value.ReadInt32();
        value.ReadNullableString(compact: false);
        value.ReadNullableString(compact: false);
        var timestamp = version >= 2 ? value.ReadInt64() : -1;
        group ??= groups.Create(groupId, timestamp);
        group.ProtocolType = protocolType.Length == 0 ? null : protocolType;
        group.GenerationId = generation;
        group.StateTimestampMs = timestamp;
        return true;
    }

    private static byte[] OffsetKey(string groupId, OffsetPartition partition)
    {
        using var key = new ProtocolWriter();
        key.WriteInt16(OffsetKeyVersion);
        key.WriteString(groupId, compact: false);
        key.WriteString(partition.Topic, compact: false);
        key.WriteInt32(partition.Partition);
        return key.ToArray();
    }

    private static byte[] GroupKey(string groupId)
    {
        using var key = new ProtocolWriter();
        key.WriteInt16(GroupKeyVersion);
        key.WriteString(groupId, compact: false);
        return key.ToArray();
    }
}
