using Streams.Core;

namespace Streams.Testing;

/// <summary>A task under the driver: which records wait for it, and which one is next.</summary>
internal sealed class DriverTask(StreamTask task, Subtopology subtopology, TaskPositions positions)
{
    private readonly HeadOrder _order = new();

    public StreamTask Task { get; } = task;

    public Subtopology Subtopology { get; } = subtopology;

    public TaskPositions Positions { get; } = positions;

    /// <summary>Whether there is a record to process, and nobody outside the topology who has to catch up first.</summary>
    public bool HasWork => _order.Count > 0 && !Task.IsHeldUp;

    /// <summary>Appends a record to one of the task's inputs; its offset is its place among the records of that partition.</summary>
    public void Enqueue(TopicPartition partition, byte[]? key, byte[]? value, long timestamp, Headers headers)
    {
        var queue = Task.Reads(partition) ? Task.Queue(partition) : Task.AddInput(partition);
        var offset = Positions.NextOffsets.GetValueOrDefault(partition);
        Positions.NextOffsets[partition] = offset + 1;
        var wasEmpty = !queue.HasHead;
        queue.Enqueue(SingleRecordBatch.Of(partition, offset, key, value, timestamp, headers));
        if (wasEmpty && queue.HasHead) _order.Add(queue);
    }

    /// <summary>Processes the record with the smallest timestamp and fires what falls due.</summary>
    public void ProcessNext()
    {
        var queue = _order.Take();
        Task.ProcessHead(queue);
        if (queue.HasHead) _order.Add(queue);
    }

    /// <summary>Commits, unless an asynchronous call is under way: a commit would wait for it, and only the test can move the clock that it may wait for.</summary>
    public void Commit()
    {
        if (Task.PendingAsyncCalls > 0 && Task.DrainAsync() >= 0 && Task.PendingAsyncCalls > 0) return;
        foreach (var commit in Task.PrepareCommit()) Positions.Committed[commit.Partition] = commit;
        Task.CompleteCommit();
    }
}

/// <summary>What outlives a restart of a task: how far its inputs were written and committed.</summary>
internal sealed class TaskPositions
{
    public Dictionary<TopicPartition, long> NextOffsets { get; } = [];

    public Dictionary<TopicPartition, OffsetCommit> Committed { get; } = [];
}
