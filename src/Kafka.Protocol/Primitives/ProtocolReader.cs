using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Kafka.Protocol;

/// <summary>
/// Reads Kafka's primitive types from one frame. Every length and count is compared with what is left of the frame before anything is
/// allocated or skipped; bad input throws <see cref="ProtocolException"/> and nothing else.
/// </summary>
/// <remarks>
/// <para>Lifetime: <see cref="ReadRecords"/> returns slices of the frame's own memory, valid as long as the frame's buffer is. Everything
/// else (strings, <see cref="ReadBytes"/>, lists) is a copy that may be kept.</para>
/// <para>Bound: what a frame can make us allocate is proportional to its size, except that an element of an array may be as small as one
/// byte on the wire. So the number of elements with an object of their own is limited per frame, see the constructor.</para>
/// <para>Source: the protocol guide, "Protocol Primitive Types"; KIP-482 for the compact and tagged forms.</para>
/// </remarks>
public ref struct ProtocolReader
{
    /// <summary>Default limit on structs and strings in arrays of one frame: 1,048,576.</summary>
    public const int DefaultMaxElements = 1 << 20;

    /// <summary>The longest string of the protocol in bytes, in compact form too (Kafka refuses longer ones on both sides).</summary>
    public const int MaxStringBytes = short.MaxValue;

    // Lists start no larger than this and grow with what was really read, so that a count alone allocates next to nothing.
    private const int InitialListCapacity = 64;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly ReadOnlySpan<byte> _span;
    private int _position;
    private int _end;
    private int _elementsLeft;

    /// <summary>Starts at the first byte of <paramref name="frame"/>.</summary>
    /// <param name="frame">The frame, without its length prefix.</param>
    /// <param name="maxElements">
    /// How many structs and strings all arrays of the frame may hold together; one more is a <see cref="ProtocolException"/>.
    /// </param>
    public ProtocolReader(ReadOnlyMemory<byte> frame, int maxElements = DefaultMaxElements)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxElements);
        _memory = frame;
        _span = frame.Span;
        _end = _span.Length;
        _elementsLeft = maxElements;
    }

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes left, in the frame or in the tagged field being read.</summary>
    public readonly int Remaining => _end - _position;

    /// <summary>One signed byte.</summary>
    public sbyte ReadInt8() => (sbyte)Take(1)[0];

    /// <summary>One byte; anything but zero is true.</summary>
    public bool ReadBoolean() => Take(1)[0] != 0;

    /// <summary>Two bytes, big-endian.</summary>
    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    /// <summary>Two bytes, big-endian.</summary>
    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    /// <summary>Four bytes, big-endian.</summary>
    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    /// <summary>Four bytes, big-endian.</summary>
    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>Eight bytes, big-endian.</summary>
    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    /// <summary>Eight bytes, IEEE 754, big-endian.</summary>
    public double ReadFloat64() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>
    /// Sixteen bytes, most significant first, so that the text form agrees with Java's <c>java.util.UUID</c>. All zero means "none".
    /// </summary>
    public Guid ReadUuid() => new(Take(16), bigEndian: true);

    /// <summary>Two bytes as an error code. Codes this library does not know keep their number.</summary>
    public ErrorCode ReadErrorCode() => (ErrorCode)ReadInt16();

    /// <summary>Seven bits a byte, least significant first, at most five bytes.</summary>
    public uint ReadUnsignedVarint()
    {
        var start = _position;
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var part = Take(1)[0];
            if (shift == 28 && part > 0x0F)
                break;
            value |= (uint)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        ProtocolException.ThrowVarint(start);
        return 0;
    }

    /// <summary>An <see cref="ReadUnsignedVarint"/> in zigzag form.</summary>
    public int ReadVarint()
    {
        var raw = ReadUnsignedVarint();
        return (int)(raw >> 1) ^ -(int)(raw & 1);
    }

    /// <summary>Up to ten bytes of seven bits, in zigzag form.</summary>
    public long ReadVarlong()
    {
        var start = _position;
        ulong raw = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var part = Take(1)[0];
            if (shift == 63 && part > 1)
                break;
            raw |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return (long)(raw >> 1) ^ -(long)(raw & 1);
        }

        ProtocolException.ThrowVarint(start);
        return 0;
    }

    /// <summary>A string that must be there. Bytes that are not UTF-8 become U+FFFD, as in Java.</summary>
    /// <param name="compact">Length as unsigned varint plus one (flexible versions) instead of int16.</param>
    public string ReadString(bool compact)
    {
        var start = _position;
        var text = ReadNullableString(compact);
        if (text is null)
            ProtocolException.ThrowNull("A string", start);
        return text!;
    }

    /// <summary>A string or null. Bytes that are not UTF-8 become U+FFFD, as in Java.</summary>
    /// <param name="compact">Length as unsigned varint plus one (flexible versions) instead of int16.</param>
    public string? ReadNullableString(bool compact)
    {
        var start = _position;
        var length = compact ? ReadCompactLength() : ReadInt16();
        if (length == -1)
            return null;
        if (length < 0 || length > MaxStringBytes || length > Remaining)
            ProtocolException.ThrowLength("A string", length, Remaining, start);
        return length == 0 ? string.Empty : Encoding.UTF8.GetString(Take((int)length));
    }

    /// <summary>Bytes that must be there, copied out of the frame.</summary>
    /// <param name="compact">Length as unsigned varint plus one (flexible versions) instead of int32.</param>
    public ReadOnlyMemory<byte> ReadBytes(bool compact)
    {
        var start = _position;
        var bytes = ReadNullableBytes(compact);
        if (bytes is null)
            ProtocolException.ThrowNull("A byte field", start);
        return bytes.GetValueOrDefault();
    }

    /// <summary>Bytes or null, copied out of the frame, since coordinators keep them longer than the frame lives.</summary>
    /// <param name="compact">Length as unsigned varint plus one (flexible versions) instead of int32.</param>
    public ReadOnlyMemory<byte>? ReadNullableBytes(bool compact)
    {
        var slice = ReadRecords(compact);
        if (slice is not { } bytes)
            return null;
        return bytes.IsEmpty ? ReadOnlyMemory<byte>.Empty : bytes.ToArray();
    }

    /// <summary>Record batches or null, not copied: a slice of the frame, valid as long as the frame's buffer is.</summary>
    /// <param name="compact">Length as unsigned varint plus one (flexible versions) instead of int32.</param>
    public ReadOnlyMemory<byte>? ReadRecords(bool compact)
    {
        var start = _position;
        var length = compact ? ReadCompactLength() : ReadInt32();
        if (length == -1)
            return null;
        if (length < 0 || length > Remaining)
            ProtocolException.ThrowLength("A byte field", length, Remaining, start);
        return TakeMemory((int)length);
    }

    /// <summary>Everything that is left, not copied.</summary>
    public ReadOnlyMemory<byte> ReadToEnd() => TakeMemory(Remaining);

    /// <summary>An array of structs that must be there.</summary>
    /// <param name="version">Version of the message the elements are read with.</param>
    /// <param name="compact">Count as unsigned varint plus one (flexible versions) instead of int32.</param>
    public List<T> ReadArray<T>(short version, bool compact)
        where T : IMessage, new()
    {
        var start = _position;
        var list = ReadNullableArray<T>(version, compact);
        if (list is null)
            ProtocolException.ThrowNull("An array", start);
        return list!;
    }

    /// <summary>An array of structs, or null.</summary>
    /// <param name="version">Version of the message the elements are read with.</param>
    /// <param name="compact">Count as unsigned varint plus one (flexible versions) instead of int32.</param>
    public List<T>? ReadNullableArray<T>(short version, bool compact)
        where T : IMessage, new()
    {
        var count = ReadElementCount(compact);
        if (count < 0)
            return null;
        var list = new List<T>(Math.Min(count, InitialListCapacity));
        for (var i = 0; i < count; i++)
        {
            var element = new T();
            element.Read(ref this, version);
            list.Add(element);
        }

        return list;
    }

    /// <summary>An array of strings that must be there.</summary>
    /// <param name="compact">Compact form of the count and of each string.</param>
    public List<string> ReadStringArray(bool compact)
    {
        var start = _position;
        var list = ReadNullableStringArray(compact);
        if (list is null)
            ProtocolException.ThrowNull("An array", start);
        return list!;
    }

    /// <summary>An array of strings, or null.</summary>
    /// <param name="compact">Compact form of the count and of each string.</param>
    public List<string>? ReadNullableStringArray(bool compact)
    {
        var count = ReadElementCount(compact);
        if (count < 0)
            return null;
        var list = new List<string>(Math.Min(count, InitialListCapacity));
        for (var i = 0; i < count; i++)
            list.Add(ReadString(compact));
        return list;
    }

    /// <summary>An array of int8 that must be there.</summary>
    public List<sbyte> ReadInt8Array(bool compact)
    {
        var count = ReadFixedCount(compact, sizeof(sbyte), nullable: false);
        var list = new List<sbyte>(count);
        list.AddRange(MemoryMarshal.Cast<byte, sbyte>(Take(count)));
        return list;
    }

    /// <summary>An array of int32 that must be there.</summary>
    public List<int> ReadInt32Array(bool compact) => ReadInt32s(ReadFixedCount(compact, sizeof(int), nullable: false))!;

    /// <summary>An array of int32, or null.</summary>
    public List<int>? ReadNullableInt32Array(bool compact) => ReadInt32s(ReadFixedCount(compact, sizeof(int), nullable: true));

    /// <summary>An array of int64 that must be there.</summary>
    public List<long> ReadInt64Array(bool compact)
    {
        var count = ReadFixedCount(compact, sizeof(long), nullable: false);
        var list = new List<long>(count);
        CollectionsMarshal.SetCount(list, count);
        var items = CollectionsMarshal.AsSpan(list);
        Take(count * sizeof(long)).CopyTo(MemoryMarshal.AsBytes(items));
        if (BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(items, items);
        return list;
    }

    /// <summary>A struct behind a presence byte (negative: null), the form of nullable structs outside tagged fields.</summary>
    public T? ReadNullableStruct<T>(short version)
        where T : class, IMessage, new()
    {
        if (ReadInt8() < 0)
            return null;
        return ReadStruct<T>(version);
    }

    /// <summary>A struct in place.</summary>
    public T ReadStruct<T>(short version)
        where T : IMessage, new()
    {
        var value = new T();
        value.Read(ref this, version);
        return value;
    }

    /// <summary>How many tagged fields follow. Each takes at least two bytes, so more than half of what is left is refused.</summary>
    public int ReadTaggedFieldCount()
    {
        var start = _position;
        var count = ReadUnsignedVarint();
        if (count > (uint)Remaining / 2)
            ProtocolException.ThrowLength("A tagged field section", count, Remaining, start);
        return (int)count;
    }

    /// <summary>
    /// Starts the next tagged field and confines reading to it until <see cref="LeaveTaggedField"/>.
    /// </summary>
    /// <param name="outerEnd">What to hand to <see cref="LeaveTaggedField"/>.</param>
    /// <returns>The tag.</returns>
    public uint EnterTaggedField(out int outerEnd)
    {
        var start = _position;
        var tag = ReadUnsignedVarint();
        var size = ReadUnsignedVarint();
        if (size > (uint)Remaining)
            ProtocolException.ThrowLength("A tagged field", size, Remaining, start);
        outerEnd = _end;
        _end = _position + (int)size;
        return tag;
    }

    /// <summary>Passes over the rest of the tagged field being read: what to do with a tag that is not known.</summary>
    public void SkipTaggedField() => _position = _end;

    /// <summary>Ends the tagged field, which must have been read to its last byte.</summary>
    public void LeaveTaggedField(int outerEnd)
    {
        if (Remaining != 0)
            ProtocolException.ThrowLength("Content of a tagged field", Remaining, 0, _position);
        _end = outerEnd;
    }

    /// <summary>Passes over a section of tagged fields none of which is known.</summary>
    public void SkipTaggedFields()
    {
        for (var left = ReadTaggedFieldCount(); left > 0; left--)
        {
            EnterTaggedField(out var outerEnd);
            SkipTaggedField();
            LeaveTaggedField(outerEnd);
        }
    }

    // Count of an array whose elements are objects: at least a byte each, and within the frame's allowance.
    private int ReadElementCount(bool compact)
    {
        var start = _position;
        var count = compact ? ReadCompactLength() : ReadInt32();
        if (count == -1)
            return -1;
        if (count < 0 || count > Remaining)
            ProtocolException.ThrowLength("An array", count, Remaining, start);
        if (count > _elementsLeft)
            throw new ProtocolException($"{count} array elements at offset {start} exceed the frame's limit: {_elementsLeft} more are allowed");
        _elementsLeft -= (int)count;
        return (int)count;
    }

    private int ReadFixedCount(bool compact, int elementBytes, bool nullable)
    {
        var start = _position;
        var count = compact ? ReadCompactLength() : ReadInt32();
        if (count == -1)
        {
            if (!nullable)
                ProtocolException.ThrowNull("An array", start);
            return -1;
        }

        if (count < 0 || count > Remaining / elementBytes)
            ProtocolException.ThrowLength("An array", count, Remaining, start);
        return (int)count;
    }

    private List<int>? ReadInt32s(int count)
    {
        if (count < 0)
            return null;
        var list = new List<int>(count);
        CollectionsMarshal.SetCount(list, count);
        var items = CollectionsMarshal.AsSpan(list);
        Take(count * sizeof(int)).CopyTo(MemoryMarshal.AsBytes(items));
        if (BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(items, items);
        return list;
    }

    // A compact length is stored plus one, so that null (-1) is zero: it needs 33 bits.
    private long ReadCompactLength() => (long)ReadUnsignedVarint() - 1;

    private ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)(_end - _position))
            ProtocolException.ThrowTruncated(count, Remaining, _position);
        var slice = _span.Slice(_position, count);
        _position += count;
        return slice;
    }

    private ReadOnlyMemory<byte> TakeMemory(int count)
    {
        var slice = _memory.Slice(_position, count);
        _position += count;
        return slice;
    }
}
