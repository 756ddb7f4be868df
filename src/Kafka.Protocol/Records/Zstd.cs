namespace Kafka.Protocol.Records;

/// <summary>Zstandard by the system's library, with one pair of contexts per thread.</summary>
internal static unsafe class Zstd
{
    private const int DefaultLevel = 3;
    private const int ChunkBytes = 128 * 1024;

    /// <summary>A context grown beyond this by an unusual frame is freed after use instead of being kept by the thread.</summary>
    private const int MaxKeptContextBytes = 16 * 1024 * 1024;

    [ThreadStatic]
    private static ZstdNative.CompressionContext? s_compressor;

    [ThreadStatic]
    private static ZstdNative.DecompressionContext? s_decompressor;

    public static bool IsAvailable => ZstdNative.IsAvailable;

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer output, int? level)
    {
        ZstdNative.ThrowIfMissing();
        ZstdNative.CompressionContext context = s_compressor ??= ZstdNative.CreateCompressionContext();
        nuint bound = ZstdNative.CompressBound((nuint)source.Length);
        Span<byte> free = output.GetSpan(checked((int)bound));
        nuint result;
        fixed (byte* from = source)
        fixed (byte* to = free)
            result = ZstdNative.Compress(context, to, (nuint)free.Length, from, (nuint)source.Length, level ?? DefaultLevel);
        if (ZstdNative.IsError(result) != 0)
            throw new InvalidOperationException($"zstd could not compress: {ZstdNative.ErrorText(result)}.");
        output.Advance((int)result);
    }

    public static void Decompress(ReadOnlySpan<byte> source, PooledBuffer output)
    {
        ZstdNative.ThrowIfMissing();
        ZstdNative.DecompressionContext context = s_decompressor ??= ZstdNative.CreateDecompressionContext();
        try
        {
            ZstdNative.ResetDecompression(context);
            DecompressFrames(context, source, output);
        }
        finally
        {
            if (ZstdNative.SizeOf(context) > MaxKeptContextBytes)
            {
                s_decompressor = null;
                context.Dispose();
            }
        }
    }

    private static void DecompressFrames(ZstdNative.DecompressionContext context, ReadOnlySpan<byte> source, PooledBuffer output)
    {
        fixed (byte* from = source)
        {
            var input = new ZstdNative.Buffer { Start = (nint)from, Size = (nuint)source.Length };
            while (true)
            {
                Span<byte> free = output.GetSpanWithinBound(ChunkBytes);
                nuint consumedBefore = input.Position;
                nuint pending;
                var chunk = new ZstdNative.Buffer { Size = (nuint)free.Length };
                fixed (byte* to = free)
                {
                    chunk.Start = (nint)to;
                    pending = ZstdNative.DecompressStream(context, ref chunk, ref input);
                }

                if (ZstdNative.IsError(pending) != 0)
                    throw new ProtocolException(ErrorCode.CorruptMessage, $"zstd data is corrupt: {ZstdNative.ErrorText(pending)}.");
                output.Advance((int)chunk.Position);
                if (pending == 0 && input.Position == input.Size)
                    return;
                if (chunk.Position == 0 && input.Position == consumedBefore)
                {
                    if (free.IsEmpty)
                        output.ThrowBoundExceeded();
                    throw new ProtocolException(ErrorCode.CorruptMessage, "zstd data is cut off.");
                }
            }
        }
    }
}
