using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Kafka.Protocol;

/// <summary>
/// Writes Kafka's primitive types into pooled memory and builds the <see cref="Frame"/> to send. Record batches are taken by reference, not
/// copied: the frame then is a list of segments for one gathered send.
/// </summary>
/// <remarks>
/// <para>Ownership: the writer owns its buffers until <see cref="ToFrame"/> hands them to the frame; after that it is empty and may be used
/// again. Memory given to <see cref="WriteRecords"/> must stay valid and unchanged until the frame is disposed.</para>
/// <para>Not safe for use by several threads.</para>
/// </remarks>
public sealed class ProtocolWriter : IDisposable
{
    // Below this a copy costs less than one more segment of a gathered send.
    internal const int MinBorrowedBytes = 1024;

    private const int PrefixBytes = sizeof(int);
    private const int FirstChunkBytes = 1024;
    private const int MaxChunkBytes = 64 * 1024;

    private readonly ArrayPool<byte> _pool;
    private readonly List<ReadOnlyMemory<byte>> _segments = [];
    private readonly List<byte[]> _rented = [];
    private byte[] _chunk = [];
    private int _runStart;
    private int _position;
    private long _sealedBytes;
    private ProtocolWriter? _taggedField;

    /// <summary>Creates an empty writer. Nothing is rented before the first write.</summary>
    /// <param name="pool">Where buffers come from; <see cref="ArrayPool{T}.Shared"/> when null.</param>
    public ProtocolWriter(ArrayPool<byte>? pool = null)
    {
        _pool = pool ?? ArrayPool<byte>.Shared;
    }

    /// <summary>Bytes written so far, without the frame's length prefix.</summary>
    /// <exception cref="ProtocolException">More than a frame can hold (2 GB).</exception>
    public int Length
    {
        get
        {
            var length = _sealedBytes + (_position - _runStart) - (_rented.Count > 0 ? PrefixBytes : 0);
            if (length > int.MaxValue - PrefixBytes)
                throw new ProtocolException($"A frame of {length} bytes is beyond what the length prefix can say");
            return (int)length;
        }
    }

    /// <summary>One signed byte.</summary>
    public void WriteInt8(sbyte value) => Reserve(1)[0] = (byte)value;

    /// <summary>One byte, 1 or 0.</summary>
    public void WriteBoolean(bool value) => Reserve(1)[0] = value ? (byte)1 : (byte)0;

