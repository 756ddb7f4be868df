using System.Buffers.Binary;
using Kafka.Protocol.Records;

namespace Kafka.Protocol.Tests.Records;

/// <summary>Batches that lie: only typed results or <see cref="ProtocolException"/>, and no memory for what is not there.</summary>
public sealed class HostileBatchTests
{
    [Theory]
    [MemberData(nameof(RecordedBatch.Names), MemberType = typeof(RecordedBatch))]
    public void Every_truncation_is_seen(string name)
    {
        byte[] whole = RecordedBatch.Get(name).Bytes;
        for (int length = 0; length < whole.Length; length++)
            Assert.Equal(RecordBatchStatus.Truncated, RecordBatchView.TryRead(whole.AsSpan(0, length), out _));
    }

    [Fact]
    public void Every_flipped_bit_behind_the_checksum_is_seen()
    {
        byte[] bytes = [.. RecordedBatch.Get("none-idempotent").Bytes];
        for (int bit = RecordBatchHeader.AttributesPosition * 8; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<ProtocolException>(() => { RecordBatchView.Read(bytes); });
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(int.MaxValue, RecordBatchStatus.Truncated)]
    [InlineData(-1, RecordBatchStatus.InvalidLength)]
    [InlineData(int.MinValue, RecordBatchStatus.InvalidLength)]
    [InlineData(0, RecordBatchStatus.InvalidLength)]
    [InlineData(48, RecordBatchStatus.InvalidLength)]
    [InlineData(10_000, RecordBatchStatus.Truncated)]
    public void Impossible_length_is_refused(int length, RecordBatchStatus expected)
    {
        byte[] bytes = [.. RecordedBatch.Get("none-plain").Bytes];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), length);
        Assert.Equal(expected, RecordBatchView.TryRead(bytes, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Other_magic_is_refused(byte magic)
    {
        byte[] bytes = [.. RecordedBatch.Get("none-plain").Bytes];
        bytes[16] = magic;
        Assert.Equal(RecordBatchStatus.UnsupportedMagic, RecordBatchView.TryRead(bytes, out _));
    }

    [Theory]
    [InlineData(57, int.MaxValue)]
    [InlineData(57, -1)]
    [InlineData(57, 6)]
    [InlineData(23, -1)]
    [InlineData(23, 3)]
    [InlineData(0, -1)]
    public void Header_that_contradicts_itself_is_refused(int position, int value)
    {
        byte[] bytes = [.. RecordedBatch.Get("none-idempotent").Bytes];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(position), value);
        Assert.Equal(RecordBatchStatus.InvalidHeader, RecordBatchView.TryRead(bytes, out _));
    }

    [Fact]
    public void Record_count_that_lies_is_refused_by_the_iterator()
    {
        byte[] bytes = [.. RecordedBatch.Get("none-idempotent").Bytes];
        foreach (int count in new[] { 0, 1, 4 })
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(57), count);
            RecordBatchPatch.UpdateCrc(bytes);
            Assert.Throws<ProtocolException>(() => Walk(RecordBatchView.Read(bytes)));
        }
    }

    [Theory]
    [InlineData("FFFFFFFFFF0F0000000000000000")] // length of six bytes
    [InlineData("FEFFFFFF0F00000000000000")] // length 2^31 - 1
    [InlineData("0100000000000000")] // length -1
    [InlineData("0C000000FEFFFFFF0F0000")] // key of 2^31 - 1 bytes
    [InlineData("0C0000000301000000")] // key length -2
    [InlineData("0C00000001FEFFFFFF0F")] // value of 2^31 - 1 bytes
    [InlineData("0E0000000101FEFFFFFF")] // header count cut off
    [InlineData("140000000101FEFFFFFF0F0000")] // 2^31 - 1 headers
    [InlineData("1000000001010201000000")] // header key length -1
    [InlineData("0E00FFFFFFFFFFFFFF")] // timestamp cut off
    [InlineData("1E00FFFFFFFFFFFFFFFFFF7F0001010000000000")] // timestamp longer than 64 bits
    [InlineData("0C0000020101000000")] // offset beyond the batch's last
    [InlineData("0C0000010101000000")] // negative offset
    [InlineData("0C00000001010000")] // the record is longer than its fields
    [InlineData("0C000000010100FF")] // bytes after the record
    public void Malformed_record_is_refused(string hex)
    {
        byte[] records = Convert.FromHexString(hex);
        var bytes = new byte[RecordBatchHeader.SizeBytes + records.Length];
        RecordedBatch.Get("none-plain").Bytes.AsSpan(0, RecordBatchHeader.SizeBytes).CopyTo(bytes);
        records.CopyTo(bytes.AsSpan(RecordBatchHeader.SizeBytes));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), bytes.Length - 12);
        RecordBatchPatch.UpdateCrc(bytes);
        Assert.Throws<ProtocolException>(() => Walk(RecordBatchView.Read(bytes)));
    }

    [Fact]
    public void Smallest_record_is_accepted()
    {
        byte[] records = Convert.FromHexString("0C000000010100");
        var bytes = new byte[RecordBatchHeader.SizeBytes + records.Length];
        RecordedBatch.Get("none-plain").Bytes.AsSpan(0, RecordBatchHeader.SizeBytes).CopyTo(bytes);
        records.CopyTo(bytes.AsSpan(RecordBatchHeader.SizeBytes));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), bytes.Length - 12);
        RecordBatchPatch.UpdateCrc(bytes);
        Assert.Equal(1, Walk(RecordBatchView.Read(bytes)));
    }

    [Fact]
    public void Mutated_batches_with_a_right_checksum_give_only_protocol_exceptions_and_bounded_memory()
    {
        for (int seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = [.. RecordedBatch.All[random.Next(RecordedBatch.All.Count)].Bytes];
            for (int i = random.Next(1, 6); i > 0; i--)
                bytes[random.Next(RecordBatchHeader.AttributesPosition, bytes.Length)] = (byte)random.Next(256);
            RecordBatchPatch.UpdateCrc(bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Walk(RecordBatchView.Read(bytes));
            }
            catch (ProtocolException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 << 20);
        }
    }

    private static int Walk(RecordBatchView batch)
    {
        using PooledBuffer? decompressed = batch.Decompress(1 << 20);
        int count = 0;
        foreach (RecordView record in batch.GetRecords(decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan))
        {
            count++;
            int headers = 0;
            foreach (RecordHeaderView header in record.GetHeaders())
                headers += header.Key.Length >= 0 && header.Value.Length >= 0 ? 1 : 0;
            Assert.Equal(record.HeaderCount, headers);
            Assert.True(record.Encoded.Length >= RecordIterator.MinRecordBytes);
        }

        return count;
    }
}
