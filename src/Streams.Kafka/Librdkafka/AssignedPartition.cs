using System.Buffers;
using Streams.Core;
using ConfluentPartition = Confluent.Kafka.TopicPartition;

namespace Streams.Kafka.Librdkafka;

/// <summary>One assigned partition: its position and the records that the drain going on has found for it.</summary>
internal sealed class AssignedPartition(TopicPartition partition, long position)
{
    private const int InitialSlices = 256;

    private RecordSlice[] _slices = [];

    public TopicPartition Partition { get; } = partition;

    public ConfluentPartition ConfluentPartition { get; } = new(partition.Topic, partition.Partition);

    /// <summary>Offset after what was taken off the client's queue.</summary>
    public long Position { get; set; } = position;

    /// <summary>Position at which the log last was at its end; -1 when it has not been there.</summary>
    public long EndSeenAt { get; set; } = -1;

    /// <summary>Whether its batches are kept back.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Whether librdkafka has been told to fetch no more of it.</summary>
    public bool IsStopped { get; set; }

    /// <summary>Records found by the drain going on.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the position moved without a record (control records, compaction), so that an empty batch has to say so.</summary>
    public bool Moved { get; set; }

    public void Add(in RecordSlice slice)
    {
        if (Count == _slices.Length)
        {
            var grown = ArrayPool<RecordSlice>.Shared.Rent(Math.Max(InitialSlices, 2 * Count));
            _slices.AsSpan(0, Count).CopyTo(grown);
            Return();
            _slices = grown;
        }

        _slices[Count++] = slice;
    }

    /// <summary>Makes the batch of the drain and starts afresh; the batch owns the slices and a hold on <paramref name="bytes"/>.</summary>
    public RecordBatch ToBatch(SharedBytes bytes)
    {
        bytes.Retain();
        var batch = new RecordBatch(Partition, bytes.Memory, _slices, Count, Position, bytes);
        _slices = [];
        Count = 0;
        Moved = false;
        return batch;
    }

    /// <summary>Forgets what the drain going on has found.</summary>
    public void Drop()
    {
        Return();
        _slices = [];
        Count = 0;
        Moved = false;
    }

    private void Return()
    {
        if (_slices.Length > 0) ArrayPool<RecordSlice>.Shared.Return(_slices);
    }
}
