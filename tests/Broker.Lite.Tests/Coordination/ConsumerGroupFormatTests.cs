using Broker.Lite.Coordination;
using Kafka.Protocol;

namespace Broker.Lite.Tests.Coordination;

public sealed class ConsumerGroupFormatTests
{
    private const string TopicId = "00112233445566778899AABBCCDDEEFF";

    private static readonly PartitionId _partition = new(Guid.Parse(TopicId), 3);

    private static readonly ConsumerMember _member = new()
    {
        Id = "m",
        InstanceId = "i",
        ClientId = "c",
        ClientHost = "/h",
        Topics = ["t"],
        RebalanceTimeoutMs = 1000,
        ServerAssignor = "range",
        Epoch = 5,
        PreviousEpoch = 4,
        State = ConsumerMemberState.UnrevokedPartitions,
        Assigned = [_partition, _partition with { Partition = 1 }],
        PendingRevocation = [_partition with { Partition = 9 }],
    };

    [Fact]
    public void Records_have_the_bytes_of_kafkas_schemas()
    {
        Check(ConsumerGroupFormat.GroupEntry("g", 7, 0x0102030405060708), "0003" + "0001" + "67", "0000" + "00000007" + "01" + "00" + "08" + "0102030405060708");
        Check(
            ConsumerGroupFormat.MemberEntry("g", _member),
            "0005" + "0001" + "67" + "0001" + "6D",
            "0000" + "0269" + "00" + "0263" + "032F68" + "02" + "0274" + "00" + "000003E8" + "06" + Convert.ToHexString("range"u8) + "00");
        Check(ConsumerGroupFormat.TargetEntry("g", 7), "0006" + "0001" + "67", "0000" + "00000007" + "00");
        Check(
            ConsumerGroupFormat.TargetMemberEntry("g", "m", [_partition]),
            "0007" + "0001" + "67" + "0001" + "6D",
            "0000" + "02" + TopicId + "02" + "00000003" + "00" + "00");
        Check(
            ConsumerGroupFormat.CurrentMemberEntry("g", _member),
            "0008" + "0001" + "67" + "0001" + "6D",
            "0000" + "00000005" + "00000004" + "01" + "02" + TopicId + "03" + "00000001" + "00000003" + "00" + "02" + TopicId + "02" + "00000009" + "00" + "00");
    }

    [Fact]
    public void What_is_written_is_read_again_and_goes_with_its_tombstones()
    {
        var groups = new GroupDirectory();
        foreach (var entry in Entries())
            Assert.True(Replay(entry, groups));
        var group = groups.Find("g")!.Consumer!;
        Assert.Equal((7, 6, 42L), (group.Epoch, group.TargetEpoch, group.MetadataHash));
        var read = Assert.Single(group.Members).Value;
        Assert.True(read.HasSameMetadata(_member) && read.HasSameProgress(_member));
        Assert.Equal([_partition], group.TargetOf("m"));

        foreach (var entry in ConsumerGroupFormat.MemberTombstones("g", "m"))
            Assert.True(Replay(entry, groups));
        Assert.Empty(group.Members);
        Assert.Empty(group.Targets);
        foreach (var entry in ConsumerGroupFormat.GroupTombstones("g"))
            Assert.True(Replay(entry, groups));
        Assert.Null(groups.Find("g"));
    }

    [Fact]
    public void Unknown_versions_are_skipped_and_fields_of_later_brokers_are_read_over()
    {
        var groups = new GroupDirectory();
        var entry = ConsumerGroupFormat.GroupEntry("g", 7, 42);
        Assert.False(OffsetsTopicFormat.Replay(entry.Key, Convert.FromHexString("0001"), groups, ReplayOrigin.None));
        Assert.Null(groups.Find("g"));
        Assert.True(OffsetsTopicFormat.Replay(entry.Key, Convert.FromHexString("0000" + "00000007" + "02" + "0102FFFF" + "0008000000000000002A"), groups, ReplayOrigin.None));
        Assert.Equal((7, 42L), (groups.Find("g")!.Consumer!.Epoch, groups.Find("g")!.Consumer!.MetadataHash));
    }

    [Fact]
    public void Damaged_records_are_protocol_errors_and_leave_nothing_behind()
    {
        foreach (var (key, value) in Entries())
        {
            for (var length = 2; length < key.Length; length++)
                Assert.Throws<ProtocolException>(() => OffsetsTopicFormat.Replay(key.AsMemory(0, length), value, new GroupDirectory(), ReplayOrigin.None));
            for (var length = 0; length < value!.Length - 1; length++)
            {
                var groups = new GroupDirectory();
                Assert.Throws<ProtocolException>(() => OffsetsTopicFormat.Replay(key, value.AsMemory(0, length), groups, ReplayOrigin.None));
                Assert.Empty(groups.All);
            }
        }
    }

    private static JournalEntry[] Entries() =>
    [
        ConsumerGroupFormat.GroupEntry("g", 7, 42),
        ConsumerGroupFormat.MemberEntry("g", _member),
        ConsumerGroupFormat.TargetEntry("g", 6),
        ConsumerGroupFormat.TargetMemberEntry("g", "m", [_partition]),
        ConsumerGroupFormat.CurrentMemberEntry("g", _member),
    ];

    private static void Check(JournalEntry entry, string key, string value) =>
        Assert.Equal((key, value), (Convert.ToHexString(entry.Key), Convert.ToHexString(entry.Value!)));

    private static bool Replay(JournalEntry entry, GroupDirectory groups) =>
        OffsetsTopicFormat.Replay(entry.Key, entry.Value is null ? (ReadOnlyMemory<byte>?)null : entry.Value, groups, ReplayOrigin.None);
}
