using Broker.Lite.Coordination;
using Kafka.Protocol;

namespace Broker.Lite.Tests.Coordination;

public sealed class OffsetsTopicFormatTests
{
    [Fact]
    public void Offset_record_has_the_bytes_of_kafkas_schemas()
    {
        var entry = OffsetsTopicFormat.OffsetEntry("g1", new OffsetPartition("top", 2), new CommittedOffset(258, 3, "m", 0x0102030405060708));
        Assert.Equal("0001" + "0002" + "6731" + "0003" + "746F70" + "00000002", Convert.ToHexString(entry.Key));
        Assert.Equal("0003" + "0000000000000102" + "00000003" + "0001" + "6D" + "0102030405060708", Convert.ToHexString(entry.Value!));
    }

    [Fact]
    public void Group_record_of_an_empty_group_has_the_bytes_of_kafkas_schemas()
    {
        var entry = OffsetsTopicFormat.GroupEntry(new Group("g1") { GenerationId = 5, ProtocolType = "consumer", StateTimestampMs = 9 });
        Assert.Equal("0002" + "0002" + "6731", Convert.ToHexString(entry.Key));
        Assert.Equal(
            "0003" + "0008" + Convert.ToHexString("consumer"u8) + "00000005" + "FFFF" + "FFFF" + "0000000000000009" + "00000000",
            Convert.ToHexString(entry.Value!));
    }

    [Fact]
    public void Records_replay_to_the_groups_they_came_from()
    {
        var groups = new GroupDirectory();
        var offset = new CommittedOffset(7, 0, "meta", 11);
        var source = new Group("g") { GenerationId = 4, ProtocolType = "consumer", StateTimestampMs = 12 };
        Replay(OffsetsTopicFormat.OffsetEntry("g", new OffsetPartition("t", 1), offset), groups);
        Replay(OffsetsTopicFormat.OffsetEntry("g", new OffsetPartition("t", 2), offset), groups);
        Replay(OffsetsTopicFormat.OffsetTombstone("g", new OffsetPartition("t", 2)), groups);
        Replay(OffsetsTopicFormat.GroupEntry(source), groups);
        var group = groups.Find("g")!;
        Assert.Equal((4, "consumer", 12L, GroupState.Empty), (group.GenerationId, group.ProtocolType, group.StateTimestampMs, group.State));
        Assert.Equal(offset, Assert.Single(group.Offsets).Value);
        Replay(OffsetsTopicFormat.GroupTombstone("g"), groups);
        Assert.Equal((0, null, 1), (groups.Find("g")!.GenerationId, groups.Find("g")!.ProtocolType, groups.Find("g")!.Offsets.Count));
        Replay(OffsetsTopicFormat.OffsetTombstone("g", new OffsetPartition("t", 1)), groups);
        Replay(OffsetsTopicFormat.GroupTombstone("g"), groups);
        Assert.Null(groups.Find("g"));
    }

    [Fact]
    public void Older_value_versions_are_read_and_unknown_ones_skipped()
    {
        var groups = new GroupDirectory();
        var key = OffsetsTopicFormat.OffsetEntry("g", new OffsetPartition("t", 0), default(CommittedOffset) with { Metadata = "" }).Key;
        Assert.True(OffsetsTopicFormat.Replay(key, Convert.FromHexString("0001" + "0000000000000005" + "0000" + "0000000000000001" + "0000000000000002"), groups, ReplayOrigin.None));
        Assert.Equal(new CommittedOffset(5, -1, "", 1), groups.Find("g")!.Offsets.Values.Single());
        Assert.False(OffsetsTopicFormat.Replay(key, Convert.FromHexString("0063"), groups, ReplayOrigin.None));
        Assert.False(OffsetsTopicFormat.Replay(Convert.FromHexString("0063"), null, groups, ReplayOrigin.None));
    }

    [Fact]
    public void Damaged_records_are_protocol_errors_and_nothing_else()
    {
        var entry = OffsetsTopicFormat.OffsetEntry("group", new OffsetPartition("topic", 2), new CommittedOffset(258, 3, "meta", 1));
        for (var length = 0; length < entry.Key.Length; length++)
            Assert.Throws<ProtocolException>(() => OffsetsTopicFormat.Replay(entry.Key.AsMemory(0, length), entry.Value, new GroupDirectory(), ReplayOrigin.None));
        for (var length = 0; length < entry.Value!.Length; length++)
            Assert.Throws<ProtocolException>(() => OffsetsTopicFormat.Replay(entry.Key, entry.Value.AsMemory(0, length), new GroupDirectory(), ReplayOrigin.None));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("a", 47)] // 97 % 50
    [InlineData("my-group", 12)] // hash code -1906497762
    [InlineData("polygenelubricants", 0)] // hash code int.MinValue, whose sign cannot be dropped
    public void Group_is_in_the_partition_kafka_puts_it_in(string groupId, int expected) => Assert.Equal(expected, CoordinatorTopic.PartitionOf(groupId, 50));

    private static void Replay(JournalEntry entry, GroupDirectory groups) =>
        Assert.True(OffsetsTopicFormat.Replay(entry.Key, entry.Value is null ? (ReadOnlyMemory<byte>?)null : entry.Value, groups, ReplayOrigin.None));
}
