using System.Globalization;
using Broker.Lite.Diagnostics;
using Kafka.Protocol;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Logs;

/// <summary>
/// Opens the files of a log. After a clean close they are taken as they are, but for indexes that are missing or cannot be right. Otherwise
/// every batch that may not have reached the disk is checked; the log ends before the first that is torn or corrupt, and what lies behind is
/// removed. Producer state is made from the newest snapshot and the batches after it.
/// </summary>
internal sealed class LogRecovery(string logName, LogDirectory directory, LogConfig config, LogOpening opening, long nowTimestamp, ILogger logger)
{
    private const int OffsetDigits = 20;

    /// <summary>How much of the end of the log is looked through for the batches that a snapshot leaves out.</summary>
    private const int ProducerTailBytes = 16 * 1024 * 1024;

    /// <summary>How long after its last batch a client may still repeat it: several times the two minutes that clients usually try for.</summary>
    private const long RetryWindowMs = 15 * 60 * 1000;

    private readonly HashSet<long> _rebuilt = [];

    /// <summary>The segments, ascending; the last is the active one.</summary>
    public List<LogSegment> Segments { get; } = [];

    /// <summary>Offset that the next record gets.</summary>
    public long LogEndOffset { get; private set; }

    /// <summary>First offset that can be read.</summary>
    public long LogStartOffset { get; private set; }

    /// <summary>Offset of the newest snapshot of the producers, -1 when there is none.</summary>
    public long SnapshotOffset { get; private set; } = -1;

    /// <summary>The producers.</summary>
    public ProducerStateTable Producers { get; } = new();

    /// <summary>Opens everything. On a failure, which is an <see cref="IOException"/>, what was opened is closed.</summary>
    public void Run()
    {
        bool done = false;
        try
        {
            OpenSegments();
            EndAtLogStart();
            Segments[..^1].ForEach(segment =>
            {
                segment.SaveIndexes();
                segment.Seal();
            });
            RestoreProducers();
            done = true;
        }
        finally
        {
            if (!done)
                Segments.ForEach(segment => segment.Dispose());
        }
    }

    private void OpenSegments()
    {
        CompleteReplacements();
        IReadOnlyList<string> files = directory.List();
        List<long> baseOffsets = [.. files.Select(file => ParseOffset(file, LogSegment.LogSuffix)).Where(offset => offset >= 0).Order()];
        RemoveStrays(files, baseOffsets);
        if (baseOffsets.Count == 0)
            baseOffsets.Add(Math.Max(opening.LogStartOffset, 0));

        for (int i = 0; i < baseOffsets.Count; i++)
        {
            var segment = new LogSegment(directory, baseOffsets[i], nowTimestamp);
            Segments.Add(segment);
            long limit = i + 1 < baseOffsets.Count ? baseOffsets[i + 1] : long.MaxValue;
            if (TryOpen(segment, limit))
                continue;

            // Batches behind a gap would be out of order with what is appended next, so they go.
            for (int later = i + 1; later < baseOffsets.Count; later++)
            {
                Log.SegmentRemoved(logger, logName, baseOffsets[later]);
                new LogSegment(directory, baseOffsets[later], nowTimestamp).Delete();
            }

            break;
        }
    }

    /// <summary>Opens one segment; false when it had to be cut, so that it is the last.</summary>
    private bool TryOpen(LogSegment segment, long limit)
    {
        bool isActive = limit == long.MaxValue;
        bool isTrusted = opening.WasClosedCleanly || (!isActive && limit <= opening.RecoveryPoint);
        if (isTrusted && segment.Log.Length <= int.MaxValue && segment.TryLoadIndexes(limit, isSealed: !isActive))
        {
            if (!isActive)
                return true;
            if (TryFindEnd(segment, out long end))
            {
                LogEndOffset = end;
                return true;
            }
        }

        long length = segment.Log.Length;
        LogEndOffset = Rebuild(segment, limit, checkCrc: !isTrusted);
        _rebuilt.Add(segment.BaseOffset);
        if (segment.SizeBytes == length)
            return true;
        Log.LogTruncated(logger, logName, LogEndOffset, length - segment.SizeBytes);
        segment.Log.Truncate(segment.SizeBytes);
        return false;
    }

    /// <summary>Goes through a segment, checks its batches and makes its indexes anew; returns the offset after the last good one.</summary>
    private long Rebuild(LogSegment segment, long limit, bool checkCrc)
    {
        segment.ResetIndexes();
        long next = segment.BaseOffset;
        int end = (int)Math.Min(segment.Log.Length, int.MaxValue);
        using var cursor = new SegmentCursor(segment.Log, 0, end, SegmentCursor.ScanBufferBytes);
        while (cursor.MoveNext() == RecordBatchStatus.Valid)
        {
            RecordBatchHeader header = cursor.Header;
            if (header.BaseOffset < next || header.LastOffset >= limit || header.LastOffset - segment.BaseOffset > int.MaxValue)
                break;
            if (checkCrc && (cursor.TryReadBatch(out RecordBatchView batch) != RecordBatchStatus.Valid || !batch.IsCrcValid))
                break;
            header = cursor.Header; // reading the batch may have moved the buffer
            segment.Register(cursor.Position, cursor.BatchBytes, header.LastOffset, header.MaxTimestamp, config.IndexIntervalBytes);
            next = header.LastOffset + 1;
        }

        return next;
    }

