using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Logs;

/// <summary>Idempotence and transactions, live and after restarts.</summary>
public sealed class ProducerStateTests
{
    public enum Stop
    {
        None,
        Clean,
        Crash,
    }

    public static TheoryData<Stop> Stops => [Stop.None, Stop.Clean, Stop.Crash];

    [Theory]
    [MemberData(nameof(Stops))]
    public void Last_batch_sent_again_succeeds_with_its_first_offset(Stop stop)
    {
        using var fixture = new LogFixture(onDisk: true);
        fixture.Append(LogFixture.Batch(7));
        Send(fixture, 0, 0, 3, ErrorCode.None, 7);
        Send(fixture, 0, 3, 2, ErrorCode.None, 10);
        Restart(fixture, stop);
        AppendResult again = fixture.Log.Append(Data(0, 3, 2));
        Assert.Equal(new AppendResult(ErrorCode.None, 10, 11, -1, 0, true), again);
        Assert.Equal(12, fixture.Log.LogEndOffset);
        Send(fixture, 0, 5, 1, ErrorCode.None, 12);
    }

    [Theory]
    [InlineData(Stop.None)]
    [InlineData(Stop.Clean)]
    [InlineData(Stop.Crash)]
    public void Each_of_the_last_five_batches_is_recognised_and_older_ones_are_said_to_be_duplicates(Stop stop)
    {
        using var fixture = new LogFixture(onDisk: true);
        for (int i = 0; i < 8; i++)
            Send(fixture, 0, i * 2, 2, ErrorCode.None, i * 2);
        Restart(fixture, stop);
        for (int i = 3; i < 8; i++)
            Send(fixture, 0, i * 2, 2, ErrorCode.None, i * 2);
        for (int i = 0; i < 3; i++)
            Send(fixture, 0, i * 2, 2, ErrorCode.DuplicateSequenceNumber, -1);
        Assert.Equal(16, fixture.Log.LogEndOffset);
    }

    [Theory]
    [MemberData(nameof(Stops))]
    public void Gap_is_out_of_order(Stop stop)
    {
        using var fixture = new LogFixture(onDisk: false);
        Send(fixture, 0, 0, 3, ErrorCode.None, 0);
        Restart(fixture, stop);
        Send(fixture, 0, 4, 1, ErrorCode.OutOfOrderSequenceNumber, -1);
        Send(fixture, 0, 1_000_000, 1, ErrorCode.OutOfOrderSequenceNumber, -1);
        Send(fixture, 0, 3, 1, ErrorCode.None, 3);
    }

    [Theory]
    [MemberData(nameof(Stops))]
    public void New_epoch_starts_at_zero_and_fences_the_old_one(Stop stop)
    {
        using var fixture = new LogFixture(onDisk: true);
        Send(fixture, 3, 0, 2, ErrorCode.None, 0);
        Restart(fixture, stop);
        Send(fixture, 4, 2, 1, ErrorCode.OutOfOrderSequenceNumber, -1);
        Send(fixture, 4, 0, 1, ErrorCode.None, 2);
        Restart(fixture, stop);
        Send(fixture, 3, 2, 1, ErrorCode.InvalidProducerEpoch, -1);
        Send(fixture, 4, 1, 1, ErrorCode.None, 3);
    }

    [Theory]
    [MemberData(nameof(Stops))]
    public void Sequence_wraps_after_its_largest_value(Stop stop)
    {
        using var fixture = new LogFixture(onDisk: true);
        Send(fixture, 0, int.MaxValue - 1, 3, ErrorCode.None, 0); // max - 1, max, 0
        Restart(fixture, stop);
        Send(fixture, 0, int.MaxValue - 1, 3, ErrorCode.None, 0);
        Send(fixture, 0, 2, 1, ErrorCode.OutOfOrderSequenceNumber, -1);
        Send(fixture, 0, 1, 2, ErrorCode.None, 3);
        Restart(fixture, stop);
        Send(fixture, 0, 3, 1, ErrorCode.None, 5);
        Send(fixture, 0, int.MaxValue, 1, ErrorCode.DuplicateSequenceNumber, -1);
    }

    [Fact]
    public void Unknown_producer_may_go_on_from_anywhere()
    {
        using var fixture = new LogFixture(onDisk: false);
        Send(fixture, 5, 100, 1, ErrorCode.None, 0);
        Send(fixture, 5, 101, 1, ErrorCode.None, 1);
    }

