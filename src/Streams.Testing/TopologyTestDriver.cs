using Microsoft.Extensions.Logging;
using Streams.Core;

namespace Streams.Testing;

/// <summary>
/// Runs a topology in memory, on the caller's thread and on virtual time: no broker, no waiting, the application's own tasks, stores and serdes.
/// </summary>
/// <remarks>
/// <para>
/// Each piped record is processed to the end, with everything that it sets off: what the topology writes to a topic that it also reads is read
/// again, stream-time callbacks fire, and after each processed record the task commits, so record caches give out what they hold back
/// (unless <see cref="TopologyTestDriverOptions.CommitEachRecord"/> is off).
/// </para>
/// <para>
/// State is kept in a folder below the temporary directory, which <see cref="Dispose"/> removes. Outputs are kept until they are read. A failure
/// of the topology comes out of the call that set it off; after it the driver processes no more, but can still be read.
/// </para>
/// <para>Used from one thread. Source: Kafka's <c>TopologyTestDriver</c> (KIP-247, KIP-470) and, for several partitions, KIP-1238.</para>
/// </remarks>
public sealed class TopologyTestDriver : IDisposable
{
    private readonly Topology _topology;
    private readonly StreamsConfig _config;
    private readonly TopologyPlan _plan;
    private readonly TopologyTestDriverOptions _options;
    private readonly PartitionCounts? _counts;
    private readonly CapturingProducer _producer;
    private readonly TaskEnvironment _environment;
    private readonly string _directory;
    private readonly SortedDictionary<TaskId, DriverTask> _tasks = [];
    private readonly List<DriverTask> _globalTasks = [];
    private readonly Dictionary<string, IStateStore> _globalStores = [];
    private readonly Dictionary<string, Queue<CapturedRecord>> _outputs = [];
    private readonly Dictionary<TaskId, TaskPositions> _positions = [];
    private readonly HashSet<string> _logged;
    private readonly Dictionary<TopicPartition, CompactedLog> _logs = [];
    private readonly StreamsMetrics _metrics;
    private long _droppedBeforeRestart;
    private readonly List<ICompanionRun> _companions = [];
    private Exception? _failure;
    private bool _disposed;

    /// <summary>Makes the topology's tasks and opens their stores.</summary>
    /// <param name="topology">The topology under test.</param>
    /// <param name="config">
    /// The application's settings; <c>null</c> for the defaults and the application id <c>topology-test-driver</c>. The driver heeds the application
    /// id, the cache size, the timestamp policy, the failure handlers and the logger; brokers, threads, intervals and folders mean nothing to it.
    /// </param>
    /// <param name="options">What the driver pretends; <c>null</c> for the defaults.</param>
    /// <exception cref="TopologyException">The topology cannot run.</exception>
    public TopologyTestDriver(Topology topology, StreamsConfig? config = null, TopologyTestDriverOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(topology);
        _topology = topology;
        _config = config ?? new StreamsConfig { ApplicationId = "topology-test-driver" };
        _options = options ?? new TopologyTestDriverOptions();
        _options.Validate();
        if (_config.EnsureExplicitInternalResourceNaming) ExplicitNames.Demand(topology);
        Clock = new ManualClock(_options.InitialWallClockTime);
        _plan = new TopologyPlan(topology, _config.ApplicationId);
        if (_options.HasSeveralPartitions) _counts = PartitionCounts.Resolve(_plan, DeclaredTopics());

        _logged = [.. _plan.Subtopologies.SelectMany(each => each.Changelogs().Values), .. _plan.Globals.SelectMany(each => each.SourceTopics([]))];
        _directory = Path.Combine(Path.GetTempPath(), "streams-test-driver", Guid.NewGuid().ToString("N"));
        _producer = new CapturingProducer(PartitionsOf);
        _metrics = new StreamsMetrics(_plan.ApplicationId, "topology-test-driver", MetricsRecordingLevel.Debug, _config.MeterFactory, Clock);
        _environment = NewEnvironment(_globalStores);
        try
        {
            StartCompanions();
            OpenGlobalTasks();
            OpenTasks();
        }
        catch
        {
            // A half-made driver is not given to anybody who could dispose it.
            Dispose();
            throw;
        }
    }

