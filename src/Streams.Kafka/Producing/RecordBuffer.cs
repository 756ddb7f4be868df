using System.Diagnostics;
using Kafka.Protocol.Records;

namespace Streams.Kafka.Producing;

/// <summary>The records that are not acknowledged, in batches per partition. Guarded by the sender's gate.</summary>
internal sealed class RecordBuffer : IDisposable
{
    /// <summary>Largest number of bytes that the fields of a record other than key, value and headers take: four varints of 32 bits, one of 64, the attributes.</summary>
    private const int MaxRecordOverheadBytes = (4 * 5) + 10 + 1;

    private const int MaxKeptBatches = 1024;

    private readonly ManagedProducerSettings _settings;
    private readonly TimeProvider _time;
    private readonly BatchStore _store;
    private readonly List<ProducerPartition> _partitions = [];

    public RecordBuffer(ManagedProducerSettings settings, bool isTransactional, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        var options = new RecordBatchOptions
        {
            Compression = settings.Compression,
            CompressionLevel = settings.CompressionLevel,
            MaxBytes = settings.MaxRequestBytes,
            IsTransactional = isTransactional,
        };
        _store = new BatchStore(options, (int)Math.Clamp(settings.MaxBufferedBytes / Math.Max(1, settings.BatchBytes), 1, MaxKeptBatches));
    }

    /// <summary>The partitions that have something.</summary>
    public IReadOnlyList<ProducerPartition> Partitions => _partitions;

    /// <summary>Bytes that are not acknowledged, before compression.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether a record whose key, value and headers have so many bytes may come. One that is alone always may: there is nothing to wait for.</summary>
    public bool HasRoom(long bytes) => Bytes == 0 || Bytes + bytes + MaxRecordOverheadBytes <= _settings.MaxBufferedBytes;

    /// <summary>Adds a record to its partition's batch; its spans are copied.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="timestamp">Unix milliseconds.</param>
    /// <param name="key">The key, or null.</param>
    /// <param name="value">The value, or null.</param>
    /// <param name="headers">Its headers, encoded, their count first.</param>
    /// <param name="opened">The batch that it is the first record of, if it is.</param>
    /// <param name="sends">Whether a batch can go that could not before.</param>
    public AddOutcome Add(ProducerPartition partition, long timestamp, NullableBytes key, NullableBytes value, ReadOnlySpan<byte> headers, out ProducerBatch? opened, out bool sends)
    {
        opened = null;
        sends = false;
        var bytes = (long)key.Bytes.Length + value.Bytes.Length + headers.Length;
        if (!HasRoom(bytes)) return AddOutcome.NoRoom;
        var maxBytes = Math.Min(_settings.BatchBytes, partition.MaxBatchBytes);
        if (partition.Open is { } filled && filled.BufferedBytes + bytes + MaxRecordOverheadBytes > maxBytes) sends = CloseFull(partition);
        var batch = partition.Open ?? _store.Take();
        if (!batch.Builder.TryAppendEncoded(batch.Count, timestamp, key, value, headers))
        {
            Debug.Assert(partition.Open is null, "a batch that others are in has room for what is smaller than a batch");
            _store.Return(batch);
            return AddOutcome.TooLarge;
        }

        if (partition.Open is null)
        {
            Open(partition, batch);
            opened = batch;
            sends |= batch.IsDue;
        }

        Count(batch);
        if (batch.BufferedBytes >= maxBytes) sends |= CloseFull(partition);
        return AddOutcome.Added;
    }

    /// <summary>Has everything go as soon as it can, full or not.</summary>
    public void MakeDue()
    {
        foreach (var partition in _partitions)
        {
            if (partition.Open is { } open) open.IsDue = true;
        }
    }

    /// <summary>The batch that has waited longest, as the one that is offered.</summary>
    public static ProducerBatch MakeHead(ProducerPartition partition)
    {
        if (partition.Head is not null) return partition.Head;
        if (partition.Full.Count == 0) Close(partition);
        return partition.Head = partition.Full.Dequeue();
    }

