using System.Buffers.Binary;
using System.Text;
using Streams.Core;

namespace Streams.SchemaRegistry.Avro.Reading;

/// <summary>Reads Avro's binary encoding; every length is checked against what is left before it is used.</summary>
internal ref struct AvroReader(ReadOnlySpan<byte> data)
{
    /// <summary>Deepest nesting that is read: recursive types could otherwise use up the stack with a byte per level.</summary>
    private const int MaxDepth = 200;

    // Items of arrays that take no bytes (nulls, empty records) are bounded per value, as nothing else bounds them.
    private const int MaxFreeItems = 65_536;

    private ReadOnlySpan<byte> _data = data;
    private int _depth;
    private int _freeItems;

    public readonly int Remaining => _data.Length;

    public void Enter()
    {
        if (++_depth > MaxDepth) throw new SerializationException($"An Avro value is nested deeper than {MaxDepth}.");
    }

    public void Leave() => _depth--;

    public bool ReadBoolean() => Take(1)[0] switch
    {
        0 => false,
        1 => true,
        var other => throw new SerializationException($"An Avro boolean is {other}, not 0 or 1."),
    };

    public int ReadInt()
    {
        var value = ReadLong();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new SerializationException($"An Avro int is {value}, more than 32 bits.");
    }

    public long ReadLong()
    {
        var zigzag = 0ul;
        for (var index = 0; index < 10 && index < _data.Length; index++)
        {
            var part = _data[index];
            if (index == 9 && part > 1) break;
            zigzag |= (ulong)(part & 0x7f) << (7 * index);
            if (part >= 0x80) continue;
            _data = _data[(index + 1)..];
            return (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        }

        throw new SerializationException("An Avro number is cut off or longer than 64 bits.");
    }

    public float ReadFloat() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    public ReadOnlySpan<byte> ReadBytes() => Take(ReadLong());

    public string ReadString() => Encoding.UTF8.GetString(ReadBytes());

    public ReadOnlySpan<byte> ReadFixed(int size) => Take(size);

    public int ReadIndex(int count, string of)
    {
        var index = ReadLong();
        return index >= 0 && index < count ? (int)index : throw new SerializationException($"An Avro value names entry {index} of {of}, which has {count}.");
    }

    /// <summary>Items in the next block of an array or map; 0 at the end.</summary>
    public int ReadBlock()
    {
        var count = ReadLong();
        if (count < 0)
        {
            // A negative count is followed by the block's size, for readers that skip.
            if (count == long.MinValue) throw new SerializationException("An Avro block has an impossible number of items.");
            count = -count;
            var size = ReadLong();
            if (size < 0 || size > _data.Length) throw new SerializationException($"An Avro block has {size} bytes; {_data.Length} are left.");
        }

        return count <= Math.Min((long)_data.Length + MaxFreeItems, Array.MaxLength) ? (int)count : throw new SerializationException($"An Avro block has {count} items; {_data.Length} bytes are left.");
    }

    /// <summary>Says that an item has been read and what was left before it.</summary>
    public void CountItem(int remainingBefore)
    {
        if (remainingBefore == _data.Length && ++_freeItems > MaxFreeItems) throw new SerializationException($"An Avro value has more than {MaxFreeItems} array items without bytes.");
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > _data.Length) throw new SerializationException($"An Avro value has a part of {count} bytes; {_data.Length} are left.");
        var taken = _data[..(int)count];
        _data = _data[(int)count..];
        return taken;
    }
}
