namespace Streams.State.Bytes;

/// <summary>
/// The writes that a caching store holds back from changelog and downstream until a commit or until they take too much memory, in the order in which keys
/// were last written. Source: KIP-63 and Kafka's <c>NamedCache</c>.
/// </summary>
internal sealed class RecordCache<T>
{
    // What a held write costs beside its key and value: this entry and its links.
    private const int OverheadBytes = 96;

    private readonly IdList _order = new();
    private HeldWrite<T>[] _held = [];

    public int Count => _order.Count;

    public long Bytes { get; private set; }

    public ref HeldWrite<T> this[int id] => ref _held[id];

    /// <summary>Notes a write of an entry, now the youngest.</summary>
    public void Hold(int id, int bytes, in RecordCoordinates coordinates)
    {
        if (id >= _held.Length) Array.Resize(ref _held, Math.Max(16, Math.Max(id + 1, _held.Length * 2)));
        ref var held = ref _held[id];
        Bytes += bytes + OverheadBytes - held.Bytes;
        held.Bytes = bytes + OverheadBytes;
        held.Coordinates = coordinates;
        _order.MoveToEnd(id);
    }

    /// <summary>Takes the eldest out.</summary>
    public bool TryTake(out int id, out HeldWrite<T> write)
    {
        id = _order.First;
        write = default;
        if (id < 0) return false;
        _order.Remove(id);
        write = _held[id];
        _held[id] = default;
        Bytes -= write.Bytes;
        return true;
    }
}

/// <summary>Whether the value before a held write is known.</summary>
internal enum OldValue : byte
{
    Unknown,
    Absent,
    Present,
}

/// <summary>Where a held write came from and what the store had before it.</summary>
internal struct HeldWrite<T>
{
    public RecordCoordinates Coordinates;
    public T OldTyped;
    public uint OldHandle;
    public int OldLength;
    public int Bytes;
    public OldValue Old;
}

/// <summary>Is told of a change as it leaves the cache.</summary>
internal delegate void HeldWriteListener<T>(ReadOnlySpan<byte> key, T newValue, bool hasNew, T oldValue, bool hasOld, in RecordCoordinates coordinates);
