using System.Buffers;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// Compacts one log: finds the last offset of every key in the part not looked at yet, then writes the segments anew, several small ones into one,
/// without the records that a later one of the same key replaces, and has each put in the place of the old ones. Offsets stay what they were; a batch
/// keeps its range though records are gone. The last batch of a producer stays, empty if need be. Tombstones, and markers of transactions of which nothing
/// is left, stay until <c>delete.retention.ms</c> after the first compaction that saw them, a time kept in their batch (KIP-534).
/// </summary>
/// <remarks>Source: Kafka's <c>Cleaner</c> and <c>LogCleaner</c>. One object per run; readers and the writer of the log go on beside it.</remarks>
internal sealed class LogCleaner
{
    private readonly LogDirectory _directory;
    private readonly LogConfig _config;
    private readonly CleaningPlan _plan;
    private readonly IReadOnlyDictionary<long, ProducerEnd> _producers;
    private readonly Func<long, long, AbortedTransaction[]> _findAborted;
    private readonly CleanerOptions _options;
    private readonly CleanerThrottle _throttle;
    private readonly KeyOffsetMap _map;
    private readonly long _now;
    private readonly Func<bool> _isStopping;
    private readonly CancellationToken _stopping;
    private long _endOffset;

    public LogCleaner(
        LogDirectory directory,
        LogConfig config,
        CleaningPlan plan,
        IReadOnlyDictionary<long, ProducerEnd> producers,
        Func<long, long, AbortedTransaction[]> findAborted,
        CleanerOptions options,
        TimeProvider time,
        Func<bool> isStopping,
        CancellationToken stopping)
    {
        _directory = directory;
        _config = config;
        _plan = plan;
        _producers = producers;
        _findAborted = findAborted;
        _options = options;
        _throttle = new CleanerThrottle(options, time);
        _map = new KeyOffsetMap(options.MapBytes);
        _now = time.GetUtcNow().ToUnixTimeMilliseconds();
        _isStopping = isStopping;
        _stopping = stopping;
    }

    /// <summary>Puts a cleaned segment in the place of others; false when one of them is no longer part of the log.</summary>
    public delegate bool Replace(ReadOnlySpan<LogSegment> old, LogSegment cleaned);

    /// <summary>Bytes of the segments before, of those that were replaced.</summary>
    public long BytesBefore { get; private set; }

    /// <summary>Bytes of the segments that replaced them.</summary>
    public long BytesAfter { get; private set; }

    /// <summary>Does it all; returns the offset up to which the log is compacted now.</summary>
    /// <exception cref="OperationCanceledException">It was stopped, or the log lost segments meanwhile; what was replaced so far stays so.</exception>
    /// <exception cref="ProtocolException">A batch cannot be decoded.</exception>
    /// <exception cref="InvalidDataException">The log cannot be compacted as it is.</exception>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public long Run(Replace replace)
    {
        _endOffset = BuildMap();
        var transactions = new CleanedTransactions(_findAborted(_plan.Segments[0].BaseOffset, _plan.EndOffset));
        int count = 0;
        while (count < _plan.Segments.Length && _plan.Segments[count].BaseOffset < _endOffset)
            count++;
        for (int start = 0; start < count;)
        {
            int length = GroupLength(start, count);
            CleanGroup(_plan.Segments.AsSpan(start, length), transactions, replace);
            start += length;
        }

        return _endOffset;
    }

    /// <summary>Notes the last offset of the keys in the dirty part, as far as there is memory; returns the offset up to which all are noted.</summary>
    private long BuildMap()
    {
        var transactions = new CleanedTransactions(_findAborted(_plan.FirstDirtyOffset, _plan.EndOffset));
        long end = _plan.FirstDirtyOffset;
        for (int i = 0; i < _plan.Segments.Length; i++)
        {
            LogSegment segment = _plan.Segments[i];
            long limit = i + 1 < _plan.Segments.Length ? _plan.Segments[i + 1].BaseOffset : _plan.EndOffset;
            if (limit <= _plan.FirstDirtyOffset)
                continue;
            int position = _plan.FirstDirtyOffset > segment.BaseOffset ? segment.FindPosition(_plan.FirstDirtyOffset, out _) : 0;
            using var cursor = new SegmentCursor(segment.Log, position, segment.SizeBytes, _options.BufferBytes);
            while (MoveNext(cursor, segment))
            {
                RecordBatchHeader header = cursor.Header;
                if (header.LastOffset < _plan.FirstDirtyOffset)
                    continue;
                _throttle.Count(cursor.BatchBytes, _isStopping, _stopping);
                RecordBatchView batch = ReadBatch(cursor, segment);
                if (!TryNoteKeys(batch, transactions))
                {
                    return end > _plan.FirstDirtyOffset
                        ? end
                        : throw new InvalidDataException($"A batch has more keys than {_options.MapBytes} bytes can hold; raise log.cleaner.dedupe.buffer.size.");
                }

                end = batch.Header.LastOffset + 1;
            }

            end = limit;
        }

        return end;
    }

