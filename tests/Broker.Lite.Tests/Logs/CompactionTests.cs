using System.Text;
using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Logs;

/// <summary>Compaction: the last value of every key stays, at its offset, whatever happens in between.</summary>
public sealed class CompactionTests
{
    private const long Start = 1_700_000_000_000;
    private static readonly LogConfig _config = new()
    {
        IsCompacted = true,
        IsDeleted = false,
        SegmentBytes = 2000,
        IndexIntervalBytes = 200,
        MinCleanableDirtyRatio = 0,
        DeleteRetentionMs = 1000,
        FileDeleteDelayMs = 0,
    };

    public static TheoryData<CompressionType> Codecs => [CompressionType.None, CompressionType.Gzip, CompressionType.Snappy, CompressionType.Lz4, CompressionType.Zstd];

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Last_record_of_each_key_stays_at_its_offset(CompressionType codec)
    {
        using var fixture = new LogFixture(onDisk: false, _config);
        for (int round = 0; round < 30; round++)
            fixture.Append(Batch(codec, [.. Enumerable.Range(0, 10).Select(i => ($"k{(round * 3 + i) % 25}", (string?)$"value {round}.{i} with some length"))]));
        List<(long Offset, string Key, string? Value)> before = CompactedView.Records(fixture.Log);
        long activeBase = fixture.Log.PlanCleaning()!.EndOffset;
        long bytes = fixture.Log.SizeBytes;

        Assert.True(Clean(fixture));

        // Of the sealed part exactly the last of each key, judged by the sealed part alone; the active segment as it was.
        var last = before.Where(record => record.Offset < activeBase).GroupBy(record => record.Key).ToDictionary(group => group.Key, group => group.Last().Offset);
        Assert.Equal(before.Where(record => record.Offset >= activeBase || last[record.Key] == record.Offset), CompactedView.Records(fixture.Log));
        Assert.True(fixture.Log.SizeBytes < bytes / 2);
        Assert.Equal(activeBase, fixture.Log.FirstDirtyOffset);
        Assert.Equal(0, fixture.Log.LogStartOffset);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_histories_keep_their_table_over_rounds_of_compaction_and_restarts(bool onDisk)
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            using var fixture = new LogFixture(onDisk, _config with { SegmentBytes = random.Next(1000, 6000) });
            var sequences = new Dictionary<long, int>();
            for (int round = 0; round < 6; round++)
            {
                AppendRandom(fixture, random, sequences, steps: 40);
                var table = CompactedView.Table(fixture.Log);
                var options = new CleanerOptions { MapBytes = random.Next(2) == 0 ? 1 << 20 : 24 * 30, BufferBytes = 4096 };
                fixture.Log.Clean(options, TestContext.Current.CancellationToken);
                Assert.Equal(table, CompactedView.Table(fixture.Log));
                fixture.Time.NowMs += random.Next(1500);
                if (random.Next(3) == 0)
                    fixture.Crash();
                else if (random.Next(3) == 0)
                    fixture.Restart();
                Assert.True(table.SequenceEqual(CompactedView.Table(fixture.Log)), $"seed {seed}, round {round}");
            }
        }
    }

    [Fact]
    public void Tombstone_goes_when_its_time_is_over_and_not_before()
    {
        using var fixture = new LogFixture(onDisk: false, _config);
        fixture.Append(Batch(CompressionType.None, [("a", "1"), ("b", "1")]));
        fixture.Append(Batch(CompressionType.None, [("a", null)]));
        Fill(fixture, "x");
        Clean(fixture);
        Assert.Contains((2, "a", null), CompactedView.Records(fixture.Log));
        Assert.DoesNotContain(CompactedView.Records(fixture.Log), record => record.Offset == 0);

        fixture.Time.NowMs += 999;
        Fill(fixture, "y");
        Clean(fixture);
        Assert.Contains((2, "a", null), CompactedView.Records(fixture.Log));

        fixture.Time.NowMs += 1;
        Fill(fixture, "z");
        Clean(fixture);
        Assert.DoesNotContain(CompactedView.Records(fixture.Log), record => record.Key == "a");
        Assert.Contains((1, "b", "1"), CompactedView.Records(fixture.Log));
    }

    [Fact]
    public void Timestamps_headers_and_append_time_survive_a_rewritten_batch()
    {
        using var fixture = new LogFixture(onDisk: false, _config with { TimestampType = TimestampType.LogAppendTime });
        fixture.Append(Batch(CompressionType.Lz4, [("a", "1"), ("b", "2"), ("c", null)]));
        fixture.Append(Batch(CompressionType.None, [("a", "3")]));
        Fill(fixture, "x");
        Clean(fixture);
        using LogSlice slice = fixture.Log.Read(0, 1, minOneBatch: true);
        RecordBatchView batch = RecordBatchView.Read(slice.Records.Span);
        Assert.Equal(TimestampType.LogAppendTime, batch.Header.TimestampType);
        Assert.Equal(Start, batch.Header.MaxTimestamp);
        Assert.True(batch.Header.HasDeleteHorizon);
        Assert.Equal((0, 2, 2), (batch.Header.BaseOffset, batch.Header.LastOffset, batch.Header.RecordCount));
        Assert.Equal(CompressionType.Lz4, batch.Header.Compression);
    }

    [Fact]
    public void Aborted_records_go_at_once_and_markers_after_their_transactions()
    {
        using var fixture = new LogFixture(onDisk: false, _config);
        fixture.Append(Transactional(1, 0, ("a", "committed")));     // 0
        fixture.Append(Transactional(2, 0, ("a", "aborted")));       // 1
        fixture.Append(Marker(2, ControlRecordType.Abort), AppendOrigin.Coordinator); // 2
        fixture.Append(Marker(1, ControlRecordType.Commit), AppendOrigin.Coordinator); // 3
        fixture.Append(Transactional(1, 1, ("b", "1")));             // 4
        fixture.Append(Marker(1, ControlRecordType.Commit), AppendOrigin.Coordinator); // 5
        fixture.Append(Transactional(2, 1, ("b", "2")));             // 6
        fixture.Append(Marker(2, ControlRecordType.Commit), AppendOrigin.Coordinator); // 7
        Fill(fixture, "x");

        Clean(fixture);
        Assert.Equal([(0, "a", "committed"), (6, "b", "2")], CompactedView.Records(fixture.Log).Take(2));
        List<string> batches = CompactedView.Batches(fixture.Log);
        Assert.Contains("2-2:1A", batches);
        Assert.DoesNotContain(batches, batch => batch.StartsWith("1-", StringComparison.Ordinal));
        Assert.Contains("4-4:0", batches); // the last of producer 1, for its sequence number

        // Nothing is left of the aborted one: its marker gets a time, and goes when that is over.
        Fill(fixture, "y");
        Clean(fixture);
        fixture.Time.NowMs += 1000;
        Fill(fixture, "z");
        Clean(fixture);
        batches = CompactedView.Batches(fixture.Log);
        Assert.DoesNotContain("2-2:1A", batches);
        Assert.Contains("3-3:1C", batches);
        Assert.Equal([(0, "a", "committed"), (6, "b", "2")], CompactedView.Records(fixture.Log).Take(2));
    }

    [Fact]
    public void Open_transaction_bounds_compaction()
    {
        using var fixture = new LogFixture(onDisk: false, _config);
        Fill(fixture, "x");
        long open = fixture.Append(Transactional(1, 0, ("a", "1")));
        Fill(fixture, "y");
        Fill(fixture, "z");
        CleaningPlan plan = fixture.Log.PlanCleaning()!;
        Assert.True(plan.EndOffset <= open);
        fixture.Append(Marker(1, ControlRecordType.Commit), AppendOrigin.Coordinator);
        Assert.True(fixture.Log.PlanCleaning()!.EndOffset > open);
    }

    [Fact]
    public void Sequence_numbers_are_known_after_compaction_and_loss_of_the_snapshots()
    {
        using var fixture = new LogFixture(onDisk: false, _config);
        fixture.Append(Idempotent(7, 0, ("a", "1"), ("b", "1")));
        long repeated = fixture.Append(Idempotent(7, 2, ("a", "2")));
        fixture.Append(Batch(CompressionType.None, [("a", "3"), ("b", "3")]));
        Fill(fixture, "x");
        Clean(fixture);
        Assert.Contains($"{repeated}-{repeated}:0", CompactedView.Batches(fixture.Log));
        fixture.Log.Abandon();
        foreach (string snapshot in fixture.Storage.List().Where(file => file.EndsWith(".snapshot", StringComparison.Ordinal)).ToArray())
            fixture.Storage.Delete(snapshot);
        fixture.Open(clean: false);

        AppendResult again = fixture.Log.Append(Idempotent(7, 2, ("a", "2")));
        Assert.True(again.IsDuplicate);
        Assert.Equal(repeated, again.BaseOffset);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, fixture.Log.Append(Idempotent(7, 5, ("a", "4"))).Error);
        Assert.Equal(ErrorCode.None, fixture.Log.Append(Idempotent(7, 3, ("a", "4"))).Error);
    }

    [Fact]
    public void Lags_and_ratio_say_when()
    {
        using var fixture = new LogFixture(onDisk: false, _config with { MinCompactionLagMs = 10_000, MinCleanableDirtyRatio = 0.6 });
        Fill(fixture, "x");
        Assert.Null(fixture.Log.PlanCleaning());
        fixture.Time.NowMs += 10_000;
        CleaningPlan plan = fixture.Log.PlanCleaning()!;
        Assert.True(plan.IsDue(0.6));
        Assert.Equal(1, plan.DirtyRatio);
        fixture.Log.UpdateConfig(_config with { MinCleanableDirtyRatio = 0.6 });
        Clean(fixture);
        Assert.False(fixture.Log.PlanCleaning()?.IsDue(0) ?? false);

        fixture.Append(Batch(CompressionType.None, [.. Enumerable.Range(0, 60).Select(i => ($"unique{i}", (string?)"v"))]));
        Fill(fixture, "y");
        plan = fixture.Log.PlanCleaning()!;
        Assert.InRange(plan.DirtyRatio, 0.01, 1);
        Assert.Equal(plan.DirtyRatio > 0.6, plan.IsDue(0.6));

        fixture.Log.UpdateConfig(_config with { MaxCompactionLagMs = 50_000, MinCleanableDirtyRatio = 1 });
        Assert.False(fixture.Log.PlanCleaning()!.IsDue(1));
        fixture.Time.NowMs += 50_001;
        Assert.True(fixture.Log.PlanCleaning()!.IsDue(1));
    }

    [Fact]
    public void Log_that_nobody_writes_to_is_rolled_when_its_compaction_is_overdue()
    {
        using var fixture = new LogFixture(onDisk: false, _config with { MaxCompactionLagMs = 1000, MinCleanableDirtyRatio = 1 });
        fixture.Append(Batch(CompressionType.None, [("a", "1"), ("a", "2")]));
        fixture.Log.Maintain(withRetention: true);
        Assert.Null(fixture.Log.PlanCleaning());
        fixture.Time.NowMs += 1001;
        fixture.Log.Maintain(withRetention: true);
        Assert.True(fixture.Log.PlanCleaning()!.IsDue(1));
        Clean(fixture);
        Assert.Equal([(1, "a", "2")], CompactedView.Records(fixture.Log));
    }

    [Fact]
    public void Small_segments_become_one()
    {
        using var fixture = new LogFixture(onDisk: false, _config);
        for (int i = 0; i < 12; i++)
            Fill(fixture, $"{i}");
        int before = fixture.Log.SegmentCount;
        Clean(fixture);
        fixture.Log.UpdateConfig(_config with { SegmentBytes = 100_000 });
        Fill(fixture, "end");
        Clean(fixture);
        Assert.True(fixture.Log.SegmentCount <= 3, $"{before} segments became {fixture.Log.SegmentCount}");
    }

    [Fact]
    public void Batch_with_more_keys_than_memory_is_reported_and_left()
    {
        using var fixture = new LogFixture(onDisk: false, _config with { SegmentBytes = 100_000 });
        fixture.Append(Batch(CompressionType.None, [.. Enumerable.Range(0, 500).Select(i => ($"{i}", (string?)"v"))]));
        fixture.Log.UpdateConfig(_config);
        Fill(fixture, "x");
        var before = CompactedView.Records(fixture.Log);
        Assert.False(fixture.Log.Clean(new CleanerOptions { MapBytes = 24 * 100 }, TestContext.Current.CancellationToken));
        Assert.Equal(before, CompactedView.Records(fixture.Log));
        Assert.Null(fixture.Log.PlanCleaning());
    }

    [Fact]
    public void Damaged_batch_ends_compaction_and_nothing_is_changed()
    {
        using var fixture = new LogFixture(onDisk: true, _config);
        Fill(fixture, "x");
        Fill(fixture, "y");
        string first = fixture.Storage.List().Where(file => file.EndsWith(".log", StringComparison.Ordinal)).Min(StringComparer.Ordinal)!;
        fixture.Storage.Corrupt(first, file => file.Write(80, [0xFF]));
        long bytes = fixture.Log.SizeBytes;
        Assert.False(Clean(fixture));
        Assert.Equal(bytes, fixture.Log.SizeBytes);
        Assert.DoesNotContain(fixture.Storage.List(), file => file.Contains(".cleaned", StringComparison.Ordinal) || file.Contains(".swap", StringComparison.Ordinal));
    }

    [Fact]
    public void Full_disk_leaves_the_log_as_it_was_and_it_is_compacted_later()
    {
        using var fixture = new LogFixture(onDisk: true, _config);
        Fill(fixture, "x");
        Fill(fixture, "y");
        var before = CompactedView.Table(fixture.Log);
        fixture.Storage.IsFull = true;
        Assert.False(Clean(fixture));
        fixture.Storage.IsFull = false;
        Assert.Equal(before, CompactedView.Table(fixture.Log));
        Assert.True(Clean(fixture));
        Assert.Equal(before, CompactedView.Table(fixture.Log));
    }

    [Fact]
    public void Old_files_stay_for_their_delay_under_another_name()
    {
        using var fixture = new LogFixture(onDisk: true, _config with { FileDeleteDelayMs = 5000 });
        Fill(fixture, "x");
        Fill(fixture, "y");
        Clean(fixture);
        Assert.Contains(fixture.Storage.List(), file => file.EndsWith(".log.deleted", StringComparison.Ordinal));
        fixture.Time.NowMs += 4999;
        fixture.Log.Maintain(withRetention: true);
        Assert.Contains(fixture.Storage.List(), file => file.EndsWith(".log.deleted", StringComparison.Ordinal));
        fixture.Time.NowMs += 1;
        fixture.Log.Maintain(withRetention: true);
        Assert.DoesNotContain(fixture.Storage.List(), file => file.EndsWith(".deleted", StringComparison.Ordinal));
    }

    [Fact]
    public void Compact_and_delete_together_also_drop_what_is_too_old()
    {
        using var fixture = new LogFixture(onDisk: false, _config with { IsDeleted = true, RetentionMs = 60_000 });
        Fill(fixture, "x");
        Clean(fixture);
        fixture.Time.NowMs += 60_001 + 1000;
        fixture.Log.Maintain(withRetention: true);
        fixture.Append(Batch(CompressionType.None, [("new", "1")], fixture.Time.NowMs));
        Assert.Equal(["new"], CompactedView.Table(fixture.Log).Keys);
        Assert.True(fixture.Log.LogStartOffset > 0);
    }

    [Fact]
    public void Segments_that_are_gone_meanwhile_are_not_brought_back()
    {
        using var fixture = new LogFixture(onDisk: false, _config with { IsDeleted = true });
        Fill(fixture, "x");
        Fill(fixture, "y");
        bool deleted = false;
        long bound = fixture.Log.PlanCleaning()!.Segments[1].BaseOffset;
        var options = new CleanerOptions
        {
            MaxBytesPerSecond = 1,
            Wait = (_, _) =>
            {
                if (!deleted)
                    Assert.Equal(ErrorCode.None, fixture.Log.DeleteRecords(bound));
                deleted = true;
                fixture.Time.NowMs += 100_000_000;
            },
        };
        Assert.False(fixture.Log.Clean(options, TestContext.Current.CancellationToken));
        Assert.True(deleted);
        Assert.Equal(bound, fixture.Log.LogStartOffset);
        Assert.True(Clean(fixture));
        Assert.Equal(bound, fixture.Log.LogStartOffset);
    }

    [Fact]
    public void Throttle_waits_as_long_as_the_bytes_are_worth()
    {
        using var fixture = new LogFixture(onDisk: false, _config);
        Fill(fixture, "x");
        Fill(fixture, "y");
        long read = fixture.Log.PlanCleaning()!.DirtyBytes;
        var waited = TimeSpan.Zero;
        Assert.True(fixture.Log.Clean(new CleanerOptions { MaxBytesPerSecond = 1000, Wait = (time, _) => waited += time }, TestContext.Current.CancellationToken));

        // Everything is read twice, and what stays is written; the virtual clock stood still, so all of it had to be waited for.
        Assert.InRange(waited.TotalSeconds, (2 * read / 1000.0) - 0.31, 3 * read / 1000.0);
    }

    [Fact]
    public void Crash_at_any_step_of_compaction_loses_nothing_and_brings_nothing_back()
    {
        for (int seed = 0; seed < 3; seed++)
        {
            int steps = int.MaxValue;
            for (int step = 0; step <= steps; step++)
            {
                var random = new Random(seed);
                var folder = new MemoryLogDirectory();
                var dying = new DyingDirectory(folder);
                using var fixture = new LogFixture(onDisk: false, _config with { SegmentBytes = 1500 }, dying);
                AppendRandom(fixture, random, [], steps: 50);
                fixture.Log.Flush();
                var table = CompactedView.Table(fixture.Log);
                long end = fixture.Log.LogEndOffset;
                int before = dying.Steps;
                dying.StepsLeft = step == steps ? null : step;
                bool completed = Clean(fixture);
                if (completed && steps == int.MaxValue)
                    steps = dying.Steps - before; // from here on the last round only
                dying.StepsLeft = null;

                fixture.Open(clean: false);
                Assert.True(table.SequenceEqual(CompactedView.Table(fixture.Log)), $"seed {seed}, step {step}");
                Assert.Equal(end, fixture.Log.LogEndOffset);
                Assert.DoesNotContain(folder.List(), file => file.EndsWith(".cleaned", StringComparison.Ordinal) || file.EndsWith(".swap", StringComparison.Ordinal) || file.EndsWith(".deleted", StringComparison.Ordinal));

                // And it goes on from there.
                Assert.True(Clean(fixture));
                Assert.True(table.SequenceEqual(CompactedView.Table(fixture.Log)), $"seed {seed}, step {step}, again");
                fixture.Open(clean: false);
                Assert.True(table.SequenceEqual(CompactedView.Table(fixture.Log)), $"seed {seed}, step {step}, after a restart");
                if (completed && step > steps)
                    break;
            }

            Assert.InRange(steps, 20, 10_000);
        }
    }

    [Fact]
    public void Failure_at_any_step_leaves_a_log_that_works_on_and_restarts()
    {
        for (int step = 0; step < 400; step++)
        {
            var random = new Random(9);
            var folder = new MemoryLogDirectory();
            var dying = new DyingDirectory(folder);
            using var fixture = new LogFixture(onDisk: false, _config with { SegmentBytes = 1500 }, dying);
            AppendRandom(fixture, random, [], steps: 50);
            dying.StepsLeft = step;
            bool completed = Clean(fixture);
            dying.StepsLeft = null;
            fixture.Append(Batch(CompressionType.None, [("later", "1")]));
            Clean(fixture);
            var table = CompactedView.Table(fixture.Log);
            Assert.Equal("1", table["later"]);
            fixture.Restart();
            Assert.True(table.SequenceEqual(CompactedView.Table(fixture.Log)), $"step {step}");
            Clean(fixture);
            fixture.Crash();
            Assert.True(table.SequenceEqual(CompactedView.Table(fixture.Log)), $"step {step}");
            if (completed)
                return;
        }

        Assert.Fail("compaction never came to its end");
    }

    [Fact]
    public async Task Readers_go_on_beside_compaction()
    {
        using var fixture = new LogFixture(onDisk: true, _config);
        using var done = new CancellationTokenSource();
        for (int i = 0; i < 20; i++)
            Fill(fixture, "x");
        var table = CompactedView.Table(fixture.Log);
        Task reader = Task.Run(
            () =>
            {
                int rounds = 0;
                while (!done.IsCancellationRequested || rounds == 0)
                {
                    Assert.Equal(table.Keys, CompactedView.Table(fixture.Log).Keys);
                    OffsetLookup found = fixture.Log.FindOffsetForTimestamp(Start);
                    Assert.True(found.Offset >= 0, found.ToString());
                    rounds++;
                }
            },
            CancellationToken.None);
        for (int i = 0; i < 30; i++)
        {
            Fill(fixture, "x");
            Clean(fixture);
        }

        await done.CancelAsync();
        await reader;
    }

    private static bool Clean(LogFixture fixture) => fixture.Log.Clean(new CleanerOptions { BufferBytes = 4096 }, TestContext.Current.CancellationToken);

    /// <summary>Fills more than a segment with records of a few keys.</summary>
    private static void Fill(LogFixture fixture, string value)
    {
        for (int i = 0; i < 12; i++)
            fixture.Append(Batch(CompressionType.None, [($"fill{i % 3}", $"{value} and something to make it longer {new string('.', 120)}")]));
    }

    private static void AppendRandom(LogFixture fixture, Random random, Dictionary<long, int> sequences, int steps)
    {
        var open = new HashSet<long>();
        for (int i = 0; i < steps; i++)
        {
            (string, string?)[] records = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => ($"k{random.Next(20)}", random.Next(5) == 0 ? null : new string('v', random.Next(30)) + random.Next(1000)))];
            long producer = random.Next(4);
            int sequence = sequences.GetValueOrDefault(producer);
            switch (random.Next(5))
            {
                case 0 or 1:
                    fixture.Append(Batch((CompressionType)random.Next(4), records));
                    break;
                case 2 when !open.Contains(producer):
                    fixture.Append(Idempotent(producer, sequence, records));
                    sequences[producer] = sequence + records.Length;
                    break;
                case 3:
                    fixture.Append(Transactional(producer, sequence, records));
                    sequences[producer] = sequence + records.Length;
                    open.Add(producer);
                    break;
                case 4 when open.Remove(producer):
                    fixture.Append(Marker(producer, random.Next(2) == 0 ? ControlRecordType.Abort : ControlRecordType.Commit), AppendOrigin.Coordinator);
                    break;
            }
        }

        foreach (long producer in open)
            fixture.Append(Marker(producer, ControlRecordType.Abort), AppendOrigin.Coordinator);
    }

    private static byte[] Batch(CompressionType codec, (string Key, string? Value)[] records, long timestamp = Start) =>
        Build(new RecordBatchOptions { Compression = codec }, records, timestamp);

    private static byte[] Idempotent(long producerId, int sequence, params (string Key, string? Value)[] records) =>
        Build(new RecordBatchOptions { ProducerId = producerId, ProducerEpoch = 0, BaseSequence = sequence }, records, Start);

    private static byte[] Transactional(long producerId, int sequence, params (string Key, string? Value)[] records) =>
        Build(new RecordBatchOptions { ProducerId = producerId, ProducerEpoch = 0, BaseSequence = sequence, IsTransactional = true }, records, Start);

    private static byte[] Marker(long producerId, ControlRecordType type) => TransactionMarker.Build(type, producerId, 0, 0, Start);

    private static byte[] Build(RecordBatchOptions options, (string Key, string? Value)[] records, long timestamp)
    {
        using var builder = new RecordBatchBuilder(options);
        foreach ((string key, string? value) in records)
            builder.TryAppend(timestamp, new NullableBytes(Encoding.UTF8.GetBytes(key)), value is null ? NullableBytes.Null : new NullableBytes(Encoding.UTF8.GetBytes(value)));
        return builder.Build().ToArray();
    }
}
