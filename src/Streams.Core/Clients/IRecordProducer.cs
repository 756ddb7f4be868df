namespace Streams.Core;

/// <summary>Writes records, idempotently or in transactions. Used from one thread.</summary>
public interface IRecordProducer : IDisposable
{
    /// <summary>Looks a topic up once, so that sends need not; the handle is good for the producer's life.</summary>
    /// <param name="name">The topic.</param>
    /// <param name="trackOffsets">Whether <see cref="AcknowledgedOffset"/> will be asked for it (changelogs).</param>
    /// <exception cref="ProductionException">There is no such topic.</exception>
    ProducerTopic GetTopic(string name, bool trackOffsets = false);

    /// <summary>Hands a record over; its spans are copied before the call returns. Waits when <see cref="ProducerOptions.MaxBufferedBytes"/> are in flight.</summary>
    /// <exception cref="ProductionException">An earlier or this record cannot be written.</exception>
    /// <exception cref="TaskMigratedException">A newer producer has fenced this one.</exception>
    void Send(ProducerTopic topic, int partition, in OutgoingRecord record);

    /// <summary>Sends off what waits for company. The engine calls it when it has nothing else to do, so that batches are full under load and latency is low without.</summary>
    /// <remarks>Producers that send by themselves after <see cref="ProducerOptions.Linger"/> need do nothing.</remarks>
    void SendPending();

    /// <summary>Returns when everything sent so far is acknowledged.</summary>
    /// <exception cref="ProductionException">A record could not be written.</exception>
    /// <exception cref="ClusterUnavailableException">The cluster did not answer in time.</exception>
    void Flush(CancellationToken cancellationToken);

    /// <summary>Offset after the last acknowledged record of this producer in a tracked partition; <c>null</c> when it has written none.</summary>
    long? AcknowledgedOffset(ProducerTopic topic, int partition);

    /// <summary>Fences earlier producers of the same transactional id and ends their transactions. Call once, first.</summary>
    void InitTransactions(CancellationToken cancellationToken);

    /// <summary>Opens a transaction.</summary>
    void BeginTransaction();

    /// <summary>Makes consumed offsets part of the open transaction.</summary>
    void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken);

    /// <summary>Commits the open transaction: everything in it becomes visible at once.</summary>
    void CommitTransaction(CancellationToken cancellationToken);

    /// <summary>Gives the open transaction up: nothing in it will ever be visible to readers of committed records.</summary>
    void AbortTransaction(CancellationToken cancellationToken);
}

/// <summary>A topic as a producer knows it.</summary>
/// <param name="name">Its name.</param>
/// <param name="partitionCount">Its number of partitions.</param>
public class ProducerTopic(string name, int partitionCount)
{
    /// <summary>Name.</summary>
    public string Name { get; } = name;

    /// <summary>Number of partitions, at least 1. An adapter may raise it when the topic grows.</summary>
    public int PartitionCount { get; protected set; } = partitionCount;
}

/// <summary>A record on its way out. Its spans are valid during the call it is passed to.</summary>
public readonly ref struct OutgoingRecord
{
    /// <summary>Timestamp of a record whose writer gives none: the producer puts the time at which it is handed over.</summary>
    public const long TimeOfWriting = -1;

    /// <summary>Creates a record.</summary>
    public OutgoingRecord(ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value, bool hasValue, long timestamp, Headers? headers)
    {
        Key = key;
        HasKey = hasKey;
        Value = value;
        HasValue = hasValue;
        Timestamp = timestamp;
        Headers = headers;
    }

    /// <summary>Bytes of the key, ignored unless <see cref="HasKey"/>.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>Whether there is a key.</summary>
    public bool HasKey { get; }

    /// <summary>Bytes of the value, ignored unless <see cref="HasValue"/>.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>Whether there is a value; false writes a tombstone.</summary>
    public bool HasValue { get; }

    /// <summary>Unix milliseconds, or <see cref="TimeOfWriting"/>.</summary>
    public long Timestamp { get; }

    /// <summary>Headers, or <c>null</c> for none.</summary>
    public Headers? Headers { get; }
}

/// <summary>A consumed position to commit.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">Offset of the next record to read.</param>
/// <param name="Metadata">Free text kept with it, at most 4096 characters; Kafka Streams keeps the partition's time there.</param>
public readonly record struct OffsetCommit(TopicPartition Partition, long Offset, string Metadata);
