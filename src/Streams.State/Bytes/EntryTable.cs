using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Streams.State.Bytes;

/// <summary>
/// Entries in memory, found by their key's bytes: an open-addressing hash, entries in pages that never move, and an ordered index that is
/// built when somebody first asks for order and kept from then on.
/// </summary>
/// <remarks>
/// An entry is named by a small number that stays its own until it is removed. A bucket is 8 bytes, hash and number, so a miss touches nothing else.
/// Removing shifts the following buckets back; there are no tombstones to clean up.
/// </remarks>
/// <typeparam name="T">Type of values kept typed; ignored where they are kept as bytes.</typeparam>
internal sealed class EntryTable<T>
{
    private const int PageLog2 = 10;
    private const int PageSize = 1 << PageLog2;
    private const int FirstPageSize = 16;
    private const int FirstBucketCount = 32;

    private readonly Stack<int> _freeIds = new();
    private SliceArena _arena = new();
    private ulong[] _buckets = new ulong[FirstBucketCount];
    private Entry<T>[][] _pages = [new Entry<T>[FirstPageSize]];
    private int _idCount;
    private OrderedIndex? _index;
    private int _suffixBytes;

    /// <summary>Bytes an entry costs beside its slices: the entry and its bucket at the usual load.</summary>
    public static int EntryOverheadBytes { get; } = Unsafe.SizeOf<Entry<T>>() + (2 * sizeof(ulong));

    public int Count { get; private set; }

    /// <summary>One more than the largest number in use.</summary>
    public int IdLimit => _idCount;

    /// <summary>Changes whenever an entry comes or goes: cursors find their place again.</summary>
    public int Version { get; private set; }

    /// <summary>Entries by user key and time; there once somebody asked for them.</summary>
    public KeyChains? Chains { get; private set; }

    /// <summary>Bytes in use, without what typed values hold by reference.</summary>
    public long UsedBytes => _arena.UsedBytes + ((long)Count * EntryOverheadBytes);

    public ref Entry<T> this[int id] => ref _pages[id >> PageLog2][id & (PageSize - 1)];

    /// <summary>Asks for an entry to be brought near; -1 is nobody.</summary>
    public unsafe void Prefetch(int id)
    {
        // Of no effect but on caches: a page that moves meanwhile costs a wasted hint.
        if (Sse.IsSupported && id >= 0) Sse.Prefetch0(Unsafe.AsPointer(ref this[id]));
    }

    public ReadOnlySpan<byte> KeyOf(int id)
    {
        ref var entry = ref this[id];
        return entry.KeyLength <= KeyCell.Capacity ? ((ReadOnlySpan<byte>)entry.Key)[..entry.KeyLength] : _arena.Span(HandleOf(ref entry.Key), entry.KeyLength);
    }

    public ReadOnlySpan<byte> ValueOf(int id)
    {
        ref var entry = ref this[id];
        return _arena.Span(entry.Value, entry.ValueLength);
    }

    /// <summary>The entry of a key, or -1.</summary>
    public int Find(ReadOnlySpan<byte> key, uint hash)
    {
        var buckets = _buckets;
        var mask = (uint)buckets.Length - 1;
        for (var at = hash & mask; ; at = (at + 1) & mask)
        {
            var bucket = buckets[at];
            if (bucket == 0) return -1;
            if ((uint)(bucket >> 32) != hash) continue;
            var id = (int)(uint)bucket - 1;
            if (KeyOf(id).SequenceEqual(key)) return id;
        }
    }

    /// <summary>Adds a key that is not there; its entry has no value and only the <see cref="EntryFlags.Live"/> flag.</summary>
    public int Add(ReadOnlySpan<byte> key, uint hash)
    {
        Debug.Assert(Find(key, hash) < 0, "a key is added once");
        if (Count * 5L >= _buckets.Length * 4L) GrowBuckets();
        var id = TakeId();
        ref var entry = ref this[id];
        entry = default;
        if (key.Length <= KeyCell.Capacity) key.CopyTo(entry.Key);
        else HandleOf(ref entry.Key) = _arena.Store(key);
        entry.KeyLength = key.Length;
        entry.WrittenIn = -1;
        entry.Flags = EntryFlags.Live;
        Link(_buckets, hash, id);
        Count++;
        Version++;
        _index?.Add(KeyOf(id), id, new Keys(this));
        Chains?.Add(id, _suffixBytes, new Keys(this));
        return id;
    }

    public void Remove(int id)
    {
        ref var entry = ref this[id];
        Debug.Assert(entry.Has(EntryFlags.Live), "only live entries are removed");
        _index?.Remove(KeyOf(id), id, new Keys(this));
        Chains?.Remove(id, _suffixBytes, new Keys(this));
        Unlink(KeyHash.Of(KeyOf(id)), id);
        if (entry.KeyLength > KeyCell.Capacity) _arena.Free(HandleOf(ref entry.Key), entry.KeyLength);
        _arena.Free(entry.Value, entry.ValueLength);
        entry = default;
        _freeIds.Push(id);
        Count--;
        Version++;
    }

    /// <summary>Sets an entry's bytes, in place where they fit.</summary>
    public void SetBytes(int id, ReadOnlySpan<byte> value)
    {
        ref var entry = ref this[id];
        if (!SliceArena.SameCapacity(entry.ValueLength, value.Length))
        {
            _arena.Free(entry.Value, entry.ValueLength);
            entry.ValueLength = 0;
            entry.Value = _arena.Allocate(value.Length);
        }

        entry.ValueLength = value.Length;
        value.CopyTo(_arena.Span(entry.Value, value.Length));
    }

