using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;

namespace Broker.Lite.Logs;

/// <summary>
/// A sparse index of a segment: entries of a key and a 32-bit value, both ascending, big-endian, in Kafka's file format. The offset index has
/// 4-byte keys (last offset of a batch, relative to the segment) and the batch's position; the time index has 8-byte keys (largest timestamp so
/// far) and the relative offset it came with. The active segment's entries are in memory and reach the file from time to time: recovery
/// makes them again from the log. A sealed segment's are looked up in the file. One writer; look-ups may run beside it.
/// </summary>
internal sealed class SegmentIndex : IDisposable
{
    /// <summary>Entries that are kept back from the file at most, so that few writes are needed: 4 KiB to 6 KiB of it.</summary>
    private const int MaxUnsavedEntries = 512;

    /// <summary>Entries that are read from a file at a time.</summary>
    private const int LoadEntries = 4096;

    private readonly LogDirectory _directory;
    private string _name;
    private readonly int _keyBytes;
    private readonly int _entryBytes;
    private LogFile? _file;
    private Entry[]? _entries = [];
    private int _count;
    private int _saved;
    private Entry _last;
    private bool _isDisposed;

    public SegmentIndex(LogDirectory directory, string name, int keyBytes)
    {
        _directory = directory;
        _name = name;
        _keyBytes = keyBytes;
        _entryBytes = keyBytes + 4;
    }

    /// <summary>Number of entries.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Size in bytes when all entries are in the file.</summary>
    public long SizeBytes => (long)Count * _entryBytes;

    /// <summary>The last entry; only for the writer, and only when there is one.</summary>
    public Entry Last
    {
        get
        {
            Debug.Assert(_count > 0, "there is a last entry");
            return _last;
        }
    }

