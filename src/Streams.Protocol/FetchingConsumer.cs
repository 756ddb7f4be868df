using Streams.Core;

namespace Streams.Protocol;

/// <summary>The reader's half of a consumer that fetches ahead: which partitions there are, what of them waits to be polled, and whose turn it is. How batches get here is the adapter's.</summary>
/// <remarks>
/// <para>Partitions are polled in turn, one batch at a time. A partition's batches never overtake each other, whatever is paused and resumed in between: its position in the log is committed from
/// them. Everything is guarded by one gate, taken once per batch.</para>
/// <para>Each partition has its share of <see cref="ConsumerOptions.MaxBufferedBytes"/> (at least 64 KiB), so that one that is full and held back does not keep the others from being read: the reader
/// may wait for just theirs.</para>
/// </remarks>
/// <typeparam name="TPartition">What the adapter knows of a partition.</typeparam>
internal abstract class FetchingConsumer<TPartition>(ConsumerOptions options) : IRecordConsumer
    where TPartition : FetchedPartition
{
    private const int MinShareBytes = 64 << 10;

    private readonly Dictionary<TopicPartition, TPartition> _partitions = [];
    private readonly Queue<TPartition> _turns = new();
    private bool _woken;

    /// <summary>Guards everything here.</summary>
    protected object Gate { get; } = new();

    /// <summary>The assignment.</summary>
    protected IReadOnlyCollection<TPartition> Partitions => _partitions.Values;

    /// <summary>Bytes that may wait of one partition before it is fetched no more.</summary>
    protected int ShareBytes => Math.Max(MinShareBytes, options.MaxBufferedBytes / Math.Max(1, _partitions.Count));

    public void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        foreach (var (_, offset) in partitions) ArgumentOutOfRangeException.ThrowIfNegative(offset, nameof(partitions));
        lock (Gate)
        {
            foreach (var (partition, offset) in partitions)
            {
                // Moving a partition does not resume it.
                var isPaused = false;
                if (_partitions.TryGetValue(partition, out var old))
                {
                    isPaused = old.IsPaused;
                    old.DropReady();
                }

                var assigned = NewPartition(partition, offset);
                assigned.IsPaused = isPaused;
                _partitions[partition] = assigned;
            }

            OnAssignmentChanged();
        }

        OnGateLeft();
    }

    public void Unassign(IReadOnlyCollection<TopicPartition> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        lock (Gate)
        {
            foreach (var partition in partitions)
            {
                // An answer that is still on its way finds that its partition is not the current one.
                if (_partitions.Remove(partition, out var old)) old.DropReady();
            }

            OnAssignmentChanged();
        }

        OnGateLeft();
    }

    public void Pause(IReadOnlyCollection<TopicPartition> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        lock (Gate)
        {
            foreach (var partition in partitions)
            {
                if (_partitions.TryGetValue(partition, out var assigned)) assigned.IsPaused = true;
            }
        }
    }

    public void Resume(IReadOnlyCollection<TopicPartition> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        lock (Gate)
        {
            foreach (var partition in partitions)
            {
                if (!_partitions.TryGetValue(partition, out var assigned)) continue;
                assigned.IsPaused = false;
                TakeTurns(assigned);
            }

            OnAssignmentChanged();
        }

        OnGateLeft();
    }

    public RecordBatch? Poll(TimeSpan timeout)
    {
        try
        {
            lock (Gate)
            {
                var batch = TakeReady();
                if (batch is not null || (timeout <= TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)) return batch;

                // What can be taken pulses, and so do Wake and the end.
                if (!_woken) Monitor.Wait(Gate, timeout);
                _woken = false;
                return TakeReady();
            }
        }
        finally
        {
            OnGateLeft();
        }
    }

    public void Wake()
    {
        lock (Gate)
        {
            _woken = true;
            Monitor.PulseAll(Gate);
        }
    }

    public long? CachedEndOffset(TopicPartition partition)
    {
        lock (Gate) return _partitions.TryGetValue(partition, out var assigned) ? assigned.EndOffset : null;
    }

    public abstract void Dispose();

    /// <summary>Makes what the adapter knows of a partition. Under the gate.</summary>
    protected abstract TPartition NewPartition(TopicPartition partition, long offset);

    /// <summary>There are other partitions to fetch than before: assigned, given up or resumed ones. Under the gate.</summary>
    protected abstract void OnAssignmentChanged();

    /// <summary>A partition may be fetched again that could not before. Under the gate.</summary>
    protected abstract void OnRoom();

    /// <summary>Throws what has ended the fetching of all partitions. Under the gate.</summary>
    protected abstract void ThrowIfBroken();

    /// <summary>After a call that may have been given something to do, which is then done without the gate.</summary>
    protected virtual void OnGateLeft()
    {
    }

    /// <summary>Whether an answer for a partition still counts. Under the gate.</summary>
    protected bool IsCurrent(TPartition partition) => _partitions.TryGetValue(partition.Partition, out var current) && ReferenceEquals(current, partition);

    /// <summary>Queues what a fetch has brought. Under the gate.</summary>
    /// <param name="partition">Of which partition.</param>
    /// <param name="batches">In the order of the log.</param>
    protected void Put(TPartition partition, List<RecordBatch> batches)
    {
        foreach (var batch in batches)
        {
            partition.ReadyBytes += batch.SizeBytes;
            partition.Ready.Enqueue(batch);
        }

        TakeTurns(partition);
        Tell(partition);
    }

    /// <summary>Tells the reader, after everything that was fetched before. Under the gate.</summary>
    /// <remarks>
    /// Asking again for what is out of range would have the same answer, and that could come when the reader has moved on, and move it back: records would be read twice. So it is not
    /// fetched any more until it is assigned again.
    /// </remarks>
    protected void Fail(TPartition partition, StreamsException failure)
    {
        if (!IsCurrent(partition)) return;
        partition.Failure = failure;
        partition.IsLost = failure is OffsetOutOfRangeException;
        TakeTurns(partition);
        Tell(partition);
    }

    /// <summary>Gives everything back that waits to be polled. Under the gate.</summary>
    protected void DropAll()
    {
        foreach (var partition in _partitions.Values) partition.DropReady();
        _partitions.Clear();
    }

    // A reader who has paused the partition would wake for nothing, before its time.
    private void Tell(TPartition partition)
    {
        if (partition is { HasTurn: true, IsPaused: false }) Monitor.PulseAll(Gate);
    }

    private RecordBatch? TakeReady()
    {
        ThrowIfBroken();
        while (_turns.TryDequeue(out var partition))
        {
            partition.HasTurn = false;
            if (partition.IsPaused || !IsCurrent(partition)) continue;
            if (partition.Ready.TryDequeue(out var batch))
            {
                // What has room all the time is fetched again by itself: looking through all partitions is for when that changes, not for each batch.
                var wasFull = partition.ReadyBytes >= ShareBytes;
                partition.ReadyBytes -= batch.SizeBytes;
                TakeTurns(partition);
                if (wasFull && partition.ReadyBytes < ShareBytes) OnRoom();
                return batch;
            }

            if (partition.Failure is not { } failure) continue;
            partition.Failure = null;
            OnRoom();
            throw failure;
        }

        return null;
    }

    private void TakeTurns(TPartition partition)
    {
        if (partition.HasTurn || partition.IsPaused || (partition.Ready.Count == 0 && partition.Failure is null)) return;
        partition.HasTurn = true;
        _turns.Enqueue(partition);
    }
}
