using Streams.Core;

namespace Streams.Client.Producing;

/// <summary>
/// Owns the cluster's producer, which is for one thread: takes what has gathered, hands it over, flushes once for all of it, and completes the callers. While a flush is under way the next
/// lot gathers, so batches grow with the load and a lone record does not wait for company.
/// </summary>
internal sealed class ProducerThread : IDisposable
{
    /// <summary>Records between two flushes: bounds how long the first of them waits.</summary>
    private const int MaxLot = 10_000;

    /// <summary>Keyless records stay on a partition for a while, which makes fuller batches (KIP-480).</summary>
    private const int RecordsPerStickyPartition = 128;

    private readonly object _gate = new();
    private readonly Queue<Work> _queue = new();
    private readonly ICluster _cluster;
    private readonly ProducerOptions _options;
    private readonly Budget _budget;
    private readonly Thread _thread;
    private readonly CancellationTokenSource _stopping = new();
    private IRecordProducer? _producer;
    private bool _closing;
    private uint _keyless;

    // What posted records met since the last flush; told to whoever flushes.
    private StreamsException? _postedFailure;

    // On the thread only: the client that has the open transaction, and the first of its records' failures.
    private IRecordProducer? _inTransaction;
    private StreamsException? _transactionFailure;
    private Exception? _fatal;

    public ProducerThread(ICluster cluster, ProducerSettings settings, Budget budget)
    {
        _cluster = cluster;
        _budget = budget;
        _options = new ProducerOptions
        {
            ClientId = settings.ClientId,
            TransactionalId = settings.TransactionalId,
            TransactionTimeout = settings.TransactionTimeout,
            Compression = settings.Compression,
            MaxBufferedBytes = settings.MaxBufferedBytes,

            // A lot is flushed when it is handed over, so nothing is gained by waiting for more.
            Linger = TimeSpan.FromMilliseconds(5),
            Properties = settings.Properties,
        };
        _thread = new Thread(Run) { IsBackground = true, Name = $"producer {settings.ClientId}" };
        _thread.Start();
    }

