using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Streams.Core;

/// <summary>UTF-8 text; Kafka's <c>StringSerializer</c>.</summary>
internal sealed class StringSerde : ISerde<string>
{
    public void Serialize(string value, IBufferWriter<byte> output)
    {
        // One pass for short texts: three bytes per UTF-16 unit is the worst case.
        if (value.Length <= 256)
        {
            var span = output.GetSpan(Math.Max(1, value.Length * 3));
            output.Advance(Encoding.UTF8.GetBytes(value, span));
            return;
        }

        var count = Encoding.UTF8.GetByteCount(value);
        output.Advance(Encoding.UTF8.GetBytes(value, output.GetSpan(count)));
    }

    public string Deserialize(ReadOnlySpan<byte> data) => Encoding.UTF8.GetString(data);
}

/// <summary>Two's complement, big-endian; the shape of every integer serde of Kafka's.</summary>
internal sealed class Int64Serde : ISerde<long>
{
    public void Serialize(long value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), value);
        output.Advance(sizeof(long));
    }

    public long Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadInt64BigEndian(FixedWidth.Check<long>(data, sizeof(long)));
}

internal sealed class UInt64Serde : ISerde<ulong>
{
    public void Serialize(ulong value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteUInt64BigEndian(output.GetSpan(sizeof(ulong)), value);
        output.Advance(sizeof(ulong));
    }

    public ulong Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt64BigEndian(FixedWidth.Check<ulong>(data, sizeof(ulong)));
}

internal sealed class Int32Serde : ISerde<int>
{
    public void Serialize(int value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), value);
        output.Advance(sizeof(int));
    }

    public int Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadInt32BigEndian(FixedWidth.Check<int>(data, sizeof(int)));
}

internal sealed class UInt32Serde : ISerde<uint>
{
    public void Serialize(uint value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(sizeof(uint)), value);
        output.Advance(sizeof(uint));
    }

    public uint Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt32BigEndian(FixedWidth.Check<uint>(data, sizeof(uint)));
}

internal sealed class Int16Serde : ISerde<short>
{
    public void Serialize(short value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt16BigEndian(output.GetSpan(sizeof(short)), value);
        output.Advance(sizeof(short));
    }

    public short Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadInt16BigEndian(FixedWidth.Check<short>(data, sizeof(short)));
}

internal sealed class UInt16Serde : ISerde<ushort>
{
    public void Serialize(ushort value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(sizeof(ushort)), value);
        output.Advance(sizeof(ushort));
    }

    public ushort Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt16BigEndian(FixedWidth.Check<ushort>(data, sizeof(ushort)));
}

internal sealed class ByteSerde : ISerde<byte>
{
    public void Serialize(byte value, IBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public byte Deserialize(ReadOnlySpan<byte> data) => FixedWidth.Check<byte>(data, 1)[0];
}

internal sealed class SByteSerde : ISerde<sbyte>
{
    public void Serialize(sbyte value, IBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = unchecked((byte)value);
        output.Advance(1);
    }

    public sbyte Deserialize(ReadOnlySpan<byte> data) => unchecked((sbyte)FixedWidth.Check<sbyte>(data, 1)[0]);
}

/// <summary>One byte, 0 or 1; Kafka's <c>BooleanSerializer</c>.</summary>
internal sealed class BooleanSerde : ISerde<bool>
{
    public void Serialize(bool value, IBufferWriter<byte> output)
    {
        output.GetSpan(1)[0] = value ? (byte)1 : (byte)0;
        output.Advance(1);
    }

    public bool Deserialize(ReadOnlySpan<byte> data) => FixedWidth.Check<bool>(data, 1)[0] switch
    {
        0 => false,
        1 => true,
        var other => throw new SerializationException($"A bool is one byte, 0 or 1; got {other}."),
    };
}

/// <summary>IEEE 754 bits, big-endian; Kafka's <c>DoubleSerializer</c>.</summary>
internal sealed class DoubleSerde : ISerde<double>
{
    public void Serialize(double value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteDoubleBigEndian(output.GetSpan(sizeof(double)), value);
        output.Advance(sizeof(double));
    }

