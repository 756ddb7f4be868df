using System.Text;
using Kafka.Protocol.Records;

namespace Kafka.Protocol.Tests.Records;

public sealed class RecordBatchTests
{
    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public void Random_batches_come_back_as_they_went_in(CompressionType compression)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var options = new RecordBatchOptions
            {
                Compression = compression,
                BaseOffset = random.NextInt64(1L << 60),
                ProducerId = random.NextInt64(),
                ProducerEpoch = (short)random.Next(short.MaxValue),
                BaseSequence = random.Next(),
                IsTransactional = random.Next(2) == 0,
            };
            Sample[] samples = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => Sample.Create(random))];
            using var builder = new RecordBatchBuilder(options);
            foreach (Sample sample in samples)
                Assert.True(builder.TryAppend(sample.Timestamp, sample.Key, sample.Value, sample.Headers));
            RecordBatchView batch = RecordBatchView.Read(builder.Build().Span);

            Assert.Equal(options.BaseOffset + samples.Length - 1, batch.Header.LastOffset);
            Assert.Equal(samples.Max(sample => sample.Timestamp), batch.Header.MaxTimestamp);
            Assert.Equal(options.IsTransactional, batch.Header.IsTransactional);
            Assert.Equal(options.BaseSequence, batch.Header.BaseSequence);
            using PooledBuffer? decompressed = batch.Decompress(16 << 20);
            int index = 0;
            foreach (RecordView record in batch.GetRecords(decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan))
            {
                Assert.Equal(options.BaseOffset + index, record.Offset);
                samples[index++].AssertEqual(record);
            }

            Assert.Equal(samples.Length, index);
        }
    }

    [Fact]
    public void Offsets_may_have_gaps_as_after_compaction()
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { BaseOffset = 100 });
        Assert.True(builder.TryAppendEncoded(3, 10, Bytes("a"), Bytes("1"), []));
        Assert.True(builder.TryAppendEncoded(7, 5, Bytes("b"), NullableBytes.Null, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.TryAppendEncoded(7, 5, Bytes("b"), NullableBytes.Null, []));
        RecordBatchView batch = RecordBatchView.Read(builder.Build(lastOffsetDelta: 9).Span);

        Assert.Equal(109, batch.Header.LastOffset);
        Assert.Equal(2, batch.Header.RecordCount);
        var offsets = new List<long>();
        foreach (RecordView record in batch.GetRecords())
            offsets.Add(record.Offset);
        Assert.Equal([103, 107], offsets);
    }

    [Fact]
    public void Batch_without_records_keeps_its_offsets()
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { BaseOffset = 40, ProducerId = 5, ProducerEpoch = 1, BaseSequence = 9 });
        RecordBatchView batch = RecordBatchView.Read(builder.Build(lastOffsetDelta: 4).Span);
        Assert.Equal(44, batch.Header.LastOffset);
        Assert.Equal(0, batch.Header.RecordCount);
        RecordIterator records = batch.GetRecords();
        Assert.False(records.MoveNext());
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Lz4)]
    public void Renumbered_batch_is_the_one_that_was_built_with_these_numbers(CompressionType compression)
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { Compression = compression, IsTransactional = true });
        Assert.Throws<InvalidOperationException>(() => builder.Renumber(7, 2, 0));
        builder.TryAppend(1, Bytes("key"), Bytes("value"));
        builder.SetProducer(7, 1, 100);
        byte[] first = builder.Build().ToArray();
        byte[] again = builder.Renumber(7, 2, 0).ToArray();

        builder.Reset();
        builder.TryAppend(1, Bytes("key"), Bytes("value"));
        builder.SetProducer(7, 2, 0);
        Assert.Equal(builder.Build().ToArray(), again);
        Assert.NotEqual(first, again);
        Assert.True(RecordBatchView.Read(again).IsCrcValid);
    }

    [Fact]
    public void Builder_refuses_what_does_not_fit_and_stays_usable()
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { MaxBytes = 200 });
        Assert.False(builder.TryAppend(1, new byte[200], null));
        Assert.True(builder.TryAppend(1, new byte[100], null));
        Assert.False(builder.TryAppend(1, new byte[100], null));
        int room = 200 - builder.UncompressedBytes - RecordIteratorOverhead;
        Assert.False(builder.TryAppend(1, null, new byte[room + 1]));
        Assert.True(builder.TryAppend(1, null, new byte[room]));
        Assert.Equal(200, builder.Build().Length);

        builder.Reset();
        Assert.True(builder.TryAppend(1, null, Bytes("again")));
        Assert.Equal(1, RecordBatchView.Read(builder.Build().Span).Header.RecordCount);
    }

    [Fact]
    public void Builder_allocates_nothing_per_record()
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions());
        byte[] key = new byte[16];
        byte[] value = new byte[100];
        RecordHeader[] headers = [new("trace", new byte[8]), new("none", null)];
        long Fill()
        {
            builder.Reset();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 5000; i++)
                builder.TryAppend(i, key, value, headers);
            long sum = 0;
            foreach (RecordView record in RecordBatchView.Read(builder.Build().Span).GetRecords())
            {
                sum += record.Offset + record.Value.Length;
                foreach (RecordHeaderView header in record.GetHeaders())
                    sum += header.Key.Length;
            }

            Assert.True(sum > 0);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Fill();
        Assert.Equal(0, Fill());
    }

    [Fact]
    public void Log_append_time_is_every_records_timestamp_and_renews_the_checksum()
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions());
        builder.TryAppend(1000, Bytes("a"), Bytes("1"));
        builder.TryAppend(2000, Bytes("b"), Bytes("2"));
        byte[] bytes = builder.Build().ToArray();
        RecordBatchPatch.SetBaseOffset(bytes, 77);
        RecordBatchPatch.SetPartitionLeaderEpoch(bytes, 3);
        Assert.True(RecordBatchView.Read(bytes).IsCrcValid);
        RecordBatchPatch.SetLogAppendTime(bytes, 5555);

        RecordBatchView batch = RecordBatchView.Read(bytes);
        Assert.Equal(TimestampType.LogAppendTime, batch.Header.TimestampType);
        Assert.Equal(3, batch.Header.PartitionLeaderEpoch);
        foreach (RecordView record in batch.GetRecords())
            Assert.Equal(5555, record.Timestamp);
        Assert.Equal(78, batch.Header.LastOffset);
    }

    [Theory]
    [InlineData(int.MaxValue, 1, 0)]
    [InlineData(int.MaxValue - 1, 3, 1)]
    [InlineData(5, 10, 15)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue - 1)]
    public void Sequence_wraps_after_its_largest_value(int sequence, int increment, int expected) =>
        Assert.Equal(expected, RecordBatchHeader.IncrementSequence(sequence, increment));

    /// <summary>Bytes of a record around a value of less than 8 KiB, with null key: two of length, one each for the other fields.</summary>
    private const int RecordIteratorOverhead = 2 + 1 + 1 + 1 + 1 + 1 + 1 - 1;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private sealed record Sample(long Timestamp, byte[]? Key, byte[]? Value, RecordHeader[] Headers)
    {
        public static Sample Create(Random random) => new(
            random.NextInt64(-1, 1L << random.Next(1, 62)),
            RandomBytes(random, 40),
            RandomBytes(random, random.Next(20) == 0 ? 5000 : 100),
            [.. Enumerable.Range(0, random.Next(4) == 0 ? random.Next(5) : 0).Select(i => new RecordHeader(
                "ключ" + i,
                RandomBytes(random, 20) is { } value ? value : (ReadOnlyMemory<byte>?)null))]);

        public void AssertEqual(RecordView record)
        {
            Assert.Equal(Timestamp, record.Timestamp);
            Assert.Equal(Key is null, record.IsKeyNull);
            Assert.True(record.Key.SequenceEqual(Key));
            Assert.Equal(Value is null, record.IsValueNull);
            Assert.True(record.Value.SequenceEqual(Value));
            Assert.Equal(Headers.Length, record.HeaderCount);
            int index = 0;
            foreach (RecordHeaderView header in record.GetHeaders())
            {
                RecordHeader expected = Headers[index++];
                Assert.Equal(expected.Key, Encoding.UTF8.GetString(header.Key));
                Assert.Equal(expected.Value is null, header.IsValueNull);
                if (expected.Value is { } value)
                    Assert.True(header.Value.SequenceEqual(value.Span));
            }

            Assert.Equal(Headers.Length, index);
        }

        private static byte[]? RandomBytes(Random random, int max)
        {
            if (random.Next(8) == 0)
                return null;
            var bytes = new byte[random.Next(max)];
            random.NextBytes(bytes);
            return bytes;
        }
    }
}