    /// <summary>The wall clock of the topology. Move it with <see cref="AdvanceWallClockTime"/>, which also fires what falls due.</summary>
    public ManualClock Clock { get; }

    /// <summary>Tasks of the topology, in order.</summary>
    public IReadOnlyList<TaskId> Tasks => [.. _tasks.Keys];

    /// <summary>Topics that the topology has written to, changelogs and repartition topics included, by name.</summary>
    public IReadOnlyCollection<string> ProducedTopicNames => [.. _outputs.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Records that nodes or stores have left out, over all tasks. Kafka's <c>dropped-records-total</c>.</summary>
    public long DroppedRecords => _droppedBeforeRestart + AllTasks.Sum(task => task.Task.Context.DroppedRecords);

    /// <summary>Records that tasks have processed, those read back from topics of the topology included. Kafka's <c>process-total</c>.</summary>
    public long ProcessedRecords { get; private set; }

    /// <summary>Everything that the topology's tasks measure, at this moment, Debug level included. Totals begin anew with <see cref="Restart"/>.</summary>
    public IReadOnlyList<StreamsMetric> Metrics => _metrics.Snapshot();

    /// <summary>Records left out so far for one reason, over all tasks, since the last <see cref="Restart"/>.</summary>
    public long DroppedRecordsBecause(DropReason reason) => AllTasks.Sum(task => task.Task.Context.Metrics.Dropped(reason));

    /// <summary>The largest timestamp that a task has seen, Unix milliseconds; -1 before the first record.</summary>
    /// <param name="task">The task; <c>null</c> for the largest over all of them.</param>
    public long StreamTimeMs(TaskId? task = null) => task is { } id
        ? TaskOf(id).Task.Context.StreamTime
        : _tasks.Values.Select(each => each.Task.Context.StreamTime).DefaultIfEmpty(-1).Max();

    /// <summary>The driver's folder for local state; it exists once a persistent store has been opened.</summary>
    internal string StateDirectory => _directory;

    private IEnumerable<DriverTask> AllTasks => _tasks.Values.Concat(_globalTasks);

    /// <summary>Makes an input topic with the built-in serdes of its types.</summary>
    /// <param name="name">A topic that a source of the topology reads.</param>
    /// <param name="start">Time of the first record without one of its own; <c>null</c> for the driver's clock.</param>
    /// <param name="autoAdvance">How far that time moves with each such record; not at all by default.</param>
    /// <exception cref="ArgumentException">No source reads the topic, or a type has no built-in serde.</exception>
    public TestInputTopic<K, V> CreateInputTopic<K, V>(string name, DateTimeOffset? start = null, TimeSpan autoAdvance = default) =>
        CreateInputTopic(name, TestSerializer.BuiltIn<K>(name, "key"), TestSerializer.BuiltIn<V>(name, "value"), start, autoAdvance);

    /// <summary>Makes an input topic.</summary>
    /// <param name="name">A topic that a source of the topology reads.</param>
    /// <param name="keySerializer">Writes keys.</param>
    /// <param name="valueSerializer">Writes values.</param>
    /// <param name="start">Time of the first record without one of its own; <c>null</c> for the driver's clock.</param>
    /// <param name="autoAdvance">How far that time moves with each such record; not at all by default.</param>
    /// <exception cref="ArgumentException">No source reads the topic.</exception>
    public TestInputTopic<K, V> CreateInputTopic<K, V>(
        string name, ISerializer<K> keySerializer, ISerializer<V> valueSerializer, DateTimeOffset? start = null, TimeSpan autoAdvance = default)
    {
        ArgumentNullException.ThrowIfNull(keySerializer);
        ArgumentNullException.ThrowIfNull(valueSerializer);
        RequireInput(name);
        return new TestInputTopic<K, V>(this, name, keySerializer, valueSerializer, start ?? Clock.GetUtcNow(), autoAdvance);
    }

    /// <summary>Makes an output topic with the built-in serdes of its types. Several may read the same topic; each record is read once.</summary>
    /// <param name="name">A topic that the topology writes, or one of its changelog or repartition topics.</param>
    /// <exception cref="ArgumentException">The topology does not write the topic, or a type has no built-in serde.</exception>
    public TestOutputTopic<K, V> CreateOutputTopic<K, V>(string name) =>
        CreateOutputTopic(name, TestSerializer.BuiltIn<K>(name, "key"), TestSerializer.BuiltIn<V>(name, "value"));

    /// <summary>Makes an output topic. Several may read the same topic; each record is read once.</summary>
    /// <param name="name">A topic that the topology writes, or one of its changelog or repartition topics.</param>
    /// <param name="keyDeserializer">Reads keys.</param>
    /// <param name="valueDeserializer">Reads values.</param>
    /// <exception cref="ArgumentException">The topology does not write the topic.</exception>
    public TestOutputTopic<K, V> CreateOutputTopic<K, V>(string name, IDeserializer<K> keyDeserializer, IDeserializer<V> valueDeserializer)
    {
        ArgumentNullException.ThrowIfNull(keyDeserializer);
        ArgumentNullException.ThrowIfNull(valueDeserializer);
        RequireOutput(name);
        return new TestOutputTopic<K, V>(this, name, keyDeserializer, valueDeserializer);
    }

    /// <summary>Moves the wall clock and fires the callbacks that fall due, with everything that they set off. A callback that is overdue several times fires once.</summary>
    /// <param name="by">How far; not negative.</param>
    public void AdvanceWallClockTime(TimeSpan by)
    {
        RequireRunning();
        Clock.Advance(by);
        Guard(() =>
        {
            foreach (var task in _tasks.Values)
            {
                task.Task.DrainAsync();
                task.Task.PunctuateWallClock();
                if (_options.CommitEachRecord) task.Commit();
                RouteOutputs();
            }

            ProcessAll();
        });
    }

    /// <summary>Asynchronous calls of the topology that have not ended, over all tasks. While there are any, their task does not commit.</summary>
    public int PendingAsyncCalls => _tasks.Values.Sum(task => task.Task.PendingAsyncCalls);

    /// <summary>
    /// Waits, on the real clock, until no asynchronous call is under way, and processes what they give. Calls that wait on <see cref="Clock"/> end with
    /// <see cref="AdvanceWallClockTime"/> instead.
    /// </summary>
    /// <param name="patience">How long at most.</param>
    /// <exception cref="TimeoutException">Calls are still under way.</exception>
    public void WaitForAsyncCalls(TimeSpan patience)
    {
        RequireRunning();
        var done = SpinWait.SpinUntil(
            () =>
            {
                Guard(() =>
                {
                    foreach (var task in _tasks.Values)
                    {
                        if (task.Task.DrainAsync() > 0 && _options.CommitEachRecord) task.Commit();
                    }

                    ProcessAll();
                });
                return PendingAsyncCalls == 0;
            },
            patience);
        if (!done) throw new TimeoutException($"{PendingAsyncCalls} asynchronous call(s) did not end within {patience}.");
    }

    /// <summary>
    /// Commits every task: what record caches hold back is sent on and processed, until nothing is held back any more. Needed only without
    /// <see cref="TopologyTestDriverOptions.CommitEachRecord"/>.
    /// </summary>
    public void Commit()
    {
        RequireRunning();
        Guard(CommitAll);
    }

    /// <summary>
    /// Commits, ends every task and starts it again as an application would that is stopped and started on the same machine: processors are made
    /// anew and forget what they had in fields; stores on disk are opened again, those in memory are restored from their changelogs; a store
    /// without changelog that is kept in memory starts empty. Offsets, stream time and outputs not read yet are kept.
    /// </summary>
    /// <remarks>The changelogs are those that the driver captured, compacted to the last record per key. Kafka's driver has nothing like it.</remarks>
    /// <exception cref="AggregateException">Processors or stores failed to close.</exception>
    public void Restart()
    {
        RequireRunning();
        if (PendingAsyncCalls > 0) throw new InvalidOperationException($"{PendingAsyncCalls} asynchronous call(s) are under way; let them end before the restart.");
        Guard(() =>
        {
            CommitAll();
            _droppedBeforeRestart = DroppedRecords;
            var tasks = _tasks.Values.Select(task => (task.Task.Id, task.Subtopology, Inputs: task.Task.Queues.Select(queue => queue.Partition).ToList())).ToList();
            CloseTasks();
            OpenGlobalTasks();
            foreach (var task in _globalTasks) Refill(task);
            foreach (var (id, subtopology, inputs) in tasks) OpenAndStart(id, subtopology, inputs);
        });
    }

    /// <summary>A store of the topology.</summary>
    /// <typeparam name="TStore">Its type, such as <see cref="ITimestampedKeyValueStore{K, V}"/>.</typeparam>
    /// <param name="name">Its name.</param>
    /// <param name="partition">Whose task's, where there are several; a global store has one instance only.</param>
    /// <exception cref="ArgumentException">There is no such store, or it is of another type.</exception>
    public TStore GetStateStore<TStore>(string name, int partition = 0)
        where TStore : class
    {
        var store = FindStore(name, partition);
        return store as TStore ?? throw WrongType(store, typeof(TStore));
    }

    /// <summary>A key-value store. One whose entries carry timestamps is shown without them.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partition">Whose task's, where there are several.</param>
    /// <exception cref="ArgumentException">There is no such store, or it is of another type.</exception>
    public IKeyValueStore<K, V> GetKeyValueStore<K, V>(string name, int partition = 0) => FindStore(name, partition) switch
    {
        IKeyValueStore<K, V> plain => plain,
        IKeyValueStore<K, ValueAndTimestamp<V>> timestamped => new PlainKeyValueStore<K, V>(timestamped),
        var other => throw WrongType(other, typeof(IKeyValueStore<K, V>)),
    };

    /// <summary>A key-value store whose entries carry timestamps: that of a table or an aggregation.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partition">Whose task's, where there are several.</param>
    /// <exception cref="ArgumentException">There is no such store, or it is of another type.</exception>
    public ITimestampedKeyValueStore<K, V> GetTimestampedKeyValueStore<K, V>(string name, int partition = 0) =>
        GetStateStore<ITimestampedKeyValueStore<K, V>>(name, partition);

    /// <summary>A window store. One whose entries carry timestamps is shown with them: ask for <c>ValueAndTimestamp</c> values.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partition">Whose task's, where there are several.</param>
    /// <exception cref="ArgumentException">There is no such store, or it is of another type.</exception>
    public IWindowStore<K, V> GetWindowStore<K, V>(string name, int partition = 0) => GetStateStore<IWindowStore<K, V>>(name, partition);

    /// <summary>A window store whose entries carry timestamps: that of a windowed aggregation.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partition">Whose task's, where there are several.</param>
    /// <exception cref="ArgumentException">There is no such store, or it is of another type.</exception>
    public ITimestampedWindowStore<K, V> GetTimestampedWindowStore<K, V>(string name, int partition = 0) =>
        GetStateStore<ITimestampedWindowStore<K, V>>(name, partition);

    /// <summary>A session store.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partition">Whose task's, where there are several.</param>
    /// <exception cref="ArgumentException">There is no such store, or it is of another type.</exception>
    public ISessionStore<K, V> GetSessionStore<K, V>(string name, int partition = 0) => GetStateStore<ISessionStore<K, V>>(name, partition);

    /// <summary>A key-value store that keeps older versions.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partition">Whose task's, where there are several.</param>
    /// <exception cref="ArgumentException">There is no such store, or it is of another type.</exception>
    public IVersionedKeyValueStore<K, V> GetVersionedKeyValueStore<K, V>(string name, int partition = 0) =>
        GetStateStore<IVersionedKeyValueStore<K, V>>(name, partition);

    /// <summary>Every store by name: those of the first task that has them, and global ones.</summary>
    public IReadOnlyDictionary<string, IStateStore> GetAllStateStores()
    {
        var stores = new Dictionary<string, IStateStore>(_globalStores);
        foreach (var store in _tasks.Values.SelectMany(task => task.Task.Stores)) stores.TryAdd(store.Store.Name, store.Store);
        return stores;
    }

    /// <summary>Closes processors and stores and removes the state folder.</summary>
    /// <exception cref="AggregateException">Processors or stores failed to close; everything else is closed nevertheless.</exception>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        try
        {
            CloseTasks();
        }
        finally
        {
            // Without a cluster there is nothing that they could be waiting for.
            foreach (var companion in _companions) companion.EndAsync(_failure).GetAwaiter().GetResult();
            _producer.Dispose();
            _metrics.Dispose();
            if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
        }
    }