    public double Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadDoubleBigEndian(FixedWidth.Check<double>(data, sizeof(double)));
}

/// <summary>IEEE 754 bits, big-endian; Kafka's <c>FloatSerializer</c>.</summary>
internal sealed class SingleSerde : ISerde<float>
{
    public void Serialize(float value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteSingleBigEndian(output.GetSpan(sizeof(float)), value);
        output.Advance(sizeof(float));
    }

    public float Deserialize(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadSingleBigEndian(FixedWidth.Check<float>(data, sizeof(float)));
}

/// <summary>The 36 characters of the usual text form; Kafka's <c>UUIDSerializer</c> writes text, not 16 bytes.</summary>
internal sealed class GuidSerde : ISerde<Guid>
{
    private const int TextLength = 36;

    public void Serialize(Guid value, IBufferWriter<byte> output)
    {
        value.TryFormat(output.GetSpan(TextLength), out var written, "D");
        output.Advance(written);
    }

    public Guid Deserialize(ReadOnlySpan<byte> data)
    {
        if (data.Length != TextLength || !System.Buffers.Text.Utf8Parser.TryParse(data, out Guid value, out var consumed, 'D') || consumed != TextLength)
            throw new SerializationException($"A Guid is {TextLength} characters such as 01234567-89ab-cdef-0123-456789abcdef; got {data.Length} bytes that are not one.");
        return value;
    }
}

/// <summary>The bytes themselves; Kafka's <c>ByteArraySerializer</c>.</summary>
internal sealed class ByteArraySerde : ISerde<byte[]>
{
    public void Serialize(byte[] value, IBufferWriter<byte> output) => output.Write(value);

    public byte[] Deserialize(ReadOnlySpan<byte> data) => data.ToArray();
}

/// <summary>The bytes themselves; Kafka's <c>BytesSerializer</c>.</summary>
internal sealed class MemorySerde : ISerde<ReadOnlyMemory<byte>>
{
    public void Serialize(ReadOnlyMemory<byte> value, IBufferWriter<byte> output) => output.Write(value.Span);

    public ReadOnlyMemory<byte> Deserialize(ReadOnlySpan<byte> data) => data.ToArray();
}

/// <summary>A serde of a struct used for its nullable form: absent values never reach it.</summary>
internal sealed class NullableSerde<T>(ISerde<T> inner) : ISerde<T?>, IWrappedSerde
    where T : struct
{
    public object Inner => inner;

    public void Serialize(T? value, IBufferWriter<byte> output) => inner.Serialize(value!.Value, output);

    public T? Deserialize(ReadOnlySpan<byte> data) => inner.Deserialize(data);
}

/// <summary>A serde that writes exactly what another one writes.</summary>
internal interface IWrappedSerde
{
    object Inner { get; }
}

internal static class FixedWidth
{
    private const int GuidTextBytes = 36;

    /// <summary>How many bytes a serde always writes; <c>null</c> when it depends on the value. Kafka's <c>Serdes.ListSerde</c> knows the same ones.</summary>
    public static int? Of(object serde) => serde switch
    {
        IWrappedSerde wrapped => Of(wrapped.Inner),
        Int64Serde or UInt64Serde or DoubleSerde => sizeof(long),
        Int32Serde or UInt32Serde or SingleSerde => sizeof(int),
        Int16Serde or UInt16Serde => sizeof(short),
        GuidSerde => GuidTextBytes,
        _ => null,
    };

    public static ReadOnlySpan<byte> Check<T>(ReadOnlySpan<byte> data, int size) => data.Length == size
        ? data
        : throw new SerializationException($"A {TypeNames.Of(typeof(T))} is {size} bytes; got {data.Length}. Was the topic written with another serializer?");
}
