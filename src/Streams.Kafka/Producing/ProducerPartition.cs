using Kafka.Protocol.Records;
using Streams.Core;
using Streams.Protocol;

namespace Streams.Kafka.Producing;

/// <summary>The batches of one partition, oldest first: <see cref="Head"/>, <see cref="Full"/>, <see cref="Open"/>. Guarded by the sender's gate.</summary>
/// <remarks>
/// Only the head is ever offered, and the next becomes the head when the broker has answered for it. So the order is right whatever happens, and at most one batch has numbers that the
/// broker may or may not have counted.
/// </remarks>
internal sealed class ProducerPartition(TopicPartition id)
{
    private long _acknowledgedOffset = -1;
    private ProducerIdentity _numberedAs = ProducerIdentity.Unknown(null);
    private int _nextSequence;

    public TopicPartition Id => id;

    /// <summary>Bytes at which a batch is full here; less than elsewhere once the broker has refused one of this topic as too large.</summary>
    public int MaxBatchBytes { get; set; } = int.MaxValue;

    /// <summary>The batch that is offered, or is to be offered again.</summary>
    public ProducerBatch? Head { get; set; }

    /// <summary>Batches that are full and wait for their turn.</summary>
    public Queue<ProducerBatch> Full { get; } = new();

    /// <summary>The batch being filled.</summary>
    public ProducerBatch? Open { get; set; }

    /// <summary>Whether the head is on its way.</summary>
    public bool IsInFlight { get; set; }

    /// <summary>Whether it is in the sender's list of partitions that have something.</summary>
    public bool IsListed { get; set; }

    /// <summary>Failed attempts in a row with the head.</summary>
    public int Attempts { get; set; }

    /// <summary>Not before this time, as a timestamp of the clock.</summary>
    public long NotBefore { get; set; }

    /// <summary>Number of the transaction that it was added to last.</summary>
    public int AddedTo { get; set; }

    public bool IsEmpty => Head is null && Full.Count == 0 && Open is null;

    /// <summary>The batch that has waited longest.</summary>
    public ProducerBatch? Oldest => Head ?? (Full.TryPeek(out var full) ? full : Open);

    /// <summary>Offset after the last acknowledged record; <c>null</c> for none. Safe without the gate.</summary>
    public long? AcknowledgedOffset => Interlocked.Read(ref _acknowledgedOffset) is >= 0 and var offset ? offset : null;

    /// <summary>Gives the head the numbers that its records have from now on.</summary>
    /// <remarks>Under another id or epoch than the last batch's they begin at 0 (KIP-360).</remarks>
    public void NumberHead(ProducerIdentity producer)
    {
        if (_numberedAs != producer)
        {
            _numberedAs = producer;
            _nextSequence = 0;
        }

        Head!.Number(producer, _nextSequence);
    }

    /// <summary>The broker has the head.</summary>
    /// <param name="baseOffset">Offset of its first record; -1 when the broker does not say.</param>
    public ProducerBatch TakeAcknowledged(long baseOffset)
    {
        var batch = TakeHead();
        _nextSequence = RecordBatchHeader.IncrementSequence(_nextSequence, batch.Count);
        if (baseOffset >= 0) Interlocked.Exchange(ref _acknowledgedOffset, baseOffset + batch.Count);
        return batch;
    }

    /// <summary>Takes the head away. Unless it is in doubt the broker does not have it, and the numbers it had are the next batch's.</summary>
    public ProducerBatch TakeHead()
    {
        var batch = Head!;
        Head = null;
        IsInFlight = false;
        Attempts = 0;
        NotBefore = 0;
        return batch;
    }
}
