using System.Globalization;
using System.Text;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;
using Streams.State;

namespace Simulation;

/// <summary>
/// An application with much state and a steady stream of input whose instances come, go and die, without any other fault, in virtual time: who processed what, when, and how
/// much had to be restored for it.
/// </summary>
internal sealed class Scaling : IDisposable
{
    public const int Partitions = 4;

    /// <summary>Rows of state per task before anything else happens.</summary>
    public const int Rows = 300;

    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private const string Input = "input";
    private const string StoreName = "rows";
    private static readonly TimeSpan _timeBetweenRecords = TimeSpan.FromMilliseconds(80);

    private readonly World _world;
    private readonly SimulatedBroker _broker;
    private readonly EmbeddedProducer _feeder;
    private readonly string _folder;
    private readonly List<Incarnation> _lives = [];
    private readonly ProcessingGuarantee _guarantee;
    private readonly int _standbys;
    private readonly List<(int Partition, TimeSpan ProducedAt)> _produced = [];
    private readonly int[] _numbers = new int[Partitions];

    public Scaling(int seed, ProcessingGuarantee guarantee, int standbys)
    {
        _world = new World(seed);
        _guarantee = guarantee;
        _standbys = standbys;
        _folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"streams-scaling-{Environment.ProcessId}-{seed}-{guarantee}-{standbys}");
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        _broker = new SimulatedBroker(_world, null);
        _feeder = new EmbeddedProducer(_broker.Direct(), new ProducerOptions { ClientId = "feeder" }, new SimulatedTime(_world, null));
        var none = new Dictionary<string, string>();
        new EmbeddedAdmin(_broker.Direct()).CreateTopicsAsync([new NewTopic(Input, Partitions, 1, none), new NewTopic("output", 1, 1, none)], CancellationToken.None).GetAwaiter().GetResult();
        for (var row = 0; row < Rows; row++)
        {
            for (var partition = 0; partition < Partitions; partition++) Produce(partition, row.ToString(CultureInfo.InvariantCulture));
        }

        _produced.Clear();
    }

    /// <summary>Every record that was processed, in order.</summary>
    public List<Processed> Log { get; } = [];

    /// <summary>Records that were restored, by instance and task.</summary>
    public Dictionary<(string Life, TaskId Task), long> Restored { get; } = [];

    public IReadOnlyList<string> Violations => _broker.Assignments.Violations;

    public TimeSpan Now => _world.Now;

    /// <summary>Of the records that came while time passed, how many there were.</summary>
    public int ProducedCount => _produced.Count;

    /// <summary>Lets time pass, with input to every partition.</summary>
    public void Pass(TimeSpan time, bool input = true)
    {
        var end = _world.Now + time;
        for (var at = TimeSpan.Zero; input && at < time; at += _timeBetweenRecords)
        {
            for (var partition = 0; partition < Partitions; partition++)
            {
                var to = partition;
                _world.At(at + _world.Between(0, _timeBetweenRecords.TotalMilliseconds), null, () => Produce(to, "new"));
            }
        }

        _world.Run(() => _world.Now >= end, end, long.MaxValue);
    }

    public Incarnation Start(int number)
    {
        var id = new byte[16];
        _world.Random.NextBytes(id);
        var machine = new Machine(number, Path.Combine(_folder, $"machine-{number}")) { ProcessId = new Guid(id) };
        var life = new Incarnation(_world, machine, 1);
        machine.Current = life;
        _lives.Add(life);
        life.App = new KafkaStreams(Build(life), new StreamsConfig
        {
            ApplicationId = "scaled",
            ClientId = life.Name,
            ProcessId = machine.ProcessId,
            Cluster = new SimulatedCluster(_world, _broker, life),
            Threads = new SimulatedThreads(_world, life),
            TimeProvider = life.Time,
            StateDirectory = machine.Folder,
            ProcessingGuarantee = _guarantee,
            NumStandbyReplicas = _standbys,
            AcceptableRecoveryLag = 20,
            ProbingRebalanceInterval = TimeSpan.FromSeconds(2),
            CommitInterval = TimeSpan.FromMilliseconds(100),
            PollInterval = PollInterval,
            SessionTimeout = TimeSpan.FromSeconds(6),
            HeartbeatInterval = TimeSpan.FromSeconds(1),
            TransactionTimeout = TimeSpan.FromSeconds(4),
            StateStoreCacheMaxBytes = 0,
            StateRestoreListener = new Restores(this, life),
        });
        life.App.StartAsync().GetAwaiter().GetResult();
        return life;
    }

    public static void Close(Incarnation life) => _ = life.App!.CloseAsync(TimeSpan.FromSeconds(30)).ContinueWith(
        _ => life.Kill(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    public void Dispose()
    {
        foreach (var life in _lives)
        {
            life.Kill();
            life.Unwind();
        }

        _feeder.Dispose();
        _broker.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private Topology Build(Incarnation life)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(Input)
            .Peek((key, value) =>
            {
                var parts = value.Split('@');
                if (!life.IsDead) Log.Add(new Processed(life.Name, int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture), TimeSpan.FromTicks(long.Parse(parts[2], CultureInfo.InvariantCulture)), _world.Now));
            })
            .GroupByKey()
            .Count(Materialized.As(new KeyValueBytesStoreSupplier(StoreName, isPersistent: true, isTimestamped: true, maxEntries: null) { Engine = (context, name, _) => life.Machine.Disk.Open(life, context, name) }))
            .ToStream()
            .To("output");
        return builder.Build();
    }

    private void Produce(int partition, string key)
    {
        var value = string.Create(CultureInfo.InvariantCulture, $"{partition}@{_numbers[partition]++}@{_world.Now.Ticks}");
        _feeder.Send(_feeder.GetTopic(Input), partition, new OutgoingRecord(Encoding.UTF8.GetBytes(key), true, Encoding.UTF8.GetBytes(value), true, _world.UtcNow.ToUnixTimeMilliseconds(), null));
        _feeder.Flush(CancellationToken.None);
        _produced.Add((partition, _world.Now));
        _broker.Appended();
    }

    /// <summary>A record and who processed it.</summary>
    internal sealed record Processed(string Life, int Partition, int Number, TimeSpan ProducedAt, TimeSpan At)
    {
        public TimeSpan Waited => At - ProducedAt;
    }

    private sealed class Restores(Scaling scaling, Incarnation life) : StateRestoreListener
    {
        public override void OnBatchRestored(in RestoreProgress progress, long batchRecords) =>
            scaling.Restored[(life.Name, progress.Task)] = scaling.Restored.GetValueOrDefault((life.Name, progress.Task)) + batchRecords;
    }
}