    internal static string List(IEnumerable<string> names)
    {
        var list = string.Join(", ", names);
        return list.Length == 0 ? "none" : list;
    }

    internal Queue<CapturedRecord> Outputs(string topic)
    {
        // A queue made for asking must not make the topic look written to.
        return _outputs.TryGetValue(topic, out var queue) ? queue : new Queue<CapturedRecord>();
    }

    internal void Pipe(string topic, int? partition, byte[]? key, byte[]? value, long timestamp, Headers headers, IPartitionKeySerializer? partitionKey)
    {
        RequireRunning();
        var count = PartitionsOf(topic);
        if (partition is { } chosen && (uint)chosen >= (uint)count)
            throw new ArgumentOutOfRangeException(nameof(partition), chosen, $"Topic '{topic}' has {count} partitions (0 to {count - 1}).");
        var target = partition
            ?? (key is null ? 0 : Murmur2.Partition(partitionKey is null ? key : partitionKey.PartitionKey(key), count));
        Guard(() =>
        {
            Enqueue(new TopicPartition(topic, target), key, value, timestamp, headers);
            ProcessAll();
        });
    }

    private TaskEnvironment NewEnvironment(IReadOnlyDictionary<string, IStateStore> globalStores) => new()
    {
        ApplicationId = _plan.ApplicationId,
        Collector = new RecordCollector(_producer),
        Time = Clock,
        Errors = ErrorPolicy.Of(_config, _config.LoggerFactory.CreateLogger<TopologyTestDriver>()),
        Memory = new StateMemory(_config.StateMemoryBytes, _config.StateStoreCacheMaxBytes),
        TimestampPolicy = _config.TimestampPolicy,
        EmitInterval = _config.EmitInterval,
        TaskDirectory = DirectoryOf,
        Logger = _config.LoggerFactory.CreateLogger<TopologyTestDriver>(),
        RocksDbOptionsOf = _config.RocksDbOptionsOf,
        GlobalStores = globalStores,
        ThreadName = "topology-test-driver",
        WaitsForAsyncCalls = false,
        Metrics = _metrics,
    };

