using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Streams.State.Bytes;

/// <summary>
/// The writes that a caching store holds back from changelog and downstream until a commit or until they take too much memory, in the order in which keys
/// were last written. Source: KIP-63 and Kafka's <c>NamedCache</c>.
/// </summary>
/// <remarks>
/// The order is a queue of entry numbers, one for each write; those that were written again later are skipped. A linked list would be smaller for hot keys, but
/// each move within it visits two neighbours anywhere in memory, and with a hundred thousand keys that is what a write's time goes to.
/// </remarks>
internal sealed class RecordCache<T>
{
    // What a held write costs beside its key and value: this entry and its places in the queue.
    private const int OverheadBytes = 96;

    // How far ahead of the flush memory is asked for: about as many writes as leave during one visit to main memory.
    private const int PrefetchDistance = 6;

    private readonly List<(string Topic, int Partition)> _sources = [];
    private int _source = -1;
    private HeldWrite<T>[] _held = [];
    private int[] _queue = new int[16];
    private int _head;
    private int _tail;

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>An entry's slot; valid until the next call.</summary>
    public ref HeldWrite<T> SlotOf(int id)
    {
        if (id >= _held.Length) Array.Resize(ref _held, Math.Max(16, Math.Max(id + 1, _held.Length * 2)));
        return ref _held[id];
    }

    /// <summary>Asks for an entry's slot to be brought near; -1 is nobody.</summary>
    public unsafe void Prefetch(int id)
    {
        // Of no effect but on caches: an array that moves meanwhile costs a wasted hint.
        if (Sse.IsSupported && (uint)id < (uint)_held.Length) Sse.Prefetch0(Unsafe.AsPointer(ref _held[id]));
    }

    /// <summary>Notes a write of an entry, now the youngest.</summary>
    /// <param name="held">Its slot.</param>
    /// <param name="id">Its number.</param>
    /// <param name="bytes">Bytes of key and value.</param>
    /// <param name="coordinates">Where the write came from.</param>
    public void Hold(ref HeldWrite<T> held, int id, int bytes, in RecordCoordinates coordinates)
    {
        Bytes += bytes + OverheadBytes - held.Bytes;
        held.Bytes = bytes + OverheadBytes;
        held.Offset = coordinates.Offset;
        held.Timestamp = coordinates.Timestamp;
        held.HasRecord = coordinates.HasRecord;
        held.Source = SourceOf(coordinates.Topic, coordinates.Partition);

        // Writing a reference has a price of its own, and most records have no headers.
        if (!ReferenceEquals(held.Headers, coordinates.Headers)) held.Headers = coordinates.Headers;
        if (held.Place == 0) Count++;
        else if (held.Place == _tail) return;
        if (_tail == _queue.Length) MakeRoom();
        _queue[_tail++] = id;
        held.Place = _tail;
    }

    /// <summary>Takes the eldest out.</summary>
    public bool TryTake(out int id, out HeldWrite<T> write)
    {
        while (_head < _tail)
        {
            id = _queue[_head++];
            Prefetch(Upcoming());
            ref var held = ref _held[id];
            if (held.Place != _head) continue;
            write = held;
            held = default;
            Bytes -= write.Bytes;
            if (--Count == 0) _head = _tail = 0;
            return true;
        }

        Debug.Assert(Count == 0, "each held write has a place in the queue");
        id = -1;
        write = default;
        return false;
    }

    /// <summary>The entry that leaves in a while, or -1: worth bringing near.</summary>
    public int Upcoming() => _head + PrefetchDistance < _tail ? _queue[_head + PrefetchDistance] : -1;

    public RecordCoordinates CoordinatesOf(in HeldWrite<T> write)
    {
        var (topic, partition) = _sources[write.Source];
        return new RecordCoordinates(topic, partition, write.Offset, write.Timestamp, write.HasRecord, write.Headers);
    }

    /// <summary>A number for a source partition: a task has few, and each of a hundred thousand slots is smaller by a reference and more.</summary>
    private int SourceOf(string topic, int partition)
    {
        if (_source >= 0)
        {
            var (lastTopic, lastPartition) = _sources[_source];
            if (ReferenceEquals(lastTopic, topic) && lastPartition == partition) return _source;
        }

        _source = _sources.IndexOf((topic, partition));
        if (_source >= 0) return _source;
        _sources.Add((topic, partition));
        return _source = _sources.Count - 1;
    }

    /// <summary>Closes the gaps in the queue; one that is still more than half full grows.</summary>
    private void MakeRoom()
    {
        var kept = 0;
        for (var at = _head; at < _tail; at++)
        {
            var id = _queue[at];
            ref var held = ref _held[id];
            if (held.Place != at + 1) continue;
            _queue[kept++] = id;
            held.Place = kept;
        }

        _head = 0;
        _tail = kept;
        if (kept > _queue.Length / 2) Array.Resize(ref _queue, _queue.Length * 2);
    }
}

/// <summary>Whether the value before a held write is known.</summary>
internal enum OldValue : byte
{
    Unknown,
    Absent,
    Present,
}

/// <summary>Where a held write came from and what the store had before it. Kept to 64 bytes for values of up to 16.</summary>
internal struct HeldWrite<T>
{
    public Headers? Headers;
    public long Offset;
    public long Timestamp;

    /// <summary>The value before, where it is wanted and values are kept typed.</summary>
    public T OldTyped;
    public uint OldHandle;
    public int OldLength;
    public int Bytes;

    /// <summary>Its place in the queue, counted from 1; 0 when nothing is held.</summary>
    public int Place;
    public int Source;
    public OldValue Old;
    public bool HasRecord;
}

/// <summary>Is told of a change as it leaves the cache.</summary>
internal delegate void HeldWriteListener<T>(ReadOnlySpan<byte> key, T newValue, bool hasNew, T oldValue, bool hasOld, in RecordCoordinates coordinates);
