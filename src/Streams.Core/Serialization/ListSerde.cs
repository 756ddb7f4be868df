using System.Buffers;
using System.Buffers.Binary;

namespace Streams.Core;

/// <summary>A list of values; an entry that is <c>null</c> is kept as such.</summary>
/// <remarks>
/// A flag byte. 0, for element types of fixed width: number of null entries and the index of each, number of entries, the entries that are not null.
/// 1, for others: number of entries, then for each its length (-1 for null) and bytes. Numbers are 4 bytes, big-endian.
/// Source: Kafka's <c>ListSerializer</c> (KIP-466).
/// </remarks>
internal sealed class ListSerde<T>(ISerde<T> inner) : ISerde<IReadOnlyList<T>>
{
    private const byte FixedWidthFlag = 0;
    private const byte LengthPrefixedFlag = 1;
    private const int NullLength = -1;

    private readonly int? _width = FixedWidth.Of(inner);

    public void Serialize(IReadOnlyList<T> value, IBufferWriter<byte> output)
    {
        if (_width is null)
        {
            WriteByte(LengthPrefixedFlag, output);
            WriteInt32(value.Count, output);
        }
        else
        {
            WriteByte(FixedWidthFlag, output);
            var nulls = Enumerable.Range(0, value.Count).Where(index => value[index] is null).ToList();
            WriteInt32(nulls.Count, output);
            foreach (var index in nulls) WriteInt32(index, output);
            WriteInt32(value.Count, output);
        }

        var entry = new ArrayBufferWriter<byte>();
        foreach (var element in value)
        {
            if (element is null)
            {
                if (_width is null) WriteInt32(NullLength, output);
                continue;
            }

            entry.ResetWrittenCount();
            inner.Serialize(element, entry);
            if (_width is null) WriteInt32(entry.WrittenCount, output);
            output.Write(entry.WrittenSpan);
        }
    }

    public IReadOnlyList<T> Deserialize(ReadOnlySpan<byte> data)
    {
        var flag = data.IsEmpty ? throw Malformed("it is empty") : data[0];
        data = data[1..];
        var result = flag switch
        {
            FixedWidthFlag when _width is { } width => ReadFixed(ref data, width),
            LengthPrefixedFlag when _width is null => ReadPrefixed(ref data),
            _ => throw Malformed($"its flag is {flag}, which does not fit elements of type {TypeNames.Of(typeof(T))}"),
        };
        return data.IsEmpty ? result : throw Malformed($"{data.Length} bytes follow its end");
    }

    // Every count is checked against the bytes that are there before anything of its size is made.
    private T[] ReadFixed(ref ReadOnlySpan<byte> data, int width)
    {
        var nullCount = ReadInt32(ref data);
        if (nullCount < 0 || nullCount > data.Length / sizeof(int)) throw Malformed($"it claims {nullCount} null entries");
        var nulls = new HashSet<int>(nullCount);
        for (var read = 0; read < nullCount; read++) nulls.Add(ReadInt32(ref data));
        var count = ReadInt32(ref data);
        if (count < 0 || (long)count - nulls.Count > data.Length / width) throw Malformed($"it claims {count} entries");

        var result = new T[count];
        for (var index = 0; index < count; index++)
        {
            if (nulls.Contains(index))
            {
                result[index] = NullEntry();
                continue;
            }

            if (data.Length < width) throw Malformed("it ends in the middle of an entry");
            result[index] = inner.Deserialize(data[..width]);
            data = data[width..];
        }

        return result;
    }

    private T[] ReadPrefixed(ref ReadOnlySpan<byte> data)
    {
        var count = ReadInt32(ref data);
        if (count < 0 || count > data.Length / sizeof(int)) throw Malformed($"it claims {count} entries");
        var result = new T[count];
        for (var index = 0; index < count; index++)
        {
            var length = ReadInt32(ref data);
            if (length == NullLength)
            {
                result[index] = NullEntry();
                continue;
            }

            if (length < 0 || length > data.Length) throw Malformed($"an entry claims {length} bytes");
            result[index] = inner.Deserialize(data[..length]);
            data = data[length..];
        }

        return result;
    }

    private static T NullEntry() => default(T) is null
        ? default!
        : throw Malformed($"it has a null entry, which {TypeNames.Of(typeof(T))} cannot be; use Serdes.Nullable for the elements");

    private static int ReadInt32(ref ReadOnlySpan<byte> data)
    {
        if (data.Length < sizeof(int)) throw Malformed("it ends in the middle of a number");
        var value = BinaryPrimitives.ReadInt32BigEndian(data);
        data = data[sizeof(int)..];
        return value;
    }

    private static void WriteInt32(int value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), value);
        output.Advance(sizeof(int));
    }

    private static void WriteByte(byte value, IBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    private static SerializationException Malformed(string fault) => new($"A list is malformed: {fault}. Was the topic written with another serializer?");
}
