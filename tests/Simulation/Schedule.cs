using System.Globalization;
using System.Text;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;
using Streams.Protocol;
using Streams.State;

namespace Simulation;

/// <summary>How a schedule ended.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Plan">What the seed decided.</param>
/// <param name="Faults">What was wrong; empty when all is well.</param>
/// <param name="Steps">Events.</param>
/// <param name="VirtualTime">Time that passed in it.</param>
/// <param name="Lives">Processes of the application that there were.</param>
/// <param name="Generations">Rebalances.</param>
/// <param name="Fingerprint">The same for the same seed, always.</param>
/// <param name="Trace">What happened, when it was asked for.</param>
internal sealed record Outcome(int Seed, Plan Plan, IReadOnlyList<string> Faults, long Steps, TimeSpan VirtualTime, int Lives, int Generations, ulong Fingerprint, IReadOnlyList<string> Trace);

/// <summary>
/// One schedule: several instances of an application that regroups and aggregates, on the real broker, in virtual time, with the faults of the plan, judged against a model
/// that knows nothing but the input.
/// </summary>
internal sealed class Schedule : IDisposable
{
    private const string Input = "input";
    private const string Output = "output";
    private const string Application = "simulated";
    private const string StoreName = "ids";
    private const long MaxSteps = 400_000;

    /// <summary>Once nothing goes wrong any more, everything is to be processed within this time.</summary>
    private static readonly TimeSpan _timeToConverge = TimeSpan.FromMinutes(4);

    private readonly World _world;
    private readonly string _folder;
    private readonly SimulatedBroker _broker;
    private readonly List<Machine> _machines = [];
    private readonly List<Incarnation> _lives = [];
    private readonly List<string> _faults = [];
    private readonly Dictionary<string, HashSet<string>> _expected = [];
    private readonly Topic _output;
    private readonly HashSet<string> _seen = [];
    private readonly Dictionary<string, string> _lastOutput = [];
    private bool _isCalm;

