using System.Text;
using System.Text.Json;
using Kafka.Protocol.Records;

namespace Kafka.Protocol.Tests.Records;

/// <summary>The recorded batches of Kafka's own client: every field, every record, and ours re-encoded to the same bytes.</summary>
public sealed class RecordedBatchTests
{
    private const int MaxBytes = 1 << 20;

    [Theory]
    [MemberData(nameof(RecordedBatch.Names), MemberType = typeof(RecordedBatch))]
    public void Header_has_every_recorded_field(string name)
    {
        RecordedBatch expected = RecordedBatch.Get(name);
        RecordBatchView batch = RecordBatchView.Read(expected.Bytes);

        Assert.True(batch.IsCrcValid);
        Assert.Equal(expected.Bytes.Length, batch.Header.TotalBytes);
        Assert.Equal(expected.BaseOffset, batch.Header.BaseOffset);
        Assert.Equal(expected.LastOffset, batch.Header.LastOffset);
        Assert.Equal(expected.Crc, batch.Header.Crc);
        Assert.Equal(expected.ProducerId, batch.Header.ProducerId);
        Assert.Equal(expected.ProducerEpoch, batch.Header.ProducerEpoch);
        Assert.Equal(expected.BaseSequence, batch.Header.BaseSequence);
        Assert.Equal(expected.PartitionLeaderEpoch, batch.Header.PartitionLeaderEpoch);
        Assert.Equal(expected.MaxTimestamp, batch.Header.MaxTimestamp);
        Assert.Equal(expected.Compression, batch.Header.Compression.ToString().ToLowerInvariant());
        Assert.Equal(expected.Transactional, batch.Header.IsTransactional);
        Assert.Equal(expected.Control, batch.Header.IsControl);
        Assert.Equal(TimestampType.CreateTime, batch.Header.TimestampType);
        Assert.Equal(expected.Records.Length, batch.Header.RecordCount);
    }

    [Theory]
    [MemberData(nameof(RecordedBatch.Names), MemberType = typeof(RecordedBatch))]
    public void Records_are_the_recorded_ones(string name)
    {
        RecordedBatch expected = RecordedBatch.Get(name);
        RecordBatchView batch = RecordBatchView.Read(expected.Bytes);
        using PooledBuffer? decompressed = batch.Decompress(MaxBytes);
        ReadOnlySpan<byte> buffer = decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan;

        int index = 0;
        foreach (RecordView record in batch.GetRecords(buffer))
        {
            JsonElement[] fields = expected.Records[index++];
            Assert.Equal(fields[0].GetInt64(), record.Offset);
            Assert.Equal(fields[1].GetInt64(), record.Timestamp);
            AssertBytes(RecordedBatch.BytesOf(fields[2]), record.IsKeyNull, record.Key);
            AssertBytes(RecordedBatch.BytesOf(fields[3]), record.IsValueNull, record.Value);
            if (!record.IsKeyNull)
                Assert.True(buffer.Slice(record.KeyPosition, record.KeyLength).SequenceEqual(record.Key));
            if (!record.IsValueNull)
                Assert.True(buffer.Slice(record.ValuePosition, record.ValueLength).SequenceEqual(record.Value));

            Assert.Equal(fields[4].GetArrayLength(), record.HeaderCount);
            int headerIndex = 0;
            foreach (RecordHeaderView header in record.GetHeaders())
            {
                JsonElement pair = fields[4][headerIndex++];
                Assert.Equal(pair[0].GetString(), Encoding.UTF8.GetString(header.Key));
                AssertBytes(RecordedBatch.BytesOf(pair[1]), header.IsValueNull, header.Value);
            }

            Assert.Equal(record.HeaderCount, headerIndex);
        }

        Assert.Equal(expected.Records.Length, index);
    }

    [Theory]
    [MemberData(nameof(RecordedBatch.Names), MemberType = typeof(RecordedBatch))]
    public void Builder_writes_the_same_bytes_when_uncompressed_and_the_same_records_otherwise(string name)
    {
        RecordedBatch expected = RecordedBatch.Get(name);
        RecordBatchHeader header = RecordBatchView.Read(expected.Bytes).Header;
        using var builder = new RecordBatchBuilder(new RecordBatchOptions
        {
            Compression = header.Compression,
            BaseOffset = expected.BaseOffset,
            PartitionLeaderEpoch = expected.PartitionLeaderEpoch,
            ProducerId = expected.ProducerId,
            ProducerEpoch = expected.ProducerEpoch,
            BaseSequence = expected.BaseSequence,
            IsTransactional = expected.Transactional,
            IsControl = expected.Control,
        });
        foreach (JsonElement[] fields in expected.Records)
        {
            RecordHeader[] headers =
            [
                .. fields[4].EnumerateArray().Select(pair => new RecordHeader(
                    pair[0].GetString()!,
                    RecordedBatch.BytesOf(pair[1]) is { } value ? value : (ReadOnlyMemory<byte>?)null)),
            ];
            Assert.True(builder.TryAppend(fields[1].GetInt64(), RecordedBatch.BytesOf(fields[2]), RecordedBatch.BytesOf(fields[3]), headers));
        }

        ReadOnlyMemory<byte> built = builder.Build();

        if (header.Compression == CompressionType.None)
        {
            Assert.Equal(Convert.ToHexString(expected.Bytes), Convert.ToHexString(built.Span));
            return;
        }

        RecordBatchView ours = RecordBatchView.Read(built.Span);
        using PooledBuffer? ourRecords = ours.Decompress(MaxBytes);
        using PooledBuffer? theirRecords = RecordBatchView.Read(expected.Bytes).Decompress(MaxBytes);
        Assert.Equal(Convert.ToHexString(theirRecords!.WrittenSpan), Convert.ToHexString(ourRecords!.WrittenSpan));
    }

    [Theory]
    [InlineData("control-commit", ControlRecordType.Commit)]
    [InlineData("control-abort", ControlRecordType.Abort)]
    public void Transaction_marker_is_read_and_written_as_recorded(string name, ControlRecordType type)
    {
        RecordedBatch expected = RecordedBatch.Get(name);
        RecordIterator records = RecordBatchView.Read(expected.Bytes).GetRecords();
        Assert.True(records.MoveNext());
        Assert.Equal(type, TransactionMarker.ReadType(records.Current));
        int coordinatorEpoch = TransactionMarker.ReadCoordinatorEpoch(records.Current);

        byte[] built = TransactionMarker.Build(
            type,
            expected.ProducerId,
            expected.ProducerEpoch,
            coordinatorEpoch,
            expected.MaxTimestamp,
            expected.BaseOffset,
            expected.PartitionLeaderEpoch);

        Assert.Equal(TransactionMarker.BatchBytes, built.Length);
        Assert.Equal(Convert.ToHexString(expected.Bytes), Convert.ToHexString(built));
    }

    private static void AssertBytes(byte[]? expected, bool isNull, ReadOnlySpan<byte> actual)
    {
        Assert.Equal(expected is null, isNull);
        Assert.True(actual.SequenceEqual(expected));
    }
}
