using Streams.Core;

namespace Streams.Client.Consuming;

/// <summary>A partition that is being read, from one assignment or seek to the next: what belongs to an earlier one is recognised by being another object.</summary>
internal sealed class Position(TopicPartition partition, long start)
{
    private long _delivered = start;
    private long _processed = start;
    private long _committed = -1;
    private volatile bool _isOver;

    public TopicPartition Partition => partition;

    /// <summary>Whether the partition has been taken away or moved elsewhere: its batches are dropped.</summary>
    public bool IsOver => _isOver;

    /// <summary>Offset after the last record given out.</summary>
    public long Delivered
    {
        get => Volatile.Read(ref _delivered);
        set => Volatile.Write(ref _delivered, value);
    }

    /// <summary>Offset after the last record that the application is done with.</summary>
    public long Processed
    {
        get => Volatile.Read(ref _processed);
        set => Volatile.Write(ref _processed, value);
    }

    /// <summary>The last committed offset; -1 when none was.</summary>
    public long Committed
    {
        get => Volatile.Read(ref _committed);
        set => Volatile.Write(ref _committed, value);
    }

    public void End() => _isOver = true;
}
