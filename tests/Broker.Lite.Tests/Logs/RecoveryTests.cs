using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Logs;

/// <summary>What is left after a crash, damage and a full disk: always exactly the valid prefix.</summary>
public sealed class RecoveryTests
{
    public static TheoryData<bool> Storages => [true, false];

    [Theory]
    [MemberData(nameof(Storages))]
    public void Torn_tail_is_cut_at_the_last_whole_batch(bool onDisk)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 8000, IndexIntervalBytes = 300 });
            List<(long Offset, string Body)> model = PartitionLogTests.AppendRandom(fixture, random, 40);
            string active = ActiveLog(fixture);
            long baseOffset = long.Parse(active[..20], System.Globalization.CultureInfo.InvariantCulture);
            fixture.Log.Abandon();
            long cut = 0;
            fixture.Storage.Corrupt(active, file => file.Truncate(cut = random.NextInt64(file.Length + 1)));
            fixture.Crash();

            List<(long Offset, string Body)> expected = [.. model.Where(batch => batch.Offset < baseOffset)];
            long position = 0;
            foreach ((long Offset, string Body) batch in model.Where(batch => batch.Offset >= baseOffset))
            {
                position += 17 + (batch.Body.Length / 2);
                if (position <= cut)
                    expected.Add(batch);
            }

            CheckUsable(fixture, expected, seed);
        }
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Corrupt_byte_cuts_the_log_before_its_batch_and_drops_what_follows(bool onDisk)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(1000 + seed);
            using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 8000, IndexIntervalBytes = 300 });
            List<(long Offset, string Body)> model = PartitionLogTests.AppendRandom(fixture, random, 60);
            string[] logs = Logs(fixture);
            string damaged = logs[random.Next(logs.Length)];
            long baseOffset = long.Parse(damaged[..20], System.Globalization.CultureInfo.InvariantCulture);
            fixture.Log.Abandon();

            // Behind the leader epoch, so that the damage is covered by the checksum, or is in the magic or the checksum itself.
            int index = model.FindIndex(batch => batch.Offset == baseOffset);
            int last = model.FindLastIndex(batch => batch.Offset < (damaged == logs[^1] ? long.MaxValue : long.Parse(logs[Array.IndexOf(logs, damaged) + 1][..20], System.Globalization.CultureInfo.InvariantCulture)));
            int victim = random.Next(index, last + 1);
            long position = model.Skip(index).Take(victim - index).Sum(batch => 17L + (batch.Body.Length / 2));
            position += random.Next(16, 17 + (model[victim].Body.Length / 2));
            fixture.Storage.Corrupt(damaged, file =>
            {
                var bytes = new byte[1];
                file.Read(position, bytes);
                bytes[0] ^= (byte)(1 << random.Next(8));
                file.Write(position, bytes);
            });
            fixture.Crash();

            CheckUsable(fixture, model[..victim], 1000 + seed);
        }
    }

    [Theory]
    [InlineData(".index")]
    [InlineData(".timeindex")]
    [InlineData(".txnindex")]
    [InlineData(".snapshot")]
    public void Missing_or_damaged_side_files_are_made_anew_even_after_a_clean_stop(string suffix)
    {
        for (int seed = 0; seed < 24; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk: seed % 2 == 0, new LogConfig { SegmentBytes = 4000, IndexIntervalBytes = 200 });
            var expected = new List<(long Offset, string Body)>();
            for (int i = 0; i < 30; i++)
            {
                expected.AddRange(PartitionLogTests.AppendRandom(fixture, random, 2));
                fixture.Append(LogFixture.Batch(2, producerId: 7, epoch: 1, sequence: i * 2, transactional: true));
                fixture.Append(TransactionMarker.Build(ControlRecordType.Abort, 7, 1, 3, 1000), AppendOrigin.Coordinator);
            }

            List<(long Offset, string Body)> before = fixture.ReadAll();
            AbortedTransaction[] abortedBefore = Aborted(fixture);
            Assert.Equal(30, abortedBefore.Length);
            Assert.True(fixture.Log.Close());
            foreach (string file in fixture.Storage.List().Where(file => file.EndsWith(suffix, StringComparison.Ordinal)).ToArray())
            {
                switch (seed % 4)
                {
                    case 0:
                        fixture.Storage.Delete(file);
                        break;
                    case 1:
                        fixture.Storage.Corrupt(file, log => log.Truncate(log.Length / 2));
                        break;
                    case 2:
                        var noise = new byte[random.Next(1, 200)];
                        random.NextBytes(noise);
                        fixture.Storage.Corrupt(file, log =>
                        {
                            log.Truncate(0);
                            log.Write(0, noise);
                        });
                        break;
                    default:
                        fixture.Storage.Corrupt(file, log => log.Write(log.Length, new byte[5]));
                        break;
                }
            }

            fixture.Restart();
            Assert.Equal(before, fixture.ReadAll(3000));
            if (suffix != ".txnindex" || seed % 4 is 2 or 3)
                Assert.Equal(abortedBefore, Aborted(fixture));
            Assert.Equal(fixture.Log.LogEndOffset, fixture.Log.LastStableOffset);
            Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, fixture.Log.Append(LogFixture.Batch(1, producerId: 7, epoch: 1, sequence: 61, transactional: true)).Error);
            fixture.Append(LogFixture.Batch(1, producerId: 7, epoch: 1, sequence: 60, transactional: true));
        }
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Full_disk_fails_the_append_and_the_log_goes_on_when_there_is_room(bool onDisk)
    {
        for (int seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 5000, IndexIntervalBytes = 300 });
            List<(long Offset, string Body)> model = PartitionLogTests.AppendRandom(fixture, random, random.Next(1, 60));
            for (int round = 0; round < 3; round++)
            {
                fixture.Storage.IsFull = true;
                fixture.Storage.TornBytes = random.Next(300);
                fixture.Storage.CannotTruncate = random.Next(2) == 0;
                for (int i = 0; i < 3; i++)
                {
                    AppendResult result = fixture.Log.Append(LogFixture.Batch(5, valueBytes: 100, producerId: 3, epoch: 0, sequence: 0));
                    Assert.Equal(ErrorCode.KafkaStorageError, result.Error);
                }

                Assert.Equal(model, fixture.ReadAll());
                fixture.Storage.IsFull = false;
                fixture.Storage.CannotTruncate = false;
                if (random.Next(3) == 0)
                    fixture.Crash();
                model.AddRange(PartitionLogTests.AppendRandom(fixture, random, 10));
                Assert.Equal(model, fixture.ReadAll());
                fixture.Crash();
                Assert.Equal(model, fixture.ReadAll());
            }

            // The failed batches left no trace in the producer's state either.
            fixture.Append(LogFixture.Batch(5, producerId: 3, epoch: 0, sequence: 0));
        }
    }

    [Fact]
    public void Close_on_a_full_disk_is_not_clean_and_the_next_start_recovers()
    {
        using var fixture = new LogFixture(onDisk: true);
        fixture.Append(LogFixture.Batch(3));
        fixture.Storage.IsFull = true;
        Assert.False(fixture.Log.Close());
        fixture.Storage.IsFull = false;
        fixture.Restart();
        Assert.Equal(3, fixture.Log.LogEndOffset);
        Assert.Single(fixture.ReadAll());
    }

    [Fact]
    public void Closed_log_refuses_and_does_not_throw()
    {
        using var fixture = new LogFixture(onDisk: true);
        fixture.Append(LogFixture.Batch(3));
        Assert.True(fixture.Log.Close());
        Assert.True(fixture.Log.Close());
        Assert.Equal(ErrorCode.KafkaStorageError, fixture.Log.Append(LogFixture.Batch(1)).Error);
        Assert.Equal(ErrorCode.KafkaStorageError, fixture.Log.Read(0, 100, true).Error);
        Assert.Equal(ErrorCode.KafkaStorageError, fixture.Log.FindOffsetForTimestamp(0).Error);
        Assert.Equal(ErrorCode.KafkaStorageError, fixture.Log.DeleteRecords(1));
        Assert.Equal(ErrorCode.KafkaStorageError, fixture.Log.Flush());
        Assert.Equal(0, fixture.Log.ApplyRetention());
        fixture.Log.Maintain(withRetention: true);
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Flush_by_count_and_by_time_moves_the_recovery_point(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { FlushMessages = 10, FlushMs = 5000 });
        fixture.Append(LogFixture.Batch(9));
        Assert.Equal(0, fixture.Log.RecoveryPoint);
        fixture.Append(LogFixture.Batch(1));
        Assert.Equal(10, fixture.Log.RecoveryPoint);
        fixture.Append(LogFixture.Batch(1));
        fixture.Log.Maintain(withRetention: true);
        Assert.Equal(10, fixture.Log.RecoveryPoint);
        fixture.Time.NowMs += 5000;
        fixture.Log.Maintain(withRetention: true);
        Assert.Equal(11, fixture.Log.RecoveryPoint);
    }

    private static void CheckUsable(LogFixture fixture, List<(long Offset, string Body)> expected, int seed)
    {
        Assert.True(expected.SequenceEqual(fixture.ReadAll(2000)), $"seed {seed}");
        long end = fixture.Log.LogEndOffset;
        Assert.Equal(end, fixture.Append(LogFixture.Batch(2, timestamp: 5)));
        fixture.Crash();
        Assert.True(fixture.ReadAll().Count == expected.Count + 1, $"seed {seed}");
        fixture.Restart();
        Assert.True(fixture.ReadAll().Count == expected.Count + 1, $"seed {seed}");
    }

    private static AbortedTransaction[] Aborted(LogFixture fixture)
    {
        var found = new HashSet<AbortedTransaction>();
        for (long offset = 0; offset < fixture.Log.LogEndOffset;)
        {
            using LogSlice slice = fixture.Log.Read(offset, 1 << 20, true, ReadIsolation.ReadCommitted);
            Assert.Equal(ErrorCode.None, slice.Error);
            found.UnionWith(slice.AbortedTransactions!);
            ReadOnlySpan<byte> data = slice.Records.Span;
            Assert.False(data.IsEmpty);
            while (!data.IsEmpty)
            {
                RecordBatchView batch = RecordBatchView.Read(data);
                offset = batch.Header.LastOffset + 1;
                data = data[batch.Bytes.Length..];
            }
        }

        return [.. found.OrderBy(transaction => transaction.FirstOffset)];
    }

    private static string[] Logs(LogFixture fixture) =>
        [.. fixture.Storage.List().Where(file => file.EndsWith(".log", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static string ActiveLog(LogFixture fixture) => Logs(fixture)[^1];
}
