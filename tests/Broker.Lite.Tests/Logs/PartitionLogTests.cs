using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Broker.Lite.Logs;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Logs;

/// <summary>The rules of a log, on both storages.</summary>
public sealed class PartitionLogTests
{
    public static TheoryData<bool> Storages => [true, false];

    [Theory]
    [MemberData(nameof(Storages))]
    public void Appended_batches_are_read_back_in_order_whatever_the_sizes(bool onDisk)
    {
        for (int seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = random.Next(3000, 20_000), IndexIntervalBytes = random.Next(0, 3000) });
            List<(long Offset, string Body)> model = AppendRandom(fixture, random, 250);

            Assert.Equal(model, fixture.ReadAll(random.Next(1, 20_000)));
            for (int i = 0; i < 200; i++)
                CheckRead(fixture, model, random, seed);
            Assert.True(fixture.Log.SegmentCount > 1, "the log should have rolled");
        }
    }

    /// <summary>What is lent of a file instead of read is the same: whole batches within the limit, the next read going on behind them.</summary>
    [Fact]
    public void Parts_of_files_that_are_lent_hold_what_reading_would_give()
    {
        int lent = 0;
        for (int seed = 0; seed < 8; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk: true, new LogConfig { SegmentBytes = random.Next(300_000, 1_500_000), IndexIntervalBytes = random.Next(0, 6000) });
            for (int i = 0; i < 400; i++)
                fixture.Append(LogFixture.Batch(random.Next(1, 30), valueBytes: random.Next(10) == 0 ? random.Next(3000) : random.Next(200)));
            if (random.Next(2) == 0)
                fixture.Restart();
            int maxBytes = random.Next(70_000, 700_000);
            var parts = new List<(long Offset, byte[] Bytes, bool IsLent)>();
            for (long offset = 0; offset < fixture.Log.HighWatermark;)
            {
                // Nothing else is read in between: lending is for whoever reads on.
                using LogSlice part = fixture.Log.Read(offset, maxBytes, minOneBatch: true, maySendFile: true);
                bool isLent = MemoryMarshal.TryGetMemoryManager<byte, FileMemory>(part.Records, out FileMemory? file);
                byte[] bytes = new byte[part.Records.Length];
                if (isLent)
                    Assert.Equal(bytes.Length, RandomAccess.Read(file!.Stream.SafeFileHandle, bytes, file.Position));
                Assert.True(!isLent || part.Records.Span.SequenceEqual(bytes), $"seed {seed}, offset {offset}");
                part.Records.CopyTo(bytes);
                parts.Add((offset, bytes, isLent));
                offset = Batches.EndOffset(bytes);
            }

            lent += parts.Count(part => part.IsLent);
            foreach ((long offset, byte[] bytes, bool isLent) in parts)
            {
                // What is left out of the limit is what lies too far behind the index's last entry.
                using LogSlice read = fixture.Log.Read(offset, maxBytes, minOneBatch: true);
                Assert.True(read.Records.Span.StartsWith(bytes), $"seed {seed}, offset {offset}");
                Assert.InRange(bytes.Length, isLent ? 64 * 1024 : read.Records.Length, read.Records.Length);
                using LogSlice next = fixture.Log.Read(Batches.EndOffset(bytes), 1, minOneBatch: true);
                Assert.True(next.Records.IsEmpty || RecordBatchView.Read(next.Records.Span).Header.BaseOffset == Batches.EndOffset(bytes), $"seed {seed}, offset {offset}");
            }
        }

        Assert.True(lent > 10, $"only {lent} reads were lent");
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Log_is_the_same_after_clean_restarts_and_crashes(bool onDisk)
    {
        for (int seed = 0; seed < 6; seed++)
        {
            var random = new Random(100 + seed);
            using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 20_000, IndexIntervalBytes = 500 });
            var model = new List<(long Offset, string Body)>();
            for (int round = 0; round < 6; round++)
            {
                model.AddRange(AppendRandom(fixture, random, 40));
                if (random.Next(2) == 0)
                    fixture.Restart();
                else
                    fixture.Crash();
                Assert.Equal(model, fixture.ReadAll());
                for (int i = 0; i < 50; i++)
                    CheckRead(fixture, model, random, seed);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Read_outside_of_the_log_is_out_of_range_and_at_its_end_empty(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk);
        fixture.Append(LogFixture.Batch(10));
        Assert.Equal(ErrorCode.OffsetOutOfRange, fixture.Log.Read(-1, 100, true).Error);
        Assert.Equal(ErrorCode.OffsetOutOfRange, fixture.Log.Read(11, 100, true).Error);
        using LogSlice end = fixture.Log.Read(10, 100, true);
        Assert.Equal(ErrorCode.None, end.Error);
        Assert.True(end.Records.IsEmpty);
        Assert.Equal(10, end.HighWatermark);
        Assert.Equal(10, end.LastStableOffset);
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void First_batch_larger_than_the_bound_comes_only_when_one_is_asked_for(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk);
        fixture.Append(LogFixture.Batch(1, valueBytes: 5000));
        fixture.Append(LogFixture.Batch(1, valueBytes: 5000));
        using LogSlice none = fixture.Log.Read(0, 100, minOneBatch: false);
        Assert.True(none.Records.IsEmpty);
        using LogSlice one = fixture.Log.Read(0, 100, minOneBatch: true);
        Assert.Equal(RecordBatchView.Read(one.Records.Span).Bytes.Length, one.Records.Length);
        using LogSlice second = fixture.Log.Read(1, 0, minOneBatch: true);
        Assert.Equal(1, RecordBatchView.Read(second.Records.Span).Header.BaseOffset);
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Bad_batches_are_refused_with_the_right_error_and_change_nothing(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { MaxMessageBytes = 2000, SegmentBytes = 4000 });
        fixture.Append(LogFixture.Batch(3));

        byte[] flipped = LogFixture.Batch(3);
        flipped[^1] ^= 1;
        Check(flipped, ErrorCode.CorruptMessage);
        Check(LogFixture.Batch(3)[..^1], ErrorCode.CorruptMessage);
        Check(LogFixture.Batch(3)[..20], ErrorCode.CorruptMessage);
        Check([], ErrorCode.InvalidRecord);
        Check([.. LogFixture.Batch(1), .. LogFixture.Batch(1)], ErrorCode.InvalidRecord);
        Check([.. LogFixture.Batch(1), 0], ErrorCode.InvalidRecord);
        Check(LogFixture.Batch(1, valueBytes: 2000), ErrorCode.MessageTooLarge);
        Check(LogFixture.Batch(1, valueBytes: 5000), ErrorCode.MessageTooLarge);
        Check(TransactionMarker.Build(ControlRecordType.Commit, 1, 0, 0, 0), ErrorCode.InvalidRecord);
        byte[] oldMagic = LogFixture.Batch(1);
        oldMagic[16] = 1;
        Check(oldMagic, ErrorCode.InvalidRecord);
        Check(Changed(57, 2), ErrorCode.InvalidRecord);
        Check(Changed(23, 7), ErrorCode.InvalidRecord);
        Check(LogFixture.Batch(1, producerId: 5, epoch: 0), ErrorCode.InvalidRecord);
        Check(LogFixture.Batch(1, transactional: true), ErrorCode.InvalidRecord);
        byte[] claimsAppendTime = LogFixture.Batch(1);
        RecordBatchPatch.SetLogAppendTime(claimsAppendTime, 5);
        Check(claimsAppendTime, ErrorCode.InvalidTimestamp);

        Assert.Equal(3, fixture.Append(LogFixture.Batch(1)));
        Assert.Equal(2, fixture.ReadAll().Count);

        void Check(byte[] batch, ErrorCode expected)
        {
            AppendResult result = fixture.Log.Append(batch);
            Assert.Equal(expected, result.Error);
            Assert.Equal(-1, result.BaseOffset);
            Assert.NotNull(result.ErrorMessage);
            Assert.Equal(3, fixture.Log.LogEndOffset);
        }

        static byte[] Changed(int position, int value)
        {
            byte[] batch = LogFixture.Batch(1);
            BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(position), value);
            BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc32C.Compute(batch.AsSpan(21)));
            return batch;
        }
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Lz4)]
    public void Compacted_topic_names_the_records_without_a_key(CompressionType compression)
    {
        using var fixture = new LogFixture(onDisk: false, new LogConfig { IsCompacted = true });
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { Compression = compression });
        builder.TryAppend(1, "a"u8.ToArray(), "1"u8.ToArray());
        builder.TryAppend(2, null, "2"u8.ToArray());
        builder.TryAppend(3, ""u8.ToArray(), "3"u8.ToArray());
        builder.TryAppend(4, null, "4"u8.ToArray());
        AppendResult result = fixture.Log.Append(builder.Build().ToArray());
        Assert.Equal(ErrorCode.InvalidRecord, result.Error);
        Assert.Equal([1, 3], result.InvalidRecordIndexes);
        fixture.Append(LogFixture.Batch(2, compression: compression));
    }

    [Fact]
    public void Timestamps_too_far_from_the_clock_are_refused_where_configured()
    {
        using var fixture = new LogFixture(onDisk: false, new LogConfig { TimestampBeforeMaxMs = 1000, TimestampAfterMaxMs = 500 });
        long now = fixture.Time.NowMs;
        Assert.Equal([0], fixture.Log.Append(LogFixture.Batch([now - 1001, now])).InvalidRecordIndexes);
        Assert.Equal(ErrorCode.InvalidTimestamp, fixture.Log.Append(LogFixture.Batch([now + 501])).Error);
        Assert.Equal(ErrorCode.InvalidTimestamp, fixture.Log.Append(LogFixture.Batch([long.MaxValue])).Error);
        Assert.Equal(ErrorCode.InvalidTimestamp, fixture.Log.Append(LogFixture.Batch([-1])).Error);
        fixture.Append(LogFixture.Batch([now - 1000, now + 500]));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Log_append_time_replaces_the_producers_timestamps(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { TimestampType = TimestampType.LogAppendTime });
        AppendResult result = fixture.Log.Append(LogFixture.Batch([5, 6]));
        Assert.Equal(fixture.Time.NowMs, result.LogAppendTimestamp);
        using LogSlice slice = fixture.Log.Read(0, 1000, true);
        foreach (RecordView record in RecordBatchView.Read(slice.Records.Span).GetRecords())
            Assert.Equal(fixture.Time.NowMs, record.Timestamp);
        fixture.Crash();
        Assert.Equal(0, fixture.Log.FindOffsetForTimestamp(fixture.Time.NowMs).Offset);
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Segment_is_closed_by_age_in_record_time(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { SegmentMs = 1000 });
        fixture.Append(LogFixture.Batch([10_000]));
        fixture.Append(LogFixture.Batch([11_000]));
        Assert.Equal(1, fixture.Log.SegmentCount);
        fixture.Append(LogFixture.Batch([11_001]));
        Assert.Equal(2, fixture.Log.SegmentCount);
        fixture.Append(LogFixture.Batch([long.MaxValue]));
        Assert.Equal(3, fixture.Log.SegmentCount);
        fixture.Append(LogFixture.Batch([long.MinValue]));
        Assert.Equal(3, fixture.Log.SegmentCount);
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Segment_is_closed_when_an_index_is_full(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { SegmentIndexBytes = 24, IndexIntervalBytes = 0 });
        for (int i = 0; i < 10; i++)
            fixture.Append(LogFixture.Batch([1000 + i]));
        Assert.Equal(4, fixture.Log.SegmentCount);
        Assert.Equal(10, fixture.ReadAll().Count);
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Lookup_by_time_is_exact_for_records_out_of_order_and_compressed(bool onDisk)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 6000, IndexIntervalBytes = 200 });
            var timestamps = new List<long>();
            CompressionType[] codecs = [CompressionType.None, CompressionType.Gzip, CompressionType.Snappy, CompressionType.Lz4];
            for (int i = 0; i < 120; i++)
            {
                long[] batch = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => 1000 + (i * 10L) + random.Next(-300, 300))];
                fixture.Append(LogFixture.Batch(batch, codecs[random.Next(codecs.Length)]));
                timestamps.AddRange(batch);
            }

            if (seed % 3 == 1)
                fixture.Restart();
            if (seed % 3 == 2)
                fixture.Crash();
            long start = seed % 2 == 0 ? 0 : random.Next(timestamps.Count / 2);
            Assert.Equal(ErrorCode.None, fixture.Log.DeleteRecords(start));
            for (long target = 650; target < 2600; target += 7)
            {
                int expected = timestamps.FindIndex((int)start, timestamp => timestamp >= target);
                OffsetLookup found = fixture.Log.FindOffsetForTimestamp(target);
                Assert.True(expected == found.Offset, $"seed {seed}, time {target}: expected {expected}, found {found.Offset}");
                Assert.Equal(expected < 0 ? -1 : timestamps[expected], found.Timestamp);
            }

            long max = timestamps.Skip((int)start).Max();
            OffsetLookup newest = fixture.Log.FindMaxTimestamp();
            Assert.Equal(max, newest.Timestamp);
            Assert.Equal(timestamps.FindIndex((int)start, timestamp => timestamp == max), newest.Offset);
        }
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Delete_records_moves_the_start_for_good(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 1000 });
        for (int i = 0; i < 30; i++)
            fixture.Append(LogFixture.Batch(2, valueBytes: 50));
        Assert.Equal(ErrorCode.OffsetOutOfRange, fixture.Log.DeleteRecords(61));
        Assert.Equal(ErrorCode.OffsetOutOfRange, fixture.Log.DeleteRecords(-2));
        int before = fixture.Log.SegmentCount;
        Assert.Equal(ErrorCode.None, fixture.Log.DeleteRecords(31));
        Assert.Equal(31, fixture.Log.LogStartOffset);
        Assert.True(fixture.Log.SegmentCount < before);
        Assert.Equal(ErrorCode.OffsetOutOfRange, fixture.Log.Read(30, 100, true).Error);
        using (LogSlice slice = fixture.Log.Read(31, 100, true))
            Assert.Equal(30, RecordBatchView.Read(slice.Records.Span).Header.BaseOffset);

        fixture.Crash();
        Assert.Equal(31, fixture.Log.LogStartOffset);
        fixture.FailCheckpoint = true;
        Assert.Equal(ErrorCode.KafkaStorageError, fixture.Log.DeleteRecords(-1));
        Assert.Equal(31, fixture.Log.LogStartOffset);
        fixture.FailCheckpoint = false;
        Assert.Equal(ErrorCode.None, fixture.Log.DeleteRecords(-1));
        fixture.Restart();
        Assert.Equal(60, fixture.Log.LogStartOffset);
        Assert.Equal(60, fixture.Append(LogFixture.Batch(1)));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Log_that_lost_its_deleted_tail_does_not_give_offsets_twice(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk);
        fixture.Append(LogFixture.Batch(5));
        fixture.SavedStart = 20;
        fixture.Crash();
        Assert.Equal(20, fixture.Log.LogStartOffset);
        Assert.Equal(20, fixture.Append(LogFixture.Batch(1)));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Retention_by_time_takes_whole_segments_and_completes_an_idle_one_first(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 1000, RetentionMs = 10_000 });
        long start = fixture.Time.NowMs;
        for (int i = 0; i < 20; i++)
            fixture.Append(LogFixture.Batch([start + (i * 1000)], CompressionType.None));
        int segments = fixture.Log.SegmentCount;
        Assert.True(segments > 2);
        fixture.Time.NowMs = start + 10_000;
        Assert.Equal(0, fixture.Log.ApplyRetention());
        fixture.Time.NowMs = start + 22_000;
        Assert.True(fixture.Log.ApplyRetention() > 0);
        long kept = fixture.Log.LogStartOffset;
        Assert.InRange(kept, 1, 12);
        Assert.Equal(ErrorCode.OffsetOutOfRange, fixture.Log.Read(0, 100, true).Error);

        fixture.Time.NowMs = start + 60_000;
        fixture.Log.ApplyRetention();
        Assert.Equal(20, fixture.Log.LogStartOffset);
        Assert.Equal(20, fixture.Append(LogFixture.Batch([start + 60_000])));
        fixture.Crash();
        Assert.Equal(20, fixture.Log.LogStartOffset);
        Assert.Single(fixture.ReadAll());
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Retention_by_size_keeps_the_active_segment(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk, new LogConfig { SegmentBytes = 1000, RetentionBytes = 2500 });
        for (int i = 0; i < 50; i++)
            fixture.Append(LogFixture.Batch(1, valueBytes: 100));
        fixture.Log.ApplyRetention();
        Assert.InRange(fixture.Log.SizeBytes, 2500, 3500);
        fixture.Log.UpdateConfig(fixture.Config with { RetentionBytes = 0 });
        fixture.Log.ApplyRetention();
        Assert.Equal(1, fixture.Log.SegmentCount);
        Assert.True(fixture.Log.LogStartOffset < 50);
        fixture.Log.UpdateConfig(fixture.Config with { IsDeleted = false });
        Assert.Equal(0, fixture.Log.ApplyRetention());
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Epochs_end_where_the_next_one_starts(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk);
        Assert.Equal(new EpochEndOffset(0, 0), fixture.Log.FindEpochEnd(0));
        fixture.Append(LogFixture.Batch(3));
        fixture.Log.SetLeaderEpoch(4);
        fixture.Append(LogFixture.Batch(2));
        fixture.Log.SetLeaderEpoch(2);
        Assert.Equal(4, fixture.Log.LeaderEpoch);
        fixture.Restart();
        Assert.Equal(4, fixture.Log.LeaderEpoch);
        Assert.Equal(new EpochEndOffset(0, 3), fixture.Log.FindEpochEnd(0));
        Assert.Equal(new EpochEndOffset(0, 3), fixture.Log.FindEpochEnd(3));
        Assert.Equal(new EpochEndOffset(4, 5), fixture.Log.FindEpochEnd(4));
        Assert.Equal(new EpochEndOffset(-1, -1), fixture.Log.FindEpochEnd(5));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Listener_hears_of_appends_until_it_is_removed(bool onDisk)
    {
        using var fixture = new LogFixture(onDisk);
        var first = new CountingListener();
        var second = new CountingListener();
        fixture.Log.AddListener(first);
        fixture.Log.AddListener(second);
        fixture.Append(LogFixture.Batch(1));
        fixture.Log.RemoveListener(first);
        fixture.Append(LogFixture.Batch(1));
        fixture.Log.Append(new byte[] { 1, 2, 3 });
        Assert.Equal(1, first.Count);
        Assert.Equal(2, second.Count);
    }

    [Fact]
    public void Append_and_read_allocate_no_more_than_a_few_objects_per_batch()
    {
        using var fixture = new LogFixture(onDisk: true);
        byte[] batch = LogFixture.Batch(1000, valueBytes: 100);
        for (int i = 0; i < 50; i++)
            fixture.Append(batch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            fixture.Log.Append(batch);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 * 100);
        before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            using LogSlice slice = fixture.Log.Read(i * 1000, 100_000, true);
            Assert.False(slice.Records.IsEmpty);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 * 300);
    }

    [Fact]
    public void Readers_beside_a_writer_and_retention_see_whole_batches_only()
    {
        using var fixture = new LogFixture(onDisk: true, new LogConfig { SegmentBytes = 20_000, RetentionBytes = 60_000, IndexIntervalBytes = 300 });
        fixture.Append(LogFixture.Batch(3));
        bool done = false;
        Exception? failure = null;
        Thread[] readers =
        [
            .. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
            {
                long offset = 0;
                try
                {
                    while (!Volatile.Read(ref done))
                    {
                        using LogSlice slice = fixture.Log.Read(offset, 3000, true);
                        if (slice.Error == ErrorCode.OffsetOutOfRange)
                        {
                            offset = slice.LogStartOffset;
                            continue;
                        }

                        Assert.Equal(ErrorCode.None, slice.Error);
                        ReadOnlySpan<byte> data = slice.Records.Span;
                        while (!data.IsEmpty)
                        {
                            RecordBatchView batch = RecordBatchView.Read(data);
                            Assert.True(batch.Header.LastOffset >= offset && batch.Header.LastOffset < slice.HighWatermark);
                            offset = batch.Header.LastOffset + 1;
                            data = data[batch.Bytes.Length..];
                        }
                    }
                }
                catch (Exception e)
                {
                    failure = e;
                }
            })),
        ];
        foreach (Thread reader in readers)
            reader.Start();
        var random = new Random(4);
        for (int i = 0; i < 4000; i++)
        {
            fixture.Append(LogFixture.Batch(random.Next(1, 6), valueBytes: random.Next(300)));
            if (i % 50 == 0)
                fixture.Log.ApplyRetention();
        }

        Volatile.Write(ref done, true);
        foreach (Thread reader in readers)
            reader.Join();
        Assert.Null(failure);
        Assert.True(fixture.Log.LogStartOffset > 0);
    }

    internal static List<(long Offset, string Body)> AppendRandom(LogFixture fixture, Random random, int count)
    {
        var model = new List<(long, string)>();
        for (int i = 0; i < count; i++)
        {
            var codec = (CompressionType)random.Next(5);
            byte[] batch = LogFixture.Batch(random.Next(1, 20), 1_700_000_000_000 + random.Next(100_000), random.Next(random.Next(10) == 0 ? 120 : 40), codec);
            string body = Convert.ToHexString(batch.AsSpan(17));
            model.Add((fixture.Append(batch), body));
        }

        return model;
    }

    private static void CheckRead(LogFixture fixture, List<(long Offset, string Body)> model, Random random, int seed)
    {
        long offset = random.NextInt64(fixture.Log.LogEndOffset);
        int maxBytes = random.Next(1, 8000);
        int index = model.FindLastIndex(batch => batch.Offset <= offset);
        using LogSlice slice = fixture.Log.Read(offset, maxBytes, minOneBatch: true);
        ReadOnlySpan<byte> data = slice.Records.Span;
        Assert.True(data.Length > 0, $"seed {seed}, offset {offset}");
        bool isFirst = true;
        Assert.True(data.Length <= maxBytes || RecordBatchView.Read(data).Bytes.Length == data.Length);
        while (!data.IsEmpty)
        {
            RecordBatchView batch = RecordBatchView.Read(data);
            Assert.True(model[index].Offset == batch.Header.BaseOffset, $"seed {seed}, offset {offset}, first {isFirst}");
            Assert.Equal(model[index++].Body, Convert.ToHexString(batch.Bytes[17..]));
            data = data[batch.Bytes.Length..];
            isFirst = false;
        }
    }

    private sealed class CountingListener : ILogListener
    {
        public int Count { get; private set; }

        public void OnLogChanged(IPartitionLog log) => Count++;
    }
}
