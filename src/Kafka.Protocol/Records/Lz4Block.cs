using System.Buffers.Binary;

namespace Kafka.Protocol.Records;

/// <summary>LZ4 blocks: a sequence is a token, literals, a 2-byte distance and a match length; the last one has literals only.</summary>
internal static class Lz4Block
{
    public const int HashBits = 12;

    private const int MinMatchBytes = 4;

    /// <summary>The format's end rules: no match starts in the last 12 bytes, and the last 5 are literals.</summary>
    private const int LastMatchDistance = 12;
    private const int LastLiteralBytes = 5;

    public static int MaxCompressedBytes(int count) => count + (count / 255) + 16;

    /// <summary>Compresses at most 64 KiB; the output holds <see cref="MaxCompressedBytes"/>.</summary>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> output, Span<ushort> table)
    {
        table.Clear();
        int written = 0;
        int literalStart = 0;
        int position = 1;
        int misses = 64;
        int lastMatchStart = source.Length - LastMatchDistance;
        while (position <= lastMatchStart)
        {
            uint bytes = BinaryPrimitives.ReadUInt32LittleEndian(source[position..]);
            int slot = (int)((bytes * 2654435761u) >> (32 - HashBits));
            int candidate = table[slot];
            table[slot] = (ushort)position;
            if (candidate >= position || BinaryPrimitives.ReadUInt32LittleEndian(source[candidate..]) != bytes)
            {
                position += misses++ >> 6;
                continue;
            }

            misses = 64;
            ReadOnlySpan<byte> rest = source[(position + MinMatchBytes)..^LastLiteralBytes];
            int extra = rest.CommonPrefixLength(source[(candidate + MinMatchBytes)..]);
            written += WriteSequence(source[literalStart..position], position - candidate, extra, output[written..]);
            position += MinMatchBytes + extra;
            literalStart = position;
        }

        return written + WriteLastLiterals(source[literalStart..], output[written..]);
    }

    /// <summary>
    /// Decompresses one block into <paramref name="buffer"/> at <paramref name="start"/>, reaching back no further than
    /// <paramref name="windowStart"/>; returns the number of bytes produced, or -1 when the block is corrupt or does not fit.
    /// </summary>
    public static int Decompress(ReadOnlySpan<byte> source, Span<byte> buffer, int start, int windowStart)
    {
        int position = 0;
        int written = start;
        while (position < source.Length)
        {
            int token = source[position++];
            if (!TryReadLength(source, ref position, token >> 4, out int literals)
                || literals > source.Length - position
                || literals > buffer.Length - written)
            {
                return -1;
            }

            source.Slice(position, literals).CopyTo(buffer[written..]);
            position += literals;
            written += literals;
            if (position == source.Length)
                return written - start;

            if (source.Length - position < 2)
                return -1;
            int distance = BinaryPrimitives.ReadUInt16LittleEndian(source[position..]);
            position += 2;
            if (!TryReadLength(source, ref position, token & 0x0F, out int length))
                return -1;
            length += MinMatchBytes;
            if (distance == 0 || distance > written - windowStart || length > buffer.Length - written)
                return -1;
            Snappy.CopyWithin(buffer, written, distance, length);
            written += length;
        }

        // The last sequence must be one of literals; an empty block or one that ends in a match has none.
        return -1;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> source, ref int position, int code, out int length)
    {
        length = code;
        if (code < 15)
            return true;
        while (position < source.Length)
        {
            byte b = source[position++];
            length += b;
            if (b < 255)
                return length >= 0;
        }

        return false;
    }

    private static int WriteSequence(ReadOnlySpan<byte> literals, int distance, int extraMatch, Span<byte> output)
    {
        int written = WriteTokenAndLiterals(literals, Math.Min(extraMatch, 15), output);
        BinaryPrimitives.WriteUInt16LittleEndian(output[written..], (ushort)distance);
        written += 2;
        if (extraMatch >= 15)
            written += WriteLength(extraMatch - 15, output[written..]);
        return written;
    }

    private static int WriteLastLiterals(ReadOnlySpan<byte> literals, Span<byte> output) => WriteTokenAndLiterals(literals, 0, output);

    private static int WriteTokenAndLiterals(ReadOnlySpan<byte> literals, int matchCode, Span<byte> output)
    {
        output[0] = (byte)((Math.Min(literals.Length, 15) << 4) | matchCode);
        int written = 1;
        if (literals.Length >= 15)
            written += WriteLength(literals.Length - 15, output[written..]);
        literals.CopyTo(output[written..]);
        return written + literals.Length;
    }

    private static int WriteLength(int length, Span<byte> output)
    {
        int written = 0;
        for (; length >= 255; length -= 255)
            output[written++] = 255;
        output[written++] = (byte)length;
        return written;
    }
}
