using Broker.Lite.Diagnostics;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// A partition's log over the segments of a folder, on disk or in memory. Writers hold the gate; readers take the segments and offsets as
/// they were published: size of the segment, then log end offset, then last stable offset, so whoever sees an offset sees its batch.
/// </summary>
internal sealed class PartitionLog : IPartitionLog
{
    private const string AppendOperation = "append";

    private readonly Lock _gate = new();
    private readonly Lock _listenersGate = new();

    /// <summary>Held while the log is being compacted; taken before the gate by those who end the log.</summary>
    private readonly Lock _cleaningGate = new();
    private readonly List<(LogSegment Segment, long DueTimestamp)> _retired = [];
    private readonly LogDirectory _directory;
    private readonly LogContext _context;
    private readonly LeaderEpochs _epochs;
    private readonly ProducerStateTable _producers;
    private LogConfig _config;
    private LogSegment[] _segments;
    private ILogListener[] _listeners = [];
    private long _logStartOffset;
    private long _logEndOffset;
    private long _lastStableOffset;
    private long _unflushedCount;
    private long _unflushedSince;
    private long _recoveryPoint;
    private long _snapshotOffset;
    private int _leaderEpoch;
    private long _firstDirtyOffset;
    private bool _hasTornTail;
    private bool _isIncomplete;
    private bool _isEnding;
    private bool _isUncleanable;
    private bool _isClosed;

    private PartitionLog(
        string topic,
        int partition,
        Guid topicId,
        LogDirectory directory,
        LogConfig config,
        LogContext context,
        LogRecovery recovered)
    {
        Topic = topic;
        Partition = partition;
        TopicId = topicId;
        _directory = directory;
        _config = config;
        _context = context;
        _segments = [.. recovered.Segments];
        _producers = recovered.Producers;
        _logStartOffset = recovered.LogStartOffset;
        _logEndOffset = recovered.LogEndOffset;
        _lastStableOffset = _producers.FirstOpenOffset ?? _logEndOffset;
        _epochs = new LeaderEpochs(directory);
        _epochs.TruncateEnd(_logEndOffset);
        _leaderEpoch = Math.Max(_epochs.Latest, 0);
        _snapshotOffset = recovered.SnapshotOffset;
        _unflushedSince = Now;
    }

    /// <inheritdoc/>
    public string Topic { get; }

    /// <inheritdoc/>
    public int Partition { get; }

    /// <inheritdoc/>
    public Guid TopicId { get; }

    /// <inheritdoc/>
    public LogConfig Config => Volatile.Read(ref _config);

    /// <inheritdoc/>
    public long LogStartOffset => Volatile.Read(ref _logStartOffset);

    /// <inheritdoc/>
    public long LogEndOffset => Volatile.Read(ref _logEndOffset);

    /// <inheritdoc/>
    public long HighWatermark => Volatile.Read(ref _logEndOffset);

    /// <inheritdoc/>
    public long LastStableOffset
    {
        get
        {
            // Deleted records may have been those of the oldest open transaction.
            long stable = Volatile.Read(ref _lastStableOffset);
            return Math.Max(stable, LogStartOffset);
        }
    }

    /// <inheritdoc/>
    public int LeaderEpoch => Volatile.Read(ref _leaderEpoch);

    /// <inheritdoc/>
    public long SizeBytes
    {
        get
        {
            long size = 0;
            foreach (LogSegment segment in Segments)
                size += segment.SizeBytes;
            return size;
        }
    }

    /// <summary>The offset before which everything has been forced to disk.</summary>
    public long RecoveryPoint => Volatile.Read(ref _recoveryPoint);

    /// <summary>The offset from which on the log has not been compacted.</summary>
    public long FirstDirtyOffset => Volatile.Read(ref _firstDirtyOffset);

    /// <summary>Number of segments, the active one included.</summary>
    public int SegmentCount => Segments.Length;

    private LogSegment[] Segments => Volatile.Read(ref _segments);

    private LogSegment Active => _segments[^1];

    private string Name => $"{Topic}-{Partition}";

    private long Now => _context.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Opens the log in a folder, recovering it if it was not closed cleanly.</summary>
    /// <exception cref="IOException">The files cannot be read or repaired.</exception>
    public static PartitionLog Open(
        string topic,
        int partition,
        Guid topicId,
        LogDirectory directory,
        LogConfig config,
        LogContext context,
        LogOpening opening)
    {
        config.Validate();
        Guid storedId = PartitionMetadataFile.Read(directory);
        if (storedId == Guid.Empty && topicId != Guid.Empty)
        {
            PartitionMetadataFile.Write(directory, topicId);
            storedId = topicId;
        }

        var recovery = new LogRecovery(
            $"{topic}-{partition}",
            directory,
            config,
            opening,
            context.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            context.Logger);
        recovery.Run();
        return new PartitionLog(topic, partition, storedId, directory, config, context, recovery)
        {
            _recoveryPoint = Math.Min(opening.RecoveryPoint, recovery.LogEndOffset),
            _firstDirtyOffset = opening.FirstDirtyOffset <= recovery.LogEndOffset ? opening.FirstDirtyOffset : 0,
        };
    }

