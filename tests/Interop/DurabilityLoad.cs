using System.Globalization;
using Confluent.Kafka;

namespace Interop;

/// <summary>
/// What clients do to a broker while it is killed: an idempotent producer, one that overwrites keys of a compacted topic, a transactional
/// one that takes a group's offsets along, and a group member that commits. Each remembers what the broker acknowledged, and
/// <see cref="Verify"/> compares that with what is there.
/// </summary>
internal sealed class DurabilityLoad : IDisposable
{
    public const string Plain = "plain";
    public const string Compacted = "compacted";
    public const string First = "tx-first";
    public const string Second = "tx-second";
    public const int Partitions = 2;

    private const string TransactionGroup = "tx-group";
    private const string MemberGroup = "member-group";
    private const int RecordsPerTransaction = 3;
    private const int Keys = 40;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _bootstrap;
    private readonly int _seed;
    private readonly Lock _gate = new();
    private readonly List<Thread> _threads = [];
    private readonly List<Exception> _failures = [];
    private readonly SemaphoreSlim _progress = new(0);

    // By partition: how many numbers were sent, and which were acknowledged.
    private readonly int[] _sent = new int[Partitions];
    private readonly HashSet<int>[] _acknowledged = [[], []];
    private readonly Dictionary<string, int> _lastValue = [];
    private readonly List<Outcome> _transactions = [];
    private readonly Dictionary<int, long> _committedOffsets = [];
    private readonly ManualResetEventSlim _stopping = new();

    public DurabilityLoad(string bootstrap, int seed)
    {
        _bootstrap = bootstrap;
        _seed = seed;
        Start(WriteNumbers);
        Start(OverwriteKeys);
        Start(RunTransactions);
        Start(ReadAsMember);
    }

    private enum Outcome
    {
        /// <summary>The producer was lost in the middle: all of it is there, or nothing.</summary>
        Unknown,
        Committed,
        Aborted,
    }

    /// <summary>How far the load has come: acknowledged records, ended transactions, acknowledged commits of the member.</summary>
    public (int Records, int Transactions, int Commits) Progress
    {
        get
        {
            lock (_gate)
                return (_acknowledged.Sum(numbers => numbers.Count), _transactions.Count, Commits);
        }
    }

    private int Commits { get; set; }

    private bool IsStopping => _stopping.IsSet;

    /// <summary>Waits until the load has come this much further.</summary>
    public void WaitFor(int records, int transactions, CancellationToken cancellation)
    {
        var from = Progress;
        while (Progress is var now && (now.Records < from.Records + records || now.Transactions < from.Transactions + transactions))
        {
            ThrowIfFailed();
            Assert.True(_progress.Wait(_patience, cancellation), $"The load stands still at {now}.");
        }
    }

    /// <summary>Lets everything that is under way end; nothing may fail for good.</summary>
    public void Stop()
    {
        _stopping.Set();
        foreach (var thread in _threads)
            Assert.True(thread.Join(TimeSpan.FromMinutes(3)), $"{thread.Name} does not come to its end.");
        ThrowIfFailed();
    }

    public void Verify(CancellationToken cancellation)
    {
        for (var partition = 0; partition < Partitions; partition++)
        {
            var numbers = Read(Plain, partition, cancellation).ConvertAll(result => Number(result.Message.Value));
            Assert.Equal(Enumerable.Range(0, _sent[partition]), numbers);
            Assert.Subset(numbers.ToHashSet(), _acknowledged[partition]);
        }

        var values = new Dictionary<string, int>();
        foreach (var result in Read(Compacted, 0, cancellation))
            values[result.Message.Key] = Number(result.Message.Value);
        Assert.Equal(_lastValue.OrderBy(entry => entry.Key, StringComparer.Ordinal), values.OrderBy(entry => entry.Key, StringComparer.Ordinal));

        var committed = VerifyTransactions(cancellation);
        VerifyOffsets(committed);
    }

    /// <summary>Asks the load to end, without waiting: after a failure the broker may not come back.</summary>
    public void Dispose() => _stopping.Set();

    private List<int> VerifyTransactions(CancellationToken cancellation)
    {
        var first = Read(First, 0, cancellation).ConvertAll(result => result.Message.Value);
        var second = Read(Second, 0, cancellation).ConvertAll(result => result.Message.Value);
        var there = second.Select(value => Number(value.Split('.')[0])).Distinct().ToHashSet();
        var committed = new List<int>();
        for (var number = 0; number < _transactions.Count; number++)
        {
            if (_transactions[number] == Outcome.Committed || (_transactions[number] == Outcome.Unknown && there.Contains(number)))
                committed.Add(number);
        }

        var expected = committed.SelectMany(number => Enumerable.Range(0, RecordsPerTransaction).Select(i => Value(number, i))).ToList();
        Assert.Equal(expected, first);
        Assert.Equal(expected, second);
        return committed;
    }

