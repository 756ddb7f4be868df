using Kafka.Protocol;

namespace Broker.Lite.Tests.ModelCheck;

/// <summary>
/// What transactions are to their users, with nothing of how the broker makes it so: an end changes all partitions and offsets at once.
/// </summary>
internal sealed class ModelTransactions(ModelPartition[] partitions)
{
    private const int OffsetsPartition = -1;

    private readonly Dictionary<string, Id> _ids = [];
    private readonly Dictionary<int, (long Offset, int Order)> _offsets = [];
    private int _commitOrder;

    public ErrorCode Init(string name, Producer producer, bool asItself, int timeoutMs, Func<long> newProducerId)
    {
        if (!_ids.TryGetValue(name, out var id))
        {
            if (asItself)
                throw new InvalidOperationException("Only a producer that exists can recover");
            _ids.Add(name, id = new Id { ProducerId = newProducerId(), TimeoutMs = timeoutMs });
        }
        else if (asItself && !(producer.Epoch == id.Epoch || (producer.Epoch == id.EpochAskedWith && !id.IsOngoing)))
        {
            return ErrorCode.ProducerFenced;
        }
        else if (!asItself || producer.Epoch == id.Epoch)
        {
            if (id.IsOngoing)
                Fence(id);
            id.EpochAskedWith = asItself ? producer.Epoch : (short)-1;
            id.Epoch++;
            id.TimeoutMs = timeoutMs;
            id.LastEnd = null;
        }

        (producer.Id, producer.Epoch) = (id.ProducerId, id.Epoch);
        producer.Sequences.Clear();
        producer.LastBatch.Clear();
        return ErrorCode.None;
    }

    public ErrorCode Add(string name, Producer producer, int partition, long now)
    {
        var id = _ids[name];
        if (producer.Epoch != id.Epoch)
            return ErrorCode.ProducerFenced;
        if (!id.IsOngoing)
            id.Deadline = now + id.TimeoutMs;
        id.Partitions.Add(partition);
        return ErrorCode.None;
    }

    public ErrorCode AddOffsets(string name, Producer producer, long now) => Add(name, producer, OffsetsPartition, now);

    public ErrorCode Write(string name, Producer producer, int partition, IReadOnlyList<string> values)
    {
        var id = _ids[name];
        if (producer.Epoch != id.Epoch)
            return ErrorCode.InvalidProducerEpoch;
        if (!id.Partitions.Contains(partition))
            return ErrorCode.InvalidTxnState;
        partitions[partition].Append(values, producer.Id, producer.Epoch);
        return ErrorCode.None;
    }

    public ErrorCode CommitOffset(string name, Producer producer, int partition, long offset)
    {
        var id = _ids[name];
        if (producer.Epoch != id.Epoch)
            return ErrorCode.InvalidProducerEpoch;
        if (!id.Partitions.Contains(OffsetsPartition))
            return ErrorCode.InvalidTxnState;
        id.Offsets[partition] = (offset, _commitOrder++);
        return ErrorCode.None;
    }

    public void CommitOffset(int partition, long offset) => _offsets[partition] = (offset, _commitOrder++);

    public ErrorCode End(string name, Producer producer, bool isCommit)
    {
        var id = _ids[name];
        if (producer.Epoch != id.Epoch)
            return ErrorCode.ProducerFenced;
        if (id.IsOngoing)
            Finish(id, isCommit);
        return id.LastEnd is null || id.LastEnd == isCommit ? ErrorCode.None : ErrorCode.InvalidTxnState;
    }

    public void PassTime(long now)
    {
        foreach (var id in _ids.Values.Where(id => id.IsOngoing && id.Deadline <= now).OrderBy(id => id.Deadline).ToList())
        {
            Fence(id);
            id.EpochAskedWith = -1;
        }
    }

    public (long Offset, ErrorCode Error) FindOffset(int partition, bool requireStable) =>
        requireStable && _ids.Values.Any(id => id.Offsets.ContainsKey(partition)) ? (-1, ErrorCode.UnstableOffsetCommit)
            : (_offsets.TryGetValue(partition, out var found) ? found.Offset : -1, ErrorCode.None);

    private void Fence(Id id)
    {
        id.Epoch++;
        Finish(id, isCommit: false);
    }

    private void Finish(Id id, bool isCommit)
    {
        foreach (var partition in id.Partitions.Where(partition => partition != OffsetsPartition))
            partitions[partition].Mark(id.ProducerId, id.Epoch, isCommit);
        if (isCommit)
        {
            foreach (var (partition, offset) in id.Offsets)
            {
                if (!_offsets.TryGetValue(partition, out var current) || current.Order < offset.Order)
                    _offsets[partition] = offset;
            }
        }

        id.Partitions.Clear();
        id.Offsets.Clear();
        id.LastEnd = isCommit;
    }

    /// <summary>A producer as it sees itself; it does not learn that it has been fenced.</summary>
    internal sealed class Producer
    {
        public long Id { get; set; } = -1;

        public short Epoch { get; set; } = -1;

        public Dictionary<int, int> Sequences { get; } = [];

        /// <summary>By partition: what it would send again if the answer got lost.</summary>
        public Dictionary<int, (int Sequence, string[] Values, long Offset)> LastBatch { get; } = [];
    }

    private sealed class Id
    {
        public required long ProducerId { get; init; }

        public required int TimeoutMs { get; set; }

        public short Epoch { get; set; }

        public short EpochAskedWith { get; set; } = -1;

        public long Deadline { get; set; }

        public bool? LastEnd { get; set; }

        public HashSet<int> Partitions { get; } = [];

        public Dictionary<int, (long Offset, int Order)> Offsets { get; } = [];

        public bool IsOngoing => Partitions.Count > 0;
    }
}
