using System.Buffers;
using Streams.Client.Producing;
using Streams.Core;

namespace Streams.Client;

/// <summary>Writes typed records to topics of a cluster: Apache Kafka, or a broker in this process. Thread-safe; share one among all that write alike.</summary>
/// <remarks>
/// <para>Writes are idempotent and acknowledged by all replicas. Records of one caller to one partition keep their order. Partitions are chosen as Kafka's clients do: murmur2 of the key's
/// bytes; keyless records stay on a partition for a while.</para>
/// <para>A thread of its own writes what has gathered and acknowledges it together, so a lone record goes at once and batches grow with the load. When a lot fails, all its records fail,
/// also those that may have been written: producing again can then write twice.</para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class Producer<K, V> : IAsyncDisposable
{
    private readonly ISerializer<K> _keySerializer;
    private readonly ISerializer<V> _valueSerializer;
    private readonly Budget _budget;
    private readonly ProducerThread _thread;
    private readonly bool _isTransactional;
    private int _inTransaction;

    /// <summary>Creates a producer; connects with the first record.</summary>
    /// <param name="cluster">Where it writes; not disposed with it.</param>
    /// <param name="settings">How; <c>null</c> for the defaults.</param>
    /// <param name="keySerializer">Writes keys; the built-in serde by default.</param>
    /// <param name="valueSerializer">Writes values; the built-in serde by default.</param>
    /// <exception cref="ConfigException">The settings are wrong, or a type has no built-in serde.</exception>
    public Producer(ICluster cluster, ProducerSettings? settings = null, ISerializer<K>? keySerializer = null, ISerializer<V>? valueSerializer = null)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        settings ??= new ProducerSettings();
        settings.Validate();
        var name = $"Producer '{settings.ClientId}'";
        _keySerializer = keySerializer ?? ClientSerdes.BuiltIn<K>(name, "key");
        _valueSerializer = valueSerializer ?? ClientSerdes.BuiltIn<V>(name, "value");
        _isTransactional = settings.TransactionalId is not null;
        _budget = new Budget(settings.MaxBufferedBytes, settings.MaxBufferedRecords);
        _thread = new ProducerThread(cluster, settings, _budget);
    }

    /// <summary>Writes a record and returns where, when it is acknowledged. Waits while the buffers are full.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The key; <c>null</c> for none.</param>
    /// <param name="value">The value; <c>null</c> for a tombstone.</param>
    /// <param name="cancellationToken">Ends the wait; a record that is accepted already is written all the same.</param>
    /// <exception cref="ProductionException">It is not written, or not known to be.</exception>
    /// <exception cref="SerializationException">Key or value could not be turned into bytes.</exception>
    /// <exception cref="ClusterUnavailableException">The cluster did not answer in time.</exception>
    public Task<TopicPartition> ProduceAsync(string topic, K key, V value, CancellationToken cancellationToken = default) =>
        ProduceAsync(topic, new Record<K, V>(key, value, OutgoingRecord.TimeOfWriting), null, cancellationToken);

    /// <summary>Writes a record with timestamp and headers and returns where, when it is acknowledged. Waits while the buffers are full.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="record">The record; a timestamp of <see cref="OutgoingRecord.TimeOfWriting"/> (-1) stands for now.</param>
    /// <param name="partition">The partition; <c>null</c> to choose it by the key.</param>
    /// <param name="cancellationToken">Ends the wait; a record that is accepted already is written all the same.</param>
    public async Task<TopicPartition> ProduceAsync(string topic, Record<K, V> record, int? partition = null, CancellationToken cancellationToken = default)
    {
        var work = await AcceptAsync(topic, record, partition, isPosted: false, cancellationToken).ConfigureAwait(false);
        return await work.Written!.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Accepts a record without waiting until it is written; <see cref="FlushAsync"/> tells whether it was. Waits while the buffers are full.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="record">The record; a timestamp of <see cref="OutgoingRecord.TimeOfWriting"/> (-1) stands for now.</param>
    /// <param name="partition">The partition; <c>null</c> to choose it by the key.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    public async ValueTask PostAsync(string topic, Record<K, V> record, int? partition = null, CancellationToken cancellationToken = default) =>
        await AcceptAsync(topic, record, partition, isPosted: true, cancellationToken).ConfigureAwait(false);

    /// <summary>Accepts a record without waiting until it is written; <see cref="FlushAsync"/> tells whether it was. Waits while the buffers are full.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The key; <c>null</c> for none.</param>
    /// <param name="value">The value; <c>null</c> for a tombstone.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    public ValueTask PostAsync(string topic, K key, V value, CancellationToken cancellationToken = default) =>
        PostAsync(topic, new Record<K, V>(key, value, OutgoingRecord.TimeOfWriting), null, cancellationToken);

    /// <summary>Returns when everything accepted so far is acknowledged.</summary>
    /// <exception cref="StreamsException">The first failure of a posted record since the last flush.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        await CallAsync(static _ => { }, cancellationToken).ConfigureAwait(false);
        if (_thread.TakePostedFailure() is { } failure) throw failure;
    }

    /// <summary>Opens a transaction: records produced until its end become visible together, or never. One at a time; every writer of this producer is in it.</summary>
    /// <exception cref="InvalidOperationException">The producer has no <see cref="ProducerSettings.TransactionalId"/>, or a transaction is open.</exception>
    /// <exception cref="TaskMigratedException">A newer producer has the same transactional id; this one is of no use any more.</exception>
    public async Task<ProducerTransaction> BeginTransactionAsync(CancellationToken cancellationToken = default)
    {
        if (!_isTransactional) throw new InvalidOperationException($"The producer has no {nameof(ProducerSettings.TransactionalId)}, so it has no transactions.");
        if (Interlocked.Exchange(ref _inTransaction, 1) == 1) throw new InvalidOperationException("A transaction is open; commit or abort it first.");
        try
        {
            await CallAsync(static thread => thread.BeginTransaction(), cancellationToken).ConfigureAwait(false);
            return new ProducerTransaction(CallAsync, () => Volatile.Write(ref _inTransaction, 0));
        }
        catch
        {
            Volatile.Write(ref _inTransaction, 0);
            throw;
        }
    }

    /// <summary>Writes what is accepted and closes. Call <see cref="FlushAsync"/> before to learn whether posted records were written.</summary>
    public async ValueTask DisposeAsync()
    {
        _budget.Close(new ObjectDisposedException(nameof(Producer<K, V>)));
        await _thread.CloseAsync().ConfigureAwait(false);
        _thread.Dispose();
    }

    private async Task CallAsync(Action<ProducerThread> call, CancellationToken cancellationToken)
    {
        var work = new CallWork(call);
        _thread.Add(work);
        await work.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<RecordWork> AcceptAsync(string topic, Record<K, V> record, int? partition, bool isPosted, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        if (partition is { } chosen) ArgumentOutOfRangeException.ThrowIfNegative(chosen, nameof(partition));
        ArgumentOutOfRangeException.ThrowIfLessThan(record.Timestamp, OutgoingRecord.TimeOfWriting, nameof(record));
        if (_isTransactional && Volatile.Read(ref _inTransaction) == 0) throw new InvalidOperationException("A transactional producer writes within a transaction; begin one first.");

        var work = Serialize(topic, record, partition, isPosted);
        try
        {
            await _budget.TakeAsync(work.Size, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            work.Release();
            throw;
        }

        try
        {
            _thread.Add(work);
        }
        catch
        {
            work.Release();
            _budget.Return(work.Size);
            throw;
        }

        return work;
    }

    private RecordWork Serialize(string topic, Record<K, V> record, int? partition, bool isPosted)
    {
        var buffer = new PooledBuffer();
        try
        {
            if (record.HasKey) _keySerializer.Serialize(record.Key, buffer);
            var keyLength = buffer.Length;
            if (record.HasValue) _valueSerializer.Serialize(record.Value, buffer);
            var headers = record.Headers.Count == 0 ? null : record.Headers;
            return new RecordWork(topic, partition, buffer.Array, keyLength, record.HasKey, buffer.Length - keyLength, record.HasValue, record.Timestamp, headers, isPosted);
        }
        catch (Exception failure) when (failure is not (StreamsException or OutOfMemoryException))
        {
            ArrayPool<byte>.Shared.Return(buffer.Array);
            throw new SerializationException($"A record for topic '{topic}' could not be turned into bytes: {failure.Message}", failure);
        }
        catch (StreamsException)
        {
            ArrayPool<byte>.Shared.Return(buffer.Array);
            throw;
        }
    }
}