    private void StartCompanions()
    {
        var settings = new CompanionSettings
        {
            ClientId = "topology-test-driver",
            Time = Clock,
            Logger = _config.LoggerFactory.CreateLogger<TopologyTestDriver>(),
            Fail = failure => _failure ??= failure,
        };
        foreach (var companion in _topology.Companions) _companions.Add(companion.Start(settings));
    }

    private void OpenGlobalTasks()
    {
        foreach (var subtopology in _plan.Globals)
        {
            var inputs = subtopology.SourceTopics([])
                .SelectMany(topic => Enumerable.Range(0, _options.PartitionsOf(topic)).Select(partition => new TopicPartition(topic, partition)))
                .ToList();
            var task = Open(new TaskId(subtopology.Id, -1), subtopology, inputs);
            _globalTasks.Add(task);
            foreach (var store in task.Task.Stores) _globalStores.Add(store.Store.Name, store.Store);
        }

        foreach (var task in _globalTasks) task.Task.Start(new Dictionary<TopicPartition, OffsetCommit>());
    }

    private void OpenTasks()
    {
        if (_counts is null)
        {
            if (_plan.Subtopologies.Count == 0) return;
            var merged = _plan.Merged();
            OpenAndStart(new TaskId(0, 0), merged, [.. merged.SourceTopics([]).Select(topic => new TopicPartition(topic, 0))]);
            return;
        }

        foreach (var subtopology in _plan.Subtopologies)
        {
            for (var partition = 0; partition < _counts.TaskCount(subtopology); partition++)
                OpenAndStart(new TaskId(subtopology.Id, partition), subtopology, _counts.Inputs(subtopology, partition));
        }
    }

