using System.Buffers.Binary;

namespace Broker.Lite.Logs;

/// <summary>
/// The aborted transactions that ended in a segment, in Kafka's <c>.txnindex</c> format: per entry, big-endian, version 2 bytes (0), producer id 8, first
/// offset 8, last offset 8, last stable offset 8. Few, so they are held in memory too. One writer; readers may run beside it.
/// </summary>
internal sealed class AbortedTransactionIndex : IDisposable
{
    public const int EntryBytes = 34;
    private const short Version = 0;

    private readonly LogDirectory _directory;
    private string _name;
    private LogFile? _file;
    private AbortedTransaction[] _entries = [];

    public AbortedTransactionIndex(LogDirectory directory, string name)
    {
        _directory = directory;
        _name = name;
    }

    /// <summary>The entries, in the order in which the transactions ended.</summary>
    public ReadOnlySpan<AbortedTransaction> Entries => Volatile.Read(ref _entries);

    /// <summary>Adds a transaction. A failure to write it is thrown; readers see it all the same, and recovery finds it in the log again.</summary>
    public void Add(AbortedTransaction transaction)
    {
        AbortedTransaction[] entries = [.. _entries, transaction];
        Volatile.Write(ref _entries, entries);
        Span<byte> bytes = stackalloc byte[EntryBytes];
        BinaryPrimitives.WriteInt16BigEndian(bytes, Version);
        BinaryPrimitives.WriteInt64BigEndian(bytes[2..], transaction.ProducerId);
        BinaryPrimitives.WriteInt64BigEndian(bytes[10..], transaction.FirstOffset);
        BinaryPrimitives.WriteInt64BigEndian(bytes[18..], transaction.LastOffset);
        BinaryPrimitives.WriteInt64BigEndian(bytes[26..], transaction.LastStableOffset);
        OpenFile().Write((entries.Length - 1L) * EntryBytes, bytes);
    }

    /// <summary>Reads an entry, whatever it says.</summary>
    public static AbortedTransaction Decode(ReadOnlySpan<byte> entry) => new(
        BinaryPrimitives.ReadInt64BigEndian(entry[2..]),
        BinaryPrimitives.ReadInt64BigEndian(entry[10..]),
        BinaryPrimitives.ReadInt64BigEndian(entry[18..]),
        BinaryPrimitives.ReadInt64BigEndian(entry[26..]));

    /// <summary>Empties the index, to make it anew.</summary>
    public void Clear()
    {
        if (_directory.TryReadAll(_name, int.MaxValue) is { Length: > 0 })
            OpenFile().Truncate(0);
        Volatile.Write(ref _entries, []);
    }

    /// <summary>Reads the file. False when it is malformed and has to be made anew; a missing file is an empty one.</summary>
    public bool TryLoad(long baseOffset, long endOffset)
    {
        byte[]? content = _directory.TryReadAll(_name, int.MaxValue);
        if (content is null || content.Length == 0)
            return true;
        if (content.Length % EntryBytes != 0)
            return false;
        var entries = new AbortedTransaction[content.Length / EntryBytes];
        for (int i = 0; i < entries.Length; i++)
        {
            ReadOnlySpan<byte> bytes = content.AsSpan(i * EntryBytes, EntryBytes);
            AbortedTransaction entry = Decode(bytes);
            bool possible = BinaryPrimitives.ReadInt16BigEndian(bytes) == Version
                && entry.FirstOffset >= 0
                && entry.FirstOffset <= entry.LastOffset
                && entry.LastOffset >= baseOffset
                && entry.LastOffset < endOffset
                && (i == 0 || entry.LastOffset > entries[i - 1].LastOffset);
            if (!possible)
                return false;
            entries[i] = entry;
        }

        Volatile.Write(ref _entries, entries);
        return true;
    }

    /// <summary>Gives the file another name, if there is one: an index without entries has none.</summary>
    public void Rename(string name)
    {
        if (_entries.Length > 0)
            _directory.Rename(_name, name);
        _name = name;
    }

    public void Flush() => _file?.Flush();

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private LogFile OpenFile() => _file ??= _directory.Open(_name);
}