    private bool TryNoteKeys(RecordBatchView batch, CleanedTransactions transactions)
    {
        RecordBatchHeader header = batch.Header;
        if (header.IsControl)
        {
            if (LogRecovery.TryReadMarker(batch, out ControlRecordType type, out _))
                transactions.IsNeedless(header, type, out _);
            return true;
        }

        if (transactions.IsAborted(header) || header.RecordCount == 0)
            return true;
        using PooledBuffer? decompressed = batch.Decompress(_config.MaxDecompressedBytes);
        foreach (RecordView record in batch.GetRecords(decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan))
        {
            if (!record.IsKeyNull && record.Offset >= _plan.FirstDirtyOffset && !_map.TryPut(record.Key, record.Offset))
                return false;
        }

        return true;
    }

    /// <summary>How many segments from <paramref name="start"/> on may become one: their sizes, indexes and offsets together stay in the limits of one.</summary>
    private int GroupLength(int start, int count)
    {
        LogSegment first = _plan.Segments[start];
        long bytes = first.SizeBytes;
        long offsetBytes = first.Offsets.SizeBytes;
        long timeBytes = first.Times.SizeBytes;
        int length = 1;
        for (; start + length < count; length++)
        {
            LogSegment next = _plan.Segments[start + length];
            long limit = start + length + 1 < _plan.Segments.Length ? _plan.Segments[start + length + 1].BaseOffset : _plan.EndOffset;
            bytes += next.SizeBytes;
            offsetBytes += next.Offsets.SizeBytes;
            timeBytes += next.Times.SizeBytes;
            if (bytes > _config.SegmentBytes
                || offsetBytes > _config.SegmentIndexBytes
                || timeBytes > _config.SegmentIndexBytes
                || limit - 1 - first.BaseOffset > int.MaxValue)
            {
                break;
            }
        }

        return length;
    }

    private void CleanGroup(ReadOnlySpan<LogSegment> group, CleanedTransactions transactions, Replace replace)
    {
        // What an earlier attempt left must not be taken for the beginning of this one.
        DeleteFiles(group[0].BaseOffset);
        var cleaned = new LogSegment(_directory, group[0].BaseOffset, group[^1].CreatedTimestamp, LogSegment.CleanedSuffix);
        bool done = false;
        try
        {
            using (var writer = new CleanedSegmentWriter(cleaned, _config.IndexIntervalBytes, _options.BufferBytes))
            {
                foreach (LogSegment segment in group)
                {
                    using var cursor = new SegmentCursor(segment.Log, 0, segment.SizeBytes, _options.BufferBytes);
                    while (MoveNext(cursor, segment))
                    {
                        long before = writer.SizeBytes;
                        int batchBytes = cursor.BatchBytes;
                        CleanBatch(ReadBatch(cursor, segment), transactions, writer);
                        _throttle.Count(batchBytes + writer.SizeBytes - before, _isStopping, _stopping);
                    }

                    BytesBefore += segment.SizeBytes;
                }

                writer.Complete();
            }

            cleaned.SaveIndexes();
            cleaned.Flush();
            cleaned.Seal();
            BytesAfter += cleaned.SizeBytes;
            done = replace(group, cleaned);
            if (!done)
                throw new OperationCanceledException("The log lost segments that were being compacted.");
        }
        finally
        {
            if (!done)
            {
                cleaned.Dispose();
                DeleteFiles(cleaned.BaseOffset);
            }
        }
    }

    private void CleanBatch(RecordBatchView batch, CleanedTransactions transactions, CleanedSegmentWriter writer)
    {
        RecordBatchHeader header = batch.Header;
        bool isLastOfProducer = header.HasProducer
            && _producers.TryGetValue(header.ProducerId, out ProducerEnd end)
            && (end.LastDataOffset >= 0 ? header.LastOffset == end.LastDataOffset : header.IsControl && header.ProducerEpoch == end.Epoch);
        bool isNeedless = false;
        bool isDropped;
        if (header.IsControl)
        {
            if (LogRecovery.TryReadMarker(batch, out ControlRecordType type, out _))
            {
                isNeedless = transactions.IsNeedless(header, type, out AbortedTransaction? stillIndexed);
                if (stillIndexed is { } transaction)
                    writer.Add(transaction);
            }

            isDropped = isNeedless && IsPastDeleteHorizon(header);
        }
        else
        {
            isDropped = transactions.IsAborted(header);
        }

        if (isDropped)
        {
            if (isLastOfProducer)
                WriteFiltered(batch, default, [], null, writer);
            return;
        }

        using PooledBuffer? decompressed = batch.Decompress(_config.MaxDecompressedBytes);
        ReadOnlySpan<byte> records = decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan;
        bool[] kept = ArrayPool<bool>.Shared.Rent(Math.Max(header.RecordCount, 1));
        try
        {
            int keptCount = Choose(batch, records, kept, out bool hasTombstones);
            if (keptCount == 0)
            {
                if (isLastOfProducer)
                    WriteFiltered(batch, records, [], null, writer);
                return;
            }

            long? newHorizon = (hasTombstones || isNeedless) && !header.HasDeleteHorizon ? SaturatingAdd(_now, _config.DeleteRetentionMs) : null;
            if (keptCount == header.RecordCount && newHorizon is null)
                writer.Append(batch.Bytes, header);
            else
                WriteFiltered(batch, records, kept.AsSpan(0, header.RecordCount), newHorizon, writer);
        }
        finally
        {
            ArrayPool<bool>.Shared.Return(kept);
        }
    }