    /// <summary>Adds an entry whose key is larger than the last one's.</summary>
    public void Add(long key, int value)
    {
        Entry[] entries = _entries ?? throw new InvalidOperationException("The index is sealed.");
        if (_count == entries.Length)
        {
            Array.Resize(ref entries, Math.Max(16, _count * 2));
            Volatile.Write(ref _entries, entries);
        }

        _last = new Entry(key, value);
        entries[_count] = _last;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>The last entry with a key of at most <paramref name="key"/>; false when there is none.</summary>
    public bool TryFindFloor(long key, out Entry entry) => TryFindFloor(key, byValue: false, out entry);

    /// <summary>The last entry with a value of at most <paramref name="value"/>; false when there is none.</summary>
    public bool TryFindValueFloor(int value, out Entry entry) => TryFindFloor(value, byValue: true, out entry);

    private bool TryFindFloor(long most, bool byValue, out Entry entry)
    {
        int low = 0;
        int high = Count - 1;
        Entry[]? entries = Volatile.Read(ref _entries);
        entry = default;
        bool found = false;
        while (low <= high)
        {
            int middle = low + ((high - low) / 2);
            if (!TryGet(entries, middle, out Entry candidate))
                return false;
            if ((byValue ? candidate.Value : candidate.Key) <= most)
            {
                entry = candidate;
                found = true;
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return found;
    }

    /// <summary>The first entry with a value of at least <paramref name="value"/>; false when there is none.</summary>
    public bool TryFindValue(int value, out Entry entry)
    {
        int low = 0;
        int high = Count - 1;
        Entry[]? entries = Volatile.Read(ref _entries);
        entry = default;
        bool found = false;
        while (low <= high)
        {
            int middle = low + ((high - low) / 2);
            if (!TryGet(entries, middle, out Entry candidate))
                return false;
            if (candidate.Value >= value)
            {
                entry = candidate;
                found = true;
                high = middle - 1;
            }
            else
            {
                low = middle + 1;
            }
        }

        return found;
    }

    /// <summary>Writes what is not in the file yet, when it has become enough to be worth it.</summary>
    public void SaveIfDue()
    {
        if (_count - _saved >= MaxUnsavedEntries)
            Save();
    }

    /// <summary>Writes what is not in the file yet.</summary>
    public void Save()
    {
        Entry[]? entries = _entries;
        LogFile file = OpenFile();
        if (entries is null || _saved == _count)
            return;
        byte[] buffer = ArrayPool<byte>.Shared.Rent((_count - _saved) * _entryBytes);
        try
        {
            int position = 0;
            for (int i = _saved; i < _count; i++, position += _entryBytes)
                Encode(entries[i], buffer.AsSpan(position));
            file.Write((long)_saved * _entryBytes, buffer.AsSpan(0, position));
            _saved = _count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Lets go of the memory once everything is in the file, for which the caller saves first; the index changes no more.</summary>
    public void Seal()
    {
        Debug.Assert(_saved == _count && _file is not null, "only a saved index is sealed");
        Volatile.Write(ref _entries, null);
    }

    /// <summary>Forces the file to disk.</summary>
    public void Flush()
    {
        Save();
        _file?.Flush();
    }

    /// <summary>Empties the index and its file, to make it anew.</summary>
    public void Clear()
    {
        OpenFile().Truncate(0);
        _entries = [];
        _count = 0;
        _saved = 0;
    }

    /// <summary>
    /// Takes the entries from the file: into memory, or, for an index that changes no more, only checked and left where they are. False, and nothing
    /// taken, when the file is missing, has a torn entry, or keys or values that do not ascend or lie outside of what is possible for the
    /// segment: then it has to be made anew.
    /// </summary>
    public bool TryLoad(long maxKey, int maxValue, bool isSealed)
    {
        LogFile file = OpenFile();
        long length = file.Length;
        if (length % _entryBytes != 0 || length > int.MaxValue)
            return false;
        int count = (int)(length / _entryBytes);
        Entry[]? entries = isSealed ? null : new Entry[count];
        var previous = new Entry(_keyBytes == 4 ? -1 : long.MinValue, -1);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LoadEntries * _entryBytes);
        try
        {
            for (int i = 0; i < count;)
            {
                int part = Math.Min(count - i, LoadEntries);
                Span<byte> bytes = buffer.AsSpan(0, part * _entryBytes);
                if (file.Read((long)i * _entryBytes, bytes) != bytes.Length)
                    return false;
                for (; !bytes.IsEmpty; bytes = bytes[_entryBytes..], i++)
                {
                    Entry entry = Decode(bytes);
                    if (entry.Key <= previous.Key || entry.Value <= previous.Value || entry.Key > maxKey || entry.Value > maxValue)
                        return false;
                    previous = entry;
                    if (entries is not null)
                        entries[i] = entry;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        _entries = entries;
        _count = count;
        _saved = count;
        _last = previous;
        return true;
    }

    /// <summary>Gives the file another name.</summary>
    public void Rename(string name)
    {
        OpenFile();
        _directory.Rename(_name, name);
        _name = name;
    }

    public void Dispose()
    {
        Volatile.Write(ref _isDisposed, true);
        Interlocked.Exchange(ref _file, null)?.Dispose();
    }

    private bool TryGet(Entry[]? entries, int index, out Entry entry)
    {
        entry = default;
        if (entries is not null)
        {
            entry = entries[index];
            return true;
        }

        Span<byte> bytes = stackalloc byte[12];
        bytes = bytes[.._entryBytes];
        if (OpenFile().Read((long)index * _entryBytes, bytes) != _entryBytes)
            return false;
        entry = Decode(bytes);
        return true;
    }

    private void Encode(Entry entry, Span<byte> destination)
    {
        if (_keyBytes == 4)
            BinaryPrimitives.WriteInt32BigEndian(destination, (int)entry.Key);
        else
            BinaryPrimitives.WriteInt64BigEndian(destination, entry.Key);
        BinaryPrimitives.WriteInt32BigEndian(destination[_keyBytes..], entry.Value);
    }

    private Entry Decode(ReadOnlySpan<byte> source) => new(
        _keyBytes == 4 ? BinaryPrimitives.ReadInt32BigEndian(source) : BinaryPrimitives.ReadInt64BigEndian(source),
        BinaryPrimitives.ReadInt32BigEndian(source[_keyBytes..]));

    private LogFile OpenFile()
    {
        LogFile? file = Volatile.Read(ref _file);
        if (file is not null)
            return file;
        // A look-up beside the end of the segment must not make its file anew.
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        LogFile opened = _directory.Open(_name);
        file = Interlocked.CompareExchange(ref _file, opened, null);
        if (file is null)
            return opened;
        opened.Dispose();
        return file;
    }

    /// <summary>An entry: what is looked for, and where it leads.</summary>
    public readonly record struct Entry(long Key, int Value);
}
