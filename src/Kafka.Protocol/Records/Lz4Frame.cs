using System.Buffers;
using System.Buffers.Binary;

namespace Kafka.Protocol.Records;

/// <summary>
/// The LZ4 frame format. Written like the Java client does: independent blocks of 64 KiB, no content size, no checksums but the
/// header's. Read: linked blocks and all checksums as well, except frames that need a dictionary.
/// </summary>
/// <remarks>Source: LZ4 frame format description 1.6.</remarks>
internal static class Lz4Frame
{
    private const uint Magic = 0x184D2204;
    private const int VersionMask = 0xC0;
    private const int Version = 0x40;
    private const int IndependentBlocksFlag = 0x20;
    private const int BlockChecksumFlag = 0x10;
    private const int ContentSizeFlag = 0x08;
    private const int ContentChecksumFlag = 0x04;
    private const int ReservedFlag = 0x02;
    private const int DictionaryFlag = 0x01;
    private const uint StoredBlockFlag = 0x80000000;
    private const int BlockBytes = 64 * 1024;
    private const int BlockSizeCode = 4;

    /// <summary>Part of the window that a linked block may reach back over.</summary>
    private const int WindowBytes = 64 * 1024;

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer output)
    {
        Span<byte> header = output.GetSpan(7);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        header[4] = Version | IndependentBlocksFlag;
        header[5] = BlockSizeCode << 4;
        header[6] = HeaderChecksum(header[4..6]);
        output.Advance(7);

        ushort[] table = ArrayPool<ushort>.Shared.Rent(1 << Lz4Block.HashBits);
        try
        {
            while (!source.IsEmpty)
            {
                ReadOnlySpan<byte> block = source[..Math.Min(BlockBytes, source.Length)];
                source = source[block.Length..];
                WriteBlock(block, output, table.AsSpan(0, 1 << Lz4Block.HashBits));
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(table);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(output.GetSpan(4), 0);
        output.Advance(4);
    }

    public static void Decompress(ReadOnlySpan<byte> source, PooledBuffer output)
    {
        do
        {
            DecompressFrame(ref source, output);
        }
        while (!source.IsEmpty);
    }

    private static void WriteBlock(ReadOnlySpan<byte> block, PooledBuffer output, Span<ushort> table)
    {
        Span<byte> free = output.GetSpan(4 + Lz4Block.MaxCompressedBytes(block.Length));
        int length = Lz4Block.Compress(block, free[4..], table);
        if (length < block.Length)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(free, (uint)length);
        }
        else
        {
            length = block.Length;
            BinaryPrimitives.WriteUInt32LittleEndian(free, (uint)length | StoredBlockFlag);
            block.CopyTo(free[4..]);
        }

        output.Advance(4 + length);
    }

    private static void DecompressFrame(ref ReadOnlySpan<byte> source, PooledBuffer output)
    {
        int flags = ReadHeader(ref source, out int maxBlockBytes, out ulong? contentBytes);
        int frameStart = output.Length;
        while (true)
        {
            uint field = ReadUInt32(ref source);
            if (field == 0)
                break;
            int length = (int)(field & ~StoredBlockFlag);
            if (length > maxBlockBytes || length > source.Length)
                throw Corrupt();
            ReadOnlySpan<byte> block = source[..length];
            source = source[length..];
            if ((flags & BlockChecksumFlag) != 0 && ReadUInt32(ref source) != XxHash32.Compute(block))
                throw Corrupt();
            if ((field & StoredBlockFlag) != 0)
                output.Write(block);
            else
                DecompressBlock(block, output, frameStart, maxBlockBytes, (flags & IndependentBlocksFlag) != 0);
        }

        ReadOnlySpan<byte> content = output.WrittenSpan[frameStart..];
        if (contentBytes is { } expected && expected != (ulong)content.Length)
            throw Corrupt();
        if ((flags & ContentChecksumFlag) != 0 && ReadUInt32(ref source) != XxHash32.Compute(content))
            throw Corrupt();
    }

    private static void DecompressBlock(ReadOnlySpan<byte> block, PooledBuffer output, int frameStart, int maxBlockBytes, bool independent)
    {
        // A block byte says 255 bytes at most, so a small block needs little room whatever the frame allows.
        int room = (int)Math.Min(maxBlockBytes, 255L * block.Length);
        int start = output.Length;
        bool atBound = room > output.MaxBytes - start;
        output.GetSpanWithinBound(room);
        int windowStart = independent ? start : Math.Max(frameStart, start - WindowBytes);
        int produced = Lz4Block.Decompress(block, output.ArrayUpTo(start + Math.Min(room, output.MaxBytes - start)), start, windowStart);
        if (produced < 0)
        {
            if (atBound)
                output.ThrowBoundExceeded();
            throw Corrupt();
        }

        output.Advance(produced);
    }

    private static int ReadHeader(ref ReadOnlySpan<byte> source, out int maxBlockBytes, out ulong? contentBytes)
    {
        if (ReadUInt32(ref source) != Magic || source.Length < 3)
            throw Corrupt();
        int flags = source[0];
        int descriptor = source[1];
        int blockSizeCode = (descriptor >> 4) & 7;
        if ((flags & VersionMask) != Version || (flags & (ReservedFlag | DictionaryFlag)) != 0 || (descriptor & 0x8F) != 0 || blockSizeCode < 4)
            throw Corrupt();
        maxBlockBytes = 1 << (8 + (2 * blockSizeCode));
        int headerBytes = (flags & ContentSizeFlag) != 0 ? 10 : 2;
        if (source.Length < headerBytes + 1 || source[headerBytes] != HeaderChecksum(source[..headerBytes]))
            throw Corrupt();
        contentBytes = headerBytes == 10 ? BinaryPrimitives.ReadUInt64LittleEndian(source[2..]) : null;
        source = source[(headerBytes + 1)..];
        return flags;
    }

    private static uint ReadUInt32(ref ReadOnlySpan<byte> source)
    {
        if (source.Length < 4)
            throw Corrupt();
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(source);
        source = source[4..];
        return value;
    }

    private static byte HeaderChecksum(ReadOnlySpan<byte> descriptor) => (byte)(XxHash32.Compute(descriptor) >> 8);

    private static ProtocolException Corrupt() => new(ErrorCode.CorruptMessage, "LZ4 data is corrupt, cut off, or needs a dictionary.");
}
