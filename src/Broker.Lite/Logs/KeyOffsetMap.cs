using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Broker.Lite.Logs;

/// <summary>
/// The last offset of each key, for compaction: 24 bytes a key whatever its length, as only 128 bits of a SHA-256 of it are kept. Nobody can make
/// two keys that collide, and by chance 10¹⁵ keys would be needed. It grows as it fills, up to a bound; while it does, the old table
/// exists beside the new one, which is half as large again in the last step.
/// </summary>
/// <remarks>Source: the idea of Kafka's <c>SkimpyOffsetMap</c>, which takes MD5. Not thread-safe.</remarks>
internal sealed class KeyOffsetMap
{
    private const int EntryBytes = 24;
    private const int InitialCapacity = 1024;

    private readonly int _maxCapacity;
    private Entry[] _entries;
    private int _count;

    /// <summary>A map whose table takes at most <paramref name="maxBytes"/>, of which nine tenths are used.</summary>
    public KeyOffsetMap(long maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 10L * EntryBytes);
        _maxCapacity = (int)Math.Min(maxBytes / EntryBytes, Array.MaxLength);
        _entries = new Entry[Math.Min(InitialCapacity, _maxCapacity)];
    }

    /// <summary>Number of keys.</summary>
    public int Count => _count;

    /// <summary>Remembers that <paramref name="key"/> is at <paramref name="offset"/>, in place of an offset before. False when the map is full.</summary>
    public bool TryPut(ReadOnlySpan<byte> key, long offset)
    {
        (ulong high, ulong low) = Hash(key);
        ref Entry entry = ref Find(_entries, high, low);
        if (entry.OffsetPlusOne == 0)
        {
            if (_count >= Limit(_entries.Length))
            {
                if (_entries.Length == _maxCapacity)
                    return false;
                Grow();
                entry = ref Find(_entries, high, low);
            }

            entry.High = high;
            entry.Low = low;
            _count++;
        }

        entry.OffsetPlusOne = offset + 1;
        return true;
    }

    /// <summary>The last offset of <paramref name="key"/>; -1 when it is not in the map.</summary>
    public long Find(ReadOnlySpan<byte> key)
    {
        (ulong high, ulong low) = Hash(key);
        return Find(_entries, high, low).OffsetPlusOne - 1;
    }

    private static int Limit(int capacity) => (int)(capacity * 9L / 10);

    private void Grow()
    {
        var larger = new Entry[(int)Math.Min(_maxCapacity, _entries.Length * 2L)];
        foreach (ref readonly Entry entry in _entries.AsSpan())
        {
            if (entry.OffsetPlusOne != 0)
                Find(larger, entry.High, entry.Low) = entry;
        }

        _entries = larger;
    }

    /// <summary>The entry of a key, or the free one where it belongs; there always is a free one.</summary>
    private static ref Entry Find(Entry[] entries, ulong high, ulong low)
    {
        // The upper bits of the product spread evenly over any size of table.
        int index = (int)Math.BigMul(high, (ulong)entries.Length, out _);
        while (true)
        {
            ref Entry entry = ref entries[index];
            if (entry.OffsetPlusOne == 0 || (entry.High == high && entry.Low == low))
                return ref entry;
            if (++index == entries.Length)
                index = 0;
        }
    }

    private static (ulong High, ulong Low) Hash(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]));
    }

    private struct Entry
    {
        public ulong High;
        public ulong Low;
        public long OffsetPlusOne;
    }
}