    /// <inheritdoc/>
    public AppendResult Append(Memory<byte> batches, AppendOrigin origin = AppendOrigin.Client)
    {
        LogConfig config = Config;
        long now = Now;
        Span<byte> bytes = batches.Span;
        AppendFault fault = AppendValidator.Check(bytes, origin, config, now);
        if (fault.Error != ErrorCode.None)
            return Refuse(fault.Error, fault.Message) with { InvalidRecordIndexes = fault.RecordIndexes };

        using PooledBuffer? recompressed = AppendCompression.Apply(ref bytes, origin, config, out fault);
        if (fault.Error != ErrorCode.None)
            return Refuse(fault.Error, fault.Message);

        AppendResult result;
        lock (_gate)
            result = AppendChecked(bytes, origin, config, now);
        if (result is { Error: ErrorCode.None, IsDuplicate: false })
            NotifyListeners();
        return result;
    }

    /// <inheritdoc/>
    public LogSlice Read(long offset, int maxBytes, bool minOneBatch, ReadIsolation isolation = ReadIsolation.ReadUncommitted, bool maySendFile = false)
    {
        while (true)
        {
            // In this order stable offset <= high watermark holds for what is reported.
            long stable = LastStableOffset;
            long high = HighWatermark;
            long start = LogStartOffset;
            LogSegment[] segments = Segments;
            if (offset < start || offset > high)
                return LogSlice.Failed(ErrorCode.OffsetOutOfRange, high, stable, start);
            long bound = isolation == ReadIsolation.ReadCommitted ? stable : high;
            try
            {
                SegmentReader.Result result = ReadSegments(offset, bound, maxBytes, minOneBatch, maySendFile);
                AbortedTransaction[]? aborted = isolation == ReadIsolation.ReadCommitted
                    ? FindAborted(offset, result.Records.IsEmpty ? offset : result.NextOffset)
                    : null;
                return LogSlice.Create(result.Records, result.Rented, result.Lent, high, stable, start, aborted);
            }
            catch (ObjectDisposedException) when (Segments != segments)
            {
                // A segment went between taking its reference and reading it: what remains starts later, or another took its place.
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ObjectDisposedException)
            {
                if (!Volatile.Read(ref _isClosed))
                    Log.LogOperationFailed(_context.Logger, e, Name, "read");
                return LogSlice.Failed(ErrorCode.KafkaStorageError, high, stable, start);
            }
        }
    }

    /// <inheritdoc/>
    public OffsetLookup FindOffsetForTimestamp(long timestamp, ReadIsolation isolation = ReadIsolation.ReadUncommitted)
    {
        return Search(
            (segments, start) =>
            {
                long bound = isolation == ReadIsolation.ReadCommitted ? LastStableOffset : HighWatermark;
                foreach (LogSegment segment in segments)
                {
                    OffsetLookup found = TimestampSearch.Find(segment, timestamp, start, bound, Config.MaxDecompressedBytes);
                    if (found.Offset >= 0)
                        return found;
                }

                return OffsetLookup.None;
            });
    }

    /// <inheritdoc/>
    public OffsetLookup FindMaxTimestamp()
    {
        return Search(
            (segments, start) =>
            {
                long bound = HighWatermark;
                LogSegment? newest = null;
                long max = RecordBatchHeader.NoTimestamp;
                foreach (LogSegment segment in segments)
                {
                    long candidate = TimestampSearch.MaxTimestampFrom(segment, start);
                    if (candidate <= max)
                        continue;
                    max = candidate;
                    newest = segment;
                }

                return newest is null ? OffsetLookup.None : TimestampSearch.Find(newest, max, start, bound, Config.MaxDecompressedBytes);
            });
    }

    /// <inheritdoc/>
    public EpochEndOffset FindEpochEnd(int leaderEpoch)
    {
        // An epoch that has not appended yet ends where it will begin.
        long end = LogEndOffset;
        return leaderEpoch >= 0 && leaderEpoch == LeaderEpoch && leaderEpoch > _epochs.Latest
            ? new EpochEndOffset(leaderEpoch, end)
            : _epochs.Find(leaderEpoch, end);
    }

    /// <inheritdoc/>
    public ErrorCode DeleteRecords(long beforeOffset)
    {
        LogSegment[] deleted;
        lock (_gate)
        {
            if (_isClosed)
                return ErrorCode.KafkaStorageError;
            long offset = beforeOffset == -1 ? _logEndOffset : beforeOffset;
            if (offset < 0 || offset > _logEndOffset)
                return ErrorCode.OffsetOutOfRange;
            if (offset <= _logStartOffset)
                return ErrorCode.None;
            long before = _logStartOffset;
            Volatile.Write(ref _logStartOffset, offset);
            try
            {
                _context.PersistLogStart();
                _epochs.TruncateStart(offset);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Volatile.Write(ref _logStartOffset, before);
                Log.LogOperationFailed(_context.Logger, e, Name, "delete records");
                return ErrorCode.KafkaStorageError;
            }

            deleted = DetachSegmentsBelow(offset);
            RetireSegments(deleted);
        }

        return ErrorCode.None;
    }