    [Fact]
    public void Idle_producer_is_forgotten_by_the_brokers_clock_not_by_record_time()
    {
        using var fixture = new LogFixture(onDisk: false, new LogConfig { ProducerIdExpirationMs = 1000 });
        fixture.Append(LogFixture.Batch(1, timestamp: 5, producerId: 9, epoch: 0, sequence: 0));
        fixture.Log.Maintain(withRetention: true);
        Assert.Single(fixture.Log.DescribeProducers());
        fixture.Append(LogFixture.Batch(1, timestamp: 5, producerId: 10, epoch: 0, sequence: 0, transactional: true));
        fixture.Time.NowMs += 1001;
        fixture.Log.Maintain(withRetention: true);
        Assert.Equal(10, Assert.Single(fixture.Log.DescribeProducers()).ProducerId);
    }

    [Theory]
    [MemberData(nameof(Stops))]
    public void Open_transaction_holds_the_stable_offset_until_its_marker(Stop stop)
    {
        using var fixture = new LogFixture(onDisk: true);
        fixture.Append(LogFixture.Batch(2));
        fixture.Append(LogFixture.Batch(3, producerId: 1, epoch: 0, sequence: 0, transactional: true)); // 2..4
        fixture.Append(LogFixture.Batch(1, producerId: 2, epoch: 0, sequence: 0, transactional: true)); // 5
        fixture.Append(LogFixture.Batch(1)); // 6
        Restart(fixture, stop);
        Assert.Equal(2, fixture.Log.LastStableOffset);
        Assert.Equal(7, fixture.Log.HighWatermark);
        CheckCommitted(fixture, 2, []);

        fixture.Append(Marker(ControlRecordType.Abort, 1, 0), AppendOrigin.Coordinator); // 7
        Restart(fixture, stop);
        Assert.Equal(5, fixture.Log.LastStableOffset);
        CheckCommitted(fixture, 5, [new AbortedTransaction(1, 2, 7, 5)]);

        fixture.Append(Marker(ControlRecordType.Commit, 2, 0), AppendOrigin.Coordinator); // 8
        Restart(fixture, stop);
        Assert.Equal(9, fixture.Log.LastStableOffset);
        CheckCommitted(fixture, 9, [new AbortedTransaction(1, 2, 7, 5)]);
        using (LogSlice late = fixture.Log.Read(8, 1000, true, ReadIsolation.ReadCommitted))
            Assert.Empty(late.AbortedTransactions!);
        fixture.Append(LogFixture.Batch(1, producerId: 1, epoch: 0, sequence: 3, transactional: true));
        Assert.Equal(9, fixture.Log.LastStableOffset);
    }

