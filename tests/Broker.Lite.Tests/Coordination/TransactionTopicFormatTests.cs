using Broker.Lite.Coordination;
using Kafka.Protocol;

namespace Broker.Lite.Tests.Coordination;

public sealed class TransactionTopicFormatTests
{
    private static readonly Transaction _ongoing = new()
    {
        TransactionalId = "tx",
        ProducerId = 258,
        ProducerEpoch = 3,
        TimeoutMs = 60_000,
        State = TransactionState.Ongoing,
        Partitions = [new OffsetPartition("u", 1), new OffsetPartition("t", 5), new OffsetPartition("t", 2)],
        StartTimestampMs = 9,
        LastUpdateTimestampMs = 10,
    };

    [Fact]
    public void Record_has_the_bytes_of_kafkas_schemas()
    {
        var entry = TransactionTopicFormat.Entry(_ongoing);
        Assert.Equal("0000" + "0002" + "7478", Convert.ToHexString(entry.Key));
        Assert.Equal(
            "0000" + "0000000000000102" + "0003" + "0000EA60" + "01"
            + "00000002" + "0001" + "74" + "00000002" + "00000002" + "00000005" + "0001" + "75" + "00000001" + "00000001"
            + "000000000000000A" + "0000000000000009",
            Convert.ToHexString(entry.Value!));
    }

    [Fact]
    public void Empty_transaction_has_null_for_its_partitions_and_a_forgotten_one_no_value()
    {
        var empty = TransactionTopicFormat.Entry(_ongoing with { State = TransactionState.Empty, Partitions = [], StartTimestampMs = -1 });
        Assert.Equal(
            "0000" + "0000000000000102" + "0003" + "0000EA60" + "00" + "FFFFFFFF" + "000000000000000A" + "FFFFFFFFFFFFFFFF",
            Convert.ToHexString(empty.Value!));
        Assert.Null(TransactionTopicFormat.Tombstone("tx").Value);
    }

    [Theory]
    [InlineData(TransactionState.Empty)]
    [InlineData(TransactionState.Ongoing)]
    [InlineData(TransactionState.PrepareCommit)]
    [InlineData(TransactionState.PrepareAbort)]
    [InlineData(TransactionState.CompleteCommit)]
    [InlineData(TransactionState.CompleteAbort)]
    internal void What_is_written_is_read_again_and_goes_with_its_tombstone(TransactionState state)
    {
        var written = state is TransactionState.Empty or TransactionState.CompleteAbort or TransactionState.CompleteCommit
            ? _ongoing with { State = state, Partitions = [] }
            : _ongoing with { State = state };
        var transactions = new Dictionary<string, Transaction>();
        Assert.True(Replay(TransactionTopicFormat.Entry(written), transactions));
        var read = Assert.Single(transactions).Value;
        Assert.Equal(written.Partitions.Order(Comparer<OffsetPartition>.Create(Compare)), read.Partitions.Order(Comparer<OffsetPartition>.Create(Compare)));
        Assert.Equal(written with { Partitions = [] }, read with { Partitions = [] });
        Assert.True(Replay(TransactionTopicFormat.Tombstone("tx"), transactions));
        Assert.Empty(transactions);
    }

    [Fact]
    public void Flexible_version_of_later_brokers_is_read_and_unknown_ones_are_skipped()
    {
        var transactions = new Dictionary<string, Transaction>();
        var key = TransactionTopicFormat.Entry(_ongoing).Key;
        var value = "0001" + "0000000000000102" + "0003" + "0000EA60" + "01"
            + "02" + "02" + "74" + "02" + "00000005" + "00" + "000000000000000A" + "0000000000000009" + "00";
        Assert.True(TransactionTopicFormat.Replay(key, Convert.FromHexString(value), transactions));
        Assert.Equal(new OffsetPartition("t", 5), transactions["tx"].Partitions.Single());
        Assert.False(TransactionTopicFormat.Replay(key, Convert.FromHexString("0002"), transactions));
        Assert.False(TransactionTopicFormat.Replay(Convert.FromHexString("0001"), null, transactions));
        var odd = TransactionTopicFormat.Entry(_ongoing with { State = (TransactionState)99 });
        Assert.False(Replay(odd, transactions));
        Assert.Equal(TransactionState.Ongoing, transactions["tx"].State);
    }

    [Fact]
    public void Damaged_records_are_protocol_errors_and_nothing_else()
    {
        var entry = TransactionTopicFormat.Entry(_ongoing);
        for (var length = 0; length < entry.Key.Length; length++)
            Assert.Throws<ProtocolException>(() => TransactionTopicFormat.Replay(entry.Key.AsMemory(0, length), entry.Value, []));
        for (var length = 0; length < entry.Value!.Length; length++)
            Assert.Throws<ProtocolException>(() => TransactionTopicFormat.Replay(entry.Key, entry.Value.AsMemory(0, length), []));
    }

    private static bool Replay(JournalEntry entry, Dictionary<string, Transaction> transactions) =>
        TransactionTopicFormat.Replay(entry.Key, entry.Value is null ? (ReadOnlyMemory<byte>?)null : entry.Value, transactions);

    private static int Compare(OffsetPartition one, OffsetPartition other) => (one.Topic, one.Partition).CompareTo((other.Topic, other.Partition));
}