    private void VerifyOffsets(List<int> committed)
    {
        using var consumer = NewConsumer(TransactionGroup);
        var position = consumer.Committed([new TopicPartition(First, 0)], _patience).Single().Offset;
        Assert.Equal(committed.Count == 0 ? Offset.Unset : new Offset(committed[^1] + 1), position);

        using var member = NewConsumer(MemberGroup);
        foreach (var found in member.Committed(Enumerable.Range(0, Partitions).Select(partition => new TopicPartition(Plain, partition)), _patience))
        {
            var acknowledged = _committedOffsets.GetValueOrDefault(found.Partition.Value, Offset.Unset.Value);
            Assert.True(found.Offset >= acknowledged, $"The group is at {found.Offset} in partition {found.Partition.Value} but committed {acknowledged}.");
        }
    }

    /// <summary>What a read-committed client finds from the start of a partition to its end.</summary>
    private List<ConsumeResult<string, string>> Read(string topic, int partition, CancellationToken cancellation)
    {
        using var consumer = NewConsumer("verifier");
        consumer.Assign(new TopicPartitionOffset(topic, partition, Offset.Beginning));
        var results = new List<ConsumeResult<string, string>>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (consumer.Consume(limit.Token) is { IsPartitionEOF: false } result)
            results.Add(result);
        for (var i = 1; i < results.Count; i++)
            Assert.True(results[i].Offset > results[i - 1].Offset, $"Offset {results[i].Offset} comes after {results[i - 1].Offset}.");
        return results;
    }

    private void WriteNumbers()
    {
        using var producer = NewProducer();
        while (!IsStopping)
        {
            for (var partition = 0; partition < Partitions; partition++)
            {
                var (to, number) = (partition, _sent[partition]++);
                Produce(producer, Plain, to, $"{number}", Text(number), report => Acknowledge(report, () => _acknowledged[to].Add(number)));
            }

            Pace(_sent[0]);
        }

        Assert.Equal(0, producer.Flush(_patience * 2));
    }

    private void OverwriteKeys()
    {
        var random = new Random(_seed + 1);
        using var producer = NewProducer();
        for (var value = 0; !IsStopping; value++)
        {
            var key = $"key-{random.Next(Keys)}";
            _lastValue[key] = value;
            Produce(producer, Compacted, 0, key, Text(value), report => Acknowledge(report, () => { }));
            Pace(value);
        }

        Assert.Equal(0, producer.Flush(_patience * 2));
    }

    private void RunTransactions()
    {
        var random = new Random(_seed + 2);
        using var identity = NewConsumer(TransactionGroup);
        var producer = NewTransactionalProducer();
        try
        {
            for (var number = 0; !IsStopping; number++)
            {
                var outcome = RunTransaction(producer, identity.ConsumerGroupMetadata, number, abort: random.Next(4) == 0);
                if (outcome == Outcome.Unknown)
                {
                    producer.Dispose();
                    producer = NewTransactionalProducer(); // ends the open one
                }

                lock (_gate)
                    _transactions.Add(outcome);
                _progress.Release();
            }
        }
        finally
        {
            producer.Dispose();
        }
    }

    private static Outcome RunTransaction(IProducer<string, string> producer, IConsumerGroupMetadata group, int number, bool abort)
    {
        try
        {
            producer.BeginTransaction();
            for (var i = 0; i < RecordsPerTransaction; i++)
            {
                producer.Produce(new TopicPartition(First, 0), new Message<string, string> { Key = "k", Value = Value(number, i) });
                producer.Produce(new TopicPartition(Second, 0), new Message<string, string> { Key = "k", Value = Value(number, i) });
            }

            var offsets = new[] { new TopicPartitionOffset(First, 0, number + 1) };
            Retry(() => producer.SendOffsetsToTransaction(offsets, group, _patience));
            if (!abort)
            {
                Retry(() => producer.CommitTransaction(_patience));
                return Outcome.Committed;
            }
        }
        catch (KafkaTxnRequiresAbortException)
        {
            // Aborted below, as the client asks for.
        }
        catch (KafkaException)
        {
            return Outcome.Unknown;
        }

        try
        {
            Retry(() => producer.AbortTransaction(_patience));
            return Outcome.Aborted;
        }
        catch (KafkaException)
        {
            return Outcome.Unknown;
        }
    }

