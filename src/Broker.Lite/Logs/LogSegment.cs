using System.Globalization;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// A part of a log: the batches from <see cref="BaseOffset"/> on in one file, with its indexes. The last segment is the active one, which
/// alone grows. One writer; readers may run beside it, up to the size that they read first.
/// </summary>
internal sealed class LogSegment : IDisposable
{
    public const string LogSuffix = ".log";
    public const string OffsetIndexSuffix = ".index";
    public const string TimeIndexSuffix = ".timeindex";
    public const string AbortedTransactionsSuffix = ".txnindex";

    /// <summary>End of the names of a segment that compaction is writing; worthless after a crash.</summary>
    public const string CleanedSuffix = ".cleaned";

    /// <summary>End of the names of a segment that replaces others; whole, so that a start after a crash completes the replacement.</summary>
    public const string SwapSuffix = ".swap";

    /// <summary>End of the names of a segment that is no part of the log any more and will be deleted.</summary>
    public const string DeletedSuffix = ".deleted";

    private readonly LogDirectory _directory;
    private string _suffix;
    private int _sizeBytes;
    private int _bytesSinceIndexEntry;
    private long _readHint = -1;
    private long _maxTimestamp = RecordBatchHeader.NoTimestamp;
    private long _maxTimestampOffset;

    public LogSegment(LogDirectory directory, long baseOffset, long createdTimestamp, string suffix = "")
    {
        _directory = directory;
        _suffix = suffix;
        BaseOffset = baseOffset;
        CreatedTimestamp = createdTimestamp;
        string name = FileName(baseOffset);
        Log = directory.Open(name + LogSuffix + suffix);
        Offsets = new SegmentIndex(directory, name + OffsetIndexSuffix + suffix, keyBytes: 4);
        Times = new SegmentIndex(directory, name + TimeIndexSuffix + suffix, keyBytes: 8);
        AbortedTransactions = new AbortedTransactionIndex(directory, name + AbortedTransactionsSuffix + suffix);
        _maxTimestampOffset = baseOffset;
    }

    /// <summary>Ends of the names of a segment's files.</summary>
    public static IReadOnlyList<string> Suffixes { get; } = [LogSuffix, OffsetIndexSuffix, TimeIndexSuffix, AbortedTransactionsSuffix];

    /// <summary>Smallest offset that the segment can hold.</summary>
    public long BaseOffset { get; }

    /// <summary>When the segment was opened, in Unix milliseconds: its age until it has a record.</summary>
    public long CreatedTimestamp { get; }

    public LogFile Log { get; }

    public SegmentIndex Offsets { get; }

    public SegmentIndex Times { get; }

    public AbortedTransactionIndex AbortedTransactions { get; }

    /// <summary>Bytes of whole batches.</summary>
    public int SizeBytes => Volatile.Read(ref _sizeBytes);

    /// <summary>Largest timestamp so far in Unix milliseconds; -1 when there is none.</summary>
    public long MaxTimestamp => Volatile.Read(ref _maxTimestamp);

    /// <summary>Max timestamp of the first batch, from which <c>segment.ms</c> counts; -1 when there is none.</summary>
    public long FirstTimestamp { get; private set; } = RecordBatchHeader.NoTimestamp;

    /// <summary>Whether everything written has been forced to disk.</summary>
    public bool IsFlushed { get; private set; }

    /// <summary>Name of a segment's files without the suffix: the base offset in 20 digits.</summary>
    public static string FileName(long baseOffset) => baseOffset.ToString("D20", CultureInfo.InvariantCulture);

    /// <summary>
    /// Writes a batch at the end. On an <see cref="IOException"/> nothing was appended, though the file may hold a part of the batch, which
    /// <see cref="TruncateTornTail"/> takes away.
    /// </summary>
    public void Append(ReadOnlySpan<byte> batch, long lastOffset, long maxTimestamp, int indexIntervalBytes)
    {
        int position = _sizeBytes;
        Log.Write(position, batch);
        Register(position, batch.Length, lastOffset, maxTimestamp, indexIntervalBytes);
    }

    /// <summary>Takes a batch that is in the file into account: after writing it, or when the indexes are made anew.</summary>
    public void Register(int position, int batchBytes, long lastOffset, long maxTimestamp, int indexIntervalBytes)
    {
        if (position == 0)
            FirstTimestamp = maxTimestamp;
        if (maxTimestamp > _maxTimestamp)
        {
            _maxTimestampOffset = lastOffset;
            Volatile.Write(ref _maxTimestamp, maxTimestamp);
        }

        if (_bytesSinceIndexEntry > indexIntervalBytes)
        {
            Offsets.Add(lastOffset - BaseOffset, position);
            AddTimeEntry();
            _bytesSinceIndexEntry = 0;
        }

        _bytesSinceIndexEntry += batchBytes;
        IsFlushed = false;
        Volatile.Write(ref _sizeBytes, position + batchBytes);
    }

    /// <summary>Removes what a failed write left behind the last whole batch.</summary>
    public void TruncateTornTail()
    {
        if (Log.Length > _sizeBytes)
            Log.Truncate(_sizeBytes);
    }

    /// <summary>
    /// Where to start reading for <paramref name="offset"/>: at or before its batch. <paramref name="isExact"/> says that it is the batch's own position.
    /// </summary>
    public int FindPosition(long offset, out bool isExact)
    {
        long relative = offset - BaseOffset;
        long hint = Volatile.Read(ref _readHint);
        isExact = hint >= 0 && hint >> 32 == relative;
        if (isExact)
            return (int)(hint & 0xFFFFFFFF);
        return Offsets.TryFindFloor(relative, out SegmentIndex.Entry entry) ? entry.Value : 0;
    }

