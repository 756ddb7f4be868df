using System.Buffers;
using System.Text;

namespace Streams.Core;

/// <summary>Headers as bytes inside a <see cref="RecordBatch"/>: zigzag-varint lengths, as in Kafka's record format v2.</summary>
public static class HeaderEncoding
{
    /// <summary>Appends headers.</summary>
    public static void Write(Headers headers, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(output);

        // By index: an enumerator would be garbage, and this is called per record.
        for (var index = 0; index < headers.Count; index++) Write(headers[index].Key, headers[index].Value, output);
    }

    /// <summary>Appends one header, for adapters whose clients have their own header type.</summary>
    internal static void Write(string key, ReadOnlyMemory<byte>? value, IBufferWriter<byte> output)
    {
        var size = Encoding.UTF8.GetByteCount(key);
        WriteVarint(size, output);
        output.Advance(Encoding.UTF8.GetBytes(key, output.GetSpan(size)));
        if (value is { } bytes)
        {
            WriteVarint(bytes.Length, output);
            output.Write(bytes.Span);
        }
        else
        {
            WriteVarint(-1, output);
        }
    }

    /// <summary>Reads headers.</summary>
    /// <param name="data">Bytes from the first header on.</param>
    /// <param name="count">How many headers.</param>
    /// <exception cref="SerializationException">A length does not fit the bytes.</exception>
    public static Headers Read(ReadOnlySpan<byte> data, int count)
    {
        // Each header takes at least two bytes, so the count is checked before anything of its size is made.
        if (count < 0 || count > data.Length / 2) throw Malformed();
        var headers = new Header[count];
        for (var index = 0; index < count; index++)
        {
            var keyLength = ReadVarint(ref data);
            if (keyLength < 0 || keyLength > data.Length) throw Malformed();
            var key = Encoding.UTF8.GetString(data[..keyLength]);
            data = data[keyLength..];

            var valueLength = ReadVarint(ref data);
            if (valueLength < -1 || valueLength > data.Length) throw Malformed();
            if (valueLength < 0)
            {
                headers[index] = new Header(key, null);
                continue;
            }

            headers[index] = new Header(key, data[..valueLength].ToArray());
            data = data[valueLength..];
        }

        return Streams.Core.Headers.From(headers);
    }

    /// <summary>Appends the number of headers as Kafka's record format has it before them; not part of what <see cref="Read"/> takes.</summary>
    public static void WriteCount(int count, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        WriteVarint(count, output);
    }

    /// <summary>Bytes that <see cref="WriteCount"/> writes.</summary>
    public static int CountSize(int count)
    {
        var size = 1;
        for (var zigzag = (uint)count << 1; zigzag >= 0x80; zigzag >>= 7) size++;
        return size;
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

        throw Malformed();
    }

    private static SerializationException Malformed() => new("A record's headers are malformed: a length does not fit the bytes that follow.");
}