    private DriverTask OpenAndStart(TaskId id, Subtopology subtopology, IReadOnlyList<TopicPartition> inputs)
    {
        var task = Open(id, subtopology, inputs);
        _tasks.Add(id, task);
        foreach (var store in task.Task.Stores) Restore(store);
        foreach (var input in inputs) task.Task.SetStartPosition(input, task.Positions.NextOffsets.GetValueOrDefault(input));
        task.Task.Start(task.Positions.Committed);
        task.Task.Rest();
        return task;
    }

    private DriverTask Open(TaskId id, Subtopology subtopology, IReadOnlyList<TopicPartition> inputs)
    {
        var task = new StreamTask(id, subtopology, inputs, _environment);
        try
        {
            task.OpenStores();
        }
        catch
        {
            // Not in anybody's hands yet, so nobody else would close the stores that did open.
            task.Close();
            throw;
        }

        if (!_positions.TryGetValue(id, out var positions))
        {
            positions = new TaskPositions();
            _positions.Add(id, positions);
        }

        return new DriverTask(task, subtopology, positions);
    }

    private void CloseTasks()
    {
        List<Exception>? failures = null;
        foreach (var task in AllTasks)
        {
            // Whatever one task does, the others are still to be closed; the failures are thrown together below.
            try
            {
                task.Task.Close();
            }
            catch (AggregateException failure)
            {
                (failures ??= []).AddRange(failure.InnerExceptions);
            }
        }

        _tasks.Clear();
        _globalTasks.Clear();
        _globalStores.Clear();
        if (failures is not null) throw new AggregateException("The topology did not close cleanly.", failures);
    }

