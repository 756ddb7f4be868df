using System.Buffers.Binary;
using Streams.Core;
using Xunit;

namespace Streams.Kafka.Tests.Faults;

/// <summary>A writer and a reader of records that are numbered per partition, each of which has to come once and in its order. The writer is never far ahead of the reader.</summary>
internal sealed class Traffic : IDisposable
{
    public const string Topic = "traffic";

    private const int Partitions = 6;
    private const int MostAhead = 4_000;
    private const int PerTransaction = 20;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly KafkaCluster _cluster;
    private readonly bool _isTransactional;
    private readonly IRecordConsumer _consumer;
    private readonly int[] _expected = new int[Partitions];
    private readonly object _gate = new();
    private readonly Task _writing;
    private IRecordProducer _producer;
    private long _seen;
    private long _written;
    private bool _isEnding;

    /// <param name="cluster">Where.</param>
    /// <param name="isTransactional">Whether the writer uses transactions, some of which it gives up, and the reader reads what is committed.</param>
    public Traffic(KafkaCluster cluster, bool isTransactional)
    {
        _isTransactional = isTransactional;
        _cluster = cluster;
        _producer = NewProducer();
        _consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "reader", ReadCommitted = isTransactional });
        _consumer.Assign([.. Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(new TopicPartition(Topic, partition), 0))]);
        _writing = Task.Factory.StartNew(isTransactional ? WriteTransactions : Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Records that have been read.</summary>
    public long Seen => _seen;

    /// <summary>Transactions that the cluster has ended.</summary>
    public int Aborted { get; private set; }

    /// <summary>Writers that could not even give their transaction up, so that another took their place.</summary>
    public int Replaced { get; private set; }

    public static async Task CreateTopicAsync(KafkaCluster cluster, CancellationToken cancellationToken)
    {
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([new NewTopic(Topic, Partitions, 1, new Dictionary<string, string>())], cancellationToken);
    }

    /// <summary>Reads so many records more.</summary>
    public void Read(long count)
    {
        for (var end = _seen + count; _seen < end;) ReadSome();
    }

    /// <summary>Ends the writer and reads what it has written.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.PulseAll(_gate);
        }

        while (!_writing.IsCompleted || _seen < Interlocked.Read(ref _written)) ReadSome();
        _writing.GetAwaiter().GetResult();

        // Had anything been written twice, it would be behind what was awaited.
        using var more = _consumer.Poll(TimeSpan.FromMilliseconds(600));
        Assert.True(more is null or { Count: 0 }, $"{more?.Count} records more than were written");
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.PulseAll(_gate);
        }

        _writing.ContinueWith(static done => _ = done.Exception, TaskScheduler.Default).Wait(_patience);
        _producer.Dispose();
        _consumer.Dispose();
    }

    private void ReadSome()
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var batch = _consumer.Poll(TimeSpan.FromMilliseconds(100));
            if (batch is { Count: > 0 })
            {
                Judge(batch);
                return;
            }

            // What it failed with says more than that nothing has come.
            if (_writing.IsFaulted) _writing.GetAwaiter().GetResult();
            if (_writing.IsCompleted && _seen == Interlocked.Read(ref _written)) return;
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, $"nothing has come for {_patience}; {_seen} records were read, {Interlocked.Read(ref _written)} written");
        }
    }

    private void Judge(RecordBatch batch)
    {
        var partition = batch.Partition.Partition;
        for (var index = 0; index < batch.Count; index++)
        {
            var number = BinaryPrimitives.ReadInt32BigEndian(batch.Value(index));
            Assert.True(number == _expected[partition], $"{batch.Partition} at {batch[index].Offset} has {number}, expected was {_expected[partition]}");
            _expected[partition]++;
        }

        lock (_gate)
        {
            _seen += batch.Count;
            Monitor.PulseAll(_gate);
        }
    }

    private void Write()
    {
        var topic = _producer.GetTopic(Topic);
        for (var number = 0; MayGoOn(); number++) Send(topic, number);
        _producer.Flush(CancellationToken.None);
    }

    private void WriteTransactions()
    {
        var topic = _producer.GetTopic(Topic);
        _producer.InitTransactions(CancellationToken.None);
        var number = 0;
        for (var round = 0; MayGoOn(); round++)
        {
            _producer.BeginTransaction();
            try
            {
                for (var index = 0; index < PerTransaction; index++) Send(topic, number + index);
                if (round % 5 == 4)
                {
                    _producer.AbortTransaction(CancellationToken.None);
                    Interlocked.Add(ref _written, -PerTransaction * Partitions);
                    continue;
                }

                _producer.CommitTransaction(CancellationToken.None);
                number += PerTransaction;
            }
            catch (TransactionAbortedException)
            {
                Aborted++;
                if (!TryAbort()) topic = Replace();
                Interlocked.Exchange(ref _written, (long)number * Partitions);
            }
        }
    }

    private bool TryAbort()
    {
        try
        {
            _producer.AbortTransaction(CancellationToken.None);
            return true;
        }
        catch (TransactionAbortedException)
        {
            return false;
        }
    }

    private ProducerTopic Replace()
    {
        Replaced++;
        _producer.Dispose();
        _producer = NewProducer();
        _producer.InitTransactions(CancellationToken.None);
        return _producer.GetTopic(Topic);
    }

    private IRecordProducer NewProducer() =>
        _cluster.CreateProducer(new ProducerOptions { ClientId = "writer", TransactionalId = _isTransactional ? "traffic" : null, Linger = TimeSpan.FromMilliseconds(1) });

    private void Send(ProducerTopic topic, int number)
    {
        Span<byte> value = stackalloc byte[100];
        BinaryPrimitives.WriteInt32BigEndian(value, number);
        for (var partition = 0; partition < Partitions; partition++)
        {
            _producer.Send(topic, partition, new OutgoingRecord("k"u8, true, value, true, 1, null));
            Interlocked.Increment(ref _written);
        }
    }

    private bool MayGoOn()
    {
        lock (_gate)
        {
            while (!_isEnding && _written - _seen > MostAhead) Monitor.Wait(_gate);
            return !_isEnding;
        }
    }
}
