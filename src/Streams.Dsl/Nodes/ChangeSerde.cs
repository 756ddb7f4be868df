using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl.Nodes;

/// <summary>
/// The value of a table's repartition topic: an old row to subtract, a new one to add, or both when they stay in one group.
/// </summary>
/// <remarks>
/// <para>
/// The last byte says what is before it: 0 old, 1 new, 2 both as <c>varint length of new, new, old</c>; 3, 4, 5 the same with a byte in between that is 0
/// when the update is older than the row it changes. Source: KIP-904, Kafka's <c>ChangedSerializer</c> and <c>ChangedDeserializer</c>; recorded bytes
/// are in the conformance cases.
/// </para>
/// </remarks>
internal sealed class ChangeSerde<V>(ISerde<V> inner) : ISerde<Change<V>>
{
    private const byte OldOnly = 0;
    private const byte NewOnly = 1;
    private const byte Both = 2;
    private const byte WithIsLatest = 3;
    private const int MaxVarintBytes = 5;

    // Used between a clear and a write without a call in between that could come back here; one per thread, because tasks share their topology's serdes.
    [ThreadStatic]
    private static SerdeBuffer? _scratch;

    public void Serialize(Change<V> value, IBufferWriter<byte> output)
    {
        byte kind;
        if (value.HasNew && value.HasOld)
        {
            // The new row's length goes before it, so it is serialised aside first.
            var scratch = _scratch ??= new SerdeBuffer();
            scratch.Clear();
            inner.Serialize(value.NewValue, scratch);
            WriteVarint(scratch.WrittenCount, output);
            output.Write(scratch.WrittenSpan);
            inner.Serialize(value.OldValue, output);
            kind = Both;
        }
        else if (value.HasNew)
        {
            inner.Serialize(value.NewValue, output);
            kind = NewOnly;
        }
        else if (value.HasOld)
        {
            inner.Serialize(value.OldValue, output);
            kind = OldOnly;
        }
        else
        {
            throw new SerializationException("A change without an old and a new row says nothing; it cannot be written.");
        }

        if (!value.IsLatest)
        {
            kind += WithIsLatest;
            output.GetSpan(1)[0] = 0;
            output.Advance(1);
        }

        output.GetSpan(1)[0] = kind;
        output.Advance(1);
    }

    public Change<V> Deserialize(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) Throw("it is empty");
        var kind = data[^1];
        data = data[..^1];
        if (kind > Both + WithIsLatest) Throw($"its last byte is {kind}, not 0 to 5");
        var isLatest = true;
        if (kind >= WithIsLatest)
        {
            if (data.IsEmpty) Throw("the byte before the last is missing");
            isLatest = data[^1] != 0;
            data = data[..^1];
            kind -= WithIsLatest;
        }

        switch (kind)
        {
            case OldOnly:
                return new Change<V>(default!, false, inner.Deserialize(data), true, isLatest);
            case NewOnly:
                return new Change<V>(inner.Deserialize(data), true, default!, false, isLatest);
            default:
                var length = ReadVarint(ref data);
                if (length < 0 || length > data.Length) Throw($"it claims a new row of {length} bytes where {data.Length} are left");
                return new Change<V>(inner.Deserialize(data[..length]), true, inner.Deserialize(data[length..]), true, isLatest);
        }
    }

    // Zigzag, as every varint of Kafka's record format.
    private static void WriteVarint(int value, IBufferWriter<byte> output)
    {
        var rest = (uint)((value << 1) ^ (value >> 31));
        var span = output.GetSpan(MaxVarintBytes);
        var count = 0;
        while (rest >= 0x80)
        {
            span[count++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        span[count++] = (byte)rest;
        output.Advance(count);
    }

    private static int ReadVarint(ref ReadOnlySpan<byte> data)
    {
        var result = 0u;
        for (var index = 0; index < MaxVarintBytes && index < data.Length; index++)
        {
            result |= (uint)(data[index] & 0x7f) << (7 * index);
            if (data[index] >= 0x80) continue;
            data = data[(index + 1)..];
            return (int)(result >> 1) ^ -(int)(result & 1);
        }

        Throw("the length of the new row is not a varint");
        return 0;
    }

    [DoesNotReturn]
    private static void Throw(string what) => throw new SerializationException($"A record of a table's repartition topic cannot be read: {what}.");
}
