namespace Broker.Lite.Logs;

/// <summary>What a dump shows.</summary>
internal sealed record LogDumpOptions
{
    /// <summary>Whether the records are listed under their batches, with keys and values. Default: batches only.</summary>
    public bool PrintRecords { get; init; }

    /// <summary>How the bytes of a key or value are shown. Default: as UTF-8.</summary>
    public Func<ReadOnlyMemory<byte>, string> Format { get; init; } = bytes => System.Text.Encoding.UTF8.GetString(bytes.Span);

    /// <summary>Largest size of a batch's records after decompression, in bytes. Default: 128 MiB.</summary>
    public int MaxDecompressedBytes { get; init; } = 128 << 20;

    /// <summary>Bytes of a segment that are looked at. Default: all.</summary>
    public int MaxBytes { get; init; } = int.MaxValue;
}
