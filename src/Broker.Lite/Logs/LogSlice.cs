using System.Buffers;
using Kafka.Protocol;

namespace Broker.Lite.Logs;

/// <summary>
/// Whole batches read from a log, and the log's offsets at that moment. The memory is valid until <see cref="Dispose"/>, which its one
/// owner calls when the bytes are on their way; disposing twice does nothing.
/// </summary>
internal sealed class LogSlice : IDisposable
{
    private byte[]? _rented;
    private IDisposable? _lent;

    private LogSlice(ErrorCode error, ReadOnlyMemory<byte> records, byte[]? rented, IDisposable? lent)
    {
        Error = error;
        Records = records;
        _rented = rented;
        _lent = lent;
    }

    /// <summary>NONE, OFFSET_OUT_OF_RANGE, or KAFKA_STORAGE_ERROR.</summary>
    public ErrorCode Error { get; }

    /// <summary>Whole batches; the first may start before the offset asked for. Empty at the end of the log.</summary>
    public ReadOnlyMemory<byte> Records { get; private set; }

    /// <summary>End of what readers of uncommitted data see.</summary>
    public required long HighWatermark { get; init; }

    /// <summary>End of what readers of committed data see.</summary>
    public required long LastStableOffset { get; init; }

    /// <summary>First offset of the log.</summary>
    public required long LogStartOffset { get; init; }

    /// <summary>
    /// Under <see cref="ReadIsolation.ReadCommitted"/> the aborted transactions that overlap the records, by first offset; null otherwise.
    /// </summary>
    public IReadOnlyList<AbortedTransaction>? AbortedTransactions { get; init; }

    /// <summary>A slice whose memory comes from the shared array pool or is lent by a file, or that owns none.</summary>
    public static LogSlice Create(
        ReadOnlyMemory<byte> records,
        byte[]? rented,
        FileMemory? lent,
        long highWatermark,
        long lastStableOffset,
        long logStartOffset,
        IReadOnlyList<AbortedTransaction>? abortedTransactions) =>
        new(ErrorCode.None, records, rented, lent)
        {
            HighWatermark = highWatermark,
            LastStableOffset = lastStableOffset,
            LogStartOffset = logStartOffset,
            AbortedTransactions = abortedTransactions,
        };

    /// <summary>A slice that says why there are no records.</summary>
    public static LogSlice Failed(ErrorCode error, long highWatermark, long lastStableOffset, long logStartOffset) =>
        new(error, default, null, null)
        {
            HighWatermark = highWatermark,
            LastStableOffset = lastStableOffset,
            LogStartOffset = logStartOffset,
        };

    /// <inheritdoc/>
    public void Dispose()
    {
        Records = default;
        byte[]? rented = Interlocked.Exchange(ref _rented, null);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        Interlocked.Exchange(ref _lent, null)?.Dispose();
    }
}
