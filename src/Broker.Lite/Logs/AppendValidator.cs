using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// What can be said about batches without knowing the log: format, checksum, sizes, and what a client may send. Records are looked at
/// one by one only where the topic's settings ask for it. Takes no locks.
/// </summary>
/// <remarks>Source: Kafka's <c>LogValidator</c>, <c>UnifiedLog.analyzeAndValidateRecords</c>.</remarks>
internal static class AppendValidator
{
    /// <summary>Bad records that are listed at most; the rest fail with them.</summary>
    private const int MaxListedRecords = 1000;

    /// <summary>Checks all batches of an append at <paramref name="nowTimestamp"/> (Unix milliseconds). An error of NONE lets them pass.</summary>
    public static AppendFault Check(ReadOnlySpan<byte> batches, AppendOrigin origin, LogConfig config, long nowTimestamp)
    {
        if (batches.IsEmpty)
            return AppendFault.Of(ErrorCode.InvalidRecord, "There is no record batch.");
        if (batches.Length > config.SegmentBytes)
        {
            return AppendFault.Of(
                origin == AppendOrigin.Client && batches.Length > config.MaxMessageBytes ? ErrorCode.MessageTooLarge : ErrorCode.RecordListTooLarge,
                $"{batches.Length} bytes do not fit into a segment of {config.SegmentBytes}.");
        }

        while (!batches.IsEmpty)
        {
            AppendFault fault = CheckBatch(batches, origin, config, nowTimestamp, out int batchBytes);
            if (fault.Error != ErrorCode.None)
                return fault;
            batches = batches[batchBytes..];
            if (origin == AppendOrigin.Client && !batches.IsEmpty)
                return AppendFault.Of(ErrorCode.InvalidRecord, "A partition's records must be exactly one batch.");
        }

        return default;
    }

    private static AppendFault CheckBatch(ReadOnlySpan<byte> data, AppendOrigin origin, LogConfig config, long nowTimestamp, out int batchBytes)
    {
        batchBytes = 0;
        RecordBatchStatus status = RecordBatchView.TryRead(data, out RecordBatchView batch);
        switch (status)
        {
            case RecordBatchStatus.Valid:
                break;
            case RecordBatchStatus.UnsupportedMagic:
                return AppendFault.Of(ErrorCode.InvalidRecord, "Only record batches of format 2 are accepted.");
            case RecordBatchStatus.InvalidHeader:
                return AppendFault.Of(ErrorCode.InvalidRecord, "The header of the record batch contradicts itself.");
            default:
                return AppendFault.Of(ErrorCode.CorruptMessage, "The record batch is cut off or has an impossible length.");
        }

        batchBytes = batch.Bytes.Length;
        if (origin == AppendOrigin.Client && batchBytes > config.MaxMessageBytes)
            return AppendFault.Of(ErrorCode.MessageTooLarge, $"The record batch has {batchBytes} bytes; {config.MaxMessageBytes} are allowed.");
        if (!batch.IsCrcValid)
            return AppendFault.Of(ErrorCode.CorruptMessage, "The record batch does not match its checksum.");
        RecordBatchHeader header = batch.Header;
        if (header.RecordCount == 0 || header.RecordCount != header.LastOffsetDelta + 1L)
            return AppendFault.Of(ErrorCode.InvalidRecord, $"The batch has {header.RecordCount} records, but its last offset delta is {header.LastOffsetDelta}.");
        if (header.IsTransactional && !header.HasProducer)
            return AppendFault.Of(ErrorCode.InvalidRecord, "A transactional batch needs a producer id.");
        if (header.HasProducer && header.ProducerEpoch < 0)
            return AppendFault.Of(ErrorCode.InvalidRecord, "A producer id needs an epoch.");
        return origin == AppendOrigin.Client ? CheckClientBatch(batch, config, nowTimestamp) : default;
    }

    private static AppendFault CheckClientBatch(RecordBatchView batch, LogConfig config, long nowTimestamp)
    {
        RecordBatchHeader header = batch.Header;
        if (header.IsControl)
            return AppendFault.Of(ErrorCode.InvalidRecord, "Clients must not write control records.");
        if (header.HasDeleteHorizon)
            return AppendFault.Of(ErrorCode.InvalidRecord, "Clients must not set a delete horizon.");
        if (header.HasProducer && header.BaseSequence < 0)
            return AppendFault.Of(ErrorCode.InvalidRecord, "A producer id needs sequence numbers.");
        if (header.TimestampType == TimestampType.LogAppendTime)
            return AppendFault.Of(ErrorCode.InvalidTimestamp, "Clients must not claim append time.");

        bool createTime = config.TimestampType == TimestampType.CreateTime;
        if (createTime && IsAhead(header.MaxTimestamp, nowTimestamp, config))
            return AppendFault.Of(ErrorCode.InvalidTimestamp, $"Timestamp {header.MaxTimestamp} is more than {config.TimestampAfterMaxMs} ms ahead of the broker.");
        bool checkTimestamps = createTime && (config.TimestampBeforeMaxMs != long.MaxValue || config.TimestampAfterMaxMs != long.MaxValue);
        return config.IsCompacted || checkTimestamps ? CheckRecords(batch, config, checkTimestamps, nowTimestamp) : default;
    }

    private static AppendFault CheckRecords(RecordBatchView batch, LogConfig config, bool checkTimestamps, long nowTimestamp)
    {
        List<int>? withoutKey = null;
        List<int>? wrongTimestamp = null;
        try
        {
            using PooledBuffer? decompressed = batch.Decompress(config.MaxDecompressedBytes);
            int index = 0;
            foreach (RecordView record in batch.GetRecords(decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan))
            {
                if (config.IsCompacted && record.IsKeyNull && (withoutKey ??= []).Count < MaxListedRecords)
                    withoutKey.Add(index);
                if (checkTimestamps
                    && (IsAhead(record.Timestamp, nowTimestamp, config) || IsBehind(record.Timestamp, nowTimestamp, config))
                    && (wrongTimestamp ??= []).Count < MaxListedRecords)
                {
                    wrongTimestamp.Add(index);
                }

                index++;
            }
        }
        catch (ProtocolException e)
        {
            return AppendFault.Of(ErrorCode.InvalidRecord, e.Message);
        }
        catch (CompressionUnavailableException e)
        {
            return AppendFault.Of(ErrorCode.UnsupportedCompressionType, e.Message);
        }

        if (withoutKey is not null)
            return new AppendFault(ErrorCode.InvalidRecord, "A compacted topic takes no record without a key.", withoutKey);
        return wrongTimestamp is null
            ? default
            : new AppendFault(ErrorCode.InvalidTimestamp, "Timestamps are too far from the broker's clock.", wrongTimestamp);
    }

    // Written so that nothing overflows: timestamps come from the wire.
    private static bool IsAhead(long timestamp, long now, LogConfig config) =>
        timestamp > now && (ulong)(timestamp - now) > (ulong)config.TimestampAfterMaxMs;

    private static bool IsBehind(long timestamp, long now, LogConfig config) =>
        timestamp < now && unchecked((ulong)(now - timestamp)) > (ulong)config.TimestampBeforeMaxMs;
}
