namespace Broker.Lite.Logs;

/// <summary>How compaction works, for all logs of a broker. The dotted names are Kafka's broker configuration.</summary>
internal sealed record CleanerOptions
{
    /// <summary><c>log.cleaner.dedupe.buffer.size</c>: memory for keys in bytes, 24 a key, taken as needed while a log is compacted. Default: 128 MiB.</summary>
    public long MapBytes { get; init; } = 128L << 20;

    /// <summary><c>log.cleaner.io.buffer.size</c>: what is read and written at a time, in bytes; a larger batch takes what it needs. Default: 512 KiB.</summary>
    public int BufferBytes { get; init; } = 512 << 10;

    /// <summary><c>log.cleaner.io.max.bytes.per.second</c>: bytes read and written per second at most. Default: no bound.</summary>
    public double MaxBytesPerSecond { get; init; } = double.MaxValue;

    /// <summary>Waits; may return early when the broker stops. Default: on the operating system's clock.</summary>
    public Action<TimeSpan, CancellationToken> Wait { get; init; } = static (time, stopping) => stopping.WaitHandle.WaitOne(time);
}