    private void ReadAsMember()
    {
        var positions = new Dictionary<int, long>();
        // What was read before a rebalance is read again: to commit it now would move the group past records of this assignment.
        using var consumer = ConsumerOf(MemberGroup).SetPartitionsAssignedHandler((_, _) => positions.Clear()).Build();
        consumer.Subscribe(Plain);
        while (!IsStopping)
        {
            ConsumeResult<string, string>? result;
            try
            {
                result = consumer.Consume(TimeSpan.FromMilliseconds(100));
            }
            catch (ConsumeException)
            {
                continue; // the broker is away
            }

            if (result is null || result.IsPartitionEOF)
                continue;
            var partition = result.Partition.Value;
            // After a rebalance it starts where it committed: not before what was acknowledged.
            Assert.True(
                result.Offset >= _committedOffsets.GetValueOrDefault(partition),
                $"The member got offset {result.Offset} of partition {partition} after it had committed {_committedOffsets.GetValueOrDefault(partition)}.");
            positions[partition] = result.Offset + 1;
            if (result.Offset % 50 != 0)
                continue;
            try
            {
                consumer.Commit(positions.Select(position => new TopicPartitionOffset(Plain, position.Key, position.Value)));
                foreach (var (committed, offset) in positions)
                    _committedOffsets[committed] = offset;
                lock (_gate)
                    Commits++;
            }
            catch (KafkaException)
            {
                // Not acknowledged: it may be there or not.
            }

            positions.Clear();
        }

        consumer.Close();
    }

    /// <summary>Leaves the others some of the machine: without it two producers take all of it, and few transactions are seen.</summary>
    private void Pace(int count)
    {
        if (count % 10 == 0)
            _stopping.Wait(TimeSpan.FromMilliseconds(1));
    }

    private static void Retry(Action step)
    {
        while (true)
        {
            try
            {
                step();
                return;
            }
            catch (KafkaRetriableException)
            {
                // As it says; each attempt has a time limit of its own, and the test has one.
            }
        }
    }

    private void Acknowledge(DeliveryReport<string, string> report, Action remember)
    {
        lock (_gate)
        {
            if (report.Error.IsError)
                _failures.Add(new KafkaException(report.Error));
            else
                remember();
        }

        _progress.Release();
    }

    private void Produce(
        IProducer<string, string> producer, string topic, int partition, string key, string value, Action<DeliveryReport<string, string>> onReport)
    {
        while (true)
        {
            try
            {
                producer.Produce(new TopicPartition(topic, partition), new Message<string, string> { Key = key, Value = value }, onReport);
                return;
            }
            catch (ProduceException<string, string> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                ThrowIfFailed();
                producer.Poll(TimeSpan.FromMilliseconds(10));
            }
        }
    }

    private void Start(Action body)
    {
        var thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e)
            {
                lock (_gate)
                    _failures.Add(e);
                _progress.Release();
            }
        }) { IsBackground = true, Name = body.Method.Name };
        _threads.Add(thread);
        thread.Start();
    }

    private void ThrowIfFailed()
    {
        lock (_gate)
        {
            if (_failures.Count > 0)
                throw new AggregateException("The load failed", _failures);
        }
    }

    private IProducer<string, string> NewProducer() => new ProducerBuilder<string, string>(ProducerSettings()).SetLogHandler((_, _) => { }).Build();

    private IProducer<string, string> NewTransactionalProducer()
    {
        var settings = ProducerSettings();
        settings.TransactionalId = "durability";
        var producer = new ProducerBuilder<string, string>(settings).SetLogHandler((_, _) => { }).Build();
        Retry(() => producer.InitTransactions(_patience));
        return producer;
    }

    // Small batches and a short queue keep requests in flight at any moment; nothing is given up while the broker is away.
    private ProducerConfig ProducerSettings() => new()
    {
        BootstrapServers = _bootstrap,
        EnableIdempotence = true,
        Acks = Acks.All,
        LingerMs = 1,
        BatchNumMessages = 30,
        QueueBufferingMaxMessages = 200,
        MessageTimeoutMs = 120_000,
        TransactionTimeoutMs = 120_000,
        ReconnectBackoffMs = 20,
        ReconnectBackoffMaxMs = 100,
        RetryBackoffMs = 20,
    };

    private IConsumer<string, string> NewConsumer(string group) => ConsumerOf(group).Build();

    private ConsumerBuilder<string, string> ConsumerOf(string group) => new ConsumerBuilder<string, string>(new ConsumerConfig
    {
        BootstrapServers = _bootstrap,
        GroupId = group,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnableAutoCommit = false,
        EnablePartitionEof = true,
        IsolationLevel = IsolationLevel.ReadCommitted,
        SessionTimeoutMs = 6000,
        FetchWaitMaxMs = 50,
        ReconnectBackoffMs = 20,
        ReconnectBackoffMaxMs = 100,
    }).SetLogHandler((_, _) => { });

    private static string Value(int transaction, int index) => string.Create(CultureInfo.InvariantCulture, $"{transaction}.{index}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