    private Schedule(int seed, bool traces)
    {
        _world = new World(seed) { Traces = traces };
        Plan = Plan.Of(_world.Random);
        _folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"streams-simulation-{Environment.ProcessId}-{seed}");
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        _broker = new SimulatedBroker(_world, Plan.BrokerKills > 0 ? _folder : null);
        _output = new Topic(Output, Plan.Partitions);
        for (var index = 0; index < Plan.Machines; index++)
        {
            var id = new byte[16];
            _world.Random.NextBytes(id);
            _machines.Add(new Machine(index, Path.Combine(_folder, $"machine-{index}")) { ProcessId = new Guid(id), Threads = Plan.Threads });
        }
    }

    public Plan Plan { get; }

    public static Outcome Run(int seed, bool traces = false)
    {
        Outcome? outcome = null;
        Exception? failure = null;

        // A thread of its own: whatever context the caller has must not run what the schedule runs.
        var thread = new Thread(() =>
        {
            try
            {
                using var schedule = new Schedule(seed, traces);
                outcome = schedule.Run();
            }
            catch (Exception broken) when (broken is not OutOfMemoryException)
            {
                failure = broken;
            }
        }) { IsBackground = true };
        thread.Start();
        thread.Join();
        return outcome ?? new Outcome(seed, Plan.Of(new Random(seed)), [$"the schedule broke off: {failure}"], 0, default, 0, 0, 0, []);
    }

    public void Dispose()
    {
        foreach (var life in _lives)
        {
            life.Kill();
            life.Unwind();
        }

        _broker.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private Outcome Run()
    {
        var admin = new EmbeddedAdmin(_broker.Direct());
        var none = new Dictionary<string, string>();
        admin.CreateTopicsAsync([new NewTopic(Input, Plan.Partitions, 1, none), new NewTopic(Output, Plan.Partitions, 1, none)], CancellationToken.None).GetAwaiter().GetResult();
        foreach (var machine in _machines) _world.At(_world.Between(0, 2_000), null, () => Start(machine));
        PlanInput();
        PlanFaults();
        _broker.Faults = Plan.Network;
        _world.Run(() => false, Plan.Horizon, MaxSteps);
        CalmDown();
        if (_faults.Count == 0) Converge();
        if (_faults.Count == 0) CloseAll();
        if (_faults.Count == 0) Judge();
        _faults.AddRange(_broker.Assignments.Violations);
        if (_faults.Count > 0)
        {
            foreach (var fiber in _lives.Where(life => !life.IsDead).SelectMany(life => life.Fibers).Where(fiber => fiber.IsStarted && !fiber.HasEnded))
                _world.Note(null, $"{fiber.Name} waits at {fiber.WaitsAt}");
        }

        foreach (var fiber in _lives.SelectMany(life => life.Fibers).Where(fiber => fiber.Failure is not null)) _faults.Add($"{fiber.Name} died: {fiber.Failure}");
        return new Outcome(_world.Seed, Plan, [.. _faults], _world.Steps, _world.Now, _lives.Count, _broker.Assignments.Generations, _world.Fingerprint, _world.TraceLines);
    }

    private static Topology Build(Incarnation life)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(Input)
            .GroupBy((key, _) => key, Grouped.As("regroup"))
            .Aggregate(
                () => "",
                (_, value, ids) => ids.Length == 0 ? value : ids + "," + value,
                Materialized.As(new KeyValueBytesStoreSupplier(StoreName, isPersistent: true, isTimestamped: true, maxEntries: null) { Engine = (context, name, _) => life.Machine.Disk.Open(life, context, name) }))
            .ToStream()
            .To(Output);
        return builder.Build();
    }

    private void Start(Machine machine)
    {
        if (machine.Current is not null || !machine.IsWanted) return;
        var life = new Incarnation(_world, machine, ++machine.Lives);
        var folder = Path.Combine(machine.Folder, machine.Lives.ToString(CultureInfo.InvariantCulture));
        Folders.Copy(Path.Combine(machine.Folder, (machine.Lives - 1).ToString(CultureInfo.InvariantCulture)), folder);
        machine.Current = life;
        _lives.Add(life);
        life.Killed = () => Ended(machine, life);
        _world.Note(life, "started");
        var app = life.App = new KafkaStreams(Build(life), new StreamsConfig
        {
            ApplicationId = Application,
            ClientId = life.Name,
            ProcessId = machine.ProcessId,
            Cluster = new SimulatedCluster(_world, _broker, life),
            Threads = new SimulatedThreads(_world, life),
            TimeProvider = life.Time,
            StateDirectory = folder,
            ProcessingGuarantee = Plan.Guarantee,
            NumStreamThreads = machine.Threads,
            NumStandbyReplicas = Plan.Standbys,
            AcceptableRecoveryLag = Plan.RecoveryLag,
            ProbingRebalanceInterval = TimeSpan.FromSeconds(5),
            CommitInterval = Plan.CommitInterval,
            PollInterval = TimeSpan.FromMilliseconds(500),
            SessionTimeout = TimeSpan.FromSeconds(6),
            HeartbeatInterval = TimeSpan.FromSeconds(2),
            RebalanceTimeout = TimeSpan.FromSeconds(10),
            TransactionTimeout = TimeSpan.FromSeconds(8),
            RepartitionPurgeInterval = TimeSpan.FromSeconds(5),
            StateStoreCacheMaxBytes = Plan.Caching ? 1 << 20 : 0,
            StateCleanupDelay = TimeSpan.FromDays(20),
            LoggerFactory = _world.Traces ? new TraceLoggers(life) : Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance,
        });
        app.StateChanged += (_, state) =>
        {
            _world.Note(life, state.ToString());
            if (state == KafkaStreamsState.PendingError && !life.IsDead) _faults.Add($"{life.Name} failed: {Describe(app.Failure)}");
        };
        app.StartAsync().GetAwaiter().GetResult();
    }

    private void Ended(Machine machine, Incarnation life)
    {
        if (machine.Current != life) return;
        machine.Current = null;
        if (!_isCalm) _world.At(_world.Between(50, 12_000), null, () => Start(machine));
    }

    private void Close(Machine machine)
    {
        if (machine.Current is not { App: { } app } life || life.PausedUntil > _world.Now) return;
        _world.Note(life, "is asked to close");
        _ = app.CloseAsync(_isCalm ? TimeSpan.FromDays(1) : Plan.CloseTimeout).ContinueWith(
            closed =>
            {
                _world.Note(life, closed.Result ? "closed" : "closes for too long");
                life.Kill();
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void PlanInput()
    {
        for (var id = 0; id < Plan.Records; id++)
        {
            var record = (Key: "k" + _world.Random.Next(Plan.Keys).ToString(CultureInfo.InvariantCulture), Value: id.ToString(CultureInfo.InvariantCulture));
            if (!_expected.TryGetValue(record.Key, out var ids)) _expected.Add(record.Key, ids = []);
            ids.Add(record.Value);
            _world.At(_world.Between(0, Plan.Horizon.TotalMilliseconds), null, () => Produce(record.Key, record.Value));
        }
    }

    private void Produce(string key, string value)
    {
        if (!_broker.IsUp)
        {
            _world.At(TimeSpan.FromMilliseconds(100), null, () => Produce(key, value));
            return;
        }

        using var producer = new EmbeddedProducer(_broker.Direct(), new ProducerOptions { ClientId = "feeder" }, new SimulatedTime(_world, null));
        var topic = producer.GetTopic(Input);
        producer.Send(topic, _world.Random.Next(topic.PartitionCount), new OutgoingRecord(Encoding.UTF8.GetBytes(key), true, Encoding.UTF8.GetBytes(value), true, _world.UtcNow.ToUnixTimeMilliseconds(), null));
        producer.Flush(CancellationToken.None);
        _broker.Appended();
    }

    private void PlanFaults()
    {
        Some(Plan.Kills, machine => machine.Current?.Kill());
        Some(Plan.KillsInCalls, machine =>
        {
            if (machine.Current is { } life) life.CallsToLive = _world.Random.Next(0, 60);
        });
        Some(Plan.Pauses, machine =>
        {
            if (machine.Current is not { } life) return;
            life.PausedUntil = _world.Now + _world.Between(500, 20_000);
            _world.Note(life, "paused");
        });
        Some(Plan.Closings, Close);
        for (var count = 0; count < Plan.BrokerKills; count++)
        {
            _world.At(_world.Between(3_000, Plan.Horizon.TotalMilliseconds), null, () =>
            {
                if (!_broker.IsUp) return;
                _broker.Kill();
                _world.At(_world.Between(50, 8_000), null, _broker.Start);
            });
        }

        void Some(int times, Action<Machine> fault)
        {
            for (var count = 0; count < times; count++)
                _world.At(_world.Between(1_000, Plan.Horizon.TotalMilliseconds), null, () => fault(_machines[_world.Random.Next(_machines.Count)]));
        }
    }

    private void CalmDown()
    {
        _world.Note(null, "calm");
        _isCalm = true;
        _broker.Faults = new NetworkFaults();
        foreach (var machine in _machines)
        {
            if (machine.Current is { } life) life.CallsToLive = -1;
            if (machine.Current is { PausedUntil: var until } && until > _world.Now) machine.Current.PausedUntil = until;
            _world.At(_world.Between(0, 1_000), null, () => Start(machine));

            // One that was closing when it became calm comes back too.
            _world.At(TimeSpan.FromSeconds(60), null, () => Start(machine));
        }
    }

    private void Converge()
    {
        var limit = _world.Now + _timeToConverge;
        while (_world.Now < limit)
        {
            _world.Run(() => _faults.Count > 0, _world.Now + TimeSpan.FromSeconds(1), MaxSteps);
            if (_faults.Count > 0) return;
            if (_world.Steps >= MaxSteps)
            {
                _faults.Add($"{MaxSteps} events and no end: something spins");
                return;
            }

            if (_broker.IsUp) ReadOutput();
            if (_faults.Count > 0) return;
            if (IsComplete() && _machines.TrueForAll(machine => machine.Current?.App?.State == KafkaStreamsState.Running)) return;
        }

        var missing = _expected.SelectMany(key => key.Value).Where(id => !_seen.Contains(id)).ToList();
        _faults.Add(
            $"after {_timeToConverge.TotalMinutes} calm minutes {missing.Count} records have not come out ({string.Join(", ", missing.Take(10))}), " +
            $"and the instances are {string.Join(", ", _machines.Select(machine => $"{machine.Current?.Name ?? "none"}: {machine.Current?.App?.State}"))}");
    }

    private string Describe(Exception? failure) => _world.Traces ? failure?.ToString() ?? "" : $"{failure?.GetType().Name}: {failure?.Message} {failure?.InnerException?.Message}";

    private bool IsComplete() => _expected.Values.All(ids => ids.IsSubsetOf(_seen));

    private void CloseAll()
    {
        var lives = _machines.Select(machine => machine.Current!).ToList();
        foreach (var machine in _machines) _world.At(_world.Between(0, 3_000), machine.Current, () => Close(machine));
        if (!_world.Run(() => lives.TrueForAll(life => life.IsDead), _world.Now + TimeSpan.FromMinutes(2), 2 * MaxSteps))
            _faults.Add($"not closed after 2 minutes: {string.Join(", ", lives.Where(life => !life.IsDead).Select(life => $"{life.Name}: {life.App?.State}"))}");
    }

    private void ReadOutput()
    {
        foreach (var (key, value) in _output.ReadOn(_broker.Direct()))
        {
            var ids = value.Split(',');
            if (Plan.Guarantee == ProcessingGuarantee.ExactlyOnce)
            {
                if (ids.Distinct().Count() != ids.Length) _faults.Add($"key {key} has a record twice: {value}");
                if (_lastOutput.TryGetValue(key, out var before) && !value.StartsWith(before + ",", StringComparison.Ordinal)) _faults.Add($"key {key} goes from '{before}' to '{value}'");
            }

            if (!_expected.TryGetValue(key, out var expected) || !expected.IsSupersetOf(ids)) _faults.Add($"key {key} has what was never sent: {value}");
            _lastOutput[key] = value;
            _seen.UnionWith(ids);
        }
    }

    private void Judge()
    {
        ReadOutput();
        if (!IsComplete()) _faults.Add("records are missing at the end");
        if (Plan.Guarantee != ProcessingGuarantee.ExactlyOnce) return;
        foreach (var (key, expected) in _expected)
        {
            if (!_lastOutput.TryGetValue(key, out var last) || !expected.SetEquals(last.Split(','))) _faults.Add($"key {key} ends as '{last}'");
        }

        // What a restore would find is what came out.
        var state = new Dictionary<string, string>();
        foreach (var (key, value) in new Topic($"{Application}-{StoreName}-changelog", Plan.Partitions).ReadOn(_broker.Direct())) state[key] = value;
        foreach (var (key, last) in _lastOutput)
        {
            if (state.GetValueOrDefault(key) != last) _faults.Add($"key {key} is '{state.GetValueOrDefault(key)}' in the changelog and '{last}' in the output");
        }

        var committed = new EmbeddedGroupCoordinator(_broker.Direct(), Application)
            .FetchOffsetsAsync([.. Enumerable.Range(0, Plan.Partitions).Select(partition => new TopicPartition(Input, partition))], CancellationToken.None).GetAwaiter().GetResult();
        var ends = new EmbeddedAdmin(_broker.Direct())
            .EndOffsetsAsync([.. Enumerable.Range(0, Plan.Partitions).Select(partition => new TopicPartition(Input, partition))], true, CancellationToken.None).GetAwaiter().GetResult();
        foreach (var (partition, end) in ends)
        {
            if (end > 0 && (!committed.TryGetValue(partition, out var commit) || commit.Offset != end)) _faults.Add($"{partition} is committed up to {(committed.TryGetValue(partition, out commit) ? commit.Offset : -1)} of {end}");
        }
    }

    /// <summary>Committed records of a topic, read on from where it stopped.</summary>
    private sealed class Topic(string name, int partitions)
    {
        private readonly long[] _next = new long[partitions];

        public IEnumerable<(string Key, string Value)> ReadOn(BrokerConnection connection)
        {
            for (var partition = 0; partition < _next.Length; partition++)
            {
                while (true)
                {
                    var response = connection.AskAsync(
                        new FetchRequest
                        {
                            MaxBytes = 1 << 20,
                            IsolationLevel = 1,
                            Topics = [new FetchRequest.FetchTopic { Topic = name, Partitions = [new FetchRequest.FetchPartition { Partition = partition, FetchOffset = _next[partition], PartitionMaxBytes = 1 << 20 }] }],
                        },
                        CancellationToken.None).GetAwaiter().GetResult();
                    var data = response.Responses[0].Partitions[0];
                    BrokerErrors.ThrowIfError(data.ErrorCode, $"{name}-{partition}");
                    if (data.Records is not { Length: > 0 } records) break;
                    var batches = new List<RecordBatch>();
                    _next[partition] = FetchedRecords.Decode(new TopicPartition(name, partition), records, _next[partition], data.AbortedTransactions, batches).NextOffset;
                    foreach (var batch in batches)
                    {
                        for (var index = 0; index < batch.Count; index++)
                            yield return (Encoding.UTF8.GetString(batch.Key(index)), Encoding.UTF8.GetString(batch.Value(index)));
                        batch.Dispose();
                    }
                }
            }
        }
    }

    private sealed class TraceLoggers(Incarnation life) : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            life.World.Note(life, $"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : " | " + exception.GetType().Name + ": " + exception.Message)}");

        public void Dispose()
        {
        }
    }
}
