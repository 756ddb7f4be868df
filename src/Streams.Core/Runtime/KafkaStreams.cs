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
    private readonly IReadOnlyList<ITopologyCompanion> _companions;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<(KafkaStreamsState From, KafkaStreamsState To)> _untold = new();
    private volatile KafkaStreamsState _state;
    private volatile Exception? _failure;
    private Instance? _instance;
    private Task? _closing;
    private bool _waitedInVain;
    private bool _isTelling;
    private bool _startsPaused;

    /// <summary>Checks the settings and the topology; touches nothing outside.</summary>
    /// <exception cref="ConfigException">Settings cannot be used; all faults are named.</exception>
    /// <exception cref="TopologyException">The topology cannot be run.</exception>
    public KafkaStreams(Topology topology, StreamsConfig config)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (config.EnsureExplicitInternalResourceNaming) ExplicitNames.Demand(topology);
        _config = config;
        _plan = new TopologyPlan(topology, config.ApplicationId);
        _plan.DemandTopicNames();
        _companions = topology.Companions;
        if (_plan.Subtopologies.Count + _plan.Globals.Count == 0)
            throw new TopologyException("The topology has no source to read from; add one with StreamsBuilder.Stream or Topology.AddSource.");
        _logger = config.LoggerFactory.CreateLogger("Streams");
    }

    /// <summary>Raised with (from, to) after <see cref="State"/> has changed, one change after the other; keep it short.</summary>
    /// <remarks>
    /// It comes on a thread of the application or of whoever changes the state, without a lock: all members may be called. Do not block until <see cref="CloseAsync"/> is over: the
    /// thread that is to end may be the one that raises the event. What a handler throws is logged and goes no further.
    /// </remarks>
    public event Action<KafkaStreamsState, KafkaStreamsState>? StateChanged;

    /// <summary>Where the application is in its life.</summary>
    public KafkaStreamsState State => _state;

    /// <summary>The error that ended the application, if one did.</summary>
    public Exception? Failure => _failure;

    /// <summary>
    /// How the topology differs from the one that last ran on this machine's state: what is new, gone, renamed or moved, stores first. Empty before the start, at
    /// the first start, and when nothing changed. Also logged as one warning. Nothing is deleted because of it.
    /// </summary>
    public IReadOnlyList<TopologyChange> TopologyChanges { get; private set; } = [];

    /// <summary>Where this instance can be asked, as <see cref="StreamsConfig.ApplicationServer"/> says; <see cref="HostInfo.Unavailable"/> where it says nothing.</summary>
    public HostInfo ApplicationServer => HostInfo.TryParse(_config.ApplicationServer, out var here) ? here : HostInfo.Unavailable;

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
            _instance.StartCompanions();
            SetState(KafkaStreamsState.Rebalancing);
        }

        TellStates();
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
    /// <param name="timeout">
    /// How long to wait. A last commit that the cluster has not acknowledged after three quarters of it (or ten seconds before its end) is given up: what is in it is processed again
    /// by the next start. With zero nobody waits, and the commit has what <see cref="DisposeAsync"/> would give it. <see cref="Timeout.InfiniteTimeSpan"/>, or more than 24 days, is for as
    /// long as it takes.
    /// </param>
    /// <param name="leaveGroup">
    /// Whether the group is told, so that the others take over at once. Default: yes, except for a static member (<see cref="StreamsConfig.GroupInstanceId"/>), which
    /// means to be back within the session time-out. KIP-812.
    /// </param>
    /// <returns>False when threads were still busy after the time-out; they are left behind and end by themselves.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative.</exception>
    /// <remarks>
    /// Handlers, listeners and processors may begin to close the application, with a time-out of zero or without awaiting the result: a thread that blocks until it is over waits for
    /// itself, in vain.
    /// </remarks>
    public async Task<bool> CloseAsync(TimeSpan timeout, bool? leaveGroup = null)
    {
        timeout = Patience(timeout);
        var closing = BeginClose(timeout, leaveGroup ?? LeavesGroup);
        TellStates();

        try
        {
            await closing.WaitAsync(timeout, _config.TimeProvider).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            _waitedInVain |= timeout > TimeSpan.Zero;
            return false;
        }
    }

    /// <summary>
    /// Starts one more thread, which gets its share of the tasks with the next rebalance. The record cache is divided as it was, by the number of stores.
    /// </summary>
    /// <returns>The thread's name; <c>null</c> when the application is not running, or has nothing for threads to do.</returns>
    /// <remarks>Source: KIP-663.</remarks>
    public string? AddStreamThread() => State is KafkaStreamsState.Running or KafkaStreamsState.Rebalancing ? _instance?.AddThread() : null;

    /// <summary>Ends one thread; its tasks go to the others, here or elsewhere. Without threads an instance stays in its group and does nothing.</summary>
    /// <param name="timeout">How long to wait for the thread's last commit.</param>
    /// <returns>The thread's name; <c>null</c> when the application is not running, or has no thread but the caller's.</returns>
    /// <exception cref="TimeoutException">The thread was still busy after the time-out; it ends by itself.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative, and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    public string? RemoveStreamThread(TimeSpan timeout)
    {
        timeout = Patience(timeout);
        return State is KafkaStreamsState.Running or KafkaStreamsState.Rebalancing ? _instance?.RemoveThread(timeout) : null;
    }

    /// <summary>
    /// Stops processing, punctuation and restoring on all threads until <see cref="Resume"/>. The instance stays in its group and goes on to commit. Before the start: it begins
    /// like that. KIP-834.
    /// </summary>
    public void Pause() => SetPaused(true);

    /// <summary>Goes on.</summary>
    public void Resume() => SetPaused(false);

    /// <summary>Whether <see cref="Pause"/> is in force.</summary>
    public bool IsPaused => _instance?.IsPaused ?? _startsPaused;

    /// <summary>
    /// Deletes the local state of the application, which is then restored from changelogs at the next start. Only before the start or after the end.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is running.</exception>
    /// <exception cref="StateStoreException">Another process uses the state.</exception>
    public void CleanUp()
    {
        lock (_gate)
        {
            if (State is not (KafkaStreamsState.Created or KafkaStreamsState.NotRunning or KafkaStreamsState.Error))
                throw new InvalidOperationException($"The application is {State}: its state is cleaned up before the start or after the end.");
            using var directory = new StateDirectory(_config.StateDirectory, _config.ApplicationId, _logger);
            directory.DeleteAll();
        }
    }

    /// <summary>
    /// A store to read from any thread while the application runs: all partitions of it that this instance has, or one. It can be kept: each call looks where the
    /// store is then. Iterators are to be disposed; what is written while one is open may be seen where it lies ahead.
    /// </summary>
    /// <exception cref="StreamsNotStartedException">The application has not been started.</exception>
    /// <exception cref="StreamsStoppedException">The application is closing or closed.</exception>
    /// <exception cref="StreamsRebalancingException">The store is not ready here yet; ask again in a moment.</exception>
    /// <exception cref="StateStoreMigratedException">The store is not on this instance; also thrown by later calls when it has moved.</exception>
    /// <exception cref="UnknownStateStoreException">There is no such store, or it is of another type.</exception>
    /// <exception cref="InvalidStateStorePartitionException">There is no such partition.</exception>
    public TStore Store<TStore>(StoreQueryParameters<TStore> parameters)
        where TStore : class
    {
        ArgumentNullException.ThrowIfNull(parameters);
        return Asked().Store(parameters);
    }

    /// <summary>Asks each partition of a store that is here, one after the other, each as of one moment. Failures of partitions are in the result. KIP-796.</summary>
    /// <exception cref="InvalidStateStoreException">The application is not running, or there is no such store.</exception>
    public Task<StateQueryResult<TResult>> QueryAsync<TResult>(StateQueryRequest<TResult> request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Asked().QueryAsync(request, cancellationToken);
    }

    /// <summary>Who has a key, by Kafka's default partitioning of its serialised bytes. Needs <see cref="StreamsConfig.ApplicationServer"/> on the instances.</summary>
    /// <returns><see cref="KeyQueryMetadata.NotAvailable"/> before the first rebalance of this instance is over; later the partition is known, and no active host while its task moves.</returns>
    /// <exception cref="InvalidStateStoreException">The application is not running, or there is no such store.</exception>
    public KeyQueryMetadata QueryMetadataForKey<K>(string storeName, K key, ISerializer<K> keySerializer)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(keySerializer);
        return Asked().MetadataForKey(storeName, key, keySerializer);
    }

    /// <summary>The same with a partitioner of one's own, which is given the number of partitions.</summary>
    public KeyQueryMetadata QueryMetadataForKey(string storeName, Func<int, int> partitioner)
    {
        ArgumentNullException.ThrowIfNull(partitioner);
        return Asked().MetadataForKey(storeName, partitioner);
    }

    /// <summary>Every instance of the application and what it has, as of the last rebalance; empty when none named its <see cref="StreamsConfig.ApplicationServer"/>.</summary>
    public IReadOnlyCollection<StreamsMetadata> MetadataForAllStreamsClients() => Asked().AllMetadata();

    /// <summary>The instances that have a store, active or standby.</summary>
    public IReadOnlyCollection<StreamsMetadata> StreamsMetadataForStore(string storeName) => Asked().MetadataForStore(storeName);

    /// <summary>How far the stores of this instance are behind their changelogs, by store and partition. KIP-535.</summary>
    /// <exception cref="ClusterUnavailableException">The cluster does not answer.</exception>
    public Task<IReadOnlyDictionary<string, IReadOnlyDictionary<int, LagInfo>>> AllLocalStorePartitionLagsAsync(CancellationToken cancellationToken = default) => Asked().LagsAsync(cancellationToken);

    /// <summary>The threads of this instance and their tasks.</summary>
    public IReadOnlyCollection<ThreadMetadata> MetadataForLocalThreads() => _instance?.DescribeThreads() ?? [];

    /// <summary>Closes with a time-out of 30 seconds; without one when <see cref="CloseAsync"/> has waited in vain before.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_waitedInVain ? TimeSpan.Zero : _defaultCloseTimeout).ConfigureAwait(false);
        if (_closing is null or { IsCompleted: true }) _stopping.Dispose();
    }

    private InteractiveQueries Asked() => _instance?.Queries ?? throw new StreamsNotStartedException("The application has not been started; start it before asking its stores.");

    // A static member means to be back within the session time-out, also when it has failed: whoever watches the process starts it again.
    private bool LeavesGroup => _config.GroupInstanceId is null;

    // What timers cannot count is as good as for ever.
    private static TimeSpan Patience(TimeSpan timeout)
    {
        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "A time-out is zero, positive, or Timeout.InfiniteTimeSpan for as long as it takes.");
        return timeout.TotalMilliseconds > int.MaxValue ? Timeout.InfiniteTimeSpan : timeout;
    }

    private Task BeginClose(TimeSpan timeout, bool leaveGroup)
    {
        lock (_gate)
        {
            if (_instance is null)
            {
                if (State != KafkaStreamsState.Created) return Task.CompletedTask;
                foreach (var companion in _companions) companion.NeverStarts();
                SetState(KafkaStreamsState.NotRunning);
                return Task.CompletedTask;
            }

            if (State is KafkaStreamsState.Rebalancing or KafkaStreamsState.Running) SetState(KafkaStreamsState.PendingShutdown);
            _instance.Patience.EndIn(timeout == TimeSpan.Zero ? _defaultCloseTimeout : timeout);
            return _closing ??= _config.Threads.Run(() => _instance.CloseAsync(leaveGroup));
        }
    }

    private void SetPaused(bool isPaused)
    {
        lock (_gate)
        {
            _startsPaused = isPaused;
            _instance?.SetPaused(isPaused);
        }
    }

    // Inside the gate; TellStates is to follow outside.
    private void SetState(KafkaStreamsState to)
    {
        var from = State;
        if (from == to) return;
        _state = to;
        Log.StateChanged(_logger, _config.ApplicationId, from, to);
        _untold.Enqueue((from, to));
    }

    // Whoever comes first tells all changes in their order, those too that are made meanwhile, by the listeners themselves or by others.
    private void TellStates()
    {
        while (true)
        {
            (KafkaStreamsState From, KafkaStreamsState To) change;
            lock (_gate)
            {
                if (_isTelling || !_untold.TryDequeue(out change)) return;
                _isTelling = true;
            }

            foreach (var listener in Delegate.EnumerateInvocationList(StateChanged))
            {
                try
                {
                    listener(change.From, change.To);
                }
                catch (Exception failure) when (failure is not OutOfMemoryException)
                {
                    // The listener's fault, and no reason to stop a thread or to leave the application half closed.
                    Log.StateListenerFailed(_logger, _config.ApplicationId, change.From, change.To, failure);
                }
            }

            lock (_gate) _isTelling = false;
        }
    }

    private void Fail(Exception failure)
    {
        lock (_gate)
        {
            if (Failure is not null || State is KafkaStreamsState.NotRunning or KafkaStreamsState.Error) return;
            _failure = failure;
            Log.Failed(_logger, _config.ApplicationId, failure);
            SetState(KafkaStreamsState.PendingError);
            _instance!.Patience.EndIn(_defaultCloseTimeout);
            _closing ??= _config.Threads.Run(() => _instance.CloseAsync(LeavesGroup));
        }

        TellStates();
    }

    /// <summary>What exists while the application runs.</summary>
    private sealed class Instance : IGroupMemberOwner, IStreamThreadOwner
    {
        private static readonly TimeSpan _firstMembershipPause = TimeSpan.FromMilliseconds(100);
        private static readonly TimeSpan _longestMembershipPause = TimeSpan.FromSeconds(10);

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
        private readonly TaskCompletionSource _shutdownHeard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Exception? _shutdownCause;
        private readonly Guid _processId;
        private readonly string _clientId;
        private readonly StateMemory _memory;
        private readonly ErrorPolicy _errors;
        private readonly HashSet<StreamThread> _runningThreads = [];
        private readonly GlobalStreamThread? _globals;
        private readonly TopologyFingerprint _fingerprint;
        private bool _fingerprintKept;
        private readonly Lock _gate = new();
        private Task _starting = Task.CompletedTask;
        private Task _membership = Task.CompletedTask;
        private bool _closing;
        private Task _cleaning = Task.CompletedTask;
        private volatile IReadOnlyList<StreamThread> _threads = [];
        private int _lastThreadNumber;
        private volatile bool _isPaused;
        private volatile bool _areThreadsStarted;
        private volatile MemberAssignment? _assignment;
        private volatile int _assignedGeneration = -1;
        private IReadOnlyList<ICompanionRun> _companions = [];

        public Instance(KafkaStreams streams)
        {
            _streams = streams;
            _config = streams._config;
            Patience = new ClosePatience(_config.TimeProvider);
            _plan = streams._plan;
            _logger = streams._logger;
            _stateDirectory = new StateDirectory(_config.StateDirectory, _config.ApplicationId, _logger);
            _processId = _config.ProcessId ?? (_config.ProcessingGuarantee == ProcessingGuarantee.ExactlyOnce ? _stateDirectory.ProcessId() : Guid.NewGuid());
            var clientId = _clientId = _config.ClientId ?? $"{_config.ApplicationId}-{_processId}";
            _ownsCluster = _config.Cluster is null;
            _isPaused = streams._startsPaused;
            try
            {
                _cluster = _config.Cluster ?? KafkaClusterProvider.Create(_config.BootstrapServers!, _config.ClientProperties, _logger, _config.TimeProvider);
                _admin = _cluster.CreateAdmin(clientId + "-admin");
                _coordinator = _cluster.CreateGroupCoordinator(clientId, _config.ApplicationId);
                Metrics = new StreamsMetrics(_config.ApplicationId, clientId, _config.MetricsRecordingLevel, _config.MeterFactory, _config.TimeProvider);
                Metrics.AddClientGauge("client-state", "{state}", "0 created, 1 rebalancing, 2 running, 3 closing, 4 closed, 5 closing after an error, 6 failed.", () => (int)streams.State);
                Metrics.AddClientGauge("alive-stream-threads", "{thread}", "Threads that run.", () => Threads!.Count(thread => thread.IsAlive));
                Metrics.AddClientGauge("failed-stream-threads", "{thread}", "Threads that an error has ended.", () => streams.Failure is null ? 0 : 1);
                _internalTopics = new InternalTopics(_plan, _admin, _config.ReplicationFactor, _config.TopicProperties, _config.WindowStoreChangelogAdditionalRetention, _logger);
                _member = new GroupMember(_coordinator, _config, this, _logger);
                var memory = _memory = new StateMemory(_config.StateMemoryBytes, _config.StateStoreCacheMaxBytes, _config.InputBufferMaxBytes);
                var errors = _errors = ErrorPolicy.Of(_config, _logger);
                if (_plan.Globals.Count > 0)
                    _globals = new GlobalStreamThread($"{clientId}-GlobalStreamThread", _config, _plan, _cluster, _admin, _stateDirectory, memory, errors, GlobalsFailed, _logger);

                // A topology of nothing but global stores has no tasks, and so no use for threads or a group.
                _threads = [.. Enumerable.Range(0, _plan.Subtopologies.Count == 0 ? 0 : _config.NumStreamThreads).Select(_ => NewThread())];
                if (_isPaused) SetPaused(true);
                Queries = new InteractiveQueries(_plan, _config, _admin, () => streams.State, () => _threads, () => _assignment, GlobalStores);
                Log.Starting(_logger, _config.ApplicationId, _cluster.Description, clientId, Threads.Count);
                _fingerprint = TopologyFingerprint.Of(_plan);
            }
            catch (Exception)
            {
                // Nothing is connected or started yet, so nobody waits here.
                ReleaseAsync().GetAwaiter().GetResult();
                throw;
            }

            if (_stateDirectory.ReadFingerprint() is not { } before) return;
            streams.TopologyChanges = _fingerprint.ChangesFrom(before);
            if (streams.TopologyChanges.Count > 0 && _logger.IsEnabled(LogLevel.Warning))
                Log.TopologyChanged(_logger, _config.ApplicationId, string.Concat(streams.TopologyChanges.Select(change => "\n  - " + change)));
        }

        public IReadOnlyList<StreamThread> Threads => _threads;

        public bool IsPaused => _isPaused;

        /// <summary>The last assignment; <c>null</c> before the first and after the membership was lost.</summary>
        public MemberAssignment? Assignment => _assignment;

        public ClosePatience Patience { get; }

        public InteractiveQueries Queries { get; }

        public StreamsMetrics Metrics { get; }

        public GroupMembership Membership => _member.Membership;

        public IReadOnlyCollection<string> SubscribedTopics { get; private set; } = [];

        public void StartCompanions()
        {
            var settings = new CompanionSettings
            {
                Cluster = _cluster,
                ClientId = _clientId,
                Time = _config.TimeProvider,
                Logger = _logger,
                Fail = _streams.Fail,
                Patience = _config.TaskTimeout,
            };
            _companions = [.. _streams._companions.Select(companion => companion.Start(settings))];
        }

        public void Start()
        {
            if (_globals is null)
            {
                StartThreads();
                return;
            }

            lock (_gate)
            {
                // Who listens to the state may have closed the application already.
                if (_closing) return;
                _globals.Start();
                _starting = StartWhenGlobalsAreReadyAsync(_globals.Ready);
            }
        }

        public async Task CloseAsync(bool leaveGroup)
        {
            lock (_gate) _closing = true;

            // Threads first: their last commits are made as members of the group. A thread that is being added is in the list or never starts.
            foreach (var thread in Threads) thread.Stop();
            foreach (var thread in Threads) thread.Join(Timeout.InfiniteTimeSpan);
            _streams._stopping.Cancel();
            await _membership.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _cleaning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (leaveGroup) await PartAsync("membership", LeaveAsync).ConfigureAwait(false);
            if (_globals is not null)
            {
                // After the threads, which read its stores until they end.
                _globals.Stop();
                _globals.Join();
                await _starting.ConfigureAwait(false);
                _globals.Dispose();
            }

            // They may use the cluster until here, and learn how the application ended.
            await Task.WhenAll(_companions.Select(companion => PartAsync("sources and taps", () => companion.EndAsync(_streams.Failure)))).ConfigureAwait(false);
            foreach (var thread in Threads) thread.Dispose();
            await ReleaseAsync().ConfigureAwait(false);
            lock (_streams._gate) _streams.SetState(_streams.Failure is null ? KafkaStreamsState.NotRunning : KafkaStreamsState.Error);
            _streams.TellStates();
            _streams._ended.TrySetResult();
        }

        private async Task LeaveAsync()
        {
            using var politeness = new CancellationTokenSource(TimeSpan.FromSeconds(5), _config.TimeProvider);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(politeness.Token, Patience.Farewells);
            await _member.LeaveAsync(both.Token).ConfigureAwait(false);
        }

        // Some of it is missing when making the rest failed.
        private async Task ReleaseAsync()
        {
            if (_coordinator is not null) await PartAsync("group coordinator", () => _coordinator.DisposeAsync().AsTask()).ConfigureAwait(false);
            if (_admin is not null) await PartAsync("administration", () => Run(_admin.Dispose)).ConfigureAwait(false);
            _stateDirectory.Dispose();
            Metrics?.Dispose();
            Patience.Dispose();
            if (_ownsCluster && _cluster is not null) await PartAsync("cluster", () => _cluster.DisposeAsync().AsTask()).ConfigureAwait(false);

            static Task Run(Action dispose)
            {
                dispose();
                return Task.CompletedTask;
            }
        }

        // One part that cannot be closed keeps neither the others open nor whoever waits for the end waiting.
        private async Task PartAsync(string what, Func<Task> close)
        {
            try
            {
                await close().ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                Log.PartNotClosed(_logger, _config.ApplicationId, what, failure);
            }
        }

        public IReadOnlyCollection<ThreadMetadata> DescribeThreads()
        {
            var counts = _assignment is { PartitionCounts.Count: > 0 } assignment ? PartitionCounts.Known(_plan, assignment.PartitionCounts) : null;
            return
            [
                .. _threads.Select(thread =>
                {
                    var tasks = thread.OpenTasks;
                    return new ThreadMetadata(thread.Name, thread.IsAlive, Tasks(state => state != ThreadTaskState.Standby), Tasks(state => state == ThreadTaskState.Standby));

                    List<TaskMetadata> Tasks(Predicate<ThreadTaskState> filter) =>
                        [.. tasks.Where(entry => filter(entry.State)).Select(entry => new TaskMetadata(entry.Task.Id, counts is null ? [] : InputsOf(entry.Task.Id, counts), entry.State == ThreadTaskState.Restoring))];
                }),
            ];
        }

        public string? AddThread()
        {
            StreamThread thread;
            lock (_gate)
            {
                if (_closing || _threads.Count == 0 && _plan.Subtopologies.Count == 0) return null;
                thread = NewThread();
                if (_isPaused) thread.Pause();

                // While global stores are loaded nobody starts: this one does with the others.
                if (_areThreadsStarted) thread.Start();
                _threads = [.. _threads, thread];
            }

            _member.RequestRejoin();
            return thread.Name;
        }

        public string? RemoveThread(TimeSpan timeout)
        {
            StreamThread? thread;
            lock (_gate)
            {
                if (_closing) return null;

                // A thread cannot wait for its own end, and one that is called from cannot be the one that goes.
                thread = _threads.LastOrDefault(candidate => !candidate.IsEnding && !candidate.IsCurrent);
                if (thread is null) return null;
                thread.Leave();
                _runningThreads.Remove(thread);
            }

            // It stays in the list until it has ended: what it has open meanwhile is this instance's, and is for nobody else to open.
            thread.Stop();
            if (!thread.Join(timeout)) throw new TimeoutException($"Thread {thread.Name} was still busy after {timeout}; it ends by itself.");
            Forget(thread);
            thread.Dispose();
            _member.RequestRejoin();
            return thread.Name;
        }

        public void SetPaused(bool isPaused)
        {
            lock (_gate)
            {
                _isPaused = isPaused;
                foreach (var thread in _threads)
                {
                    if (isPaused) thread.Pause();
                    else thread.Resume();
                }
            }
        }

        public MemberMetadata Describe()
        {
            var positions = new Dictionary<TaskId, long>(_stateDirectory.PositionsOnDisk());
            foreach (var (task, state) in Threads.SelectMany(thread => thread.OpenTasks))
                positions[task.Id] = state == ThreadTaskState.Running ? MemberMetadata.CaughtUp : task.PositionSum;
            var threads = Threads;
            return new MemberMetadata
            {
                ProcessId = _processId,
                Threads = threads.Count(thread => !thread.IsEnding),
                Generation = _assignedGeneration,
                ErrorCode = Volatile.Read(ref _shutdownCause) is null ? 0 : MemberMetadata.ShutdownRequested,
                OwnedTasks = [.. threads.SelectMany(thread => thread.Tasks).Distinct().Order()],
                Positions = positions,
                ApplicationServer = _config.ApplicationServer ?? "",
                Tags = _config.TagsToTell(),
            };
        }

        public async Task<PartitionCounts> PrepareTopicsAsync(CancellationToken cancellationToken) =>
            await _internalTopics.EnsureAsync(cancellationToken).ConfigureAwait(false);

        public async Task<bool> HaveTopicsChangedAsync(PartitionCounts known, CancellationToken cancellationToken) =>
            await _internalTopics.HaveSourcesChangedAsync(known, cancellationToken).ConfigureAwait(false);

        public IReadOnlyCollection<TaskId> AllTasks(PartitionCounts counts) =>
            [.. _plan.Subtopologies.SelectMany(subtopology => Enumerable.Range(0, counts.TaskCount(subtopology)).Select(partition => new TaskId(subtopology.Id, partition)))];

        public IReadOnlyCollection<TopicPartition> InputsOf(TaskId task, PartitionCounts counts) =>
            counts.Inputs(_plan.Subtopologies.First(subtopology => subtopology.Id == task.Subtopology), task.Partition);

        public async Task<IReadOnlyDictionary<TaskId, TaskInfo>> DescribeTasksAsync(PartitionCounts counts, bool withRacks, CancellationToken cancellationToken)
        {
            IReadOnlyDictionary<TopicPartition, IReadOnlyCollection<string>> racks = new Dictionary<TopicPartition, IReadOnlyCollection<string>>();
            if (withRacks)
            {
                var topics = counts.ByTopic.Keys.Concat(_plan.Subtopologies.SelectMany(subtopology => subtopology.Changelogs().Values)).Distinct().ToList();
                racks = await _admin.ReplicaRacksAsync(topics, cancellationToken).ConfigureAwait(false);
            }

            var tasks = new Dictionary<TaskId, TaskInfo>();
            foreach (var subtopology in _plan.Subtopologies)
            {
                var changelogs = subtopology.Changelogs().Values.ToHashSet();
                for (var partition = 0; partition < counts.TaskCount(subtopology); partition++)
                {
                    var inputs = counts.Inputs(subtopology, partition);
                    var read = inputs.Select(input => new TaskTopicPartition(input, true, changelogs.Contains(input.Topic), racks.GetValueOrDefault(input, [])))
                        .Concat(changelogs.Select(topic => new TopicPartition(topic, partition)).Except(inputs).Select(changelog => new TaskTopicPartition(changelog, false, true, racks.GetValueOrDefault(changelog, []))));
                    var id = new TaskId(subtopology.Id, partition);
                    tasks.Add(id, new TaskInfo(id, changelogs.Count > 0, [.. subtopology.Stores.Select(store => store.Name)], [.. read]));
                }
            }

            return tasks;
        }

        public async Task<IReadOnlyDictionary<TaskId, long>> EndPositionsAsync(PartitionCounts counts, CancellationToken cancellationToken)
        {
            var changelogs = new Dictionary<TaskId, List<TopicPartition>>();
            foreach (var subtopology in _plan.Subtopologies)
            {
                var topics = subtopology.Changelogs().Values.Distinct().ToList();
                if (topics.Count == 0) continue;
                for (var partition = 0; partition < counts.TaskCount(subtopology); partition++)
                    changelogs.Add(new TaskId(subtopology.Id, partition), [.. topics.Select(topic => new TopicPartition(topic, partition))]);
            }

            if (changelogs.Count == 0) return new Dictionary<TaskId, long>();
            var ends = await _admin.EndOffsetsAsync([.. changelogs.Values.SelectMany(partitions => partitions).Distinct()], readCommitted: false, cancellationToken).ConfigureAwait(false);
            return changelogs.ToDictionary(entry => entry.Key, entry => entry.Value.Sum(partition => ends.GetValueOrDefault(partition)));
        }

        public async Task<bool> AssignAsync(GroupMembership membership, MemberAssignment assignment)
        {
            if (assignment.ErrorCode != 0)
            {
                Interlocked.CompareExchange(
                    ref _shutdownCause, new ApplicationShutdownException($"Another instance of application '{_config.ApplicationId}' failed and asked all instances to close."), null);

                // Who closes leaves the group, and a member that has not got its assignment yet would get none: this one joins once more and says that it has heard, and goes when all have.
                _assignedGeneration = membership.GenerationId;
                if (assignment.ErrorCode != MemberAssignment.ShutdownHeard) return true;
                _shutdownHeard.TrySetResult();
                _streams.Fail(_shutdownCause);
                return false;
            }

            var counts = PartitionCounts.Known(_plan, assignment.PartitionCounts);
            SubscribedTopics = [.. assignment.PartitionCounts.Keys];

            // An assignment means that the leader has made and checked the topics: from here on this topology leaves traces.
            if (!_fingerprintKept) _stateDirectory.WriteFingerprint(_fingerprint);
            _fingerprintKept = true;
            var all = Threads;
            var threads = all.Where(thread => !thread.IsEnding).ToList();
            var before = all.SelectMany(thread => thread.Tasks).ToHashSet();
            var revoked = before.Except(assignment.Tasks).Any();
            lock (_gate) _runningThreads.Clear();
            if (revoked || !before.SetEquals(assignment.Tasks))
            {
                lock (_streams._gate)
                {
                    if (_streams.State == KafkaStreamsState.Running) _streams.SetState(KafkaStreamsState.Rebalancing);
                }

                _streams.TellStates();
            }

            var byThread = TaskDivision.Divide(threads.Select(thread => new ThreadShare(thread.Tasks, thread.StandbyTasks)).ToList(), assignment.Tasks, assignment.StandbyTasks);
            var handover = new TaskHandover(assignment.Tasks.Concat(assignment.StandbyTasks).ToHashSet());
            var assignments = byThread.Select(share => new ThreadAssignment(WithInputs(share.Active), WithInputs(share.Standby), counts.ByTopic, handover)).ToList();

            // What moves between threads is let go of by one before the other takes it: stores and their folders have one owner. Threads that are being removed let go of all they have.
            var nothing = new ThreadAssignment(WithInputs([]), WithInputs([]), counts.ByTopic, handover);
            await Task.WhenAll([
                .. threads.Zip(assignments, (thread, tasks) => thread.CloseOthersAsync(tasks)),
                .. all.Except(threads).Select(thread => thread.CloseOthersAsync(nothing)),
            ]).ConfigureAwait(false);
            await Task.WhenAll(threads.Zip(assignments, (thread, tasks) => thread.AssignAsync(tasks))).ConfigureAwait(false);
            foreach (var task in handover.TakeRest())
            {
                // The thread that was to have it could not open tasks just now, and will open it from disk and changelog when it can.
                task.Close();
                _stateDirectory.Release(task.Id);
            }

            _assignment = assignment;
            _assignedGeneration = membership.GenerationId;
            return revoked;

            Dictionary<TaskId, IReadOnlyCollection<TopicPartition>> WithInputs(IEnumerable<TaskId> tasks) =>
                tasks.ToDictionary(task => task, task => InputsOf(task, counts));
        }

        public async Task LoseAsync()
        {
            lock (_streams._gate)
            {
                if (_streams.State == KafkaStreamsState.Running) _streams.SetState(KafkaStreamsState.Rebalancing);
            }

            _streams.TellStates();
            _assignment = null;
            await Task.WhenAll(Threads.Select(thread => thread.LoseAsync())).ConfigureAwait(false);
        }

        public void ThreadIsRunning(StreamThread thread)
        {
            lock (_gate)
            {
                _runningThreads.Add(thread);
                if (_threads.Any(other => !other.IsEnding && !_runningThreads.Contains(other))) return;
            }

            lock (_streams._gate)
            {
                if (_streams.State == KafkaStreamsState.Rebalancing) _streams.SetState(KafkaStreamsState.Running);
            }

            _streams.TellStates();
        }

        public bool MayBeOutdated(GroupMembership used) => _member.MayBeOutdated(used);

        public void MembershipLost() => _member.RequestRejoin();

        public StreamThreadExceptionResponse Judge(string who, Exception failure)
        {
            if (_config.UncaughtExceptionHandler is not { } handler) return StreamThreadExceptionResponse.ShutdownClient;
            try
            {
                var response = handler(failure);
                if (response == StreamThreadExceptionResponse.ShutdownApplication) Volatile.Write(ref _shutdownCause, failure);
                return response;
            }
            catch (Exception second) when (second is not OutOfMemoryException)
            {
                Log.UncaughtHandlerFailed(_logger, who, second);
                return StreamThreadExceptionResponse.ShutdownClient;
            }
        }

        public void ThreadEnded(StreamThread thread, Exception? failure)
        {
            // One that was to go, and was not waited for to its end. One that failed stays to be seen.
            if (thread.IsLeaving) Forget(thread);
            if (failure is null)
            {
                // Others may be waiting for what it has let go of.
                if (!_closing) _member.RequestRejoin();
                return;
            }

            Fail(failure);
        }

        // Its stores are what every task was promised to find, so there is no going on without it, nor from a last commit: it begins anew with the next start.
        private void GlobalsFailed(Exception failure)
        {
            if (Judge("of global stores", failure) == StreamThreadExceptionResponse.ReplaceThread) Log.GlobalsNotReplaced(_logger, _config.ApplicationId);
            Fail(failure);
        }

        // Whoever is no member, not yet or not any more, can tell the others nothing.
        private void Fail(Exception failure)
        {
            if (Volatile.Read(ref _shutdownCause) is null || _closing || !_areThreadsStarted) _streams.Fail(failure);
            else _ = FailWhenHeardAsync(failure);
        }

        // The others learn of it by the next assignment, so this instance stays in the group until that has come; a group that cannot rebalance is not waited for longer than it may take.
        private async Task FailWhenHeardAsync(Exception failure)
        {
            _member.RequestRejoin();
            try
            {
                await _shutdownHeard.Task.WaitAsync(_config.RebalanceTimeout, _config.TimeProvider).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                Log.ShutdownNotHeard(_logger, _config.ApplicationId, _config.RebalanceTimeout.TotalMilliseconds);
            }

            _streams.Fail(failure);
        }

        private void Forget(StreamThread thread)
        {
            lock (_gate) _threads = [.. _threads.Where(other => other != thread)];
        }

        private IReadOnlyDictionary<string, IStateStore> GlobalStores() => _globals?.Stores ?? new Dictionary<string, IStateStore>();

        private async Task StartWhenGlobalsAreReadyAsync(Task ready)
        {
            // Not ready means closed or failed, and both have been dealt with where they happened.
            await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ready.IsCompletedSuccessfully) return;
            try
            {
                StartThreads();
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                _streams.Fail(failure);
            }
        }

        private void StartThreads()
        {
            lock (_gate)
            {
                if (_closing) return;
                _areThreadsStarted = true;
                foreach (var thread in Threads) thread.Start();
                if (Threads.Count > 0)
                {
                    _membership = StayMemberAsync();
                    _cleaning = CleanUpAsync();
                    return;
                }
            }

            _stateDirectory.WriteFingerprint(_fingerprint);
            lock (_streams._gate)
            {
                if (_streams.State == KafkaStreamsState.Rebalancing) _streams.SetState(KafkaStreamsState.Running);
            }

            _streams.TellStates();
        }

        private StreamThread NewThread() => new(
            $"{_clientId}-StreamThread-{++_lastThreadNumber}", $"{_config.ApplicationId}-{_processId}-{_lastThreadNumber}", _config, _plan, _cluster, _admin, _coordinator, _stateDirectory, _memory, _errors, GlobalStores, this, Patience, Metrics, _logger);

        private async Task CleanUpAsync()
        {
            var cancellation = _streams._stopping.Token;
            while (true)
            {
                await _config.Threads.Delay(_config.StateCleanupDelay, _config.TimeProvider, cancellation).ConfigureAwait(false);
                _stateDirectory.CleanUp(_config.StateCleanupDelay, _config.TimeProvider.GetUtcNow());
            }
        }

        private async Task StayMemberAsync()
        {
            var cancellation = _streams._stopping.Token;
            try
            {
                for (var delay = _firstMembershipPause; ; delay = delay * 2 < _longestMembershipPause ? delay * 2 : _longestMembershipPause)
                {
                    try
                    {
                        await _member.RunAsync(cancellation).ConfigureAwait(false);
                        return;
                    }
                    catch (Exception failure) when (failure is not OutOfMemoryException && !(failure is OperationCanceledException && cancellation.IsCancellationRequested))
                    {
                        // Two processes with the id of one member would throw each other out without end.
                        if (Judge("of the group", failure) != StreamThreadExceptionResponse.ReplaceThread || failure is TaskMigratedException)
                        {
                            _streams.Fail(failure);
                            return;
                        }

                        Log.MembershipRetried(_logger, _config.ApplicationId, delay.TotalMilliseconds, failure);
                    }

                    await _config.Threads.Delay(delay, _config.TimeProvider, cancellation).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                // Closing.
            }
        }
    }
}
