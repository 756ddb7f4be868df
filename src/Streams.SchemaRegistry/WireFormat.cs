using System.Buffers;
using System.Buffers.Binary;
using Streams.Core;

namespace Streams.SchemaRegistry;

/// <summary>
/// Confluent's framing of a value written with a registered schema: a zero byte, the schema's id as 4 bytes big-endian, then the value. Protobuf has the path of
/// the message in its file before the value: zigzag varints, first the number of indexes; a single zero stands for the path [0].
/// </summary>
public static class WireFormat
{
    /// <summary>First byte of every framed value.</summary>
    public const byte Magic = 0;

    /// <summary>Bytes before the value (before the message path in Protobuf).</summary>
    public const int HeaderBytes = 5;

    /// <summary>Deepest nesting of messages that is read.</summary>
    public const int MaxMessageDepth = 64;

    /// <summary>Appends magic byte and id.</summary>
    public static void WriteHeader(int schemaId, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var span = output.GetSpan(HeaderBytes);
        span[0] = Magic;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], schemaId);
        output.Advance(HeaderBytes);
    }

    /// <summary>Reads magic byte and id, and moves <paramref name="data"/> behind them.</summary>
    /// <exception cref="SerializationException">The value is not framed.</exception>
    public static int ReadHeader(ref ReadOnlySpan<byte> data)
    {
        if (data.Length < HeaderBytes) throw new SerializationException($"A value of {data.Length} byte(s) is too short to carry a schema id; it was not written with a schema registry.");
        if (data[0] != Magic) throw new SerializationException($"The value starts with byte {data[0]} instead of {Magic}; it was not written with a schema registry.");
        var id = BinaryPrimitives.ReadInt32BigEndian(data[1..]);
        data = data[HeaderBytes..];
        return id;
    }

    /// <summary>Appends the path of a Protobuf message in its file: the index of the outermost message, of the one nested in it, and so on.</summary>
    public static void WriteMessagePath(ReadOnlySpan<int> path, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (path.Length == 1 && path[0] == 0)
        {
            WriteVarint(0, output);
            return;
        }

        WriteVarint(path.Length, output);
        foreach (var index in path) WriteVarint(index, output);
    }

    /// <summary>Reads the path of a Protobuf message and moves <paramref name="data"/> behind it.</summary>
    /// <exception cref="SerializationException">The bytes are not a path, or one deeper than <see cref="MaxMessageDepth"/>.</exception>
    public static int[] ReadMessagePath(ref ReadOnlySpan<byte> data)
    {
        var count = ReadVarint(ref data);
        if (count == 0) return [0];
        if (count < 0 || count > MaxMessageDepth) throw new SerializationException($"The message path of a Protobuf value has {count} parts, not 1 to {MaxMessageDepth}.");
        var path = new int[count];
        for (var index = 0; index < count; index++)
        {
            path[index] = ReadVarint(ref data);
            if (path[index] < 0) throw new SerializationException($"The message path of a Protobuf value has the index {path[index]}.");
        }

        return path;
    }

    private static void WriteVarint(int value, IBufferWriter<byte> output)
    {
        var zigzag = (uint)((value << 1) ^ (value >> 31));
        var span = output.GetSpan(5);
        var length = 0;
        while (zigzag >= 0x80)
        {
            span[length++] = (byte)(zigzag | 0x80);
            zigzag >>= 7;
        }

        span[length++] = (byte)zigzag;
        output.Advance(length);
    }

    private static int ReadVarint(ref ReadOnlySpan<byte> data)
    {
        var zigzag = 0u;
        for (var index = 0; index < 5 && index < data.Length; index++)
        {
            zigzag |= (uint)(data[index] & 0x7f) << (7 * index);
            if (data[index] >= 0x80) continue;
            data = data[(index + 1)..];
            return (int)(zigzag >> 1) ^ -(int)(zigzag & 1);
        }

        throw new SerializationException("The message path of a Protobuf value is malformed or cut off.");
    }
}
