using System.Diagnostics;

namespace Streams.State.Bytes;

/// <summary>
/// Numbers of entries in key order: a list of sorted blocks, each with the first eight bytes of its keys beside them. Finding is two binary searches, inserting a
/// short move within a block.
/// </summary>
internal sealed class OrderedIndex
{
    private const int BlockCapacity = 256;
    private const int BlockFill = 192;

    private Block[] _blocks = [new Block()];
    private int _blockCount = 1;

    public static OrderedIndex FromSorted<TKeys>(ReadOnlySpan<int> ids, TKeys keys)
        where TKeys : IKeySource
    {
        var index = new OrderedIndex();
        if (ids.IsEmpty) return index;
        index._blockCount = (ids.Length + BlockFill - 1) / BlockFill;
        index._blocks = new Block[index._blockCount];
        for (var i = 0; i < index._blockCount; i++)
        {
            var block = index._blocks[i] = new Block();
            foreach (var id in ids.Slice(i * BlockFill, Math.Min(BlockFill, ids.Length - (i * BlockFill))))
            {
                block.Prefixes[block.Count] = KeyOrder.Prefix(keys.KeyOf(id));
                block.Ids[block.Count++] = id;
            }
        }

        return index;
    }

    public void Add<TKeys>(ReadOnlySpan<byte> key, int id, TKeys keys)
        where TKeys : IKeySource
    {
        var position = Seek(key, keys, after: false);
        var block = _blocks[position.Block];
        if (block.Count == BlockCapacity)
        {
            Split(position.Block);
            if (position.Index > block.Count)
            {
                position = new Position(position.Block + 1, position.Index - block.Count);
                block = _blocks[position.Block];
            }
        }

        block.Insert(position.Index, KeyOrder.Prefix(key), id);
    }

    public void Remove<TKeys>(ReadOnlySpan<byte> key, int id, TKeys keys)
        where TKeys : IKeySource
    {
        var position = Normalise(Seek(key, keys, after: false));
        var block = _blocks[position.Block];
        Debug.Assert(block.Ids[position.Index] == id, "the index has every entry at its key's place");
        block.RemoveAt(position.Index);
        if (block.Count > 0 || _blockCount == 1) return;
        Array.Copy(_blocks, position.Block + 1, _blocks, position.Block, _blockCount - position.Block - 1);
        _blocks[--_blockCount] = null!;
    }

    /// <summary>Position of the first key that is not before the given one, or with <paramref name="after"/> of the first that is after it.</summary>
    public Position Seek<TKeys>(ReadOnlySpan<byte> key, TKeys keys, bool after)
        where TKeys : IKeySource
    {
        var prefix = KeyOrder.Prefix(key);

        // The last block whose first key is before the place.
        var (low, high) = (0, _blockCount - 1);
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (IsBefore(_blocks[middle], 0, prefix, key, keys, after)) low = middle;
            else high = middle - 1;
        }

        var block = _blocks[low];
        var (from, to) = (0, block.Count);
        while (from < to)
        {
            var middle = (from + to) >>> 1;
            if (IsBefore(block, middle, prefix, key, keys, after)) from = middle + 1;
            else to = middle;
        }

        return new Position(low, from);
    }

    public static Position First => default;

    public Position End => new(_blockCount - 1, _blocks[_blockCount - 1].Count);

    /// <summary>The entry at a position; -1 at the end. The position is set to where the entry is.</summary>
    public int At(ref Position position)
    {
        position = Normalise(position);
        var block = _blocks[position.Block];
        return position.Index < block.Count ? block.Ids[position.Index] : -1;
    }

    /// <summary>Steps back and gives the entry there; -1 before the first.</summary>
    public int Before(ref Position position)
    {
        while (position.Index == 0)
        {
            if (position.Block == 0) return -1;
            position = new Position(position.Block - 1, _blocks[position.Block - 1].Count);
        }

        position = position with { Index = position.Index - 1 };
        return _blocks[position.Block].Ids[position.Index];
    }

    private static bool IsBefore<TKeys>(Block block, int index, ulong prefix, ReadOnlySpan<byte> key, TKeys keys, bool orEqual)
        where TKeys : IKeySource
    {
        if (block.Count == 0) return false;
        var other = block.Prefixes[index];
        if (other != prefix) return other < prefix;
        var order = keys.KeyOf(block.Ids[index]).SequenceCompareTo(key);
        return orEqual ? order <= 0 : order < 0;
    }

    private Position Normalise(Position position)
    {
        while (position.Index >= _blocks[position.Block].Count && position.Block < _blockCount - 1) position = new Position(position.Block + 1, 0);
        return position;
    }

    private void Split(int at)
    {
        if (_blockCount == _blocks.Length) Array.Resize(ref _blocks, _blocks.Length * 2);
        Array.Copy(_blocks, at + 1, _blocks, at + 2, _blockCount - at - 1);
        _blocks[at + 1] = _blocks[at].SplitHalf();
        _blockCount++;
    }

    /// <summary>A place between entries: before the one with this index in this block.</summary>
    internal readonly record struct Position(int Block, int Index);

    private sealed class Block
    {
        public readonly ulong[] Prefixes = new ulong[BlockCapacity];
        public readonly int[] Ids = new int[BlockCapacity];
        public int Count;

        public void Insert(int index, ulong prefix, int id)
        {
            Array.Copy(Prefixes, index, Prefixes, index + 1, Count - index);
            Array.Copy(Ids, index, Ids, index + 1, Count - index);
            Prefixes[index] = prefix;
            Ids[index] = id;
            Count++;
        }

        public void RemoveAt(int index)
        {
            Count--;
            Array.Copy(Prefixes, index + 1, Prefixes, index, Count - index);
            Array.Copy(Ids, index + 1, Ids, index, Count - index);
        }

        public Block SplitHalf()
        {
            const int Half = BlockCapacity / 2;
            var upper = new Block { Count = Count - Half };
            Array.Copy(Prefixes, Half, upper.Prefixes, 0, upper.Count);
            Array.Copy(Ids, Half, upper.Ids, 0, upper.Count);
            Count = Half;
            return upper;
        }
    }
}