    /// <inheritdoc/>
    public int ApplyRetention()
    {
        LogSegment[] deleted;
        lock (_gate)
        {
            LogConfig config = _config;
            if (_isClosed || !config.IsDeleted)
                return 0;
            deleted = DetachExpired(config, Now);
            if (deleted.Length == 0)
                return 0;
            try
            {
                // First the files: where the disk is full this is what makes room, and nothing has to be written for it. After a crash the log
                // starts at its first segment, whatever an older checkpoint says.
                RetireSegments(deleted);
                _context.PersistLogStart();
                _epochs.TruncateStart(_logStartOffset);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.LogOperationFailed(_context.Logger, e, Name, "retention");
            }
        }

        return deleted.Length;
    }

    /// <inheritdoc/>
    public ErrorCode Flush()
    {
        lock (_gate)
            return _isClosed ? ErrorCode.KafkaStorageError : FlushSegments();
    }

    /// <inheritdoc/>
    public void UpdateConfig(LogConfig config)
    {
        config.Validate();
        Volatile.Write(ref _config, config);
    }

    /// <inheritdoc/>
    public void SetLeaderEpoch(int leaderEpoch)
    {
        lock (_gate)
            Volatile.Write(ref _leaderEpoch, Math.Max(_leaderEpoch, leaderEpoch));
    }

