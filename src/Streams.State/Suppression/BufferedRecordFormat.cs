using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Streams.State.Suppression;

/// <summary>
/// How a record that is held back looks in its buffer's changelog: time 8, offset 8, topic (length 4, UTF-8), partition 4, headers (count 4, then for each name and
/// value with lengths of 4), then the parts prior, old and new value (length 4 and bytes), then the time it is ordered by, 8. A length of -1 is an absent part, and of
/// -2 an old value that is the prior one. All big-endian.
/// </summary>
/// <remarks>Source: Kafka's <c>BufferValue</c> and <c>ProcessorRecordContext</c>; version 3 of the suppression buffer's changelog.</remarks>
internal static class BufferedRecordFormat
{
    private const int Absent = -1;
    private const int SameAsPrior = -2;

    // Two lengths.
    private const int LeastHeaderBytes = 2 * sizeof(int);

    public static void WriteContext(SerdeBuffer output, RecordCoordinates coordinates, Headers? headers)
    {
        WriteInt64(output, coordinates.Timestamp);
        WriteInt64(output, coordinates.Offset);
        WriteText(output, coordinates.Topic);
        WriteInt32(output, coordinates.Partition);
        WriteInt32(output, headers?.Count ?? 0);
        for (var i = 0; i < headers?.Count; i++)
        {
            WriteText(output, headers[i].Key);
            if (headers[i].Value is { } value) WritePart(output, value.Span, isPresent: true);
            else WriteInt32(output, Absent);
        }
    }

    public static void WritePart(SerdeBuffer output, ReadOnlySpan<byte> bytes, bool isPresent)
    {
        WriteInt32(output, isPresent ? bytes.Length : Absent);
        if (isPresent) output.Write(bytes);
    }

    public static void WriteSameAsPrior(SerdeBuffer output) => WriteInt32(output, SameAsPrior);

    public static void WriteInt64(SerdeBuffer output, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), value);
        output.Advance(sizeof(long));
    }

    /// <summary>Takes a record apart.</summary>
    /// <exception cref="SerializationException">A length does not fit the bytes.</exception>
    public static BufferedRecordParts Read(ReadOnlySpan<byte> data)
    {
        var reader = new Reader(data);
        var timestamp = reader.Int64();
        var offset = reader.Int64();
        var topic = Encoding.UTF8.GetString(reader.Bytes(reader.Length()));
        var partition = reader.Int32();
        var headers = ReadHeaders(ref reader);
        var hasPrior = reader.Part(out var prior, allowSame: false) != Absent;
        var oldLength = reader.Part(out var old, allowSame: true);
        var hasOld = oldLength == SameAsPrior ? hasPrior : oldLength != Absent;
        var hasNew = reader.Part(out var @new, allowSame: false) != Absent;
        return new BufferedRecordParts
        {
            Coordinates = new RecordCoordinates(topic, partition, offset, timestamp, HasRecord: topic.Length > 0),
            Headers = headers,
            HasPrior = hasPrior,
            Prior = prior,
            HasOld = hasOld,
            Old = oldLength == SameAsPrior ? prior : old,
            HasNew = hasNew,
            New = @new,
            Time = reader.Int64(),
        };
    }

    private static Headers? ReadHeaders(ref Reader reader)
    {
        // Buffers of old versions wrote -1 for none.
        var count = reader.Int32();
        if (count is 0 or Absent) return null;
        if (count < 0 || count > reader.Remaining / LeastHeaderBytes) throw Malformed();
        var headers = new Header[count];
        for (var i = 0; i < count; i++)
        {
            var name = Encoding.UTF8.GetString(reader.Bytes(reader.Length()));
            headers[i] = reader.Part(out var value, allowSame: false) == Absent ? new Header(name, null) : new Header(name, value.ToArray());
        }

        return Headers.From(headers);
    }

    private static void WriteInt32(SerdeBuffer output, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), value);
        output.Advance(sizeof(int));
    }

    private static void WriteText(SerdeBuffer output, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        WriteInt32(output, length);
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(length)));
    }

    private static SerializationException Malformed() => new("A record that was held back cannot be read: a length does not fit the bytes that follow.");

    private ref struct Reader(ReadOnlySpan<byte> data)
    {
        private ReadOnlySpan<byte> _rest = data;

        public readonly int Remaining => _rest.Length;

        public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Bytes(sizeof(long)));

        public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Bytes(sizeof(int)));

        public int Length()
        {
            var length = Int32();
            return length >= 0 ? length : throw Malformed();
        }

        public ReadOnlySpan<byte> Bytes(int length)
        {
            if (length > _rest.Length) throw Malformed();
            var bytes = _rest[..length];
            _rest = _rest[length..];
            return bytes;
        }

        public int Part(out ReadOnlySpan<byte> bytes, bool allowSame)
        {
            var length = Int32();
            bytes = default;
            if (length == Absent || (allowSame && length == SameAsPrior)) return length;
            if (length < 0) throw Malformed();
            bytes = Bytes(length);
            return length;
        }
    }
}

/// <summary>A record that is held back, as it was read; its spans lie in what it was read from.</summary>
internal ref struct BufferedRecordParts
{
    public RecordCoordinates Coordinates;
    public Headers? Headers;
    public bool HasPrior;
    public ReadOnlySpan<byte> Prior;
    public bool HasOld;
    public ReadOnlySpan<byte> Old;
    public bool HasNew;
    public ReadOnlySpan<byte> New;
    public long Time;
}
