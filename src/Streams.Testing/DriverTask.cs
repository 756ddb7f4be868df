using Streams.Core;

namespace Streams.Testing;

/// <summary>A task under the driver: which records wait for it, and which one is next.</summary>
internal sealed class DriverTask(StreamTask task)
{
    private readonly HeadOrder _order = new();
    private readonly Dictionary<TopicPartition, long> _nextOffsets = [];

    public StreamTask Task { get; } = task;

    public bool HasWork => _order.Count > 0;

    /// <summary>Appends a record to one of the task's inputs; its offset is its place among the records of that partition.</summary>
    public void Enqueue(TopicPartition partition, byte[]? key, byte[]? value, long timestamp, Headers headers)
    {
        var queue = Task.Reads(partition) ? Task.Queue(partition) : Task.AddInput(partition);
        var offset = _nextOffsets.GetValueOrDefault(partition);
        _nextOffsets[partition] = offset + 1;
        var wasEmpty = !queue.HasHead;
        queue.Enqueue(SingleRecordBatch.Of(partition, offset, key, value, timestamp, headers));
        if (wasEmpty && queue.HasHead) _order.Add(queue);
    }

    /// <summary>Processes the record with the smallest timestamp, fires what falls due and commits.</summary>
    public void ProcessNext()
    {
        var queue = _order.Take();
        Task.ProcessHead(queue);
        if (queue.HasHead) _order.Add(queue);
        Commit();
    }

    public void Commit()
    {
        Task.PrepareCommit();
        Task.CompleteCommit();
    }
}
