using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>
/// A running application: a topology, its settings, and the threads that work on this instance's share of the input. Start more instances of the
/// same program to share the work.
/// </summary>
/// <remarks>
/// <para><see cref="RunAsync"/> for programs; <see cref="StartAsync"/>, <see cref="CloseAsync"/> for those that do more. All members are safe from several threads.</para>
/// <para>Source: Kafka's <c>KafkaStreams</c>.</para>
/// </remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncDisposable")]
public sealed class KafkaStreams : IAsyncDisposable
{
    private static readonly TimeSpan _defaultCloseTimeout = TimeSpan.FromSeconds(30);

    private readonly StreamsConfig _config;
    private readonly TopologyPlan _plan;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Instance? _instance;
    private Task? _closing;

    /// <summary>Checks the settings and the topology; touches nothing outside.</summary>
    /// <exception cref="ConfigException">Settings cannot be used; all faults are named.</exception>
    /// <exception cref="TopologyException">The topology cannot be run.</exception>
    public KafkaStreams(Topology topology, StreamsConfig config)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        _config = config;
        _plan = new TopologyPlan(topology, config.ApplicationId);
        if (_plan.Subtopologies.Count + _plan.Globals.Count == 0)
            throw new TopologyException("The topology has no source to read from; add one with StreamsBuilder.Stream or Topology.AddSource.");
        _logger = config.LoggerFactory.CreateLogger("Streams");
    }

    /// <summary>Raised with (from, to) as <see cref="State"/> changes, on the thread that changes it; keep it short.</summary>
    public event Action<KafkaStreamsState, KafkaStreamsState>? StateChanged;

    /// <summary>Where the application is in its life.</summary>
    public KafkaStreamsState State { get; private set; } = KafkaStreamsState.Created;

    /// <summary>The error that ended the application, if one did.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>
    /// How the topology differs from the one that last ran on this machine's state: what is new, gone, renamed or moved, stores first. Empty before the start, at
    /// the first start, and when nothing changed. Also logged as one warning. Nothing is deleted because of it.
    /// </summary>
    public IReadOnlyList<TopologyChange> TopologyChanges { get; private set; } = [];

    /// <summary>Tasks of this instance, by thread name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<TaskId>> TasksByThread =>
        _instance?.Threads.ToDictionary(thread => thread.Name, thread => thread.Tasks) ?? [];

    /// <summary>Records that this instance has processed since it was started. Kafka's <c>process-total</c> over all threads.</summary>
    public long ProcessedRecords => _instance?.Threads.Sum(thread => thread.ProcessedRecords) ?? 0;

    /// <summary>
    /// What is measured, at this moment; empty before the start. The same values, under the same names, are instruments of the meter <c>Streams</c>, for
    /// OpenTelemetry and other listeners. Kafka's <c>metrics()</c>.
    /// </summary>
    public IReadOnlyList<StreamsMetric> Metrics => _instance?.Metrics.Snapshot() ?? [];

    /// <summary>Starts the threads and joins the group; returns at once. Global stores are brought up to the end of their topics first. Processing begins when <see cref="State"/> is <see cref="KafkaStreamsState.Running"/>.</summary>
    /// <exception cref="InvalidOperationException">It was started before.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (State != KafkaStreamsState.Created)
                throw new InvalidOperationException($"The application is {State}; an instance of KafkaStreams is started once. Make a new one.");
            _instance = new Instance(this);
            SetState(KafkaStreamsState.Rebalancing);
        }

        _instance.Start();
        return Task.CompletedTask;
    }

    /// <summary>Starts, runs until cancelled, and closes cleanly.</summary>
    /// <exception cref="StreamsException">The application ended with an error.</exception>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        await StartAsync(CancellationToken.None).ConfigureAwait(false);
        await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await CloseAsync(_defaultCloseTimeout).ConfigureAwait(false);
        if (Failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(Failure).Throw();
    }

    /// <summary>Commits, closes the tasks and leaves the group.</summary>
    /// <returns>False when threads were still busy after the time-out; they are left behind and end by themselves.</returns>
    public async Task<bool> CloseAsync(TimeSpan timeout)
    {
        Task closing;
        lock (_gate)
        {
            if (_instance is null)
            {
                if (State == KafkaStreamsState.Created) SetState(KafkaStreamsState.NotRunning);
                return true;
            }

            if (State is KafkaStreamsState.Rebalancing or KafkaStreamsState.Running) SetState(KafkaStreamsState.PendingShutdown);
            closing = _closing ??= Task.Run(_instance.CloseAsync, CancellationToken.None);
        }

        try
        {
            await closing.WaitAsync(timeout, _config.TimeProvider).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Closes with a time-out of 30 seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_defaultCloseTimeout).ConfigureAwait(false);
        if (_closing is null or { IsCompleted: true }) _stopping.Dispose();
    }

    private void SetState(KafkaStreamsState to)
    {
        var from = State;
        if (from == to) return;
        State = to;
        Log.StateChanged(_logger, _config.ApplicationId, from, to);
        StateChanged?.Invoke(from, to);
    }

    private void Fail(Exception failure)
    {
        lock (_gate)
        {
            if (Failure is not null || State is KafkaStreamsState.NotRunning or KafkaStreamsState.Error) return;
            Failure = failure;
            Log.Failed(_logger, _config.ApplicationId, failure);
            SetState(KafkaStreamsState.PendingError);
            _closing ??= Task.Run(_instance!.CloseAsync, CancellationToken.None);
        }
    }

    /// <summary>What exists while the application runs.</summary>
    private sealed class Instance : IGroupMemberOwner, IStreamThreadOwner
    {
        private readonly KafkaStreams _streams;
        private readonly StreamsConfig _config;
        private readonly TopologyPlan _plan;
        private readonly ILogger _logger;
        private readonly ICluster _cluster;
        private readonly bool _ownsCluster;
        private readonly IClusterAdmin _admin;
        private readonly IGroupCoordinator _coordinator;
        private readonly StateDirectory _stateDirectory;
        private readonly GroupMember _member;
        private readonly InternalTopics _internalTopics;
        private readonly Guid _processId;
        private readonly HashSet<StreamThread> _runningThreads = [];
        private readonly GlobalStreamThread? _globals;
        private readonly TopologyFingerprint _fingerprint;
        private bool _fingerprintKept;
        private readonly Lock _gate = new();
        private Task _starting = Task.CompletedTask;
        private Task _membership = Task.CompletedTask;
        private bool _closing;
        private volatile IReadOnlyList<TaskId> _ownedTasks = [];

        public Instance(KafkaStreams streams)
        {
            _streams = streams;
            _config = streams._config;
            _plan = streams._plan;
            _logger = streams._logger;
            _stateDirectory = new StateDirectory(_config.StateDirectory, _config.ApplicationId, _logger);
            _processId = _config.ReadCommitted ? _stateDirectory.ProcessId() : Guid.NewGuid();
            var clientId = _config.ClientId ?? $"{_config.ApplicationId}-{_processId}";
            _ownsCluster = _config.Cluster is null;
            _cluster = _config.Cluster ?? KafkaClusterProvider.Create(_config.BootstrapServers!, _logger, _config.TimeProvider);
            _admin = _cluster.CreateAdmin(clientId + "-admin");
            _coordinator = _cluster.CreateGroupCoordinator(clientId, _config.ApplicationId);
            Metrics = new StreamsMetrics(_config.ApplicationId, clientId, _config.MetricsRecordingLevel, _config.MeterFactory, _config.TimeProvider);
            Metrics.AddClientGauge("client-state", "{state}", "0 created, 1 rebalancing, 2 running, 3 closing, 4 closed, 5 closing after an error, 6 failed.", () => (int)streams.State);
            Metrics.AddClientGauge("alive-stream-threads", "{thread}", "Threads that run.", () => Threads!.Count(thread => thread.IsAlive));
            Metrics.AddClientGauge("failed-stream-threads", "{thread}", "Threads that an error has ended.", () => streams.Failure is null ? 0 : 1);
            _internalTopics = new InternalTopics(_plan, _admin, _config.ReplicationFactor, _config.TopicProperties, _logger);
            _member = new GroupMember(_coordinator, _config, this, _logger);
            var memory = new StateMemory(_config.StateMemoryBytes, _config.StateStoreCacheMaxBytes / _config.NumStreamThreads);
            var errors = ErrorPolicy.Of(_config, _logger);
            if (_plan.Globals.Count > 0)
                _globals = new GlobalStreamThread($"{clientId}-GlobalStreamThread", _config, _plan, _cluster, _admin, _stateDirectory, memory, errors, streams.Fail, _logger);

            // A topology of nothing but global stores has no tasks, and so no use for threads or a group.
            Threads = [.. Enumerable.Range(1, _plan.Subtopologies.Count == 0 ? 0 : _config.NumStreamThreads).Select(number => new StreamThread(
                $"{clientId}-StreamThread-{number}", $"{_config.ApplicationId}-{_processId}-{number}", _config, _plan, _cluster, _admin, _coordinator, _stateDirectory, memory, errors, GlobalStores, this, Metrics, _logger))];
            Log.Starting(_logger, _config.ApplicationId, _cluster.Description, clientId, Threads.Count);
            _fingerprint = TopologyFingerprint.Of(_plan);
            if (_stateDirectory.ReadFingerprint() is not { } before) return;
            streams.TopologyChanges = _fingerprint.ChangesFrom(before);
            if (streams.TopologyChanges.Count > 0 && _logger.IsEnabled(LogLevel.Warning))
                Log.TopologyChanged(_logger, _config.ApplicationId, string.Concat(streams.TopologyChanges.Select(change => "\n  - " + change)));
        }

        public IReadOnlyList<StreamThread> Threads { get; }

        public StreamsMetrics Metrics { get; }

        public GroupMembership Membership => _member.Membership;

        public IReadOnlyCollection<string> SubscribedTopics { get; private set; } = [];

        public void Start()
        {
            if (_globals is null)
            {
                StartThreads();
                return;
            }

            _globals.Start();
            _starting = StartWhenGlobalsAreReadyAsync(_globals.Ready);
        }

        public async Task CloseAsync()
        {
            lock (_gate) _closing = true;
            // Threads first: their last commits are made as members of the group.
            foreach (var thread in Threads) thread.Stop();
            foreach (var thread in Threads) thread.Join(Timeout.InfiniteTimeSpan);
            await _streams._stopping.CancelAsync().ConfigureAwait(false);
            await _membership.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), _config.TimeProvider))
                await _member.LeaveAsync(patience.Token).ConfigureAwait(false);
            if (_globals is not null)
            {
                // After the threads, which read its stores until they end.
                _globals.Stop();
                _globals.Join();
                await _starting.ConfigureAwait(false);
                _globals.Dispose();
            }

            foreach (var thread in Threads) thread.Dispose();
            _member.Dispose();
            await _coordinator.DisposeAsync().ConfigureAwait(false);
            _admin.Dispose();
            _stateDirectory.Dispose();
            Metrics.Dispose();
            if (_ownsCluster) await _cluster.DisposeAsync().ConfigureAwait(false);
            lock (_streams._gate) _streams.SetState(_streams.Failure is null ? KafkaStreamsState.NotRunning : KafkaStreamsState.Error);
            _streams._ended.TrySetResult();
        }

        public MemberMetadata Describe() => new(_processId, Threads.Count, _ownedTasks, [.. _stateDirectory.TasksOnDisk()]);

        public async Task<PartitionCounts> PrepareTopicsAsync(CancellationToken cancellationToken) =>
            await _internalTopics.EnsureAsync(cancellationToken).ConfigureAwait(false);

        public async Task<bool> HaveTopicsChangedAsync(PartitionCounts known, CancellationToken cancellationToken) =>
            await _internalTopics.HaveSourcesChangedAsync(known, cancellationToken).ConfigureAwait(false);

        public IReadOnlyCollection<TaskId> AllTasks(PartitionCounts counts) =>
            [.. _plan.Subtopologies.SelectMany(subtopology => Enumerable.Range(0, counts.TaskCount(subtopology)).Select(partition => new TaskId(subtopology.Id, partition)))];

        public IReadOnlyCollection<TopicPartition> InputsOf(TaskId task, PartitionCounts counts) =>
            counts.Inputs(_plan.Subtopologies.First(subtopology => subtopology.Id == task.Subtopology), task.Partition);

        public async Task SuspendAsync()
        {
            lock (_streams._gate)
            {
                if (_streams.State == KafkaStreamsState.Running) _streams.SetState(KafkaStreamsState.Rebalancing);
            }

            await Task.WhenAll(Threads.Select(thread => thread.SuspendAsync())).ConfigureAwait(false);
        }

        public async Task AssignAsync(GroupMembership membership, MemberAssignment assignment)
        {
            var counts = PartitionCounts.Known(_plan, assignment.PartitionCounts);
            SubscribedTopics = [.. assignment.PartitionCounts.Keys];

            // An assignment means that the leader has made and checked the topics: from here on this topology leaves traces.
            if (!_fingerprintKept) _stateDirectory.WriteFingerprint(_fingerprint);
            _fingerprintKept = true;
            lock (_gate) _runningThreads.Clear();
            var byThread = Divide(assignment.Tasks);
            _ownedTasks = assignment.Tasks;

            // What moves between threads is closed by one before the other opens it: stores and their folders have one owner.
            await Task.WhenAll(Threads.Select(thread => thread.CloseOthersAsync(WithInputs(byThread[thread])))).ConfigureAwait(false);
            await Task.WhenAll(Threads.Select(thread => thread.AssignAsync(WithInputs(byThread[thread])))).ConfigureAwait(false);

            Dictionary<TaskId, IReadOnlyCollection<TopicPartition>> WithInputs(IEnumerable<TaskId> tasks) =>
                tasks.ToDictionary(task => task, task => InputsOf(task, counts));
        }

        public async Task LoseAsync()
        {
            lock (_streams._gate)
            {
                if (_streams.State == KafkaStreamsState.Running) _streams.SetState(KafkaStreamsState.Rebalancing);
            }

            _ownedTasks = [];
            await Task.WhenAll(Threads.Select(thread => thread.LoseAsync())).ConfigureAwait(false);
        }

        public void ThreadIsRunning(StreamThread thread)
        {
            lock (_gate)
            {
                _runningThreads.Add(thread);
                if (_runningThreads.Count < Threads.Count) return;
            }

            lock (_streams._gate)
            {
                if (_streams.State == KafkaStreamsState.Rebalancing) _streams.SetState(KafkaStreamsState.Running);
            }
        }

        public void MembershipLost()
        {
            _ownedTasks = [];
            _member.RequestRejoin();
        }

        public StreamThreadExceptionResponse Judge(StreamThread thread, Exception failure)
        {
            if (_config.UncaughtExceptionHandler is not { } handler) return StreamThreadExceptionResponse.ShutdownClient;
            try
            {
                return handler(failure);
            }
            catch (Exception second) when (second is not OutOfMemoryException)
            {
                Log.UncaughtHandlerFailed(_logger, thread.Name, second);
                return StreamThreadExceptionResponse.ShutdownClient;
            }
        }

        public void ThreadEnded(StreamThread thread, Exception? failure)
        {
            if (failure is not null) _streams.Fail(failure);
        }

        private IReadOnlyDictionary<string, IStateStore> GlobalStores() => _globals?.Stores ?? new Dictionary<string, IStateStore>();

        private async Task StartWhenGlobalsAreReadyAsync(Task ready)
        {
            // Not ready means closed or failed, and both have been dealt with where they happened.
            await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ready.IsCompletedSuccessfully) StartThreads();
        }

        private void StartThreads()
        {
            lock (_gate)
            {
                if (_closing) return;
                foreach (var thread in Threads) thread.Start();
                if (Threads.Count > 0)
                {
                    _membership = StayMemberAsync();
                    return;
                }
            }

            _stateDirectory.WriteFingerprint(_fingerprint);
            lock (_streams._gate)
            {
                if (_streams.State == KafkaStreamsState.Rebalancing) _streams.SetState(KafkaStreamsState.Running);
            }
        }

        // A task stays on its thread; new ones go to the thread with the fewest.
        private Dictionary<StreamThread, List<TaskId>> Divide(IReadOnlyList<TaskId> tasks)
        {
            var result = Threads.ToDictionary(thread => thread, _ => new List<TaskId>());
            var most = (tasks.Count + Threads.Count - 1) / Threads.Count;
            var open = new List<TaskId>();
            foreach (var task in tasks)
            {
                var owner = Threads.FirstOrDefault(thread => thread.Tasks.Contains(task));
                if (owner is not null && result[owner].Count < most) result[owner].Add(task);
                else open.Add(task);
            }

            foreach (var task in open) result[Threads.MinBy(thread => result[thread].Count)!].Add(task);
            return result;
        }

        private async Task StayMemberAsync()
        {
            try
            {
                await _member.RunAsync(_streams._stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_streams._stopping.IsCancellationRequested)
            {
                // Closing.
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                _streams.Fail(failure);
            }
        }
    }
}
