using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Logs;

public sealed class AppendCompressionTests
{
    public static TheoryData<CompressionType, CompressionType> Codecs { get; } = new(
        from sent in Enum.GetValues<CompressionType>()
        from stored in Enum.GetValues<CompressionType>()
        select (sent, stored));

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Batch_is_stored_in_the_topics_codec_and_says_the_same(CompressionType sent, CompressionType stored)
    {
        Assert.SkipUnless(Compression.IsAvailable(sent) && Compression.IsAvailable(stored), "a codec's library is missing");
        using var fixture = new LogFixture(onDisk: false, new LogConfig { Compression = stored });
        var batch = LogFixture.Batch(50, compression: sent, producerId: 7, epoch: 2, sequence: 0);
        var original = batch.ToArray();
        fixture.Append(LogFixture.Batch(3));
        Assert.Equal(3, fixture.Append(batch));

        using var slice = fixture.Log.Read(3, 1 << 20, minOneBatch: true);
        var before = RecordBatchView.Read(original);
        var after = RecordBatchView.Read(slice.Records.Span);
        Assert.True(after.IsCrcValid);
        Assert.Equal(stored, after.Header.Compression);
        Assert.Equal((7L, (short)2, 0, 49), (after.Header.ProducerId, after.Header.ProducerEpoch, after.Header.BaseSequence, after.Header.LastOffsetDelta));
        Assert.Equal((before.Header.BaseTimestamp, before.Header.MaxTimestamp), (after.Header.BaseTimestamp, after.Header.MaxTimestamp));
        Assert.Equal(Records(before), Records(after));
        // Sent again it is known by its numbers, whatever it was stored as.
        Assert.True(fixture.Log.Append(original).IsDuplicate);
    }

    [Fact]
    public void Producers_codec_stays_without_a_wish()
    {
        using var fixture = new LogFixture(onDisk: false);
        fixture.Append(LogFixture.Batch(5, compression: CompressionType.Gzip));
        using var slice = fixture.Log.Read(0, 1 << 20, minOneBatch: true);
        Assert.Equal(CompressionType.Gzip, RecordBatchView.Read(slice.Records.Span).Header.Compression);
    }

    [Fact]
    public void Limit_holds_for_what_would_be_stored()
    {
        using var fixture = new LogFixture(onDisk: false, new LogConfig { Compression = CompressionType.None, MaxMessageBytes = 1000 });
        var result = fixture.Log.Append(LogFixture.Batch(1, valueBytes: 5000, compression: CompressionType.Gzip));
        Assert.Equal(ErrorCode.MessageTooLarge, result.Error);
        Assert.Equal(0, fixture.Log.LogEndOffset);
        fixture.Append(LogFixture.Batch(1, valueBytes: 500, compression: CompressionType.Gzip));
    }

    [Fact]
    public void Records_that_cannot_be_decompressed_or_would_be_too_many_bytes_are_refused()
    {
        using var fixture = new LogFixture(onDisk: false, new LogConfig { Compression = CompressionType.Lz4, MaxDecompressedBytes = 100_000 });
        var garbage = LogFixture.Batch(3, compression: CompressionType.Gzip);
        garbage.AsSpan(RecordBatchHeader.SizeBytes).Fill(0xAB);
        RecordBatchPatch.SetLogAppendTime(garbage, 5); // for its checksum
        garbage[22] &= 0xF7;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(garbage.AsSpan(17), Crc32C.Compute(garbage.AsSpan(21)));
        Assert.Equal(ErrorCode.InvalidRecord, fixture.Log.Append(garbage).Error);
        var bomb = LogFixture.Batch(1, valueBytes: 1_000_000, compression: CompressionType.Gzip);
        Assert.Equal(ErrorCode.InvalidRecord, fixture.Log.Append(bomb).Error);
        Assert.Equal(0, fixture.Log.LogEndOffset);
    }

    private static List<string> Records(RecordBatchView batch)
    {
        using var decompressed = batch.Decompress(1 << 24);
        var records = new List<string>();
        foreach (var record in decompressed is null ? batch.GetRecords() : batch.GetRecords(decompressed.WrittenSpan))
            records.Add($"{record.Timestamp} {Convert.ToHexString(record.Key)} {Convert.ToHexString(record.Value)}");
        return records;
    }
}
