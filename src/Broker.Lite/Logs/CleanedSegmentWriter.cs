using System.Buffers;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>Writes batches to a segment that nobody reads yet, several at a time.</summary>
internal sealed class CleanedSegmentWriter(LogSegment segment, int indexIntervalBytes, int bufferBytes) : IDisposable
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
    private int _buffered;
    private int _written;

    /// <summary>Bytes so far.</summary>
    public long SizeBytes => (long)_written + _buffered;

    /// <summary>Appends a batch.</summary>
    /// <exception cref="InvalidDataException">The segment would become larger than a segment can be.</exception>
    public void Append(ReadOnlySpan<byte> batch, RecordBatchHeader header)
    {
        if (SizeBytes + batch.Length > int.MaxValue)
            throw new InvalidDataException($"Compacted, the segment at offset {segment.BaseOffset} would be larger than 2 GiB.");
        int position = (int)SizeBytes;
        if (batch.Length > _buffer.Length - _buffered)
            Write();
        if (batch.Length > _buffer.Length)
        {
            segment.Log.Write(_written, batch);
            _written += batch.Length;
        }
        else
        {
            batch.CopyTo(_buffer.AsSpan(_buffered));
            _buffered += batch.Length;
        }

        segment.Register(position, batch.Length, header.LastOffset, header.MaxTimestamp, indexIntervalBytes);
    }

    /// <summary>Adds a transaction that readers have to be told of.</summary>
    public void Add(AbortedTransaction transaction) => segment.AbortedTransactions.Add(transaction);

    /// <summary>Writes what is left.</summary>
    public void Complete() => Write();

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void Write()
    {
        if (_buffered == 0)
            return;
        segment.Log.Write(_written, _buffer.AsSpan(0, _buffered));
        _written += _buffered;
        _buffered = 0;
    }
}
