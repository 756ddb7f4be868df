using System.Buffers.Binary;

namespace Streams.State.Bytes;

/// <summary>
/// Changelog records on their way into an engine: collected until they are worth a batch, sorted by key, the last of each key written. No hashing, no objects.
/// </summary>
internal sealed class RestoreBuffer(int timestampBytes)
{
    /// <summary>Bytes of keys and values past which the buffer is written out: 8 MiB.</summary>
    public const int FullBytes = 8 << 20;

    private const int RecordOverheadBytes = 16;

    private byte[] _bytes = [];
    private int _used;
    private Slot[] _slots = [];
    private int[] _order = [];

    public int Count { get; private set; }

    public bool IsFull => HeldBytes >= FullBytes;

    public long HeldBytes => _used + ((long)Count * RecordOverheadBytes);

    /// <summary>Offset after the last record taken.</summary>
    public long NextOffset { get; private set; }

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasValue, long timestamp, long offset)
    {
        var valueLength = hasValue ? timestampBytes + value.Length : -1;
        Reserve((long)key.Length + Math.Max(0, valueLength));
        if (Count == _slots.Length) Array.Resize(ref _slots, Math.Max(1024, Count * 2));
        _slots[Count++] = new Slot(_used, key.Length, valueLength);
        key.CopyTo(_bytes.AsSpan(_used));
        _used += key.Length;
        NextOffset = offset + 1;
        if (!hasValue) return;
        if (timestampBytes > 0) BinaryPrimitives.WriteInt64BigEndian(_bytes.AsSpan(_used), timestamp);
        value.CopyTo(_bytes.AsSpan(_used + timestampBytes));
        _used += valueLength;
    }

    /// <summary>Writes the records into an engine with the offset after the last, and empties the buffer.</summary>
    public void WriteTo(IByteEngine engine, long streamTime)
    {
        if (_order.Length < Count) _order = new int[_slots.Length];
        var order = _order.AsSpan(0, Count);
        for (var i = 0; i < order.Length; i++) order[i] = i;
        KeySorter.Sort(order, new Keys(this));
        for (var i = 0; i < order.Length; i++)
        {
            var key = KeyOf(order[i]);
            if (i + 1 < order.Length && key.SequenceEqual(KeyOf(order[i + 1]))) continue;
            var slot = _slots[order[i]];
            if (slot.ValueLength < 0) engine.BatchDelete(key);
            else engine.BatchPut(key, _bytes.AsSpan(slot.Start + slot.KeyLength, slot.ValueLength));
        }

        engine.BatchWrite(NextOffset, streamTime);
        Count = 0;
        _used = 0;

        // One huge record must not keep its memory for the store's life.
        if (_bytes.Length > 4 * FullBytes) _bytes = [];
    }

    /// <summary>Gives the memory back once restoring is over.</summary>
    public void Release()
    {
        _bytes = [];
        _slots = [];
        _order = [];
    }

    private ReadOnlySpan<byte> KeyOf(int slot) => _bytes.AsSpan(_slots[slot].Start, _slots[slot].KeyLength);

    private void Reserve(long more)
    {
        var needed = _used + more;
        if (needed <= _bytes.Length) return;
        if (needed > Array.MaxLength) throw new StateStoreException($"A changelog record of {more} bytes is too large to restore.");
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(needed, Math.Max(64 << 10, _bytes.Length * 2L))));
    }

    private readonly record struct Slot(int Start, int KeyLength, int ValueLength);

    private readonly struct Keys(RestoreBuffer buffer) : IKeySource
    {
        public ReadOnlySpan<byte> KeyOf(int id) => buffer.KeyOf(id);
    }
}
