namespace Kafka.Protocol.Records;

/// <summary>How the records section of a batch is compressed: bits 0–2 of the batch attributes.</summary>
public enum CompressionType
{
    /// <summary>Not compressed.</summary>
    None = 0,

    /// <summary>RFC 1952, from the BCL.</summary>
    Gzip = 1,

    /// <summary>Snappy blocks, either bare or in the xerial stream framing of the Java client. Managed.</summary>
    Snappy = 2,

    /// <summary>LZ4 frame format with independent blocks. Managed.</summary>
    Lz4 = 3,

    /// <summary>Zstandard frames (KIP-110), through the system's libzstd.</summary>
    Zstd = 4,
}
