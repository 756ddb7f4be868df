using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// Looks records up by timestamp. The time index and the batches' largest timestamps say where to look; the record itself is found by reading
/// the batch, decompressed if need be.
/// </summary>
internal static class TimestampSearch
{
    /// <summary>The first record of a segment, from <paramref name="startOffset"/> up to <paramref name="boundOffset"/>, at or after <paramref name="timestamp"/>.</summary>
    /// <exception cref="ProtocolException">A batch cannot be decoded.</exception>
    /// <exception cref="CompressionUnavailableException">A batch's codec is not available.</exception>
    public static OffsetLookup Find(LogSegment segment, long timestamp, long startOffset, long boundOffset, int maxDecompressedBytes)
    {
        int size = segment.SizeBytes;
        if (segment.MaxTimestamp < timestamp || size == 0)
            return OffsetLookup.None;

        // Up to and including the entry's batch everything is older than wanted.
        int position = timestamp > long.MinValue && segment.Times.TryFindFloor(timestamp - 1, out SegmentIndex.Entry entry)
            ? segment.FindPosition(segment.BaseOffset + entry.Value, out _)
            : 0;
        using var cursor = new SegmentCursor(segment.Log, position, size, SegmentCursor.SmallBufferBytes);
        while (cursor.MoveNext() == RecordBatchStatus.Valid)
        {
            RecordBatchHeader header = cursor.Header;
            if (header.BaseOffset >= boundOffset)
                break;
            if (header.LastOffset < startOffset || header.MaxTimestamp < timestamp)
                continue;
            if (cursor.TryReadBatch(out RecordBatchView batch) != RecordBatchStatus.Valid)
                break;
            OffsetLookup found = FindInBatch(batch, timestamp, startOffset, boundOffset, maxDecompressedBytes);
            if (found.Offset >= 0)
                return found;
        }

        return OffsetLookup.None;
    }

    /// <summary>The largest timestamp of the batches from <paramref name="startOffset"/> on; -1 when there is none.</summary>
    public static long MaxTimestampFrom(LogSegment segment, long startOffset)
    {
        if (startOffset <= segment.BaseOffset)
            return segment.MaxTimestamp;
        long max = RecordBatchHeader.NoTimestamp;
        using var cursor = new SegmentCursor(segment.Log, segment.FindPosition(startOffset, out _), segment.SizeBytes, SegmentCursor.SmallBufferBytes);
        while (cursor.MoveNext() == RecordBatchStatus.Valid)
        {
            if (cursor.Header.LastOffset >= startOffset)
                max = Math.Max(max, cursor.Header.MaxTimestamp);
        }

        return max;
    }

    private static OffsetLookup FindInBatch(RecordBatchView batch, long timestamp, long startOffset, long boundOffset, int maxDecompressedBytes)
    {
        RecordBatchHeader header = batch.Header;
        using PooledBuffer? decompressed = batch.Decompress(maxDecompressedBytes);
        foreach (RecordView record in batch.GetRecords(decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan))
        {
            if (record.Timestamp >= timestamp && record.Offset >= startOffset && record.Offset < boundOffset)
                return new OffsetLookup(ErrorCode.None, record.Offset, record.Timestamp, header.PartitionLeaderEpoch);
        }

        return OffsetLookup.None;
    }
}