    /// <inheritdoc/>
    public void AdmitTransaction(long producerId, short producerEpoch)
    {
        lock (_gate)
            _producers.Admit(producerId, producerEpoch);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ProducerDescription> DescribeProducers()
    {
        lock (_gate)
        {
            return
            [
                .. _producers.Entries.Select(entry => new ProducerDescription(
                    entry.ProducerId,
                    entry.Epoch,
                    entry.LastSequence,
                    entry.LastTimestamp,
                    entry.CoordinatorEpoch,
                    entry.TransactionFirstOffset)),
            ];
        }
    }

    /// <inheritdoc/>
    public void AddListener(ILogListener listener)
    {
        lock (_listenersGate)
            Volatile.Write(ref _listeners, [.. _listeners, listener]);
    }

    /// <inheritdoc/>
    public void RemoveListener(ILogListener listener)
    {
        lock (_listenersGate)
        {
            int index = Array.IndexOf(_listeners, listener);
            if (index >= 0)
                Volatile.Write(ref _listeners, [.. _listeners[..index], .. _listeners[(index + 1)..]]);
        }
    }

    /// <summary>What has to be done now and then: retention if asked to, expiry of producers, flush by time, index entries, flush of sealed segments.</summary>
    public void Maintain(bool withRetention)
    {
        if (withRetention)
            ApplyRetention();
        lock (_gate)
        {
            if (_isClosed)
                return;
            long now = Now;
            DeleteRetired(all: false);
            RollForCompaction(now);
            _producers.Expire(now - Math.Min(_config.ProducerIdExpirationMs, now));
            SaveIndexesIfPossible();
            if (_unflushedCount > 0 && now - _unflushedSince >= _config.FlushMs)
            {
                FlushSegments();
                return;
            }
        }

        FlushSealedSegments();
    }

    /// <summary>What compaction would find to do, and whether it should: null when there is nothing, or the log is not compacted.</summary>
    public CleaningPlan? PlanCleaning()
    {
        lock (_gate)
            return PlanCleaning(_config, Now);
    }

    /// <summary>
    /// Compacts the log on the calling thread, which may take long; appends and reads go on. False when there was nothing to do or it did not come to
    /// the end: it was stopped, the disk is full, or the log is damaged, which is logged and ends compaction of this log until the next start.
    /// </summary>
    public bool Clean(CleanerOptions options, CancellationToken stopping)
    {
        lock (_cleaningGate)
        {
            LogConfig config;
            CleaningPlan? plan;
            Dictionary<long, ProducerEnd> producers;
            lock (_gate)
            {
                config = _config;
                plan = PlanCleaning(config, Now);
                if (plan is null)
                    return false;
                producers = _producers.Entries.ToDictionary(
                    entry => entry.ProducerId,
                    entry => new ProducerEnd(entry.Count > 0 ? entry.Newest.LastOffset : -1, entry.Epoch));
            }

            var cleaner = new LogCleaner(
                _directory, config, plan, producers, FindAborted, options, _context.Time, () => Volatile.Read(ref _isEnding), stopping);
            try
            {
                Volatile.Write(ref _firstDirtyOffset, cleaner.Run(ReplaceSegments));
                Log.LogCompacted(_context.Logger, Name, FirstDirtyOffset, cleaner.BytesBefore, cleaner.BytesAfter);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
            catch (ObjectDisposedException)
            {
                return false; // retention took a segment that was being read; the next round goes without it
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // No room for the new segments, most likely: the old ones are as they were, and it is tried again.
                Log.LogOperationFailed(_context.Logger, e, Name, "compaction");
                return false;
            }
            catch (Exception e) when (e is ProtocolException or InvalidDataException or CompressionUnavailableException)
            {
                _isUncleanable = true;
                Log.LogUncleanable(_context.Logger, e, Name);
                return false;
            }
        }
    }

    /// <summary>
    /// Closes the files. True when everything is complete, so that the log can be opened again without a check; false when a file could not be
    /// written.
    /// </summary>
    public bool Close()
    {
        bool isComplete;
        Volatile.Write(ref _isEnding, true);
        lock (_cleaningGate)
        lock (_gate)
        {
            if (_isClosed)
                return !_isIncomplete;
            isComplete = !_isIncomplete;
            try
            {
                // Whoever finds the mark of a clean stop takes the files as they are, so they have to be on disk, too.
                Active.TruncateTornTail();
                Active.SaveIndexes();
                TakeSnapshot();
                isComplete &= FlushSegments() == ErrorCode.None;
                DeleteRetired(all: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.LogOperationFailed(_context.Logger, e, Name, "close");
                isComplete = false;
            }

            CloseFiles();
            _isIncomplete = !isComplete;
        }

        NotifyListeners();
        return isComplete;
    }

    /// <summary>Closes the files as they are, as the end of the process would, and removes the folder.</summary>
    /// <exception cref="IOException">The folder could not be removed.</exception>
    public void Delete()
    {
        Volatile.Write(ref _isEnding, true);
        lock (_cleaningGate)
        lock (_gate)
        {
            CloseFiles();
            _directory.Remove();
        }

        NotifyListeners();
    }

    /// <summary>Closes the files as they are, completing nothing: what the end of the process does.</summary>
    internal void Abandon()
    {
        Volatile.Write(ref _isEnding, true);
        lock (_cleaningGate)
        lock (_gate)
            CloseFiles();
    }

    private CleaningPlan? PlanCleaning(LogConfig config, long now)
    {
        if (_isClosed || _isUncleanable || !config.IsCompacted)
            return null;

        // Up to the first open transaction, whose end decides whether its records count.
        long bound = _lastStableOffset;
        int count = 0;
        while (count < _segments.Length - 1 && _segments[count + 1].BaseOffset <= bound && !IsTooYoungToClean(_segments[count], config, now))
            count++;
        if (count == 0)
            return null;
        LogSegment[] segments = _segments[..count];
        long firstDirty = Math.Max(_firstDirtyOffset, segments[0].BaseOffset);
        long clean = 0;
        long dirty = 0;
        long oldest = long.MaxValue;
        foreach (LogSegment segment in segments)
        {
            if (segment.BaseOffset < firstDirty)
            {
                clean += segment.SizeBytes;
                continue;
            }

            dirty += segment.SizeBytes;
            if (segment.FirstTimestamp >= 0)
                oldest = Math.Min(oldest, segment.FirstTimestamp);
        }

        return new CleaningPlan
        {
            Segments = segments,
            FirstDirtyOffset = firstDirty,
            EndOffset = _segments[count].BaseOffset,
            CleanBytes = clean,
            DirtyBytes = dirty,
            IsOverdue = oldest < now && now - oldest > config.MaxCompactionLagMs,
        };
    }

    private static bool IsTooYoungToClean(LogSegment segment, LogConfig config, long now)
    {
        long newest = segment.MaxTimestamp >= 0 ? segment.MaxTimestamp : segment.CreatedTimestamp;
        return config.MinCompactionLagMs > 0 && (now < newest || now - newest < config.MinCompactionLagMs);
    }

    /// <summary>A log that nobody writes to any more would keep its last records uncompacted for ever, whatever <c>max.compaction.lag.ms</c> says.</summary>
    private void RollForCompaction(long now)
    {
        LogSegment active = Active;
        if (!_config.IsCompacted || active.SizeBytes == 0 || active.FirstTimestamp < 0)
            return;
        if (now <= active.FirstTimestamp || now - active.FirstTimestamp <= _config.MaxCompactionLagMs)
            return;
        try
        {
            Roll(now);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.LogOperationFailed(_context.Logger, e, Name, "roll");
        }
    }

    /// <summary>
    /// Puts a compacted segment in the place of those it was made from. Its files get names that say that it is whole; from then on a start
    /// after a crash completes what is left to do here. Then the old files go out of the way, and it takes their name.
    /// </summary>
    private bool ReplaceSegments(ReadOnlySpan<LogSegment> old, LogSegment cleaned)
    {
        lock (_gate)
        {
            int at = Array.IndexOf(_segments, old[0]);
            if (_isClosed || at < 0 || at + old.Length > _segments.Length || !old.SequenceEqual(_segments.AsSpan(at, old.Length)))
                return false;
            bool isWhole = false;
            try
            {
                cleaned.Rename(LogSegment.SwapSuffix);
                _directory.Sync();
                isWhole = true;
            }
            finally
            {
                // If these files stay, the next start takes them for the newest; so nothing may be compacted in between.
                if (!isWhole)
                    _isUncleanable = !TryDeleteFiles(cleaned);
            }

            Volatile.Write(ref _segments, [.. _segments[..at], cleaned, .. _segments[(at + old.Length)..]]);
            try
            {
                foreach (LogSegment segment in old)
                    Retire(segment);
                foreach (LogSegment segment in old[1..])
                    _directory.Delete(ProducerSnapshot.FileName(segment.BaseOffset));
                cleaned.Rename("");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The log is as it should be for whoever reads it; the next start completes the files, and until then they stay as they are.
                _isUncleanable = true;
                _isIncomplete = true;
                Log.LogOperationFailed(_context.Logger, e, Name, "compaction");
            }

            DeleteRetired(all: false);
            return true;
        }
    }

    private bool TryDeleteFiles(LogSegment segment)
    {
        try
        {
            segment.Dispose();
            foreach (string suffix in LogSegment.Suffixes)
                _directory.Delete(LogSegment.FileName(segment.BaseOffset) + suffix + LogSegment.SwapSuffix);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.LogOperationFailed(_context.Logger, e, Name, "compaction");
            return false;
        }
    }

    private AppendResult AppendChecked(Span<byte> bytes, AppendOrigin origin, LogConfig config, long now)
    {
        if (_isClosed)
            return Refuse(ErrorCode.KafkaStorageError, "The log is closed.");
        ProducerVerdict verdict = CheckProducers(bytes, origin);
        if (verdict.Error != ErrorCode.None)
            return Refuse(verdict.Error, verdict.Message);

        // The first time may have failed because the disk did: the promise holds for the repetition too.
        if (verdict.IsDuplicate && _unflushedCount >= config.FlushMessages && FlushSegments() is var unflushed and not ErrorCode.None)
            return Refuse(unflushed, "The log could not be forced to disk.");
        if (verdict.IsDuplicate)
            return new AppendResult(ErrorCode.None, verdict.FirstOffset, verdict.LastOffset, RecordBatchHeader.NoTimestamp, _logStartOffset, true);

        bool logAppendTime = origin == AppendOrigin.Client && config.TimestampType == TimestampType.LogAppendTime;
        long baseOffset = _logEndOffset;
        long endOffset = Prepare(bytes, baseOffset, logAppendTime ? now : null, out long maxTimestamp);
        try
        {
            if (_hasTornTail)
            {
                Active.TruncateTornTail();
                _hasTornTail = false;
            }

            if (NeedsRoll(bytes.Length, endOffset - 1, maxTimestamp, config, now))
                Roll(now);
            _epochs.Assign(_leaderEpoch, baseOffset);
            _hasTornTail = true;
            Active.Log.Write(Active.SizeBytes, bytes);
            _hasTornTail = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Disk full, most likely. What was written of the batch goes now or before the next one.
            Log.LogOperationFailed(_context.Logger, e, Name, AppendOperation);
            RemoveTornTail();
            return Refuse(ErrorCode.KafkaStorageError, "The log could not be written.");
        }

        Register(bytes, config, now);
        long count = endOffset - baseOffset;
        Volatile.Write(ref _logEndOffset, endOffset);
        Volatile.Write(ref _lastStableOffset, _producers.FirstOpenOffset ?? endOffset);
        if (_unflushedCount == 0)
            _unflushedSince = now;
        _unflushedCount += count;
        if (_unflushedCount >= config.FlushMessages && FlushSegments() is var error and not ErrorCode.None)
            return Refuse(error, "The log could not be forced to disk.");
        return new AppendResult(
            ErrorCode.None,
            baseOffset,
            endOffset - 1,
            logAppendTime ? now : RecordBatchHeader.NoTimestamp,
            _logStartOffset,
            false)
        {
            WrittenBytes = bytes.Length,
        };
    }

    private ProducerVerdict CheckProducers(ReadOnlySpan<byte> bytes, AppendOrigin origin)
    {
        while (!bytes.IsEmpty)
        {
            RecordBatchView.TryRead(bytes, out RecordBatchView batch);
            RecordBatchHeader header = batch.Header;
            ProducerVerdict verdict = ProducerVerdict.Accepted;
            if (header.HasProducer && !header.IsControl)
                verdict = _producers.Check(header);
            else if (header.HasProducer && LogRecovery.TryReadMarker(batch, out _, out int coordinatorEpoch))
                verdict = _producers.CheckMarker(header.ProducerId, header.ProducerEpoch, coordinatorEpoch);
            // A coordinator knows its own transactions; and a duplicate changes nothing, whatever became of its transaction.
            if (header.IsTransactional && origin == AppendOrigin.Client && verdict == ProducerVerdict.Accepted)
                verdict = _producers.CheckAdmission(header);
            if (verdict.Error != ErrorCode.None || verdict.IsDuplicate)
                return verdict;
            bytes = bytes[batch.Bytes.Length..];
        }

        return ProducerVerdict.Accepted;
    }

    /// <summary>Gives the batches their offsets, epoch and, if asked to, timestamp; returns the offset after them.</summary>
    private long Prepare(Span<byte> bytes, long offset, long? appendTimestamp, out long maxTimestamp)
    {
        maxTimestamp = RecordBatchHeader.NoTimestamp;
        while (!bytes.IsEmpty)
        {
            var header = new RecordBatchHeader(bytes);
            Span<byte> batch = bytes[..(int)header.TotalBytes];
            RecordBatchPatch.SetBaseOffset(batch, offset);
            RecordBatchPatch.SetPartitionLeaderEpoch(batch, _leaderEpoch);
            if (appendTimestamp is { } timestamp)
                RecordBatchPatch.SetLogAppendTime(batch, timestamp);
            maxTimestamp = Math.Max(maxTimestamp, header.MaxTimestamp);
            offset += header.LastOffsetDelta + 1L;
            bytes = bytes[batch.Length..];
        }

        return offset;
    }

    /// <summary>Takes batches that are in the active segment's file into account. Nothing here makes the append fail.</summary>
    private void Register(ReadOnlySpan<byte> bytes, LogConfig config, long now)
    {
        LogSegment active = Active;
        int position = active.SizeBytes;
        while (!bytes.IsEmpty)
        {
            RecordBatchView.TryRead(bytes, out RecordBatchView batch);
            RecordBatchHeader header = batch.Header;
            int length = batch.Bytes.Length;
            active.Register(position, length, header.LastOffset, header.MaxTimestamp, config.IndexIntervalBytes);
            if (header.HasProducer && !header.IsControl)
                _producers.Add(header, header.BaseOffset, now);
            else if (header.HasProducer && LogRecovery.TryReadMarker(batch, out ControlRecordType type, out int coordinatorEpoch))
                RegisterMarker(active, header, type, coordinatorEpoch, now);
            position += length;
            bytes = bytes[length..];
        }

        try
        {
            active.Offsets.SaveIfDue();
            active.Times.SaveIfDue();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The entries stay in memory and are written later, or made anew from the log.
            Log.LogOperationFailed(_context.Logger, e, Name, "index");
        }
    }

    private void RegisterMarker(LogSegment active, RecordBatchHeader header, ControlRecordType type, int coordinatorEpoch, long now)
    {
        AbortedTransaction? aborted = _producers.AddMarker(
            type,
            header.ProducerId,
            header.ProducerEpoch,
            coordinatorEpoch,
            now,
            header.BaseOffset);
        if (aborted is not { } transaction)
            return;
        try
        {
            active.AbortedTransactions.Add(transaction);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Readers know it from memory; the next start must not trust the file.
            _isIncomplete = true;
            Log.LogOperationFailed(_context.Logger, e, Name, "index of aborted transactions");
        }
    }

    private bool NeedsRoll(int batchBytes, long lastOffset, long maxTimestamp, LogConfig config, long now)
    {
        LogSegment active = Active;
        if (active.SizeBytes == 0)
            return lastOffset - active.BaseOffset > int.MaxValue;
        long from = active.FirstTimestamp >= 0 ? active.FirstTimestamp : active.CreatedTimestamp;
        long to = active.FirstTimestamp >= 0 ? maxTimestamp : now;
        long age = to > from ? to - from : 0;
        return batchBytes > config.SegmentBytes - active.SizeBytes
            || age > MaxSegmentAgeMs(active, config)
            || active.IsIndexFull(config.SegmentIndexBytes)
            || lastOffset - active.BaseOffset > int.MaxValue;
    }

    private static long MaxSegmentAgeMs(LogSegment segment, LogConfig config)
    {
        long age = config.IsCompacted ? Math.Min(config.SegmentMs, config.MaxCompactionLagMs) : config.SegmentMs;
        if (config.SegmentJitterMs == 0)
            return age;

        // Different from segment to segment, but the same each time it is asked: logs that started together do not all roll together.
        ulong spread = Math.BigMul((ulong)segment.BaseOffset ^ (ulong)segment.CreatedTimestamp, 0x9E3779B97F4A7C15, out ulong low);
        return age - (long)(((spread ^ low) & long.MaxValue) % (ulong)Math.Min(config.SegmentJitterMs, age));
    }

    /// <summary>
    /// Starts a new segment. All that can fail comes first: if it does, the active segment goes on as it was.
    /// </summary>
    private void Roll(long now)
    {
        LogSegment active = Active;
        active.SaveIndexes();
        TakeSnapshot();
        var next = new LogSegment(_directory, _logEndOffset, now);
        active.Seal();
        Volatile.Write(ref _segments, [.. _segments, next]);
        Log.SegmentRolled(_context.Logger, Name, next.BaseOffset);
    }

    /// <summary>Writes the producers' state as it is at the log's end; snapshots that belong to no segment's start are not needed beside it.</summary>
    private void TakeSnapshot()
    {
        if (_snapshotOffset == _logEndOffset)
            return;
        ProducerSnapshot.Write(_directory, _logEndOffset, _producers.Entries);
        _snapshotOffset = _logEndOffset;
        foreach (string file in _directory.List())
        {
            if (file.EndsWith(ProducerSnapshot.Suffix, StringComparison.Ordinal)
                && file != ProducerSnapshot.FileName(_logEndOffset)
                && !Array.Exists(_segments, segment => file == ProducerSnapshot.FileName(segment.BaseOffset)))
            {
                _directory.Delete(file);
            }
        }
    }

    private ErrorCode FlushSegments()
    {
        try
        {
            foreach (LogSegment segment in _segments)
            {
                if (!segment.IsFlushed)
                    segment.Flush();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.LogOperationFailed(_context.Logger, e, Name, "flush");
            return ErrorCode.KafkaStorageError;
        }

        _unflushedCount = 0;
        Volatile.Write(ref _recoveryPoint, _logEndOffset);
        return ErrorCode.None;
    }

    /// <summary>Forces completed segments to disk, beside the writer: it does not touch them any more.</summary>
    private void FlushSealedSegments()
    {
        LogSegment[] segments = Segments;
        try
        {
            foreach (LogSegment segment in segments.AsSpan(..^1))
            {
                if (!segment.IsFlushed)
                    segment.Flush();
            }
        }
        catch (ObjectDisposedException)
        {
            return; // retention or the end of the log was faster
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.LogOperationFailed(_context.Logger, e, Name, "flush");
            return;
        }

        lock (_gate)
            Volatile.Write(ref _recoveryPoint, Math.Max(_recoveryPoint, segments[^1].BaseOffset));
    }

    private void SaveIndexesIfPossible()
    {
        try
        {
            Active.Offsets.Save();
            Active.Times.Save();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.LogOperationFailed(_context.Logger, e, Name, "index");
        }
    }

    private void RemoveTornTail()
    {
        if (!_hasTornTail)
            return;
        try
        {
            Active.TruncateTornTail();
            _hasTornTail = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.LogOperationFailed(_context.Logger, e, Name, "truncate");
        }
    }

    private SegmentReader.Result ReadSegments(long offset, long bound, int maxBytes, bool minOneBatch, bool maySendFile)
    {
        if (offset >= bound || (maxBytes <= 0 && !minOneBatch))
            return default;
        LogSegment[] segments = Segments;
        for (int i = FindSegment(segments, offset); i < segments.Length && segments[i].BaseOffset < bound; i++)
        {
            // After compaction a segment may have nothing at or behind the offset.
            SegmentReader.Result result = SegmentReader.Read(segments[i], offset, bound, Math.Max(maxBytes, 0), minOneBatch, maySendFile);
            if (result.IsDone)
                return result;
        }

        return default;
    }

    private static int FindSegment(LogSegment[] segments, long offset)
    {
        int low = 0;
        int high = segments.Length - 1;
        while (low < high)
        {
            int middle = low + ((high - low + 1) / 2);
            if (segments[middle].BaseOffset <= offset)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    /// <summary>The aborted transactions with records or a marker from <paramref name="from"/> up to <paramref name="to"/>, by first offset.</summary>
    private AbortedTransaction[] FindAborted(long from, long to)
    {
        if (from >= to)
            return [];
        List<AbortedTransaction>? found = null;
        LogSegment[] segments = Segments;
        for (int i = FindSegment(segments, from); i < segments.Length; i++)
        {
            foreach (AbortedTransaction transaction in segments[i].AbortedTransactions.Entries)
            {
                if (transaction.LastOffset >= from && transaction.FirstOffset < to)
                    (found ??= []).Add(transaction);
            }
        }

        if (found is null)
            return [];
        found.Sort((a, b) => a.FirstOffset.CompareTo(b.FirstOffset));
        return [.. found];
    }

    /// <summary>
    /// Searches segments taken before the end of what is visible: the other way round, compaction in between could have left in them only what is
    /// behind that end.
    /// </summary>
    private OffsetLookup Search(Func<LogSegment[], long, OffsetLookup> search)
    {
        while (true)
        {
            LogSegment[] segments = Segments;
            long start = LogStartOffset;
            try
            {
                return search(segments, start);
            }
            catch (ObjectDisposedException) when (Segments != segments)
            {
                // As in Read: the segment is gone, and so is what it held.
            }
            catch (ProtocolException e)
            {
                return OffsetLookup.None with { Error = e.ErrorCode };
            }
            catch (CompressionUnavailableException)
            {
                return OffsetLookup.None with { Error = ErrorCode.UnsupportedCompressionType };
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                if (!Volatile.Read(ref _isClosed))
                    Log.LogOperationFailed(_context.Logger, e, Name, "search by time");
                return OffsetLookup.None with { Error = ErrorCode.KafkaStorageError };
            }
        }
    }

    /// <summary>Takes the segments that retention no longer keeps out of the log and moves its start; never the active one.</summary>
    private LogSegment[] DetachExpired(LogConfig config, long now)
    {
        // A log that nobody writes to any more would keep its last segment for ever: it is completed first, and is then one like the others.
        if (config.RetentionMs >= 0 && Active.SizeBytes > 0 && IsExpired(Active, config, now))
            RollForRetention(now);
        long excess = config.RetentionBytes >= 0 ? SizeBytes - config.RetentionBytes : 0;
        int count = 0;
        for (; count < _segments.Length - 1; count++)
        {
            LogSegment segment = _segments[count];
            if (_segments[count + 1].BaseOffset > _lastStableOffset && _producers.FirstOpenOffset is not null)
                break; // an open transaction's records are still needed to end it
            bool isBelowStart = _segments[count + 1].BaseOffset <= _logStartOffset;
            bool isTooMuch = config.RetentionBytes >= 0 && excess >= segment.SizeBytes;
            if (!isBelowStart && !isTooMuch && !IsExpired(segment, config, now))
                break;
            excess -= segment.SizeBytes;
        }

        if (count == 0)
            return [];
        Volatile.Write(ref _logStartOffset, Math.Max(_logStartOffset, _segments[count].BaseOffset));
        return DetachSegmentsBelow(_segments[count].BaseOffset);
    }

    private void RollForRetention(long now)
    {
        try
        {
            Roll(now);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk is full, most likely: the segments before it may go all the same, and make the room that this one needs.
            Log.LogOperationFailed(_context.Logger, e, Name, "roll for retention");
        }
    }

    private static bool IsExpired(LogSegment segment, LogConfig config, long now)
    {
        // Without timestamps the age of the file has to do.
        long newest = segment.MaxTimestamp >= 0 ? segment.MaxTimestamp : segment.CreatedTimestamp;
        return config.RetentionMs >= 0 && now > newest && now - newest > config.RetentionMs;
    }

    private LogSegment[] DetachSegmentsBelow(long offset)
    {
        LogSegment[] segments = _segments;
        int count = 0;
        while (count < segments.Length - 1 && segments[count + 1].BaseOffset <= offset)
            count++;
        if (count > 0)
            Volatile.Write(ref _segments, segments[count..]);
        return segments[..count];
    }

    /// <summary>
    /// Takes the files of segments that are out of the log out of its name space, so that no start finds them, and deletes them after
    /// <c>file.delete.delay.ms</c>: readers in their midst end well, and so does whoever copies the folder.
    /// </summary>
    private void RetireSegments(LogSegment[] segments)
    {
        if (segments.Length == 0)
            return;
        foreach (LogSegment segment in segments)
        {
            try
            {
                Retire(segment);
                _directory.Delete(ProducerSnapshot.FileName(segment.BaseOffset));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Below the log start: the next start removes it.
                Log.LogOperationFailed(_context.Logger, e, Name, "delete segment");
            }
        }

        DeleteRetired(_config.FileDeleteDelayMs == 0);
        Log.SegmentsDeleted(_context.Logger, Name, segments.Length, LogStartOffset);
    }

    private void Retire(LogSegment segment)
    {
        // In memory nobody else looks at the files, and readers keep what they were lent.
        long delay = _directory.IsOnDisk ? _config.FileDeleteDelayMs : 0;
        long now = Now;
        _retired.Add((segment, delay > long.MaxValue - now ? long.MaxValue : now + delay));
        segment.Retire();
    }

    /// <summary>Deletes the files of retired segments whose time has come, or of all.</summary>
    private void DeleteRetired(bool all)
    {
        long now = Now;
        for (int i = _retired.Count - 1; i >= 0; i--)
        {
            (LogSegment segment, long due) = _retired[i];
            if (!all && due > now)
                continue;
            _retired.RemoveAt(i);
            try
            {
                segment.Delete();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Its name says that it is no part of the log: the next start removes it.
                Log.LogOperationFailed(_context.Logger, e, Name, "delete segment");
            }
        }
    }

    private void CloseFiles()
    {
        Volatile.Write(ref _isClosed, true);
        foreach (LogSegment segment in _segments)
            segment.Dispose();
        foreach ((LogSegment segment, _) in _retired)
            segment.Dispose();
    }

    private AppendResult Refuse(ErrorCode error, string? message) =>
        new(error, -1, -1, RecordBatchHeader.NoTimestamp, LogStartOffset, false) { ErrorMessage = message };

    private void NotifyListeners()
    {
        foreach (ILogListener listener in Volatile.Read(ref _listeners))
            listener.OnLogChanged(this);
    }
}