    /// <summary>Two bytes, big-endian.</summary>
    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);

    /// <summary>Two bytes, big-endian.</summary>
    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    /// <summary>Four bytes, big-endian.</summary>
    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    /// <summary>Four bytes, big-endian.</summary>
    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    /// <summary>Eight bytes, big-endian.</summary>
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);

    /// <summary>Eight bytes, IEEE 754, big-endian.</summary>
    public void WriteFloat64(double value) => BinaryPrimitives.WriteDoubleBigEndian(Reserve(8), value);

    /// <summary>Sixteen bytes, most significant first.</summary>
    public void WriteUuid(Guid value) => value.TryWriteBytes(Reserve(16), bigEndian: true, out _);

    /// <summary>Two bytes.</summary>
    public void WriteErrorCode(ErrorCode value) => WriteInt16((short)value);

    /// <summary>Seven bits a byte, least significant first: one to five bytes.</summary>
    public void WriteUnsignedVarint(uint value)
    {
        while (value >= 0x80)
        {
            Reserve(1)[0] = (byte)(value | 0x80);
            value >>= 7;
        }

        Reserve(1)[0] = (byte)value;
    }

    /// <summary>Zigzag, one to five bytes.</summary>
    public void WriteVarint(int value) => WriteUnsignedVarint((uint)((value << 1) ^ (value >> 31)));

    /// <summary>Zigzag, one to ten bytes.</summary>
    public void WriteVarlong(long value)
    {
        var raw = (ulong)((value << 1) ^ (value >> 63));
        while (raw >= 0x80)
        {
            Reserve(1)[0] = (byte)(raw | 0x80);
            raw >>= 7;
        }

        Reserve(1)[0] = (byte)raw;
    }

    /// <summary>A string that may not be null. Lone surrogates become U+FFFD.</summary>
    /// <param name="value">At most <see cref="ProtocolReader.MaxStringBytes"/> bytes of UTF-8.</param>
    /// <param name="compact">Compact form of the length (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteString(string? value, bool compact, [CallerArgumentExpression(nameof(value))] string? field = null)
    {
        if (value is null)
            ProtocolException.ThrowNullField(field);
        WriteNullableString(value, compact, field);
    }

    /// <summary>A string or null. Lone surrogates become U+FFFD.</summary>
    /// <param name="value">At most <see cref="ProtocolReader.MaxStringBytes"/> bytes of UTF-8.</param>
    /// <param name="compact">Compact form of the length (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteNullableString(string? value, bool compact, [CallerArgumentExpression(nameof(value))] string? field = null)
    {
        if (value is null)
        {
            if (compact)
                WriteUnsignedVarint(0);
            else
                WriteInt16(-1);
            return;
        }

        var length = Encoding.UTF8.GetByteCount(value);
        if (length > ProtocolReader.MaxStringBytes)
            throw new ProtocolException($"{field ?? "A string"} has {length} bytes, more than {ProtocolReader.MaxStringBytes}");
        if (compact)
            WriteUnsignedVarint((uint)length + 1);
        else
            WriteInt16((short)length);
        Encoding.UTF8.GetBytes(value, Reserve(length));
    }

    /// <summary>Bytes behind their length, copied.</summary>
    /// <param name="value">The bytes.</param>
    /// <param name="compact">Compact form of the length (flexible versions).</param>
    public void WriteBytes(ReadOnlyMemory<byte> value, bool compact)
    {
        WriteLength(value.Length, compact);
        WriteRaw(value.Span);
    }

    /// <summary>Bytes behind their length, copied; null where the version does not allow it is refused.</summary>
    /// <param name="value">The bytes.</param>
    /// <param name="compact">Compact form of the length (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteBytes(ReadOnlyMemory<byte>? value, bool compact, [CallerArgumentExpression(nameof(value))] string? field = null)
    {
        if (value is null)
            ProtocolException.ThrowNullField(field);
        WriteBytes(value.GetValueOrDefault(), compact);
    }

    /// <summary>Bytes behind their length, copied, or null.</summary>
    /// <param name="value">The bytes.</param>
    /// <param name="compact">Compact form of the length (flexible versions).</param>
    public void WriteNullableBytes(ReadOnlyMemory<byte>? value, bool compact)
    {
        if (value is { } bytes)
            WriteBytes(bytes, compact);
        else
            WriteNullLength(compact);
    }

    /// <summary>
    /// Record batches behind their length, or null. From 1 KiB on they are not copied: the memory becomes a segment of the frame and must
    /// stay valid and unchanged until the frame is disposed.
    /// </summary>
    /// <param name="value">The batches, back to back.</param>
    /// <param name="compact">Compact form of the length (flexible versions).</param>
    public void WriteRecords(ReadOnlyMemory<byte>? value, bool compact)
    {
        if (value is not { } records)
        {
            WriteNullLength(compact);
            return;
        }

        WriteLength(records.Length, compact);
        if (records.Length < MinBorrowedBytes)
        {
            WriteRaw(records.Span);
            return;
        }

        SealRun();
        _segments.Add(records);
        _sealedBytes += records.Length;
    }

    /// <summary>Bytes as they are, copied, without a length.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
            value.CopyTo(Reserve(value.Length));
    }

    /// <summary>An array of structs that may not be null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="version">Version of the message.</param>
    /// <param name="compact">Compact form of the count (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteArray<T>(List<T>? items, short version, bool compact, [CallerArgumentExpression(nameof(items))] string? field = null)
        where T : class, IMessage
    {
        if (items is null)
            ProtocolException.ThrowNullField(field);
        WriteNullableArray(items, version, compact, field);
    }

    /// <summary>An array of structs, or null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="version">Version of the message.</param>
    /// <param name="compact">Compact form of the count (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteNullableArray<T>(
        List<T>? items,
        short version,
        bool compact,
        [CallerArgumentExpression(nameof(items))] string? field = null)
        where T : class, IMessage
    {
        if (items is null)
        {
            WriteNullLength(compact);
            return;
        }

        WriteLength(items.Count, compact);
        foreach (var item in items)
        {
            if (item is null)
                ProtocolException.ThrowNullField(field);
            item!.Write(this, version);
        }
    }

    /// <summary>An array of strings that may not be null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="compact">Compact form of the count and of each string (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteStringArray(List<string>? items, bool compact, [CallerArgumentExpression(nameof(items))] string? field = null)
    {
        if (items is null)
            ProtocolException.ThrowNullField(field);
        WriteNullableStringArray(items, compact, field);
    }

    /// <summary>An array of strings, or null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="compact">Compact form of the count and of each string (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteNullableStringArray(List<string>? items, bool compact, [CallerArgumentExpression(nameof(items))] string? field = null)
    {
        if (items is null)
        {
            WriteNullLength(compact);
            return;
        }

        WriteLength(items.Count, compact);
        foreach (var item in items)
            WriteString(item, compact, field);
    }

    /// <summary>An array of int8 that may not be null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="compact">Compact form of the count (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteInt8Array(List<sbyte>? items, bool compact, [CallerArgumentExpression(nameof(items))] string? field = null)
    {
        if (items is null)
            ProtocolException.ThrowNullField(field);
        WriteLength(items!.Count, compact);
        WriteRaw(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(items)));
    }

    /// <summary>An array of int32 that may not be null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="compact">Compact form of the count (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteInt32Array(List<int>? items, bool compact, [CallerArgumentExpression(nameof(items))] string? field = null)
    {
        if (items is null)
            ProtocolException.ThrowNullField(field);
        WriteNullableInt32Array(items, compact);
    }

    /// <summary>An array of int32, or null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="compact">Compact form of the count (flexible versions).</param>
    public void WriteNullableInt32Array(List<int>? items, bool compact)
    {
        if (items is null)
        {
            WriteNullLength(compact);
            return;
        }

        WriteLength(items.Count, compact);
        foreach (var item in items)
            WriteInt32(item);
    }

    /// <summary>An array of int64 that may not be null.</summary>
    /// <param name="items">The elements.</param>
    /// <param name="compact">Compact form of the count (flexible versions).</param>
    /// <param name="field">Named in the error.</param>
    public void WriteInt64Array(List<long>? items, bool compact, [CallerArgumentExpression(nameof(items))] string? field = null)
    {
        if (items is null)
            ProtocolException.ThrowNullField(field);
        WriteLength(items!.Count, compact);
        foreach (var item in items)
            WriteInt64(item);
    }

    /// <summary>A struct in place, which may not be null.</summary>
    /// <param name="value">The struct.</param>
    /// <param name="version">Version of the message.</param>
    /// <param name="field">Named in the error.</param>
    public void WriteStruct<T>(T? value, short version, [CallerArgumentExpression(nameof(value))] string? field = null)
        where T : class, IMessage
    {
        if (value is null)
            ProtocolException.ThrowNullField(field);
        value!.Write(this, version);
    }

    /// <summary>A presence byte (1, or -1 for null) and the struct.</summary>
    public void WriteNullableStruct<T>(T? value, short version)
        where T : class, IMessage
    {
        WriteInt8(value is null ? (sbyte)-1 : (sbyte)1);
        value?.Write(this, version);
    }

    /// <summary>A section with no tagged field, which ends every struct of a flexible version.</summary>
    public void WriteNoTaggedFields() => WriteUnsignedVarint(0);

    /// <summary>
    /// An empty writer for the content of one tagged field, whose size has to be known before it is sent. Finish it with
    /// <see cref="EndTaggedField"/> before the next one begins.
    /// </summary>
    public ProtocolWriter BeginTaggedField()
    {
        // What an attempt that threw left behind must not get into the next field.
        _taggedField ??= new ProtocolWriter(_pool);
        _taggedField.Reset();
        return _taggedField;
    }

    /// <summary>Writes tag, size and content of the tagged field begun last. Tags have to come in ascending order.</summary>
    public void EndTaggedField(uint tag)
    {
        if (_taggedField is null)
            throw new InvalidOperationException("No tagged field was begun");
        WriteUnsignedVarint(tag);
        WriteUnsignedVarint((uint)_taggedField.Length);
        _taggedField.AppendTo(this);
        _taggedField.Reset();
    }

    /// <summary>
    /// Hands everything written, behind its four-byte length, to a frame that the caller owns and disposes after sending. The writer is
    /// empty afterwards.
    /// </summary>
    public Frame ToFrame()
    {
        var length = Length;
        if (_rented.Count == 0)
            Grow(0);
        BinaryPrimitives.WriteInt32BigEndian(_rented[0], length);
        SealRun();
        var frame = new Frame([.. _segments], [.. _rented], length + PrefixBytes, _pool);
        _segments.Clear();
        _rented.Clear();
        Forget();
        return frame;
    }

    /// <summary>A copy of everything written, without a length prefix. The writer keeps it.</summary>
    public byte[] ToArray()
    {
        var copy = new byte[Length];
        CopyTo(copy);
        return copy;
    }

    /// <summary>Gives the buffers back and starts over.</summary>
    public void Reset()
    {
        foreach (var buffer in _rented)
            _pool.Return(buffer);
        _segments.Clear();
        _rented.Clear();
        Forget();
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        Reset();
        _taggedField?.Dispose();
    }

    private void AppendTo(ProtocolWriter other)
    {
        var skip = PrefixBytes;
        foreach (var segment in _segments)
        {
            other.WriteRaw(segment.Span[skip..]);
            skip = 0;
        }

        if (_rented.Count > 0)
            other.WriteRaw(_chunk.AsSpan(_runStart + skip, _position - _runStart - skip));
    }

    private void CopyTo(Span<byte> target)
    {
        var skip = PrefixBytes;
        foreach (var segment in _segments)
        {
            segment.Span[skip..].CopyTo(target);
            target = target[(segment.Length - skip)..];
            skip = 0;
        }

        if (_rented.Count > 0)
            _chunk.AsSpan(_runStart + skip, _position - _runStart - skip).CopyTo(target);
    }

    private void WriteLength(int length, bool compact)
    {
        if (compact)
            WriteUnsignedVarint((uint)length + 1);
        else
            WriteInt32(length);
    }

    private void WriteNullLength(bool compact)
    {
        if (compact)
            WriteUnsignedVarint(0);
        else
            WriteInt32(-1);
    }

    private Span<byte> Reserve(int count)
    {
        if (_chunk.Length - _position < count)
            Grow(count);
        var span = _chunk.AsSpan(_position, count);
        _position += count;
        return span;
    }

    private void Grow(int needed)
    {
        SealRun();

        // Twice what we have, within bounds: small answers stay in one small buffer, big metadata in few. The first four bytes of the first
        // buffer are the frame's length prefix.
        var first = _rented.Count == 0;
        var size = first ? FirstChunkBytes : Math.Min(_chunk.Length * 2, MaxChunkBytes);
        if (first)
            needed += PrefixBytes;
        _chunk = _pool.Rent(Math.Max(size, needed));
        _rented.Add(_chunk);
        _runStart = 0;
        _position = first ? PrefixBytes : 0;
    }

    // What was written since the last seal becomes a segment; the rest of the chunk stays in use.
    private void SealRun()
    {
        if (_position == _runStart)
            return;
        _segments.Add(_chunk.AsMemory(_runStart, _position - _runStart));
        _sealedBytes += _position - _runStart;
        _runStart = _position;
    }

    private void Forget()
    {
        _chunk = [];
        _runStart = 0;
        _position = 0;
        _sealedBytes = 0;
    }
}
