using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace Kafka.Protocol.Records;

/// <summary>
/// Snappy blocks, bare (librdkafka) or in the stream framing of the Java client's library: an 8-byte magic, version and lowest compatible
/// version, then blocks, each behind its big-endian length. Both are read; the framing is written, which every client reads.
/// </summary>
/// <remarks>Source: Snappy's format description; xerial snappy-java's <c>SnappyOutputStream</c>.</remarks>
internal static class Snappy
{
    private const int FramingHeaderBytes = 16;
    private const int FramedBlockBytes = 32 * 1024;
    private const int HashBits = 13;

    /// <summary>
    /// The densest element is a copy of 64 bytes said in 3, so a block that claims to expand more than this lies. Checked before memory is rented.
    /// </summary>
    private const int MaxExpansion = 22;

    private const int LiteralTag = 0;
    private const int ShortCopyTag = 1;
    private const int CopyTag = 2;
    private const int MaxCopyBytes = 64;

    private static ReadOnlySpan<byte> FramingMagic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer output)
    {
        output.Write(FramingMagic);
        Span<byte> versions = output.GetSpan(8);
        BinaryPrimitives.WriteInt32BigEndian(versions, 1);
        BinaryPrimitives.WriteInt32BigEndian(versions[4..], 1);
        output.Advance(8);

        ushort[] table = ArrayPool<ushort>.Shared.Rent(1 << HashBits);
        try
        {
            while (!source.IsEmpty)
            {
                ReadOnlySpan<byte> block = source[..Math.Min(FramedBlockBytes, source.Length)];
                source = source[block.Length..];
                Span<byte> free = output.GetSpan(4 + MaxCompressedBytes(block.Length));
                int length = CompressBlock(block, free[4..], table.AsSpan(0, 1 << HashBits));
                BinaryPrimitives.WriteInt32BigEndian(free, length);
                output.Advance(4 + length);
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(table);
        }
    }

    public static void Decompress(ReadOnlySpan<byte> source, PooledBuffer output)
    {
        if (source.Length < FramingHeaderBytes || !source.StartsWith(FramingMagic))
        {
            DecompressBlock(source, output);
            return;
        }

        source = source[FramingHeaderBytes..];
        while (!source.IsEmpty)
        {
            if (source.Length < 4)
                throw Corrupt();
            int length = BinaryPrimitives.ReadInt32BigEndian(source);
            if (length < 0 || length > source.Length - 4)
                throw Corrupt();
            DecompressBlock(source.Slice(4, length), output);
            source = source[(4 + length)..];
        }
    }

    /// <summary>Most bytes that a block of <paramref name="count"/> bytes takes: the length and one literal, tag bytes and all.</summary>
    internal static int MaxCompressedBytes(int count) => 32 + count + (count / 6);

    /// <summary>Compresses at most 64 KiB; the output holds <see cref="MaxCompressedBytes"/>.</summary>
    internal static int CompressBlock(ReadOnlySpan<byte> source, Span<byte> output, Span<ushort> table)
    {
        table.Clear();
        int written = 0;
        for (uint rest = (uint)source.Length; ; rest >>= 7)
        {
            output[written++] = (byte)(rest >= 0x80 ? rest | 0x80 : rest);
            if (rest < 0x80)
                break;
        }

        int literalStart = 0;
        int position = 1;
        int misses = 32;
        while (position + 4 <= source.Length)
        {
            uint bytes = BinaryPrimitives.ReadUInt32LittleEndian(source[position..]);
            int slot = (int)((bytes * 0x1E35A7BDu) >> (32 - HashBits));
            int candidate = table[slot];
            table[slot] = (ushort)position;
            if (candidate >= position || BinaryPrimitives.ReadUInt32LittleEndian(source[candidate..]) != bytes)
            {
                // The longer nothing matches, the larger the steps: incompressible data passes quickly.
                position += misses++ >> 5;
                continue;
            }

            misses = 32;
            int length = 4 + source[(candidate + 4)..].CommonPrefixLength(source[(position + 4)..]);
            written += WriteLiteral(source[literalStart..position], output[written..]);
            written += WriteCopies(position - candidate, length, output[written..]);
            position += length;
            literalStart = position;
        }

        return written + WriteLiteral(source[literalStart..], output[written..]);
    }

    private static int WriteLiteral(ReadOnlySpan<byte> literal, Span<byte> output)
    {
        if (literal.IsEmpty)
            return 0;
        int value = literal.Length - 1;
        int written = 1;
        if (value < 60)
        {
            output[0] = (byte)((value << 2) | LiteralTag);
        }
        else
        {
            int extra = (BitOperations.Log2((uint)value) / 8) + 1;
            output[0] = (byte)(((59 + extra) << 2) | LiteralTag);
            for (; extra > 0; extra--, value >>= 8)
                output[written++] = (byte)value;
        }

        literal.CopyTo(output[written..]);
        return written + literal.Length;
    }

    private static int WriteCopies(int distance, int length, Span<byte> output)
    {
        int written = 0;
        while (length > 0)
        {
            if (length is >= 4 and <= 11 && distance < 2048)
            {
                output[written++] = (byte)(((distance >> 8) << 5) | ((length - 4) << 2) | ShortCopyTag);
                output[written++] = (byte)distance;
                return written;
            }

            int part = Math.Min(length, MaxCopyBytes);
            output[written++] = (byte)(((part - 1) << 2) | CopyTag);
            BinaryPrimitives.WriteUInt16LittleEndian(output[written..], (ushort)distance);
            written += 2;
            length -= part;
        }

        return written;
    }

    private static void DecompressBlock(ReadOnlySpan<byte> source, PooledBuffer output)
    {
        int position = 0;
        int total = ReadLength(source, ref position);
        if (total > (long)source.Length * MaxExpansion)
            throw Corrupt();
        Span<byte> block = output.GetSpanWithinBound(total);
        if (block.Length < total)
            output.ThrowBoundExceeded();
        int written = 0;
        while (position < source.Length)
        {
            int tag = source[position++];
            if ((tag & 3) == LiteralTag)
            {
                int length = ReadLiteralLength(source, tag, ref position);
                if (length > source.Length - position || length > total - written)
                    throw Corrupt();
                source.Slice(position, length).CopyTo(block[written..]);
                position += length;
                written += length;
            }
            else
            {
                int length = ReadCopy(source, tag, ref position, out uint distance);
                if (distance == 0 || distance > (uint)written || length > total - written)
                    throw Corrupt();
                CopyWithin(block, written, (int)distance, length);
                written += length;
            }
        }

        if (written != total)
            throw Corrupt();
        output.Advance(total);
    }

    private static int ReadLength(ReadOnlySpan<byte> source, ref int position)
    {
        uint value = 0;
        for (int shift = 0; shift < 35 && position < source.Length; shift += 7)
        {
            byte b = source[position++];
            if (shift == 28 && b > 0x07)
                break;
            value |= (uint)(b & 0x7F) << shift;
            if (b < 0x80)
                return (int)value;
        }

        throw Corrupt();
    }

    private static int ReadLiteralLength(ReadOnlySpan<byte> source, int tag, ref int position)
    {
        int code = tag >> 2;
        if (code < 60)
            return code + 1;
        int extra = code - 59;
        if (extra > source.Length - position)
            throw Corrupt();
        uint value = 0;
        for (int i = 0; i < extra; i++)
            value |= (uint)source[position++] << (8 * i);
        return value < int.MaxValue ? (int)value + 1 : throw Corrupt();
    }

    private static int ReadCopy(ReadOnlySpan<byte> source, int tag, ref int position, out uint distance)
    {
        int distanceBytes = (tag & 3) == ShortCopyTag ? 1 : (tag & 3) == CopyTag ? 2 : 4;
        if (distanceBytes > source.Length - position)
            throw Corrupt();
        ReadOnlySpan<byte> field = source[position..];
        position += distanceBytes;
        switch (distanceBytes)
        {
            case 1:
                distance = (uint)(((tag >> 5) << 8) | field[0]);
                return ((tag >> 2) & 7) + 4;
            case 2:
                distance = BinaryPrimitives.ReadUInt16LittleEndian(field);
                return (tag >> 2) + 1;
            default:
                distance = BinaryPrimitives.ReadUInt32LittleEndian(field);
                return (tag >> 2) + 1;
        }
    }

    /// <summary>Copies from <paramref name="distance"/> back; source and destination may overlap, which repeats the pattern.</summary>
    internal static void CopyWithin(Span<byte> buffer, int position, int distance, int length)
    {
        if (distance >= length)
        {
            buffer.Slice(position - distance, length).CopyTo(buffer[position..]);
            return;
        }

        // Each round copies what is there already, so the pattern doubles.
        int available = distance;
        int start = position - distance;
        while (length > 0)
        {
            int part = Math.Min(available, length);
            buffer.Slice(start, part).CopyTo(buffer.Slice(position, part));
            position += part;
            length -= part;
            available += part;
        }
    }

    private static ProtocolException Corrupt() => new(ErrorCode.CorruptMessage, "Snappy data is corrupt or cut off.");
}
