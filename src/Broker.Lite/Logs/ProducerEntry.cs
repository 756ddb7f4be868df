using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>What a partition remembers of one producer: its epoch, its last batches in that epoch, and its open transaction.</summary>
internal sealed class ProducerEntry(long producerId, short epoch)
{
    /// <summary>Batches that a client may have in flight, and so repeat. Source: KIP-98, Kafka's <c>ProducerStateEntry</c>.</summary>
    public const int MaxBatches = 5;

    private readonly Batch[] _batches = new Batch[MaxBatches];
    private int _first;
    private int _count;

    public long ProducerId { get; } = producerId;

    public short Epoch { get; private set; } = epoch;

    /// <summary>Epoch of the coordinator that wrote the last marker, -1 for none.</summary>
    public int CoordinatorEpoch { get; set; } = -1;

    /// <summary>First offset of the open transaction, -1 for none.</summary>
    public long TransactionFirstOffset { get; set; } = -1;

    /// <summary>When the last batch or marker was appended, in Unix milliseconds.</summary>
    public long LastTimestamp { get; set; } = RecordBatchHeader.NoTimestamp;

    /// <summary>Number of batches remembered.</summary>
    public int Count => _count;

    /// <summary>Sequence number of the last record, -1 when there is none in this epoch.</summary>
    public int LastSequence => _count == 0 ? RecordBatchHeader.NoProducer : Newest.LastSequence;

    /// <summary>The newest batch; only when there is one.</summary>
    public Batch Newest => _batches[(_first + _count - 1) % MaxBatches];

    /// <summary>Goes over to another epoch, in which sequence numbers start again.</summary>
    public void SetEpoch(short epoch)
    {
        if (epoch == Epoch)
            return;
        Epoch = epoch;
        _count = 0;
    }

    /// <summary>Remembers a batch, and forgets the sixth oldest.</summary>
    public void Add(Batch batch)
    {
        if (_count == MaxBatches)
        {
            _first = (_first + 1) % MaxBatches;
            _count--;
        }

        _batches[(_first + _count) % MaxBatches] = batch;
        _count++;
    }

    /// <summary>
    /// Puts back what a snapshot leaves out: <paramref name="batches"/> are batches of this epoch as the log has them, ascending. They are taken only if
    /// they end with the newest batch that is remembered.
    /// </summary>
    public void Complete(IReadOnlyList<Batch> batches)
    {
        if (_count == 0 || batches.Count == 0 || batches[^1].LastOffset != Newest.LastOffset || batches[^1].LastSequence != LastSequence)
            return;
        _count = 0;
        foreach (Batch batch in batches.Skip(batches.Count - MaxBatches))
            Add(batch);
    }

    /// <summary>The remembered batch with exactly these sequence numbers.</summary>
    public bool TryFind(int firstSequence, int lastSequence, out Batch batch)
    {
        for (int i = 0; i < _count; i++)
        {
            batch = _batches[(_first + i) % MaxBatches];
            if (batch.FirstSequence == firstSequence && batch.LastSequence == lastSequence)
                return true;
        }

        batch = default;
        return false;
    }

    /// <summary>A batch by its sequence numbers, and where it went.</summary>
    public readonly record struct Batch(int FirstSequence, int LastSequence, long FirstOffset, long LastOffset);
}