    [Theory]
    [MemberData(nameof(Stops))]
    public void Aborted_transactions_are_those_of_a_model(Stop stop)
    {
        for (int seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk: seed % 2 == 0, new LogConfig { SegmentBytes = 3000, IndexIntervalBytes = 200 });
            var open = new Dictionary<long, long>();
            var sequences = new Dictionary<long, int>();
            var aborted = new List<(long Producer, long First, long Last)>();
            for (int i = 0; i < 150; i++)
            {
                long producer = random.Next(5);
                int choice = random.Next(6);
                if (choice == 0)
                {
                    fixture.Append(LogFixture.Batch(1));
                }
                else if (choice <= 3 || !open.ContainsKey(producer))
                {
                    int sequence = sequences.GetValueOrDefault(producer);
                    long offset = fixture.Append(LogFixture.Batch(2, producerId: producer, epoch: 0, sequence: sequence, transactional: true));
                    sequences[producer] = sequence + 2;
                    open.TryAdd(producer, offset);
                }
                else
                {
                    var type = (ControlRecordType)random.Next(2);
                    long offset = fixture.Append(Marker(type, producer, 0), AppendOrigin.Coordinator);
                    if (type == ControlRecordType.Abort)
                        aborted.Add((producer, open[producer], offset));
                    open.Remove(producer);
                }
            }

            Restart(fixture, stop);
            long stable = open.Count == 0 ? fixture.Log.LogEndOffset : open.Values.Min();
            Assert.Equal(stable, fixture.Log.LastStableOffset);
            for (int i = 0; i < 60; i++)
            {
                long from = random.NextInt64(stable);
                using LogSlice slice = fixture.Log.Read(from, random.Next(1, 3000), true, ReadIsolation.ReadCommitted);
                long to = from;
                ReadOnlySpan<byte> data = slice.Records.Span;
                Assert.False(data.IsEmpty);
                while (!data.IsEmpty)
                {
                    RecordBatchView batch = RecordBatchView.Read(data);
                    to = batch.Header.LastOffset + 1;
                    data = data[batch.Bytes.Length..];
                }

                Assert.True(to <= stable, $"seed {seed}");
                var expected = aborted.Where(one => one.Last >= from && one.First < to).OrderBy(one => one.First);
                Assert.Equal(expected, slice.AbortedTransactions!.Select(one => (one.ProducerId, one.FirstOffset, one.LastOffset)));
            }
        }
    }

    [Fact]
    public void Data_outside_of_the_open_transaction_is_refused()
    {
        using var fixture = new LogFixture(onDisk: false);
        fixture.Append(LogFixture.Batch(1, producerId: 1, epoch: 0, sequence: 0, transactional: true));
        Assert.Equal(ErrorCode.InvalidTxnState, fixture.Log.Append(Data(0, 1, 1, producer: 1)).Error);
    }

    [Fact]
    public void Marker_of_an_old_coordinator_or_epoch_is_refused_and_one_with_a_new_epoch_fences()
    {
        using var fixture = new LogFixture(onDisk: false);
        fixture.Append(LogFixture.Batch(1, producerId: 1, epoch: 2, sequence: 0, transactional: true));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, fixture.Log.Append(Marker(ControlRecordType.Abort, 1, 1), AppendOrigin.Coordinator).Error);
        fixture.Append(TransactionMarker.Build(ControlRecordType.Abort, 1, 3, 9, 0), AppendOrigin.Coordinator);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, fixture.Log.Append(Data(2, 1, 1, producer: 1)).Error);
        AppendResult old = fixture.Log.Append(TransactionMarker.Build(ControlRecordType.Commit, 1, 3, 8, 0), AppendOrigin.Coordinator);
        Assert.Equal(ErrorCode.TransactionCoordinatorFenced, old.Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, fixture.Log.Append(Data(3, 1, 1, producer: 1)).Error);
        Assert.Equal(ErrorCode.None, fixture.Log.Append(Data(3, 0, 1, producer: 1)).Error);
    }

    private static byte[] Data(short epoch, int sequence, int count, long producer = 1000) =>
        LogFixture.Batch(count, producerId: producer, epoch: epoch, sequence: sequence);

    private static byte[] Marker(ControlRecordType type, long producer, short epoch) => TransactionMarker.Build(type, producer, epoch, 0, 1000);

    private static void Send(LogFixture fixture, short epoch, int sequence, int count, ErrorCode expected, long offset)
    {
        AppendResult result = fixture.Log.Append(Data(epoch, sequence, count));
        Assert.True(expected == result.Error, $"sequence {sequence}: {result.Error} {result.ErrorMessage}");
        Assert.Equal(offset, result.BaseOffset);
    }

    private static void Restart(LogFixture fixture, Stop stop)
    {
        if (stop == Stop.Clean)
            fixture.Restart();
        else if (stop == Stop.Crash)
            fixture.Crash();
    }

    private static void CheckCommitted(LogFixture fixture, long end, AbortedTransaction[] aborted)
    {
        using LogSlice slice = fixture.Log.Read(0, 1 << 20, true, ReadIsolation.ReadCommitted);
        long last = -1;
        ReadOnlySpan<byte> data = slice.Records.Span;
        while (!data.IsEmpty)
        {
            RecordBatchView batch = RecordBatchView.Read(data);
            last = batch.Header.LastOffset;
            data = data[batch.Bytes.Length..];
        }

        Assert.Equal(end - 1, last);
        Assert.Equal(aborted, slice.AbortedTransactions!);
        using LogSlice atEnd = fixture.Log.Read(end, 1000, true, ReadIsolation.ReadCommitted);
        Assert.Equal(ErrorCode.None, atEnd.Error);
        Assert.True(atEnd.Records.IsEmpty);
    }
}