    // What the store has not seen of its changelog: nothing at first, after a restart everything for a store in memory.
    private void Restore(StreamTask.TaskStore store)
    {
        if (store.ChangelogPartition is not { } partition || !_logs.TryGetValue(partition, out var log)) return;
        foreach (var (offset, record) in log.From(store.Store.ChangelogOffset ?? 0))
        {
            using var batch = SingleRecordBatch.Of(partition, offset, record.Key, record.Value, record.Timestamp, record.Headers);
            store.Store.Restore(batch, 0, 1);
        }

        store.RestoredOffset = log.EndOffset;
        store.Store.Commit(log.EndOffset);
    }

    // A global store has no changelog but its topic, which is read from the start as at every start of an application.
    private void Refill(DriverTask task)
    {
        foreach (var (partition, log) in _logs.Where(entry => task.Subtopology.SourceOf(entry.Key.Topic) is not null))
        {
            task.Positions.NextOffsets.Remove(partition);
            foreach (var (_, record) in log.From(0)) task.Enqueue(partition, record.Key, record.Value, record.Timestamp, record.Headers);
        }

        while (task.HasWork) ProcessNext(task, commit: true);
    }

    private void CommitAll()
    {
        // What a commit sends on to another task makes that one commit in turn.
        while (_tasks.Values.FirstOrDefault(task => task.Task.CommitNeeded && task.Task.PendingAsyncCalls == 0) is { } next)
        {
            next.Commit();
            ProcessAll();
        }
    }

    private string DirectoryOf(TaskId id)
    {
        var directory = Path.Combine(_directory, id.Partition < 0 ? $"global_{id.Subtopology}" : id.ToString());
        Directory.CreateDirectory(directory);
        return directory;
    }

    private void Enqueue(TopicPartition partition, byte[]? key, byte[]? value, long timestamp, Headers headers)
    {
        if (_logged.Contains(partition.Topic))
        {
            if (!_logs.TryGetValue(partition, out var log))
            {
                log = new CompactedLog();
                _logs.Add(partition, log);
            }

            log.Append(new CapturedRecord(partition.Topic, partition.Partition, key, value, timestamp, headers));
        }

        if (_globalTasks.FirstOrDefault(task => task.Task.Reads(partition)) is { } global)
        {
            global.Enqueue(partition, key, value, timestamp, headers);
            while (global.HasWork) ProcessNext(global, commit: true);
        }

        ReaderOf(partition)?.Enqueue(partition, key, value, timestamp, headers);
    }

    // The task that reads a partition. Of a topic that only a pattern matches there may be none yet: then it is made now.
    private DriverTask? ReaderOf(TopicPartition partition)
    {
        if (_plan.Subtopologies.FirstOrDefault(subtopology => subtopology.SourceOf(partition.Topic) is not null) is not { } reader) return null;
        if (_counts is null) return _tasks.Values.First();
        var id = new TaskId(reader.Id, partition.Partition);
        return _tasks.TryGetValue(id, out var task) ? task : OpenAndStart(id, reader, [partition]);
    }

