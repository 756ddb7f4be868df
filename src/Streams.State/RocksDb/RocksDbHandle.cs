using System.Runtime.InteropServices;

namespace Streams.State.RocksDb;

/// <summary>
/// An open database with what must go before it: its iterators and column families.
/// </summary>
/// <remarks>
/// RocksDB asserts at close that no iterator is alive (Debian's build ends the process), so the handle knows every native iterator and destroys those that are
/// left. An iterator may be given back by its user, by its finaliser on another thread, or by the close: the slot decides, under a lock, who is first.
/// </remarks>
internal sealed class RocksDbHandle : SafeHandle
{
    private readonly nint[] _columns;
    private readonly Lock _lock = new();
    private readonly Stack<int> _freeSlots = new();
    private nint[] _iterators = new nint[4];
    private int _slotCount;

    public RocksDbHandle(nint database, nint[] columns)
        : base(nint.Zero, ownsHandle: true)
    {
        _columns = columns;
        SetHandle(database);
    }

    public override bool IsInvalid => handle == nint.Zero;

    public int OpenIterators
    {
        get
        {
            lock (_lock) return _iterators.Count(iterator => iterator != nint.Zero);
        }
    }

    public int AddIterator(nint iterator)
    {
        lock (_lock)
        {
            if (!_freeSlots.TryPop(out var slot)) slot = _slotCount++;
            if (slot == _iterators.Length) Array.Resize(ref _iterators, _iterators.Length * 2);
            _iterators[slot] = iterator;
            return slot;
        }
    }

    /// <summary>Destroys an iterator unless somebody did already.</summary>
    /// <returns>Whether it was still alive.</returns>
    public bool RemoveIterator(int slot, nint iterator)
    {
        lock (_lock)
        {
            if (_iterators[slot] != iterator) return false;
            _iterators[slot] = nint.Zero;
            _freeSlots.Push(slot);
            NativeMethods.rocksdb_iter_destroy(iterator);
            return true;
        }
    }

    protected override bool ReleaseHandle()
    {
        lock (_lock)
        {
            for (var slot = 0; slot < _slotCount; slot++)
            {
                if (_iterators[slot] != nint.Zero) NativeMethods.rocksdb_iter_destroy(_iterators[slot]);
                _iterators[slot] = nint.Zero;
            }
        }

        foreach (var column in _columns) NativeMethods.rocksdb_column_family_handle_destroy(column);
        NativeMethods.rocksdb_close(handle);
        return true;
    }
}
