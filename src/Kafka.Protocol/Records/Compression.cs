namespace Kafka.Protocol.Records;

/// <summary>
/// The four codecs of record batches over spans. Decoders take hostile input: they stay within their buffers, never produce more than
/// the caller's bound and end with a <see cref="ProtocolException"/> otherwise. Thread-safe.
/// </summary>
public static class Compression
{
    /// <summary>Whether batches of this codec can be read and written here; false only for zstd without its library.</summary>
    public static bool IsAvailable(CompressionType type) => type switch
    {
        CompressionType.Zstd => Zstd.IsAvailable,
        CompressionType.None or CompressionType.Gzip or CompressionType.Snappy or CompressionType.Lz4 => true,
        _ => false,
    };

    /// <summary>Appends <paramref name="source"/>, compressed, to <paramref name="output"/>.</summary>
    /// <param name="type">The codec.</param>
    /// <param name="source">What to compress.</param>
    /// <param name="output">Where to; its bound holds.</param>
    /// <param name="level">The codec's level, or null for its default; codecs without levels ignore it.</param>
    /// <exception cref="CompressionUnavailableException">The codec's native library is missing.</exception>
    public static void Compress(CompressionType type, ReadOnlySpan<byte> source, PooledBuffer output, int? level = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        switch (type)
        {
            case CompressionType.None:
                output.Write(source);
                break;
            case CompressionType.Gzip:
                Gzip.Compress(source, output, level);
                break;
            case CompressionType.Snappy:
                Snappy.Compress(source, output);
                break;
            case CompressionType.Lz4:
                Lz4Frame.Compress(source, output);
                break;
            case CompressionType.Zstd:
                Zstd.Compress(source, output, level);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such codec.");
        }
    }

    /// <summary>Decompresses <paramref name="source"/> into pooled memory that the caller disposes.</summary>
    /// <param name="type">The codec.</param>
    /// <param name="source">The compressed bytes.</param>
    /// <param name="maxBytes">Upper bound of the result in bytes.</param>
    /// <exception cref="ProtocolException">The data is corrupt, or larger than <paramref name="maxBytes"/>.</exception>
    /// <exception cref="CompressionUnavailableException">The codec's native library is missing.</exception>
    public static PooledBuffer Decompress(CompressionType type, ReadOnlySpan<byte> source, int maxBytes)
    {
        var output = new PooledBuffer(maxBytes);
        bool done = false;
        try
        {
            switch (type)
            {
                case CompressionType.None:
                    output.Write(source);
                    break;
                case CompressionType.Gzip:
                    Gzip.Decompress(source, output);
                    break;
                case CompressionType.Snappy:
                    Snappy.Decompress(source, output);
                    break;
                case CompressionType.Lz4:
                    Lz4Frame.Decompress(source, output);
                    break;
                case CompressionType.Zstd:
                    Zstd.Decompress(source, output);
                    break;
                default:
                    throw new ProtocolException(ErrorCode.CorruptMessage, $"There is no compression codec {(int)type}.");
            }

            done = true;
            return output;
        }
        finally
        {
            if (!done)
                output.Dispose();
        }
    }
}