    /// <summary>Says for each record whether it stays, and returns how many do.</summary>
    private int Choose(RecordBatchView batch, ReadOnlySpan<byte> records, Span<bool> kept, out bool hasTombstones)
    {
        RecordBatchHeader header = batch.Header;
        bool isPastHorizon = IsPastDeleteHorizon(header);
        hasTombstones = false;
        int count = 0;
        int index = 0;
        foreach (RecordView record in batch.GetRecords(records))
        {
            bool isKept;
            if (header.IsControl || record.Offset >= _endOffset)
                isKept = true; // of what comes later in the log only a part was looked at
            else
                isKept = !record.IsKeyNull && record.Offset >= _map.Find(record.Key) && !(record.IsValueNull && isPastHorizon);
            kept[index++] = isKept;
            if (!isKept)
                continue;
            count++;
            hasTombstones |= record.IsValueNull && !header.IsControl;
        }

        return count;
    }

    /// <summary>Writes a batch anew with some of its records, or none; its offsets, sequence numbers and times stay.</summary>
    private static void WriteFiltered(RecordBatchView batch, ReadOnlySpan<byte> records, ReadOnlySpan<bool> kept, long? newHorizon, CleanedSegmentWriter writer)
    {
        RecordBatchHeader header = batch.Header;
        using var builder = new RecordBatchBuilder(new RecordBatchOptions
        {
            // An empty batch has nothing to compress.
            Compression = kept.IsEmpty ? CompressionType.None : header.Compression,
            TimestampType = header.TimestampType,
            LogAppendTimestamp = header.MaxTimestamp,
            ProducerId = header.ProducerId,
            ProducerEpoch = header.ProducerEpoch,
            BaseSequence = header.BaseSequence,
            IsTransactional = header.IsTransactional,
            IsControl = header.IsControl,
            PartitionLeaderEpoch = header.PartitionLeaderEpoch,
            BaseOffset = header.BaseOffset,
            DeleteHorizon = kept.IsEmpty ? null : newHorizon ?? (header.HasDeleteHorizon ? header.BaseTimestamp : null),

            // The distance from another base timestamp may take nine bytes more of each record.
            MaxBytes = (int)Math.Min(Array.MaxLength, RecordBatchHeader.SizeBytes + records.Length + (header.RecordCount * 10L)),
        });
        int index = 0;
        if (!kept.IsEmpty)
        {
            foreach (RecordView record in batch.GetRecords(records))
            {
                if (!kept[index++])
                    continue;
                bool appended = builder.TryAppendEncoded(
                    (int)(record.Offset - header.BaseOffset),
                    record.Timestamp,
                    record.NullableKey,
                    record.NullableValue,
                    record.EncodedHeaders);
                if (!appended)
                    throw new InvalidDataException($"The batch at offset {header.BaseOffset} became too large.");
            }
        }

        ReadOnlyMemory<byte> bytes = builder.Build(header.LastOffsetDelta);
        writer.Append(bytes.Span, new RecordBatchHeader(bytes.Span));
    }

    private bool IsPastDeleteHorizon(RecordBatchHeader header) => header.HasDeleteHorizon && header.BaseTimestamp <= _now;

    private bool MoveNext(SegmentCursor cursor, LogSegment segment)
    {
        if (_isStopping() || _stopping.IsCancellationRequested)
            throw new OperationCanceledException("Compaction was stopped.");
        if (cursor.MoveNext() == RecordBatchStatus.Valid)
            return true;
        return cursor.IsAtEnd
            ? false
            : throw new InvalidDataException($"The segment at offset {segment.BaseOffset} has no batch where one should be, behind position {cursor.Position}.");
    }

    private static RecordBatchView ReadBatch(SegmentCursor cursor, LogSegment segment)
    {
        // What is written anew gets a new checksum, which must not make damaged bytes look sound.
        return cursor.TryReadBatch(out RecordBatchView batch) == RecordBatchStatus.Valid && batch.IsCrcValid
            ? batch
            : throw new InvalidDataException($"The segment at offset {segment.BaseOffset} has a corrupt batch at position {cursor.Position}.");
    }

    private void DeleteFiles(long baseOffset)
    {
        foreach (string suffix in LogSegment.Suffixes)
            _directory.Delete(LogSegment.FileName(baseOffset) + suffix + LogSegment.CleanedSuffix);
    }

    private static long SaturatingAdd(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;
}