    /// <summary>Makes smaller batches of a head that the topic does not take in one, and has those that come be as small.</summary>
    /// <returns>Bytes of the head.</returns>
    public int Split(ProducerPartition partition)
    {
        var batch = partition.TakeHead();

        // One that was filled under an earlier, larger bound says nothing about the one there is.
        if (batch.BufferedBytes <= partition.MaxBatchBytes) partition.MaxBatchBytes = Math.Max(1, batch.BufferedBytes / 2);
        var parts = new Queue<ProducerBatch>();
        ProducerBatch? part = null;
        var view = RecordBatchView.Read(batch.Bytes.Span);
        using var unpacked = view.Decompress(_settings.MaxRequestBytes);
        var records = unpacked is null ? view.GetRecords() : view.GetRecords(unpacked.WrittenSpan);
        while (records.MoveNext())
        {
            var record = records.Current;
            if (part is null || part.Builder.UncompressedBytes + record.Encoded.Length > partition.MaxBatchBytes)
            {
                parts.Enqueue(part = _store.Take());
                part.OpenedAt = batch.OpenedAt;
            }

            if (!part.Builder.TryAppendEncoded(part.Count, record.Timestamp, record.NullableKey, record.NullableValue, record.EncodedHeaders))
                throw new InvalidOperationException("A record of a batch is larger than a batch.");
        }

        foreach (var made in parts) Count(made);
        while (partition.Full.TryDequeue(out var later)) parts.Enqueue(later);
        while (parts.TryDequeue(out var first)) partition.Full.Enqueue(first);
        var bytes = batch.BufferedBytes;
        Release(batch);
        return bytes;
    }

    /// <summary>A batch is acknowledged or given up.</summary>
    public void Release(ProducerBatch batch)
    {
        Bytes -= batch.BufferedBytes;
        _store.Return(batch);
    }

    /// <summary>Drops everything that is not on its way.</summary>
    /// <returns>Whether the broker may have some of it.</returns>
    public bool Discard()
    {
        var isInDoubt = false;
        foreach (var partition in _partitions)
        {
            if (partition.Head is not null && !partition.IsInFlight)
            {
                isInDoubt |= partition.Head.IsInDoubt;
                Release(partition.TakeHead());
            }

            while (partition.Full.TryDequeue(out var full)) Release(full);
            if (partition.Open is { } open) Release(open);
            partition.Open = null;
        }

        return isInDoubt;
    }

    /// <summary>Takes partitions that have nothing any more out of the list.</summary>
    public void RemoveEmpty()
    {
        for (var index = _partitions.Count - 1; index >= 0; index--)
        {
            var partition = _partitions[index];
            if (!partition.IsEmpty) continue;
            partition.IsListed = false;
            _partitions[index] = _partitions[^1];
            _partitions.RemoveAt(_partitions.Count - 1);
        }
    }

    /// <summary>Gives the memory back, but for what is on its way: a request may still be reading it.</summary>
    public void Dispose()
    {
        Discard();
        _store.Dispose();
    }

    private void Open(ProducerPartition partition, ProducerBatch batch)
    {
        batch.OpenedAt = _time.GetTimestamp();
        batch.IsDue = _settings.Linger == TimeSpan.Zero;
        partition.Open = batch;
        if (partition.IsListed) return;
        partition.IsListed = true;
        _partitions.Add(partition);
    }

    private void Count(ProducerBatch batch)
    {
        var bytes = batch.Builder.UncompressedBytes;
        Bytes += bytes - batch.BufferedBytes;
        batch.BufferedBytes = bytes;
    }

    /// <summary>Closes the batch being filled; true when it can go. Behind another it cannot: what that one waits for sends this one too.</summary>
    private static bool CloseFull(ProducerPartition partition)
    {
        Close(partition);
        return partition.Head is null && partition.Full.Count == 1;
    }

    private static void Close(ProducerPartition partition)
    {
        partition.Full.Enqueue(partition.Open!);
        partition.Open = null;
    }
}
