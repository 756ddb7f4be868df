namespace Streams.State.Bytes;

/// <summary>
/// An ordered map of bytes that outlives the process. Changed only by whole batches in key order, each with the changelog offset that it brings the map to.
/// </summary>
/// <remarks>Used by one thread. Failures are <see cref="StateStoreException"/>s that name store and folder.</remarks>
internal interface IByteEngine : IDisposable
{
    /// <summary>True only when no key was ever written: look-ups can be skipped.</summary>
    bool IsEmpty { get; }

    /// <summary>Changelog offset of the last batch; <c>null</c> when there was none.</summary>
    long? Offset { get; }

    /// <summary>Largest time noted with a batch, Unix milliseconds; -1 when none was. Windowed kinds expire by it.</summary>
    long StreamTime { get; }

    /// <summary>Appends a key's value to a buffer; false when the key is absent.</summary>
    bool TryGet(ReadOnlySpan<byte> key, SerdeBuffer value);

    /// <summary>A new iterator over the content as of now.</summary>
    IByteEngineIterator Iterate();

    /// <summary>Adds a write to the batch; keys come in ascending order.</summary>
    void BatchPut(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>Adds a deletion to the batch; keys come in ascending order.</summary>
    void BatchDelete(ReadOnlySpan<byte> key);

    /// <summary>Adds the deletion of all keys from one (inclusive) to another (exclusive) to the batch; comes before its writes.</summary>
    void BatchDeleteRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);

    /// <summary>Writes the batch atomically, also when it is empty and only the offset moves. After a crash the offset is never ahead of the data.</summary>
    void BatchWrite(long? offset, long streamTime);

    /// <summary>Waits until everything is on disk.</summary>
    void Persist();

    /// <summary>Estimated number of keys.</summary>
    long EstimateCount();
}

/// <summary>A place in an engine's snapshot. Spans are valid until the next move.</summary>
internal interface IByteEngineIterator : IDisposable
{
    bool IsValid { get; }

    ReadOnlySpan<byte> Key { get; }

    ReadOnlySpan<byte> Value { get; }

    void SeekToFirst();

    void SeekToLast();

    /// <summary>To the first key at or after the given one.</summary>
    void Seek(ReadOnlySpan<byte> key);

    /// <summary>To the last key at or before the given one.</summary>
    void SeekForPrevious(ReadOnlySpan<byte> key);

    void Next();

    void Previous();
}