    /// <summary>Remembers where the reader who got everything before <paramref name="nextOffset"/> goes on: most readers read on.</summary>
    public void RememberPosition(long nextOffset, int position) =>
        Volatile.Write(ref _readHint, ((nextOffset - BaseOffset) << 32) | (uint)position);

    /// <summary>Whether another batch needs a new segment, seen from the indexes.</summary>
    public bool IsIndexFull(int maxIndexBytes) => Offsets.SizeBytes + 8 > maxIndexBytes || Times.SizeBytes + 12 > maxIndexBytes;

    /// <summary>Completes the segment, which will not grow any more. The indexes were saved before: nothing can fail here.</summary>
    public void Seal()
    {
        Offsets.Seal();
        Times.Seal();
    }

    /// <summary>Writes index entries to their files so that a clean start finds them.</summary>
    public void SaveIndexes()
    {
        AddTimeEntry();
        Offsets.Save();
        Times.Save();
    }

    /// <summary>Forces everything to disk.</summary>
    public void Flush()
    {
        Log.Flush();
        Offsets.Flush();
        Times.Flush();
        AbortedTransactions.Flush();
        IsFlushed = true;
    }

    /// <summary>
    /// Takes the indexes from their files, for a segment whose log is known to be whole. False when one of them is missing or cannot be
    /// right; they are then made anew by going through the log.
    /// </summary>
    public bool TryLoadIndexes(long endOffset, bool isSealed)
    {
        int size = checked((int)Log.Length);
        long maxRelativeOffset = Math.Min(endOffset - 1 - BaseOffset, int.MaxValue);
        bool loaded = Offsets.TryLoad(maxRelativeOffset, size - 1, isSealed)
            && Times.TryLoad(long.MaxValue, (int)Math.Max(maxRelativeOffset, 0), isSealed)
            && AbortedTransactions.TryLoad(BaseOffset, endOffset);

        // A log with batches has a time entry at least, written when the segment was completed or the log closed.
        if (!loaded || (size > 0 && Times.Count == 0))
            return false;
        if (size > 0)
        {
            using var cursor = new SegmentCursor(Log, 0, size, SegmentCursor.SmallBufferBytes);
            if (cursor.MoveNext() != RecordBatchStatus.Valid)
                return false;
            FirstTimestamp = cursor.Header.MaxTimestamp;
            _maxTimestamp = Times.Last.Key;
            _maxTimestampOffset = BaseOffset + Times.Last.Value;
        }

        _sizeBytes = size;
        IsFlushed = true; // only files that were completed are taken as they are
        return true;
    }

    /// <summary>Empties the indexes and forgets what was registered, before going through the log again.</summary>
    public void ResetIndexes()
    {
        Offsets.Clear();
        Times.Clear();
        AbortedTransactions.Clear();
        _sizeBytes = 0;
        _bytesSinceIndexEntry = 0;
        _maxTimestamp = RecordBatchHeader.NoTimestamp;
        _maxTimestampOffset = BaseOffset;
        FirstTimestamp = RecordBatchHeader.NoTimestamp;
    }

    /// <summary>
    /// Gives all files names with another ending, the log's last: where there is a log of that name, its indexes have theirs. Readers are not
    /// disturbed.
    /// </summary>
    public void Rename(string suffix)
    {
        string name = FileName(BaseOffset);
        Offsets.Rename(name + OffsetIndexSuffix + suffix);
        Times.Rename(name + TimeIndexSuffix + suffix);
        AbortedTransactions.Rename(name + AbortedTransactionsSuffix + suffix);
        _directory.Rename(name + LogSuffix + _suffix, name + LogSuffix + suffix);
        _suffix = suffix;
    }

    /// <summary>Gives the files names that say that they are no part of the log any more, the log's first.</summary>
    public void Retire()
    {
        string name = FileName(BaseOffset);
        _directory.Rename(name + LogSuffix + _suffix, name + LogSuffix + DeletedSuffix);
        _suffix = DeletedSuffix;
        Offsets.Rename(name + OffsetIndexSuffix + DeletedSuffix);
        Times.Rename(name + TimeIndexSuffix + DeletedSuffix);
        AbortedTransactions.Rename(name + AbortedTransactionsSuffix + DeletedSuffix);
    }

    /// <summary>Closes the files and removes them. Readers in their midst end well or learn that the segment is gone.</summary>
    public void Delete()
    {
        Dispose();
        foreach (string suffix in Suffixes)
            _directory.Delete(FileName(BaseOffset) + suffix + _suffix);
    }

    public void Dispose()
    {
        Log.Dispose();
        Offsets.Dispose();
        Times.Dispose();
        AbortedTransactions.Dispose();
    }

    private void AddTimeEntry()
    {
        // Without timestamps there is nothing to find; an entry for -1 still says that the index is complete.
        int value = (int)(_maxTimestampOffset - BaseOffset);
        if (_sizeBytes == 0 && _bytesSinceIndexEntry == 0)
            return;
        if (Times.Count == 0 || (_maxTimestamp > Times.Last.Key && value > Times.Last.Value))
            Times.Add(_maxTimestamp, value);
    }
}