    private void ProcessAll()
    {
        foreach (var task in _tasks.Values) task.Task.Rest();
        RouteOutputs();
        while (_tasks.Values.FirstOrDefault(task => task.HasWork) is { } next)
        {
            ProcessNext(next, _options.CommitEachRecord || next.Task.CommitRequested);
            RouteOutputs();
        }
    }

    private void ProcessNext(DriverTask task, bool commit)
    {
        task.ProcessNext();
        if (commit) task.Commit();
        ProcessedRecords++;
    }

    // What was written goes to the outputs and, where the topology reads the topic itself, back into it.
    private void RouteOutputs()
    {
        while (_producer.TryTake(out var record))
        {
            if (!_outputs.TryGetValue(record.Topic, out var outputs))
            {
                outputs = new Queue<CapturedRecord>();
                _outputs.Add(record.Topic, outputs);
            }

            outputs.Enqueue(record);
            Enqueue(new TopicPartition(record.Topic, record.Partition), record.Key, record.Value, record.Timestamp, record.Headers);
        }
    }

    // A task that failed in the middle of a record has half of its effects; going on would show results that no application can have.
    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception failure)
        {
            _failure = failure;
            throw;
        }
    }

    private void RequireRunning()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_failure is not null)
            throw new InvalidOperationException("The topology has failed at an earlier record and processes no more; make a new driver.", _failure);
    }

    private void RequireInput(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_plan.Subtopologies.Concat(_plan.Globals).Any(subtopology => subtopology.SourceOf(name) is not null)) return;
        var known = _topology.Nodes.OfType<SourceDefinition>()
            .SelectMany(source => source.Pattern is { } pattern ? [$"pattern {pattern}"] : source.Topics.Select(_plan.ResolveTopic));
        throw new ArgumentException($"No source of the topology reads topic '{name}'. Topics that are read: {List(known)}.", nameof(name));
    }

    private void RequireOutput(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_outputs.ContainsKey(name)) return;
        var sinks = _topology.Nodes.OfType<SinkDefinition>().ToList();
        var known = sinks.Where(sink => sink.Topic is not null).Select(sink => _plan.ResolveTopic(sink.Topic!))
            .Concat(_plan.Subtopologies.SelectMany(subtopology => subtopology.Changelogs().Values))
            .Distinct()
            .ToList();
        if (known.Contains(name) || sinks.Exists(sink => sink.Topic is null)) return;
        throw new ArgumentException($"The topology does not write topic '{name}'. Topics that are written: {List(known)}.", nameof(name));
    }

    private IStateStore FindStore(string name, int partition)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(name);
        if (_globalStores.TryGetValue(name, out var global)) return global;
        var holders = _tasks.Values.Where(task => task.Task.Stores.Any(store => store.Store.Name == name)).ToList();
        if (holders.Count == 0)
            throw new ArgumentException($"The topology has no state store '{name}'. Its stores: {List(GetAllStateStores().Keys)}.", nameof(name));
        var holder = holders.Find(task => task.Task.Id.Partition == partition)
            ?? throw new ArgumentOutOfRangeException(nameof(partition), partition, $"Store '{name}' exists in {holders.Count} partitions (0 to {holders.Count - 1}).");
        return holder.Task.Stores.First(store => store.Store.Name == name).Store;
    }

    private static ArgumentException WrongType(IStateStore store, Type wanted) =>
        new($"State store '{store.Name}' is a {TypeNames.Of(store.GetType())}, not a {TypeNames.Of(wanted)}.");

    private DriverTask TaskOf(TaskId id) => _tasks.TryGetValue(id, out var task)
        ? task
        : throw new ArgumentException($"There is no task {id}. Tasks: {List(_tasks.Keys.Select(key => key.ToString()))}.", nameof(id));

    private int PartitionsOf(string topic) =>
        _counts is null ? 1 : _counts.ByTopic.TryGetValue(topic, out var count) ? count : _options.PartitionsOf(topic);

    private Dictionary<string, int> DeclaredTopics()
    {
        var topics = new Dictionary<string, int>(_options.Partitions);
        foreach (var topic in _plan.Subtopologies.SelectMany(subtopology => subtopology.SourceTopics([])).Where(topic => _plan.InternalTopicOf(topic) is null))
            topics[topic] = _options.PartitionsOf(topic);
        return topics;
    }
}