    /// <summary>The offset after the last batch of the active segment, from its last index entry on; false when there is something wrong.</summary>
    private static bool TryFindEnd(LogSegment segment, out long end)
    {
        end = segment.BaseOffset;
        int start = segment.Offsets.Count > 0 ? segment.Offsets.Last.Value : 0;
        using var cursor = new SegmentCursor(segment.Log, start, segment.SizeBytes, SegmentCursor.SmallBufferBytes);
        while (!cursor.IsAtEnd)
        {
            if (cursor.MoveNext() != RecordBatchStatus.Valid || cursor.Header.BaseOffset < end)
                return false;
            end = cursor.Header.LastOffset + 1;
        }

        return true;
    }

    /// <summary>Applies the log start: segments below it go, and a log that ends before it starts there again, so that no offset comes twice.</summary>
    private void EndAtLogStart()
    {
        if (LogEndOffset < opening.LogStartOffset)
        {
            Segments.ForEach(segment => segment.Delete());
            Segments.Clear();
            Segments.Add(new LogSegment(directory, opening.LogStartOffset, nowTimestamp));
            LogEndOffset = opening.LogStartOffset;
        }

        while (Segments.Count > 1 && Segments[1].BaseOffset <= opening.LogStartOffset)
        {
            Segments[0].Delete();
            Segments.RemoveAt(0);
        }

        LogStartOffset = Math.Max(opening.LogStartOffset, Segments[0].BaseOffset);
    }

    private void RestoreProducers()
    {
        // The index of aborted transactions is made anew with the rest of a segment's, and for that the state at its start is needed.
        long from = _rebuilt.Count == 0 ? LogEndOffset : Math.Min(LogEndOffset, _rebuilt.Min());
        List<long> snapshots = [.. directory.List().Select(file => ParseOffset(file, ProducerSnapshot.Suffix)).Where(offset => offset >= 0)];
        foreach (long offset in snapshots.Where(offset => offset > LogEndOffset))
            directory.Delete(ProducerSnapshot.FileName(offset));
        long start = Segments[0].BaseOffset;
        foreach (long offset in snapshots.Where(offset => offset <= from && offset >= start).OrderDescending())
        {
            if (ProducerSnapshot.TryRead(directory, offset, Producers))
            {
                start = offset;
                SnapshotOffset = offset;
                break;
            }

            Log.SnapshotIgnored(logger, logName, offset);
            directory.Delete(ProducerSnapshot.FileName(offset));
        }

        for (int i = 0; i < Segments.Count; i++)
        {
            long end = i + 1 < Segments.Count ? Segments[i + 1].BaseOffset : LogEndOffset;
            if (end > start)
                Replay(Segments[i], start);
        }

        CompleteProducers();
    }

    /// <summary>
    /// A snapshot has the last batch of each producer; a client may repeat any of its last five. They are in the log, so the end of it is looked
    /// through, which Kafka does not do: a client that lost its answers to a restart learns where each batch went.
    /// </summary>
    private void CompleteProducers()
    {
        // Who was silent for longer has given up: the log of a broker that starts is not read for it.
        long since = nowTimestamp - RetryWindowMs;
        if (Producers.Entries.All(entry => entry.Count == 0 || entry.LastTimestamp < since))
            return;
        int first = Segments.Count - 1;
        for (long bytes = Segments[first].SizeBytes; first > 0 && bytes < ProducerTailBytes; bytes += Segments[first].SizeBytes)
            first--;
        var batches = new Dictionary<long, List<ProducerEntry.Batch>>();
        foreach (LogSegment segment in Segments.Skip(first))
        {
            int from = segment.SizeBytes - ProducerTailBytes;
            int position = from > 0 && segment.Offsets.TryFindValue(from, out SegmentIndex.Entry entry) ? entry.Value : 0;
            using var cursor = new SegmentCursor(segment.Log, position, segment.SizeBytes, SegmentCursor.ScanBufferBytes);
            while (cursor.MoveNext() == RecordBatchStatus.Valid)
                Collect(cursor.Header, batches);
        }

        foreach (ProducerEntry producer in Producers.Entries)
            producer.Complete(batches.GetValueOrDefault(producer.ProducerId, []));
    }

    private void Collect(RecordBatchHeader header, Dictionary<long, List<ProducerEntry.Batch>> batches)
    {
        if (!header.HasProducer || header.IsControl || header.BaseSequence < 0 || !Producers.HasEpoch(header.ProducerId, header.ProducerEpoch))
            return;
        if (!batches.TryGetValue(header.ProducerId, out List<ProducerEntry.Batch>? list))
            batches.Add(header.ProducerId, list = []);
        if (list.Count == ProducerEntry.MaxBatches)
            list.RemoveAt(0);
        list.Add(new ProducerEntry.Batch(header.BaseSequence, header.LastSequence, header.BaseOffset, header.LastOffset));
    }

