using System.Globalization;
using System.Text;
using Streams.Core;
using Xunit;

namespace Streams.Tests.Shared;

/// <summary>
/// A cluster for one test of whole applications: topics and an application id that nobody else has, local state in a folder of its own, and none of it left afterwards.
/// The cluster may be shared with other tests, other programs and earlier runs.
/// </summary>
public abstract class ApplicationScene : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-suite-" + Guid.NewGuid().ToString("n"));
    private readonly List<KafkaStreams> _applications = [];
    private readonly Dictionary<string, int> _partitions = [];
    private ICluster? _cluster;
    private IRecordProducer? _producer;

    protected ICluster Cluster => _cluster!;

    /// <summary>Also the beginning of the names of all topics.</summary>
    protected string ApplicationId { get; } = "suite-" + Guid.NewGuid().ToString("n");

    /// <summary>
    /// Time of the first record: about an hour ago, at a full ten minutes so that windows begin with it. Not further back, because a cluster deletes old records by their own
    /// time, and not later, because Apache Kafka refuses those from the future.
    /// </summary>
    protected long Start { get; } = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 600_000 * 600_000 - 3_000_000;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The cluster under test; skips the test where there is none.</summary>
    protected abstract ValueTask<ICluster> StartClusterAsync();

    /// <summary>Ends what <see cref="StartClusterAsync"/> has started besides the cluster.</summary>
    protected virtual ValueTask StopClusterAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync() => _cluster = await StartClusterAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var application in _applications) await application.DisposeAsync();
        _producer?.Dispose();
        if (_cluster is not null)
        {
            using (var admin = _cluster.CreateAdmin("suite"))
            {
                var own = (await admin.ListTopicsAsync(CancellationToken.None)).Where(topic => topic.StartsWith(ApplicationId, StringComparison.Ordinal)).ToList();
                if (own.Count > 0) await admin.DeleteTopicsAsync(own, CancellationToken.None);
            }

            await _cluster.DisposeAsync();
        }

        await StopClusterAsync();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    protected string Topic(string name) => $"{ApplicationId}-{name}";

    /// <summary>Makes a topic and waits until the cluster knows it.</summary>
    protected async Task<string> NewTopicAsync(string name, int partitions)
    {
        var topic = Topic(name);
        await TestTopics.CreateAsync(Cluster, topic, partitions);
        using var admin = Cluster.CreateAdmin("suite");
        await TestTopics.WaitUntilAsync(() => admin.DescribeTopicsAsync([topic], Token).GetAwaiter().GetResult().ContainsKey(topic), Patience);
        _partitions[topic] = partitions;
        return topic;
    }

    /// <summary>Sends to the partitions that the keys say, and returns when everything is acknowledged. Record number n is n milliseconds after <see cref="Start"/> unless a time is given.</summary>
    protected void Produce(string topic, IEnumerable<(string? Key, string? Value)> records, Func<int, long>? offsetMs = null, Headers? headers = null)
    {
        // One for all calls: librdkafka waits a second for the identity of each new one.
        _producer ??= Cluster.CreateProducer(new ProducerOptions { ClientId = "suite" });
        var target = _producer.GetTopic(topic);
        var number = 0;
        foreach (var (key, value) in records)
        {
            var keyBytes = key is null ? default : Encoding.UTF8.GetBytes(key);
            _producer.Send(
                target,
                key is null ? 0 : Murmur2.Partition(keyBytes, target.PartitionCount),
                new OutgoingRecord(keyBytes, key is not null, value is null ? default : Encoding.UTF8.GetBytes(value), value is not null, Start + (offsetMs?.Invoke(number) ?? number), headers));
            number++;
        }

        _producer.Flush(Token);
    }

    /// <summary>Numbers as values, spread over so many keys <c>k0</c>, <c>k1</c> …</summary>
    protected static IEnumerable<(string?, string?)> Numbers(int from, int to, int keys) =>
        Enumerable.Range(from, to - from).Select(number => ((string?)$"k{number % keys}", (string?)number.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Reads a topic of <see cref="NewTopicAsync"/> from its beginning.</summary>
    private protected TopicFollower Follow(string topic) =>
        new(Cluster, topic, _partitions[topic], () => _applications.Select(application => application.State == KafkaStreamsState.Error ? application.Failure : null).FirstOrDefault(failure => failure is not null));

    /// <summary>An instance of the application; instances of the same number have the same folder. Closed and disposed with the test.</summary>
    protected KafkaStreams NewInstance(Topology topology, int number = 0, Func<StreamsConfig, StreamsConfig>? change = null)
    {
        var config = new StreamsConfig
        {
            ApplicationId = ApplicationId,
            Cluster = Cluster,
            CommitInterval = TimeSpan.FromMilliseconds(100),
            HeartbeatInterval = TimeSpan.FromMilliseconds(100),
            StateDirectory = StateOf(number),
            StateStoreCacheMaxBytes = 0,
        };
        var application = new KafkaStreams(topology, change?.Invoke(config) ?? config);
        _applications.Add(application);
        return application;
    }

    /// <summary>Runs an instance from here on.</summary>
    protected async Task<KafkaStreams> StartAsync(Topology topology, int number = 0, Func<StreamsConfig, StreamsConfig>? change = null)
    {
        var application = NewInstance(topology, number, change);
        await application.StartAsync(Token);
        return application;
    }

    protected static async Task CloseAsync(KafkaStreams application)
    {
        Assert.True(await application.CloseAsync(Patience, leaveGroup: true), "did not close in time");
        Assert.Null(application.Failure);
    }

    /// <summary>Local state of the instances of a number.</summary>
    protected string StateOf(int number) => Path.Combine(_folder, number.ToString(CultureInfo.InvariantCulture));

    protected static Task WaitUntilAsync(Func<bool> condition) => TestTopics.WaitUntilAsync(condition, Patience);

    protected static Task WaitForRunningAsync(params KafkaStreams[] applications) => WaitUntilAsync(() => applications.All(application => application.State == KafkaStreamsState.Running));

    protected static int TasksOf(KafkaStreams application) => application.TasksByThread.Values.Sum(tasks => tasks.Count);
}