    /// <summary>Takes an entry's bytes away from it; the caller frees them with <see cref="FreeBytes"/>.</summary>
    public (uint Handle, int Length) DetachBytes(int id)
    {
        ref var entry = ref this[id];
        var detached = (entry.Value, entry.ValueLength);
        entry.Value = 0;
        entry.ValueLength = 0;
        return detached;
    }

    public ReadOnlySpan<byte> Bytes(uint handle, int length) => _arena.Span(handle, length);

    public void FreeBytes(uint handle, int length) => _arena.Free(handle, length);

    /// <summary>Drops everything and the memory with it.</summary>
    public void Clear()
    {
        _arena = new SliceArena();
        _buckets = new ulong[FirstBucketCount];
        _pages = [new Entry<T>[FirstPageSize]];
        _freeIds.Clear();
        _idCount = 0;
        _index = null;
        Chains = null;
        Count = 0;
        Version++;
    }

    /// <summary>
    /// Moves all slices into a new arena when freed ones of the wrong sizes hold more memory than the live ones. Only when nobody holds detached slices.
    /// </summary>
    public void CompactIfSparse()
    {
        if (_arena.AllocatedBytes - _arena.UsedBytes <= Math.Max(4L << 20, _arena.UsedBytes)) return;
        var arena = new SliceArena();
        for (var id = 0; id < _idCount; id++)
        {
            ref var entry = ref this[id];
            if (!entry.Has(EntryFlags.Live)) continue;
            if (entry.KeyLength > KeyCell.Capacity) HandleOf(ref entry.Key) = arena.Store(KeyOf(id));
            entry.Value = arena.Store(_arena.Span(entry.Value, entry.ValueLength));
        }

        _arena = arena;
    }

    /// <summary>The entries in key order. Built at the first call.</summary>
    public OrderedIndex Ordered()
    {
        if (_index is not null) return _index;
        var ids = new int[Count];
        var count = 0;
        for (var id = 0; id < _idCount; id++)
        {
            if (this[id].Has(EntryFlags.Live)) ids[count++] = id;
        }

        Sort(ids.AsSpan(0, count));
        return _index = OrderedIndex.FromSorted(ids.AsSpan(0, count), new Keys(this));
    }

    /// <summary>The latest entry of a user key in a segmented store, or -1; the chains are built at the first call.</summary>
    /// <param name="userKey">The user's key.</param>
    /// <param name="suffixBytes">Length of what follows it in the keys; always the same.</param>
    public int ChainEnd(ReadOnlySpan<byte> userKey, int suffixBytes)
    {
        if (Chains is null)
        {
            _suffixBytes = suffixBytes;
            var chains = new KeyChains();
            for (var id = 0; id < _idCount; id++)
            {
                if (this[id].Has(EntryFlags.Live)) chains.Add(id, suffixBytes, new Keys(this));
            }

            Chains = chains;
        }

        Debug.Assert(suffixBytes == _suffixBytes, "a store's suffix has one length");
        return Chains.LastOf(userKey, suffixBytes, new Keys(this));
    }

    /// <summary>Sorts entries by key.</summary>
    public void Sort(Span<int> ids) => KeySorter.Sort(ids, new Keys(this));

    public Keys AllKeys => new(this);

    private static ref uint HandleOf(ref KeyCell key) => ref Unsafe.As<KeyCell, uint>(ref key);

    private static void Link(ulong[] buckets, uint hash, int id)
    {
        var mask = (uint)buckets.Length - 1;
        var at = hash & mask;
        while (buckets[at] != 0) at = (at + 1) & mask;
        buckets[at] = ((ulong)hash << 32) | (uint)(id + 1);
    }

    private void Unlink(uint hash, int id)
    {
        var buckets = _buckets;
        var mask = (uint)buckets.Length - 1;
        var hole = hash & mask;
        while ((uint)buckets[hole] != (uint)(id + 1)) hole = (hole + 1) & mask;

        // Whatever follows in the run moves back if it may stand in the hole: if its own place is not between hole and it.
        for (var at = (hole + 1) & mask; buckets[at] != 0; at = (at + 1) & mask)
        {
            var home = (uint)(buckets[at] >> 32) & mask;
            if (((at - home) & mask) < ((at - hole) & mask)) continue;
            buckets[hole] = buckets[at];
            hole = at;
        }

        buckets[hole] = 0;
    }

    private void GrowBuckets()
    {
        if (_buckets.Length >= 1 << 30)
            throw new StateStoreException($"A store's table in memory is full: {Count} entries. Use a persistent store, or more partitions.");
        var buckets = new ulong[_buckets.Length * 2];
        foreach (var bucket in _buckets)
        {
            if (bucket != 0) Link(buckets, (uint)(bucket >> 32), (int)(uint)bucket - 1);
        }

        _buckets = buckets;
    }

    private int TakeId()
    {
        if (_freeIds.TryPop(out var free)) return free;
        var id = _idCount++;
        var page = id >> PageLog2;
        if (page == 0)
        {
            // The first page grows, so that a small store costs little.
            if (id == _pages[0].Length) Array.Resize(ref _pages[0], Math.Min(PageSize, id * 2));
        }
        else if ((id & (PageSize - 1)) == 0)
        {
            if (page == _pages.Length) Array.Resize(ref _pages, (int)BitOperations.RoundUpToPowerOf2((uint)page + 1));
            _pages[page] ??= new Entry<T>[PageSize];
        }

        return id;
    }

    /// <summary>Key look-up for index and sorter, as a struct so that they inline it.</summary>
    internal readonly struct Keys(EntryTable<T> table) : IKeySource
    {
        public ReadOnlySpan<byte> KeyOf(int id) => table.KeyOf(id);
    }
}
