using System.Text;
using Conformance;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;

namespace RandomTopologies;

/// <summary>
/// Runs a case as an application with exactly-once on an embedded broker, one event after the other. Where it is to restart, it is closed with no time for a last commit in the
/// middle of the event's work, as good as killed, and started again.
/// </summary>
internal sealed class BrokerRun : IDisposable
{
    private const string Application = "app";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly RandomCase _case;
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-random-" + Guid.NewGuid().ToString("n"));
    private readonly EmbeddedCluster _cluster = EmbeddedCluster.InMemory();
    private readonly StoreType _stores;
    private readonly List<Written> _written = [];

    private BrokerRun(RandomCase given, StoreType stores)
    {
        _case = given;
        _stores = stores;
    }

    /// <summary>The committed records of the output topics, by topic and in order.</summary>
    public static IReadOnlyList<Written> Of(RandomCase given, StoreType stores, IReadOnlySet<int> restarts, IEnumerable<string> outputs)
    {
        using var run = new BrokerRun(given, stores);
        return run.Run(restarts, outputs).GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _cluster.DisposeAsync().AsTask().GetAwaiter().GetResult();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private async Task<IReadOnlyList<Written>> Run(IReadOnlySet<int> restarts, IEnumerable<string> outputs)
    {
        var plan = new TopologyPlan(Build(), Application);
        var sinks = plan.Subtopologies.SelectMany(subtopology => subtopology.Nodes.OfType<SinkDefinition>()).Select(sink => sink.Topic).OfType<string>()
            .Where(topic => !plan.InternalTopics.ContainsKey(topic)).Concat(outputs).Distinct().ToList();
        var sources = plan.Subtopologies.Concat(plan.Globals).SelectMany(subtopology => subtopology.SourceTopics([])).Distinct().ToList();
        using var admin = _cluster.CreateAdmin("test");

        // The records are of 1970.
        var forEver = new Dictionary<string, string> { ["retention.ms"] = "-1" };
        await admin.CreateTopicsAsync(
            [.. sources.Where(topic => plan.InternalTopicOf(topic) is null).Concat(sinks).Distinct().Select(topic => new NewTopic(topic, 1, 1, forEver))], CancellationToken.None);
        var reads = plan.Subtopologies.SelectMany(subtopology => subtopology.SourceTopics([])).Distinct().Select(topic => new TopicPartition(topic, 0)).ToList();
        var app = Start();
        try
        {
            using var producer = _cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
            foreach (var (index, input) in _case.Input.Index())
            {
                Send(producer, input);
                if (restarts.Contains(index))
                {
                    await app.CloseAsync(TimeSpan.FromMilliseconds(1));
                    await EndAsync(app);
                    app = Start();
                }

                await ProcessedAsync(app, reads);
            }
        }
        finally
        {
            await EndAsync(app);
        }

        foreach (var topic in sinks.Order(StringComparer.Ordinal)) ReadOutput(topic);
        return _written;
    }

    private Topology Build() => Interpreter.Build(_case.ToCase(), _stores);

    private KafkaStreams Start()
    {
        var app = new KafkaStreams(Build(), new StreamsConfig
        {
            ApplicationId = Application,
            Cluster = _cluster,
            ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
            StateDirectory = _folder,
            StateStoreCacheMaxBytes = 0,
            EmitInterval = TimeSpan.Zero,
            CommitInterval = TimeSpan.FromMilliseconds(2),
            PollInterval = TimeSpan.FromMilliseconds(10),
            HeartbeatInterval = TimeSpan.FromMilliseconds(50),
            TransactionTimeout = TimeSpan.FromSeconds(10),
        });
        app.StartAsync().GetAwaiter().GetResult();
        return app;
    }

    private static async Task EndAsync(KafkaStreams app)
    {
        if (!await app.CloseAsync(_patience)) throw new TimeoutException("The application did not end.");
        if (app.Failure is { } failure) throw new InvalidOperationException("The application failed.", failure);
    }

    private static void Send(IRecordProducer producer, CaseEvent input)
    {
        var (key, value) = (input.Key is null ? null : Encoding.UTF8.GetBytes(input.Key), input.Value is null ? null : Encoding.UTF8.GetBytes(input.Value));
        producer.Send(producer.GetTopic(input.Topic!), 0, new OutgoingRecord(key, key is not null, value, value is not null, input.Timestamp, input.Headers));
        producer.Flush(CancellationToken.None);
    }

    // Everything that can be seen in the topics it reads is processed and committed. Twice in a row: what one sub-topology commits is input of the next.
    private async Task ProcessedAsync(KafkaStreams app, List<TopicPartition> reads)
    {
        using var coordinator = new Disposable(_cluster.CreateGroupCoordinator("test", Application));
        var started = TimeProvider.System.GetTimestamp();
        for (var round = 0; round < 2;)
        {
            if (app.Failure is { } failure) throw new InvalidOperationException("The application failed.", failure);
            if (TimeProvider.System.GetElapsedTime(started) > _patience) throw new TimeoutException($"The application is {app.State} and has not processed everything.");
            IReadOnlyDictionary<TopicPartition, OffsetCommit> committed = new Dictionary<TopicPartition, OffsetCommit>();
            try
            {
                committed = await coordinator.Value.FetchOffsetsAsync(reads, CancellationToken.None);
            }
            catch (ClusterUnavailableException)
            {
                // Offsets of a transaction that is just ending; asked again.
            }

            if (reads.TrueForAll(partition => LastVisible(partition) is var last && (last < 0 || (committed.TryGetValue(partition, out var commit) && commit.Offset > last)))) round++;
            else round = 0;
            if (round < 2) await Task.Delay(2);
        }
    }

    // Of a transaction that is open nothing is seen, and its offsets are not committed either.
    private long LastVisible(TopicPartition partition)
    {
        var last = -1L;
        foreach (var batch in Read(partition)) last = Math.Max(last, batch.Offset);
        return last;
    }

    private void ReadOutput(string topic)
    {
        foreach (var record in Read(new TopicPartition(topic, 0))) _written.Add(record.Written);
    }

    private List<(long Offset, Written Written)> Read(TopicPartition partition)
    {
        var records = new List<(long, Written)>();
        using var admin = _cluster.CreateAdmin("test");
        if (admin.DescribeTopicsAsync([partition.Topic], CancellationToken.None).GetAwaiter().GetResult().Count == 0) return records;
        var begin = admin.BeginningOffsetsAsync([partition], CancellationToken.None).GetAwaiter().GetResult()[partition];
        var end = admin.EndOffsetsAsync([partition], readCommitted: true, CancellationToken.None).GetAwaiter().GetResult()[partition];
        if (begin >= end) return records;
        using var consumer = _cluster.CreateConsumer(new ConsumerOptions { ClientId = "test", ReadCommitted = true });
        consumer.Assign([new TopicPartitionOffset(partition, begin)]);
        for (var next = begin; next < end;)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(1));
            if (batch is null) continue;
            next = batch.NextOffset;
            for (var index = 0; index < batch.Count; index++)
            {
                ref readonly var slice = ref batch[index];
                records.Add((slice.Offset, new Written(
                    partition.Topic,
                    slice.HasKey ? Encoding.UTF8.GetString(batch.Key(index)) : null,
                    slice.HasValue ? Encoding.UTF8.GetString(batch.Value(index)) : null,
                    slice.Timestamp,
                    string.Concat((batch.Headers(index) ?? Headers.Empty).Select(header => $" {header.Key}={Convert.ToHexString((header.Value ?? default).Span)}")))));
            }
        }

        return records;
    }

    private sealed class Disposable(IGroupCoordinator value) : IDisposable
    {
        public IGroupCoordinator Value => value;

        public void Dispose() => value.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
