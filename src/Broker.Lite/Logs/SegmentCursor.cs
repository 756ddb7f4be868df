using System.Buffers;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// Goes through the batches of a segment's file. <see cref="MoveNext"/> needs the header only and steps over bodies that are not in its
/// buffer; <see cref="TryReadBatch"/> brings in the whole batch. Lengths are checked against the end before memory is taken for them.
/// </summary>
internal sealed class SegmentCursor : IDisposable
{
    public const int SmallBufferBytes = 4 * 1024;
    public const int ScanBufferBytes = 256 * 1024;

    private readonly LogFile _file;
    private readonly int _end;
    private byte[] _buffer;
    private long _bufferStart;
    private int _bufferLength;
    private long _next;

    public SegmentCursor(LogFile file, int start, int end, int bufferBytes)
    {
        _file = file;
        _end = end;
        _next = start;
        _bufferStart = start;
        _buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
    }

    /// <summary>Where the current batch starts.</summary>
    public int Position { get; private set; }

    /// <summary>Size of the current batch in bytes.</summary>
    public int BatchBytes { get; private set; }

    /// <summary>Header of the current batch.</summary>
    public RecordBatchHeader Header => new(_buffer.AsSpan((int)(Position - _bufferStart)));

    /// <summary>Whether the file ends after the current batch, or where <see cref="MoveNext"/> stopped.</summary>
    public bool IsAtEnd => _next >= _end;

    /// <summary>
    /// Goes to the next batch and checks its header. At the end, <see cref="RecordBatchStatus.Truncated"/> with <see cref="IsAtEnd"/>; on any other status
    /// what follows is not a batch.
    /// </summary>
    public RecordBatchStatus MoveNext()
    {
        long remaining = _end - _next;
        if (remaining < RecordBatchHeader.SizeBytes || !TryFill(_next, RecordBatchHeader.SizeBytes))
            return RecordBatchStatus.Truncated;
        var header = new RecordBatchHeader(_buffer.AsSpan((int)(_next - _bufferStart)));
        RecordBatchStatus status = RecordBatchView.CheckHeader(header);
        if (status != RecordBatchStatus.Valid)
            return status;
        if (header.TotalBytes > remaining)
            return RecordBatchStatus.Truncated;
        Position = (int)_next;
        BatchBytes = (int)header.TotalBytes;
        _next += BatchBytes;
        return RecordBatchStatus.Valid;
    }

    /// <summary>Reads the whole current batch.</summary>
    public RecordBatchStatus TryReadBatch(out RecordBatchView batch)
    {
        batch = default;
        return TryFill(Position, BatchBytes)
            ? RecordBatchView.TryRead(_buffer.AsSpan((int)(Position - _bufferStart), BatchBytes), out batch)
            : RecordBatchStatus.Truncated;
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _bufferLength = 0;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private bool TryFill(long position, int count)
    {
        if (position >= _bufferStart && position + count <= _bufferStart + _bufferLength)
            return true;
        if (count > _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(count);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
            _bufferLength = 0;
        }

        int wanted = (int)Math.Min(_buffer.Length, _end - position);
        _bufferLength = _file.Read(position, _buffer.AsSpan(0, wanted));
        _bufferStart = position;
        return _bufferLength >= count;
    }
}
