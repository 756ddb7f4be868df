using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>Brings the stores of new tasks up to the end of their changelogs, batch by batch, while the thread's other tasks go on.</summary>
/// <remarks>
/// Each changelog is read from the offset that the store was last committed at to the end offset when restoring began; nobody else writes to it
/// in between, because the task is ours. With transactions that is the very end, not the last stable offset: a transaction of the task's former owner that is
/// still open there is waited for, since its outcome decides what the state is. Source: Kafka's <c>StoreChangelogReader</c>.
/// </remarks>
internal sealed class ChangelogReader(ICluster cluster, IClusterAdmin admin, string clientId, bool readCommitted, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>Restored records become durable in steps of this many, so that a restart in the middle does not start over.</summary>
    private const int RecordsPerCommit = 500_000;

    private readonly Dictionary<TopicPartition, Restoration> _restorations = [];
    private IRecordConsumer? _consumer;

    public bool IsBusy => _restorations.Count > 0;

    /// <summary>Starts restoring a task's stores.</summary>
    /// <exception cref="TaskCorruptedException">A store's offset is not in its changelog: the state has to be wiped.</exception>
    public void Add(StreamTask task, CancellationToken cancellationToken)
    {
        var stores = task.Stores.Where(store => store.ChangelogPartition is not null).ToList();
        if (stores.Count == 0) return;
        var partitions = stores.Select(store => store.ChangelogPartition!.Value).Distinct().ToList();
        var begins = admin.BeginningOffsetsAsync(partitions, cancellationToken).GetAwaiter().GetResult();
        var ends = admin.EndOffsetsAsync(partitions, readCommitted: false, cancellationToken).GetAwaiter().GetResult();
        var starts = new List<TopicPartitionOffset>();
        foreach (var store in stores)
        {
            var partition = store.ChangelogPartition!.Value;
            var begin = begins[partition];
            var end = ends[partition];
            var from = store.Store.ChangelogOffset ?? begin;
            if (from < begin || from > end)
            {
                throw new TaskCorruptedException(
                    $"store '{store.Store.Name}' is at offset {from} of {partition}, which has {begin} to {end}: the topic was truncated or made anew");
            }

            store.RestoredOffset = from;
            if (from == end) continue;
            Log.RestoreStarted(logger, task.Id, end - from, partition, from);
            _restorations.Add(partition, new Restoration(task, store, from, end, time.GetTimestamp()));
            starts.Add(new TopicPartitionOffset(partition, from));
        }

        if (starts.Count == 0) return;
        _consumer ??= cluster.CreateConsumer(new ConsumerOptions { ClientId = clientId + "-restore", ReadCommitted = readCommitted });
        _consumer.Assign(starts);
    }

    public bool IsRestoring(StreamTask task)
    {
        foreach (var restoration in _restorations.Values)
        {
            if (ReferenceEquals(restoration.Task, task)) return true;
        }

        return false;
    }

    /// <summary>Applies what has arrived, for at most a few batches, so that the thread gets back to its other tasks.</summary>
    public void Poll(TimeSpan timeout)
    {
        for (var batches = 0; batches < 16 && IsBusy; batches++)
        {
            using var batch = _consumer!.Poll(batches == 0 ? timeout : TimeSpan.Zero);
            if (batch is null) return;
            if (_restorations.TryGetValue(batch.Partition, out var restoration)) Apply(restoration, batch);
        }
    }

    public void Remove(StreamTask task)
    {
        var partitions = _restorations.Where(entry => ReferenceEquals(entry.Value.Task, task)).Select(entry => entry.Key).ToList();
        foreach (var partition in partitions) _restorations.Remove(partition);
        if (partitions.Count > 0) _consumer?.Unassign(partitions);
    }

    public void Dispose() => _consumer?.Dispose();

    private void Apply(Restoration restoration, RecordBatch batch)
    {
        var to = batch.Count;
        while (to > 0 && batch[to - 1].Offset >= restoration.End) to--;
        if (to > 0) restoration.Store.Store.Restore(batch, 0, to);
        restoration.Records += to;
        restoration.SinceCommit += to;
        restoration.Position = Math.Min(batch.NextOffset, restoration.End);
        restoration.Store.RestoredOffset = restoration.Position;
        var done = restoration.Position >= restoration.End;
        if (done || restoration.SinceCommit >= RecordsPerCommit)
        {
            restoration.Store.Store.Commit(restoration.Position);
            restoration.SinceCommit = 0;
        }

        if (!done) return;
        _restorations.Remove(batch.Partition);
        _consumer!.Unassign([batch.Partition]);
        Log.RestoreDone(logger, restoration.Task.Id, restoration.Records, batch.Partition, time.GetElapsedTime(restoration.StartedAt).TotalMilliseconds);
    }

    private sealed class Restoration(StreamTask task, StreamTask.TaskStore store, long position, long end, long startedAt)
    {
        public StreamTask Task { get; } = task;

        public StreamTask.TaskStore Store { get; } = store;

        public long Position { get; set; } = position;

        public long End { get; } = end;

        public long StartedAt { get; } = startedAt;

        public long Records { get; set; }

        public int SinceCommit { get; set; }
    }
}
