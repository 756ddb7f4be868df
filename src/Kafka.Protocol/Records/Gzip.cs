using System.IO.Compression;

namespace Kafka.Protocol.Records;

/// <summary>RFC 1952 by the BCL's streams.</summary>
internal static unsafe class Gzip
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>A member without content, which the BCL's stream would not write at all.</summary>
    private static ReadOnlySpan<byte> EmptyMember => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer output, int? level)
    {
        if (source.IsEmpty)
        {
            output.Write(EmptyMember);
            return;
        }

        using var sink = new PooledBufferStream(output);
        using GZipStream gzip = level is { } chosen
            ? new GZipStream(sink, new ZLibCompressionOptions { CompressionLevel = Math.Clamp(chosen, 1, 9) }, leaveOpen: true)
            : new GZipStream(sink, CompressionLevel.Optimal, leaveOpen: true);
        gzip.Write(source);
    }

    public static void Decompress(ReadOnlySpan<byte> source, PooledBuffer output)
    {
        if (source.IsEmpty)
            throw new ProtocolException(ErrorCode.CorruptMessage, "Gzip data is cut off.");
        fixed (byte* start = source)
        {
            using var input = new UnmanagedMemoryStream(start, source.Length);
            using var gzip = new GZipStream(input, CompressionMode.Decompress);
            try
            {
                while (true)
                {
                    Span<byte> free = output.GetSpanWithinBound(ChunkBytes);
                    if (free.IsEmpty)
                    {
                        // Full: right if the data ends here, a bomb otherwise.
                        if (gzip.ReadByte() >= 0)
                            output.ThrowBoundExceeded();
                        return;
                    }

                    int read = gzip.Read(free);
                    if (read == 0)
                        return;
                    output.Advance(read);
                }
            }
            catch (InvalidDataException e)
            {
                throw new ProtocolException(ErrorCode.CorruptMessage, "Gzip data is corrupt.", e);
            }
        }
    }

    /// <summary>What the compressor writes into.</summary>
    private sealed class PooledBufferStream(PooledBuffer output) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => output.Length;

        public override long Position
        {
            get => output.Length;
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => output.Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => output.Write(buffer);
    }
}