    public void Add(Work work)
    {
        lock (_gate)
        {
            if (_closing || _fatal is not null) throw _fatal ?? Closed();
            _queue.Enqueue(work);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>What posted records met; forgotten by being told.</summary>
    public StreamsException? TakePostedFailure() => Interlocked.Exchange(ref _postedFailure, null);

    /// <summary>On the thread: opens a transaction.</summary>
    public void BeginTransaction()
    {
        var producer = Connect();
        producer.BeginTransaction();
        _inTransaction = producer;
        _transactionFailure = null;
    }

    /// <summary>On the thread: makes offsets part of the transaction.</summary>
    public void SendOffsets(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership) => OpenTransaction().SendOffsetsToTransaction(offsets, membership, _stopping.Token);

    /// <summary>On the thread: commits, or aborts when a record failed: a part of a transaction is worse than nothing of it.</summary>
    public void CommitTransaction()
    {
        var producer = OpenTransaction();
        _inTransaction = null;
        if (_transactionFailure is { } failure)
        {
            producer.AbortTransaction(_stopping.Token);
            throw new TransactionAbortedException($"The transaction is aborted because a record of it failed: {failure.Message}", failure);
        }

        producer.CommitTransaction(_stopping.Token);
    }

    /// <summary>On the thread: aborts what is still open. A client that broke took its transaction with it.</summary>
    public void AbortTransaction()
    {
        var producer = _inTransaction;
        _inTransaction = null;
        if (producer is not null && ReferenceEquals(producer, _producer)) producer.AbortTransaction(_stopping.Token);
    }

    /// <summary>Writes what is queued and ends the thread.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        return Task.Run(_thread.Join);
    }

    public void Dispose() => _stopping.Dispose();

    private static ObjectDisposedException Closed() => new("Producer");

    private void Run()
    {
        var lot = new List<Work>();
        while (TakeLot(lot))
        {
            var records = new List<RecordWork>();
            foreach (var work in lot)
            {
                if (work is RecordWork record)
                {
                    Send(record, records);
                }
                else
                {
                    var call = (CallWork)work;
                    Flush(records);
                    Obey(call);
                }
            }

            Flush(records);
        }

        _producer?.Dispose();
    }

    private bool TakeLot(List<Work> lot)
    {
        lot.Clear();
        lock (_gate)
        {
            while (_queue.Count == 0 && !_closing) Monitor.Wait(_gate);
            while (lot.Count < MaxLot && _queue.TryDequeue(out var work)) lot.Add(work);
        }

        return lot.Count > 0;
    }

    private void Send(RecordWork record, List<RecordWork> sent)
    {
        try
        {
            var producer = Connect();
            var topic = producer.GetTopic(record.Topic);
            var partition = record.Partition ?? ChoosePartition(record, topic.PartitionCount);
            if (partition >= topic.PartitionCount)
                throw new ProductionException($"Topic '{record.Topic}' has no partition {partition}; it has {topic.PartitionCount} (0 to {topic.PartitionCount - 1}).");
            record.Target = new TopicPartition(record.Topic, partition);
            producer.Send(topic, partition, record.Outgoing);
            sent.Add(record);
        }
        catch (ProductionException failure) when (!failure.IsOfEarlierRecords)
        {
            Fail(record, failure);
        }
        catch (Exception failure)
        {
            // It may be of an earlier record as well as of this one; which of them are written is not known, so none is said to be.
            Fail(record, failure);
            FailAll(sent, failure);
        }
    }

    private void Flush(List<RecordWork> sent)
    {
        if (sent.Count == 0) return;
        try
        {
            Connect().Flush(_stopping.Token);
        }
        catch (Exception failure)
        {
            FailAll(sent, failure);
            return;
        }

        foreach (var record in sent)
        {
            Free(record);
            record.Written?.SetResult(record.Target);
        }

        sent.Clear();
    }

    private void Obey(CallWork call)
    {
        try
        {
            call.Call(this);
            call.Done.SetResult();
        }
        catch (Exception failure)
        {
            Break(failure);
            call.Done.SetException(failure);
        }
    }

    private IRecordProducer Connect()
    {
        if (_fatal is not null) throw _fatal;
        if (_producer is not null) return _producer;
        var producer = _cluster.CreateProducer(_options);
        try
        {
            if (_options.TransactionalId is not null) producer.InitTransactions(_stopping.Token);
        }
        catch
        {
            producer.Dispose();
            throw;
        }

        return _producer = producer;
    }

    private IRecordProducer OpenTransaction()
    {
        if (_fatal is not null) throw _fatal;
        return _inTransaction is not null && ReferenceEquals(_inTransaction, _producer)
            ? _inTransaction
            : throw new TransactionAbortedException("The transaction is aborted because its producer failed.", _transactionFailure);
    }

    private int ChoosePartition(RecordWork record, int count)
    {
        if (count == 1) return 0;
        return record.HasKey ? Murmur2.Partition(record.Key, count) : (int)(_keyless++ / RecordsPerStickyPartition % (uint)count);
    }

    private void FailAll(List<RecordWork> records, Exception failure)
    {
        Break(failure);
        foreach (var record in records) Fail(record, failure);
        records.Clear();
    }

    private void Fail(RecordWork record, Exception failure)
    {
        Free(record);
        var told = failure as StreamsException ?? new ProductionException($"A record for topic '{record.Topic}' could not be written: {failure.Message}", failure);
        _transactionFailure ??= told;
        if (record.Written is not null)
            record.Written.SetException(told);
        else
            Interlocked.CompareExchange(ref _postedFailure, told, null);
    }

    // A failed client may hold records of the failed lot still; the next lot gets a new one. A fenced one is the end: going on would fence whoever took over.
    private void Break(Exception failure)
    {
        if (failure is InvalidOperationException or ArgumentException) return;
        _producer?.Dispose();
        _producer = null;
        if (failure is not TaskMigratedException) return;
        lock (_gate) _fatal = failure;
        _budget.Close(failure);
    }

    private void Free(RecordWork record)
    {
        record.Release();
        _budget.Return(record.Size);
    }
}