    private void Replay(LogSegment segment, long start)
    {
        bool isRebuilt = _rebuilt.Contains(segment.BaseOffset);
        int position = start > segment.BaseOffset ? segment.FindPosition(start, out _) : 0;
        using var cursor = new SegmentCursor(segment.Log, position, segment.SizeBytes, SegmentCursor.ScanBufferBytes);
        while (cursor.MoveNext() == RecordBatchStatus.Valid)
        {
            RecordBatchHeader header = cursor.Header;
            if (header.BaseOffset < start || !header.HasProducer)
                continue;
            if (!header.IsControl)
            {
                Producers.Add(header, header.BaseOffset, nowTimestamp);
            }
            else if (cursor.TryReadBatch(out RecordBatchView batch) == RecordBatchStatus.Valid && TryReadMarker(batch, out ControlRecordType type, out int epoch))
            {
                header = batch.Header;
                AbortedTransaction? aborted = Producers.AddMarker(
                    type,
                    header.ProducerId,
                    header.ProducerEpoch,
                    epoch,
                    nowTimestamp,
                    header.BaseOffset);
                if (aborted is { } transaction && isRebuilt)
                    segment.AbortedTransactions.Add(transaction);
            }
        }
    }

    /// <summary>Reads a transaction marker; false when the control batch is another one.</summary>
    public static bool TryReadMarker(RecordBatchView batch, out ControlRecordType type, out int coordinatorEpoch)
    {
        type = ControlRecordType.Unknown;
        coordinatorEpoch = -1;
        try
        {
            RecordIterator records = batch.GetRecords();
            if (!records.MoveNext())
                return false;
            type = TransactionMarker.ReadType(records.Current);
            if (type == ControlRecordType.Unknown)
                return false;
            coordinatorEpoch = TransactionMarker.ReadCoordinatorEpoch(records.Current);
            return true;
        }
        catch (Exception e) when (e is ProtocolException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// Ends what a crash left of compaction. A segment that was still being written is worthless. One that was whole takes the place of those
    /// that start within it; its indexes are made anew, as some may have been left behind.
    /// </summary>
    private void CompleteReplacements()
    {
        const string swapped = LogSegment.LogSuffix + LogSegment.SwapSuffix;
        IReadOnlyList<string> files = directory.List();
        foreach (string file in files)
        {
            if (file.EndsWith(LogSegment.CleanedSuffix, StringComparison.Ordinal)
                || (file.EndsWith(LogSegment.SwapSuffix, StringComparison.Ordinal) && !file.EndsWith(swapped, StringComparison.Ordinal)))
            {
                directory.Delete(file);
            }
        }

        foreach (long baseOffset in files.Select(file => ParseOffset(file, swapped)).Where(offset => offset >= 0).Order())
        {
            string name = LogSegment.FileName(baseOffset);
            long end = FindEnd(name + swapped, baseOffset);
            foreach (long old in files.Select(file => ParseOffset(file, LogSegment.LogSuffix)).Where(old => old == baseOffset || (old > baseOffset && old < end)))
            {
                foreach (string suffix in LogSegment.Suffixes)
                    directory.Delete(LogSegment.FileName(old) + suffix);
            }

            foreach (string suffix in LogSegment.Suffixes)
            {
                if (suffix != LogSegment.LogSuffix)
                    directory.Delete(name + suffix);
            }

            directory.Rename(name + swapped, name + LogSegment.LogSuffix);
            Log.ReplacementCompleted(logger, logName, baseOffset, end);
        }
    }

    /// <summary>The offset after the last batch of a segment's file.</summary>
    private long FindEnd(string file, long baseOffset)
    {
        using LogFile log = directory.Open(file);
        using var cursor = new SegmentCursor(log, 0, (int)Math.Min(log.Length, int.MaxValue), SegmentCursor.ScanBufferBytes);
        long end = baseOffset;
        while (cursor.MoveNext() == RecordBatchStatus.Valid)
            end = cursor.Header.LastOffset + 1;
        return end;
    }

    /// <summary>Removes what belongs to no segment: indexes without a log, and what an interrupted replacement left.</summary>
    private void RemoveStrays(IReadOnlyList<string> files, List<long> baseOffsets)
    {
        foreach (string file in files)
        {
            bool isStray = file.EndsWith(".tmp", StringComparison.Ordinal) || file.EndsWith(".deleted", StringComparison.Ordinal);
            foreach (string suffix in (ReadOnlySpan<string>)[LogSegment.OffsetIndexSuffix, LogSegment.TimeIndexSuffix, LogSegment.AbortedTransactionsSuffix])
                isStray |= ParseOffset(file, suffix) is >= 0 and var offset && !baseOffsets.Contains(offset);
            if (isStray)
                directory.Delete(file);
        }
    }

    private static long ParseOffset(string file, string suffix) =>
        file.Length == OffsetDigits + suffix.Length
        && file.EndsWith(suffix, StringComparison.Ordinal)
        && long.TryParse(file.AsSpan(0, OffsetDigits), NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            ? offset
            : -1;
}
