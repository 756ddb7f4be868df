using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>
/// The thread that keeps the global stores: reads every partition of their topics, without a group, first up to the end that they had when it started,
/// then as records come.
/// </summary>
/// <remarks>
/// <para>
/// The application's other threads begin when <see cref="Ready"/> is done, so their first look-up finds everything that was there at the start. After
/// that there is no order between a global store and the streams that look things up in it (KIP-99).
/// </para>
/// <para>
/// Records go through the store's processor when it starts as they do later, so a processor of the user's sees all of them. After a crash it may see records again
/// that it saw since the last commit. A failure ends the application; the stores stay open for its other threads until <see cref="Stop"/>.
/// Partitions that a topic gets later are read after a restart. Source: Kafka's <c>GlobalStreamThread</c> and <c>GlobalStateManagerImpl</c>.
/// </para>
/// </remarks>
internal sealed class GlobalStreamThread : IDisposable
{
    private const double FirstRetryMs = 100;
    private const double MaxRetryMs = 10_000;

    private readonly StreamsConfig _config;
    private readonly TopologyPlan _plan;
    private readonly ICluster _cluster;
    private readonly IClusterAdmin _admin;
    private readonly StateDirectory _stateDirectory;
    private readonly StateMemory _memory;
    private readonly ErrorPolicy _errors;
    private readonly Action<Exception> _fail;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly Thread _thread;
    private readonly List<GlobalTask> _tasks = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IRecordConsumer? _consumer;
    private double _retryMs = FirstRetryMs;
    private long _startedAt;
    private long _lastCommit;

    public GlobalStreamThread(
        string name,
        StreamsConfig config,
        TopologyPlan plan,
        ICluster cluster,
        IClusterAdmin admin,
        StateDirectory stateDirectory,
        StateMemory memory,
        ErrorPolicy errors,
        Action<Exception> fail,
        ILogger logger)
    {
        _name = name;
        _config = config;
        _plan = plan;
        _cluster = cluster;
        _admin = admin;
        _stateDirectory = stateDirectory;
        _memory = memory;
        _errors = errors;
        _fail = fail;
        _logger = logger;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>Done when the stores hold what their topics had at the start; cancelled when the thread ends before.</summary>
    public Task Ready => _ready.Task;

    /// <summary>The stores, for reading from any thread; complete once <see cref="Ready"/> is done.</summary>
    public IReadOnlyDictionary<string, IStateStore> Stores { get; private set; } = new Dictionary<string, IStateStore>();

    public void Start() => _thread.Start();

    /// <summary>Asks the thread to commit, close the stores and end.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        _consumer?.Wake();
    }

    /// <summary>Waits for the end; returns at once when it was never started.</summary>
    public void Join()
    {
        if (_thread.IsAlive) _thread.Join();
    }

    public void Dispose() => _stopping.Dispose();

    private void Run()
    {
        try
        {
            Open();
            while (!_stopping.IsCancellationRequested) Turn();
            CommitWhere(static task => task.CommitNeeded);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Closed while it waited for the cluster.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            _fail(failure);
            _stopping.Token.WaitHandle.WaitOne();
        }
        finally
        {
            _ready.TrySetCanceled();
            CloseTasks();
            _consumer?.Dispose();
        }
    }

    private void Open()
    {
        _startedAt = _lastCommit = _config.TimeProvider.GetTimestamp();
        var readCommitted = _config.ReadCommitted;
        var topics = _plan.Globals.SelectMany(global => global.SourceTopics([])).ToList();
        var counts = Ask(cancellation => _admin.DescribeTopicsAsync(topics, cancellation));
        if (topics.Where(topic => !counts.ContainsKey(topic)).ToList() is { Count: > 0 } missing)
            throw new TopologyException($"Topics of global stores do not exist: {string.Join(", ", missing.Select(topic => $"'{topic}'"))}. They are not made by the application; create them first.");
        var partitions = topics.ToDictionary(
            topic => topic,
            IReadOnlyList<TopicPartition> (topic) => [.. Enumerable.Range(0, counts[topic]).Select(partition => new TopicPartition(topic, partition))]);
        var all = partitions.Values.SelectMany(list => list).ToList();
        var ends = Ask(cancellation => _admin.EndOffsetsAsync(all, readCommitted, cancellation));
        var begins = Ask(cancellation => _admin.BeginningOffsetsAsync(all, cancellation));
        var consumer = _cluster.CreateConsumer(new ConsumerOptions
        {
            ClientId = _name + "-consumer",
            MaxBufferedBytes = _config.GlobalFetchedMaxBytes,
            ReadCommitted = readCommitted,
            Properties = _config.ConsumerSettings(_config.GlobalConsumerProperties),
        });
        _consumer = consumer;
        foreach (var global in _plan.Globals)
            _tasks.Add(GlobalTask.Open(global, Environment(global), _stateDirectory, partitions[global.SourceTopics([])[0]], begins, ends, _logger));
        Stores = _tasks.ToDictionary(task => task.Name, task => task.Reader);
        consumer.Assign([.. _tasks.SelectMany(task => task.Starts)]);
        TellIfLoaded();
    }

