using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Streams.SchemaRegistry.Avro.Writing;

/// <summary>Writes Avro's binary encoding.</summary>
internal readonly struct AvroWriter(IBufferWriter<byte> output)
{
    public void WriteBoolean(bool value)
    {
        output.GetSpan(1)[0] = value ? (byte)1 : (byte)0;
        output.Advance(1);
    }

    public void WriteLong(long value)
    {
        var zigzag = (ulong)((value << 1) ^ (value >> 63));
        var span = output.GetSpan(10);
        var length = 0;
        while (zigzag >= 0x80)
        {
            span[length++] = (byte)(zigzag | 0x80);
            zigzag >>= 7;
        }

        span[length++] = (byte)zigzag;
        output.Advance(length);
    }

    public void WriteFloat(float value)
    {
        BinaryPrimitives.WriteSingleLittleEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    public void WriteDouble(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(output.GetSpan(8), value);
        output.Advance(8);
    }

    public void WriteString(string value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        WriteLong(size);
        if (size == 0) return;
        output.Advance(Encoding.UTF8.GetBytes(value, output.GetSpan(size)));
    }

    public void WriteRaw(ReadOnlySpan<byte> bytes) => output.Write(bytes);
}