    private TaskEnvironment Environment(Subtopology global) => new()
    {
        ApplicationId = _config.ApplicationId,
        Collector = new RecordCollector(new NoProducer()),
        Time = _config.TimeProvider,
        Errors = _errors,
        Memory = _memory,
        TaskDirectory = _ => _stateDirectory.ForGlobal(global.Stores[0].Name),
        Logger = _logger,
        RocksDbOptionsOf = _config.RocksDbOptionsOf,
        TimestampPolicy = _config.TimestampPolicy,
        EmitInterval = _config.EmitInterval,

        // There is nothing to put in order: partitions are read as they come, so nothing stays buffered.
        MaxTaskIdle = TimeSpan.FromMilliseconds(-1),
    };

    // A cluster that is not there yet is waited for without end, as the group's members do.
    private T Ask<T>(Func<CancellationToken, Task<T>> question)
    {
        var delayMs = FirstRetryMs;
        while (true)
        {
            try
            {
                return question(_stopping.Token).GetAwaiter().GetResult();
            }
            catch (ClusterUnavailableException failure)
            {
                Log.GlobalWaits(_logger, _name, delayMs, failure);
            }

            Task.Delay(TimeSpan.FromMilliseconds(delayMs), _config.TimeProvider, _stopping.Token).GetAwaiter().GetResult();
            delayMs = Math.Min(delayMs * 2, MaxRetryMs);
        }
    }

    private void Turn()
    {
        RecordBatch? batch;
        try
        {
            batch = _consumer!.Poll(_config.PollInterval);
        }
        catch (OffsetOutOfRangeException failure)
        {
            // The store lacks what was deleted unread, and nothing can bring it back but reading anew, which the next start does.
            throw new StateStoreException($"Records of {failure.Partition} were deleted before their global store had read them; restart the application to read the topic anew.", failure);
        }

        catch (ClusterUnavailableException failure)
        {
            Log.GlobalWaits(_logger, _name, _retryMs, failure);
            _stopping.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(_retryMs));
            _retryMs = Math.Min(_retryMs * 2, MaxRetryMs);
            return;
        }

        _retryMs = FirstRetryMs;
        if (batch is not null)
        {
            if (_tasks.FirstOrDefault(task => task.Reads(batch.Partition)) is { } reader) reader.Process(batch);
            else batch.Dispose();
            TellIfLoaded();
        }

        foreach (var task in _tasks) task.PunctuateWallClock();
        var due = _config.TimeProvider.GetElapsedTime(_lastCommit) >= _config.CommitInterval;
        if (due) _lastCommit = _config.TimeProvider.GetTimestamp();
        CommitWhere(task => task.CommitRequested || (due && task.CommitNeeded) || task.UncommittedBytes > _config.StateStoreUncommittedMaxBytes);
    }

    private void TellIfLoaded()
    {
        if (_ready.Task.IsCompleted || !_tasks.TrueForAll(task => task.IsLoaded)) return;
        CommitWhere(static task => task.CommitNeeded);
        Log.GlobalsLoaded(_logger, _config.TimeProvider.GetElapsedTime(_startedAt).TotalMilliseconds);
        _ready.TrySetResult();
    }

    private void CommitWhere(Predicate<GlobalTask> condition)
    {
        foreach (var task in _tasks)
        {
            if (condition(task)) task.Commit();
        }
    }

    private void CloseTasks()
    {
        foreach (var task in _tasks)
        {
            try
            {
                task.Close();
            }
            catch (AggregateException failure)
            {
                Log.GlobalCloseFailed(_logger, task.Name, failure);
            }
        }
    }
}
