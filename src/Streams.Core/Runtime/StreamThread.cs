using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>What a thread tells its application.</summary>
internal interface IStreamThreadOwner
{
    /// <summary>Membership to commit as.</summary>
    GroupMembership Membership { get; }

    /// <summary>All tasks of the thread are processing.</summary>
    void ThreadIsRunning(StreamThread thread);

    /// <summary>Whether a commit that was refused under the given membership is to be made again later, because a rebalance is under way.</summary>
    bool MayBeOutdated(GroupMembership used);

    /// <summary>A commit was refused: the thread has given up its tasks, which are not this instance's any more.</summary>
    void MembershipLost();

    /// <summary>An error has come as far as the end of a thread, or of what else has none to replace it: what now? A thread has closed its tasks.</summary>
    StreamThreadExceptionResponse Judge(string who, Exception failure);

    /// <summary>The thread has ended; with an error when one is given.</summary>
    void ThreadEnded(StreamThread thread, Exception? failure);
}

/// <summary>
/// A thread that runs tasks: poll, queue, process, punctuate, commit, again and again. It waits in one place, the consumer's poll.
/// </summary>
/// <remarks>
/// Others talk to it through <see cref="CloseOthersAsync"/>, <see cref="AssignAsync"/>, <see cref="LoseAsync"/> and <see cref="Stop"/>, which it obeys
/// between records. Tasks that restore, and standbys, are with its <see cref="StateUpdater"/>. Source: Kafka's <c>StreamThread</c>, <c>TaskManager</c> and <c>TaskExecutor</c>.
/// </remarks>
internal sealed class StreamThread : IDisposable
{
    /// <summary>Records processed per task before the thread looks at its consumer and its commit again; fewer when they take long.</summary>
    private const int MaxRecordsPerTurn = 1000;

    private const double FirstRetryMs = 100;
    private const double MaxRetryMs = 10_000;

    /// <summary>How often the commit before tasks are closed is tried: 5 s in all.</summary>
    private const int LastCommitAttempts = 100;

    /// <summary>Batches taken from the consumer in one turn.</summary>
    private const int BatchesPerTurn = 16;

    /// <summary>Time until a commit is tried again that could not be made, mostly because the group was between two generations.</summary>
    private static readonly TimeSpan _commitRetry = TimeSpan.FromMilliseconds(50);

    /// <summary>Time between two notes of how far the state is, which the next start tells the group if the process dies.</summary>
    private static readonly TimeSpan _timeBetweenPositions = TimeSpan.FromMinutes(1);

    /// <summary>Longest time that a record waits in a batch while the thread is busy with others.</summary>
    private static readonly TimeSpan _maxLinger = TimeSpan.FromMilliseconds(100);

    private readonly StreamsConfig _config;
    private readonly TopologyPlan _plan;
    private readonly IStreamThreadOwner _owner;
    private readonly ClosePatience _closing;
    private readonly ICluster _cluster;
    private readonly IClusterAdmin _admin;
    private readonly IGroupCoordinator _coordinator;
    private readonly StateDirectory _stateDirectory;
    private readonly StateMemory _memory;
    private readonly ErrorPolicy _errors;
    private readonly Func<IReadOnlyDictionary<string, IStateStore>> _globalStores;
    private readonly ILogger _logger;
    private readonly StreamsMetrics _applicationMetrics;
    private readonly ThreadMetrics _metrics;
    private readonly ConcurrentQueue<(Action Run, TaskCompletionSource Done)> _commands = new();
    private readonly SortedDictionary<TaskId, StreamTask> _tasks = [];
    private readonly SortedDictionary<TaskId, StreamTask> _standbys = [];
    private readonly HashSet<StreamTask> _restoring = [];
    private readonly Dictionary<TopicPartition, StreamTask> _taskByPartition = [];
    private readonly HashSet<StreamTask> _running = [];
    private readonly HashSet<TopicPartition> _paused = [];
    private readonly Dictionary<TopicPartition, long> _outOfRange = [];
    private readonly Dictionary<TopicPartition, long> _purgeable = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly RuntimeThread _thread;

    private IRecordConsumer? _consumer;
    private readonly Committer _committer;
    private StateUpdater? _updater;
    private Func<RecordCollector, TaskEnvironment>? _environment;
    private bool _announceRunning;
    private volatile bool _isPaused;
    private volatile IReadOnlyList<(StreamTask Task, ThreadTaskState State)> _published = [];
    private long _lastCommit;
    private long _lastPurge;
    private long _lastSend;
    private long _lastPositions;
    private int _recordsPerTurn = MaxRecordsPerTurn;
    private ThreadAssignment _assigned = ThreadAssignment.None;
    private bool _opensTasks;
    private long _openAt;
    private long? _openingSince;
    private long? _wentBackSince;
    private double _retryMs = FirstRetryMs;
    private long? _pollFailingSince;
    private long _processedRecords;
    private Doings _sinceSummary;
    private long _lastSummary;
    private volatile bool _ended;
    private volatile bool _isLeaving;

    public StreamThread(
        string name,
        string transactionalId,
        StreamsConfig config,
        TopologyPlan plan,
        ICluster cluster,
        IClusterAdmin admin,
        IGroupCoordinator coordinator,
        StateDirectory stateDirectory,
        StateMemory memory,
        ErrorPolicy errors,
        Func<IReadOnlyDictionary<string, IStateStore>> globalStores,
        IStreamThreadOwner owner,
        ClosePatience closing,
        StreamsMetrics metrics,
        ILogger logger)
    {
        Name = name;
        _config = config;
        _plan = plan;
        _cluster = cluster;
        _admin = admin;
        _coordinator = coordinator;
        _stateDirectory = stateDirectory;
        _memory = memory;
        _errors = errors;
        _globalStores = globalStores;
        _owner = owner;
        _closing = closing;
        _applicationMetrics = metrics;
        _metrics = new ThreadMetrics(name, config.TimeProvider);
        _logger = logger;
        _committer = new Committer(name, transactionalId, config, cluster, coordinator, () => owner.Membership, owner.MayBeOutdated, errors, closing, logger) { Metrics = _metrics };
        _thread = config.Threads.Create(name, Run);
    }

    public string Name { get; }

    /// <summary>Active tasks given to the thread; a snapshot for other threads.</summary>
    public IReadOnlyCollection<TaskId> Tasks { get; private set; } = [];

    /// <summary>Whether the thread has been started and has not ended.</summary>
    public bool IsAlive => _thread.IsAlive;

    /// <summary>Standbys given to the thread; a snapshot for other threads.</summary>
    public IReadOnlyCollection<TaskId> StandbyTasks { get; private set; } = [];

    /// <summary>The tasks that are open and what they are doing; a snapshot for other threads, which may read positions and, under their gates, stores.</summary>
    public IReadOnlyList<(StreamTask Task, ThreadTaskState State)> OpenTasks => _published;

    /// <summary>Whether the thread has ended, or was asked to.</summary>
    public bool IsEnding => _ended || _isLeaving || _stopping.IsCancellationRequested;

    /// <summary>Whether the thread is being removed while the application goes on.</summary>
    public bool IsLeaving => _isLeaving;

    /// <summary>Records processed so far; read from any thread.</summary>
    public long ProcessedRecords => Volatile.Read(ref _processedRecords);

    /// <summary>Whether the caller is this very thread.</summary>
    public bool IsCurrent => _thread.IsCurrent;

    public void Start() => _thread.Start();

    /// <summary>The thread is removed: it gets no tasks any more. <see cref="Stop"/> is to follow.</summary>
    public void Leave() => _isLeaving = true;

    /// <summary>Asks the thread to commit, close its tasks and end.</summary>
    public void Stop()
    {
        try
        {
            _stopping.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Two can stop it, one that removes it and one that closes the application, and the other has seen it to its end.
            return;
        }

        _consumer?.Wake();
    }

    /// <summary>Waits for the end; false when it takes longer.</summary>
    public bool Join(TimeSpan timeout) => !_thread.IsAlive || _thread.Join(timeout);

    /// <summary>Call after <see cref="Join"/> said that the thread has ended; the thread disposes its clients itself.</summary>
    public void Dispose() => _stopping.Dispose();

    /// <summary>
    /// Commits and closes the tasks that are not among the given ones, so that others can have them; one that stays as a standby keeps its stores open. What is new
    /// follows with <see cref="AssignAsync"/>.
    /// </summary>
    public Task CloseOthersAsync(ThreadAssignment assignment) => Post(() => CloseOthers(assignment));

    /// <summary>Makes the given tasks the thread's own: opens what is new, goes on with what stays. After <see cref="CloseOthersAsync"/>.</summary>
    public Task AssignAsync(ThreadAssignment assignment) => Post(() => Assign(assignment));

    /// <summary>Closes all tasks without committing. A commit under way is not waited for, and what it has not written yet never is.</summary>
    public Task LoseAsync()
    {
        var lost = _committer.Lost;
        var done = Post(LoseAll);
        lost.Cancel();
        return done;
    }

    /// <summary>Processes nothing, fires no punctuation and restores nothing until <see cref="Resume"/>; goes on to poll and to commit.</summary>
    public void Pause()
    {
        _isPaused = true;
        _updater?.Pause();
    }

    /// <summary>Goes on.</summary>
    public void Resume()
    {
        _isPaused = false;
        _updater?.Resume();
        _consumer?.Wake();
    }

    private Task Post(Action command)
    {
        var done = _config.Threads.CreateCompletion();
        _commands.Enqueue((command, done));
        _consumer?.Wake();
        if (_ended) DrainCommands();
        return done.Task;
    }

    private void Run()
    {
        Exception? failure = null;
        try
        {
            _metrics.Started();
            _applicationMetrics.Add(_metrics);
            while (!TryRun(out failure) && _owner.Judge(Name, failure!) == StreamThreadExceptionResponse.ReplaceThread)
            {
                if (_stopping.IsCancellationRequested)
                {
                    // It was about to end anyway: nobody takes its place, and whoever has its tasks next goes on from the last commit.
                    Log.LastCommitFailed(_logger, Name, failure!);
                    failure = null;
                    break;
                }

                Replace(failure!);
                failure = null;
            }
        }
        finally
        {
            Tasks = [];
            _metrics.Ended();
            _applicationMetrics.Remove(_metrics);
            StandbyTasks = [];
            CloseClients();
            _ended = true;
            DrainCommands();
            _owner.ThreadEnded(this, failure);
        }
    }

    private bool TryRun(out Exception? failure)
    {
        try
        {
            Open();
            try
            {
                while (!_stopping.IsCancellationRequested) Turn();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // A question to the cluster was given up for the end of the thread, which is no failure.
            }

            CloseAllClean();
            failure = null;
            return true;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            failure = error;
            TryCloseAllDirty();
            return false;
        }
    }

    // A thread is replaced by itself: everything it held is closed and made anew, and its tasks start from their last commit. The instance is one member of
    // the group whichever thread runs a task, so nobody else notices.
    private void Replace(Exception failure)
    {
        CloseClients();
        var delayMs = NextRetryMs();
        Log.ThreadReplaced(_logger, Name, delayMs, failure);
        _config.Threads.Sleep(TimeSpan.FromMilliseconds(delayMs), _stopping.Token);
        _opensTasks = true;
        _openAt = _config.TimeProvider.GetTimestamp();
        _openingSince = _wentBackSince = _pollFailingSince = null;
    }

    private double NextRetryMs()
    {
        var delayMs = _retryMs;
        _retryMs = Math.Min(MaxRetryMs, _retryMs * 2);
        return delayMs;
    }

    private void CloseClients()
    {
        Attempt("restoring thread", () => _updater?.Dispose());
        _updater = null;
        Attempt("consumer", () => _consumer?.Dispose());
        Attempt("producer", _committer.Dispose);

        void Attempt(string what, Action dispose)
        {
            // The thread ends, or begins anew, whatever a client has to say to that: others wait for it.
            try
            {
                dispose();
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                Log.PartNotClosed(_logger, _config.ApplicationId, $"{what} of {Name}", failure);
            }
        }
    }

    private void Open()
    {
        _consumer = _cluster.CreateConsumer(new ConsumerOptions
        {
            ClientId = Name + "-consumer",
            MaxBufferedBytes = _config.FetchedMaxBytes,
            ReadCommitted = _config.ReadCommitted,
            Properties = _config.ConsumerSettings(_config.MainConsumerProperties),
        });
        var consumer = _consumer;
        _updater = new StateUpdater(Name, _cluster, _admin, _coordinator, _config, consumer.Wake, _logger);
        if (_isPaused) _updater.Pause();
        _environment = collector => new TaskEnvironment
        {
            ApplicationId = _config.ApplicationId,
            Collector = collector,
            Time = _config.TimeProvider,
            Errors = _errors,
            Memory = _memory,
            TaskDirectory = _stateDirectory.ForTask,
            Logger = _logger,
            RocksDbOptionsOf = _config.RocksDbOptionsOf,
            TimestampPolicy = _config.TimestampPolicy,
            MaxTaskIdle = _config.MaxTaskIdle,
            EmitInterval = _config.EmitInterval,
            EndOffset = consumer.CachedEndOffset,
            GlobalStores = _globalStores(),
            ThreadName = Name,
            Wake = consumer.Wake,
            IsClosing = () => _stopping.IsCancellationRequested || _closing.Commits.IsCancellationRequested,
            Metrics = _applicationMetrics,
        };
        _lastCommit = _lastPurge = _lastPositions = _lastSummary = _config.TimeProvider.GetTimestamp();
    }

    private void Turn()
    {
        _metrics.BeginTurn(!_isPaused);
        RunCommands();
        OpenTasksIfDue();
        Attempt(TakeFromUpdater);
        var hasWork = !_isPaused && ProcessTasks();
        SendPendingIfDue(hasWork);
        Poll(hasWork ? TimeSpan.Zero : WaitTime());
        if (!_isPaused)
        {
            GuardWork(() =>
            {
                foreach (var task in _running) Punctuate(task);
            });
        }

        CommitIfDue();
        PurgeIfDue();
        AnnounceIfRunning();
        SummarizeIfDue();
    }

    private void SummarizeIfDue()
    {
        if (_config.LogSummaryInterval <= TimeSpan.Zero) return;
        var elapsed = _config.TimeProvider.GetElapsedTime(_lastSummary);
        if (elapsed < _config.LogSummaryInterval) return;
        Log.Summary(_logger, Name, _processedRecords - _sinceSummary.ProcessedBefore, _sinceSummary.Punctuations, _sinceSummary.Polled, _sinceSummary.Commits, (long)elapsed.TotalMilliseconds);
        _lastSummary = _config.TimeProvider.GetTimestamp();
        _sinceSummary = new Doings { ProcessedBefore = _processedRecords };
    }

    private void Punctuate(StreamTask task)
    {
        if (task.NextWallClockPunctuation == long.MaxValue) return;
        var mark = _metrics.Mark();
        if (!task.PunctuateWallClock()) return;
        _metrics.Punctuated(mark);
        _sinceSummary.Punctuations++;
    }

    private void SendPendingIfDue(bool hasWork)
    {
        if (hasWork && _config.TimeProvider.GetElapsedTime(_lastSend) < _maxLinger) return;
        _lastSend = _config.TimeProvider.GetTimestamp();
        Guard(_committer.SendPending);
    }

    private bool ProcessTasks()
    {
        var processed = 0;
        var started = _config.TimeProvider.GetTimestamp();
        GuardWork(() =>
        {
            foreach (var task in _running)
            {
                processed += task.Process(_recordsPerTurn);
            }
        });

        // Slow user code must not hold a commit up for long: with transactions, for longer than they live.
        var took = _config.TimeProvider.GetElapsedTime(started);
        if (took > _config.CommitInterval / 2) _recordsPerTurn = Math.Max(1, _recordsPerTurn / 2);
        else if (took < _config.CommitInterval / 8 && _recordsPerTurn < MaxRecordsPerTurn) _recordsPerTurn = Math.Min(MaxRecordsPerTurn, _recordsPerTurn * 2);
        Volatile.Write(ref _processedRecords, _processedRecords + processed);
        if (processed > 0) _metrics.Processed(started, processed);
        if (_paused.Count > 0) ResumeWhatHasRoom();
        return processed > 0;
    }

    private void Poll(TimeSpan timeout)
    {
        var mark = _metrics.Mark();
        var records = PollBatches(timeout);
        _metrics.Polled(mark, records);
        _sinceSummary.Polled += records;
    }

    private int PollBatches(TimeSpan timeout)
    {
        var records = 0;
        for (var batches = 0; batches < BatchesPerTurn; batches++)
        {
            RecordBatch? batch;
            try
            {
                ResetPositions();
                batch = _consumer!.Poll(batches == 0 ? timeout : TimeSpan.Zero);
            }
            catch (OffsetOutOfRangeException failure)
            {
                if (_taskByPartition.ContainsKey(failure.Partition)) _outOfRange[failure.Partition] = failure.Offset;
                continue;
            }
            catch (ClusterUnavailableException failure)
            {
                // A broker that restarts, or a topic that was just deleted, whose partitions the next assignment takes away.
                if (_pollFailingSince is null) Log.PollRetried(_logger, Name, _config.TaskTimeout.TotalMilliseconds, failure);
                _pollFailingSince ??= _config.TimeProvider.GetTimestamp();
                if (_config.TimeProvider.GetElapsedTime(_pollFailingSince.Value) >= _config.TaskTimeout) throw;
                _config.Threads.Sleep(timeout, _stopping.Token);
                return records;
            }

            _pollFailingSince = null;

            if (batch is null) return records;
            records += batch.Count;
            if (!_taskByPartition.TryGetValue(batch.Partition, out var task))
            {
                batch.Dispose();
                continue;
            }

            GuardWork(() => task.Enqueue(batch));
            var queue = task.Queue(batch.Partition);
            if (IsFull(queue) && _paused.Add(batch.Partition)) _consumer.Pause([batch.Partition]);
        }

        return records;
    }

    private bool IsFull(RecordQueue queue) =>
        queue.Count > _config.BufferedRecordsPerPartition || queue.Bytes > _config.QueuedMaxBytes / Math.Max(1, _taskByPartition.Count);

    private void ResumeWhatHasRoom()
    {
        List<TopicPartition>? resumed = null;
        foreach (var partition in _paused)
        {
            if (_taskByPartition.TryGetValue(partition, out var task) && !IsFull(task.Queue(partition))) (resumed ??= []).Add(partition);
        }

        if (resumed is null) return;
        foreach (var partition in resumed) _paused.Remove(partition);
        _consumer!.Resume(resumed);
    }

    private TimeSpan WaitTime()
    {
        var wait = _config.PollInterval;
        var now = _config.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var task in _running)
        {
            if (_isPaused || task.NextWallClockPunctuation == long.MaxValue) continue;
            var until = TimeSpan.FromMilliseconds(Math.Clamp(task.NextWallClockPunctuation - now, 0, int.MaxValue));
            if (until < wait) wait = until;
        }

        var untilCommit = _config.CommitInterval - _config.TimeProvider.GetElapsedTime(_lastCommit);
        if (untilCommit < wait && _running.Any(task => task.CommitNeeded)) wait = untilCommit < TimeSpan.Zero ? TimeSpan.Zero : untilCommit;
        return wait;
    }

    private void CommitIfDue()
    {
        var due = _config.TimeProvider.GetElapsedTime(_lastCommit) >= _config.CommitInterval;
        if (!due)
        {
            var uncommitted = 0L;
            var requested = false;
            foreach (var task in _running)
            {
                requested |= task.CommitRequested;
                uncommitted += task.UncommittedBytes;
            }

            if (!requested && uncommitted <= _config.StateStoreUncommittedMaxBytes) return;
        }

        Guard(() => Commit(_running.Where(task => task.CommitNeeded || task.CommitRequested).ToList()));
    }

    // One transaction holds what all tasks of the thread have sent, so they are committed together or not at all.
    private bool Commit(List<StreamTask> tasks)
    {
        _lastCommit = _config.TimeProvider.GetTimestamp();
        if (_committer.HasOpenTransaction) tasks = [.. _running];
        var mark = _metrics.Mark();
        if (_committer.Commit(tasks, out var offsets) != CommitResult.Done)
        {
            // The tasks go on, and the commit is due again in a moment.
            _lastCommit -= (long)(Math.Max(0, (_config.CommitInterval - _commitRetry).TotalSeconds) * _config.TimeProvider.TimestampFrequency);
            return false;
        }

        NotePositionsIfDue();
        if (tasks.Count > 0)
        {
            _metrics.Committed(mark);
            _sinceSummary.Commits++;
            _retryMs = FirstRetryMs;
            _wentBackSince = null;
        }

        NotePurgeable(offsets);
        return true;
    }

    // Before tasks are closed: a group that is between two generations takes commits again in a moment.
    private void CommitPatiently()
    {
        for (var attempt = 0; attempt < LastCommitAttempts && !_closing.Commits.IsCancellationRequested; attempt++)
        {
            if (attempt > 0) _config.Threads.Sleep(_commitRetry, _closing.Commits);
            var tasks = _running.Where(task => task.CommitNeeded).ToList();
            if (tasks.Count == 0 || Commit(tasks)) return;
        }
    }

    private void NotePositionsIfDue()
    {
        if (_config.TimeProvider.GetElapsedTime(_lastPositions) < _timeBetweenPositions) return;
        _lastPositions = _config.TimeProvider.GetTimestamp();
        foreach (var task in _running) _stateDirectory.NotePositions(task);
    }

    private void NotePurgeable(IReadOnlyList<OffsetCommit> offsets)
    {
        foreach (var offset in offsets)
        {
            if (_plan.InternalTopicOf(offset.Partition.Topic) is not null) _purgeable[offset.Partition] = offset.Offset;
        }
    }

    // Also when nothing is committed any more: what the last commits have consumed is not to lie there until more comes.
    private void PurgeIfDue()
    {
        if (_purgeable.Count == 0 || _config.TimeProvider.GetElapsedTime(_lastPurge) < _config.RepartitionPurgeInterval) return;
        _lastPurge = _config.TimeProvider.GetTimestamp();
        var consumed = _purgeable.Select(entry => new TopicPartitionOffset(entry.Key, entry.Value)).ToList();
        _purgeable.Clear();
        _ = PurgeAsync(consumed);
    }

    private async Task PurgeAsync(IReadOnlyCollection<TopicPartitionOffset> consumed)
    {
        try
        {
            await _admin.DeleteRecordsAsync(consumed, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is StreamsException or OperationCanceledException or ObjectDisposedException)
        {
            // Only room on the broker's disk is at stake, and the next purge covers this one.
            if (!_stopping.IsCancellationRequested) Log.PurgeFailed(_logger, failure);
        }
    }

    private void CloseOthers(ThreadAssignment assignment)
    {
        // Until Assign follows nothing is opened: a thread that has just gone back to its last commit would open a task that another thread is given at this moment.
        _assigned = ThreadAssignment.None;

        // Partitions of deleted topics go first: no commit that has them in it could succeed any more.
        foreach (var task in _tasks.Values) RemoveInputs(task, partition => !assignment.Exists(partition));
        var tornTransaction = false;
        var leaving = _tasks.Values.Where(task => !assignment.Active.ContainsKey(task.Id)).ToList();
        if (leaving.Exists(task => task.CommitNeeded)) CommitPatiently();
        foreach (var task in leaving)
        {
            if (_running.Contains(task) && task.CommitNeeded)
            {
                // A commit that could not be made cannot be made later, when the task is another's.
                Log.TaskMigrated(_logger, task.Id, new TaskMigratedException("the task moved before its last commit"));
                tornTransaction |= _committer.HasOpenTransaction;
                Close(task, "moved");
            }
            else if (assignment.Standby.ContainsKey(task.Id))
            {
                Demote(task);
            }
            else
            {
                LetGo(task, assignment);
            }
        }

        // What the task sent cannot be taken out of the transaction that the others are in too.
        if (tornTransaction) CloseAllDirty();
        foreach (var task in _standbys.Values.Where(task => !assignment.Standby.ContainsKey(task.Id) && !assignment.Active.ContainsKey(task.Id)).ToList())
            LetGo(task, assignment);
        Publish();
    }

    private void LetGo(StreamTask task, ThreadAssignment assignment)
    {
        if (assignment.Handover.Wants(task.Id))
        {
            _updater!.Take(task, StandbySuspendReason.Promoted);
            Forget(task);
            assignment.Handover.Leave(Recycle(task, [.. task.Queues.Select(queue => queue.Partition)], RecordCollector.None));
        }
        else
        {
            Close(task, _standbys.ContainsKey(task.Id) ? "moved, was a standby" : "moved");
        }
    }

    private void Assign(ThreadAssignment assignment)
    {
        _assigned = assignment;
        Tasks = [.. assignment.Active.Keys];
        StandbyTasks = [.. assignment.Standby.Keys];
        _announceRunning = true;
        _opensTasks = true;
        _openAt = _config.TimeProvider.GetTimestamp();
        OpenTasksIfDue();
    }

    /// <summary>Opens what is assigned and not open: after an assignment, and after going back to the last commit.</summary>
    private void OpenTasksIfDue()
    {
        if (!_opensTasks || _config.TimeProvider.GetTimestamp() < _openAt) return;
        Attempt(() =>
        {
            _committer.Open(_stopping.Token);
            foreach (var (id, inputs) in _assigned.Active)
            {
                if (_tasks.TryGetValue(id, out var task)) ChangeInputs(task, inputs);
                else if (_standbys.TryGetValue(id, out var standby)) Promote(standby, inputs);
                else Create(id, inputs, isStandby: false);
            }

            foreach (var (id, inputs) in _assigned.Standby)
            {
                if (!_standbys.ContainsKey(id)) Create(id, inputs, isStandby: true);
            }

            Publish();
            StartRestoredTasks();
            _opensTasks = false;
            _openingSince = null;
        });
    }

    // A cluster that does not answer is asked again with growing pauses, until the tasks' patience is at its end; other threads and the group go on meanwhile.
    private void Attempt(Action step)
    {
        try
        {
            Guard(step);
        }
        catch (ClusterUnavailableException failure)
        {
            _openingSince ??= _config.TimeProvider.GetTimestamp();
            if (_config.TimeProvider.GetElapsedTime(_openingSince.Value) >= _config.TaskTimeout) throw;
            if (!_opensTasks) Log.OpeningRetried(_logger, Name, _config.TaskTimeout.TotalMilliseconds, failure);
            OpenTasksIn(NextRetryMs());
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Closing: what is not open is not opened any more.
        }
    }

    private void OpenTasksIn(double delayMs)
    {
        _opensTasks = true;
        _openAt = _config.TimeProvider.GetTimestamp() + (long)(delayMs / 1000 * _config.TimeProvider.TimestampFrequency);
    }

    // Back to the last commit: everything since then is given up, and processed again by tasks that are opened anew.
    private void GoBack(StreamsException failure)
    {
        CloseAllDirty();
        _wentBackSince ??= _config.TimeProvider.GetTimestamp();
        if (_config.TimeProvider.GetElapsedTime(_wentBackSince.Value) >= _config.TaskTimeout)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        Log.WentBack(_logger, Name, failure);
        OpenTasksIn(NextRetryMs());
    }

    private void Create(TaskId id, IReadOnlyCollection<TopicPartition> inputs, bool isStandby)
    {
        var collector = isStandby ? RecordCollector.None : _committer.Collector;
        var task = _assigned.Handover.TryTake(id, out var left) ? Recycle(left, inputs, collector) : Open(id, inputs, collector);
        (isStandby ? _standbys : _tasks).Add(id, task);
        if (!isStandby)
        {
            foreach (var input in inputs) _taskByPartition[input] = task;
        }

        _metrics.TaskCreated.Record(1);
        Log.TaskCreated(_logger, Name, id);
        BringUpToDate(task, isStandby);
    }

    private void BringUpToDate(StreamTask task, bool isStandby)
    {
        if (!task.HasChangelogs) return;
        if (!isStandby) _restoring.Add(task);
        _updater!.Add(task, isStandby);
    }

    // The stores stay open and go on from where they are.
    private void Promote(StreamTask standby, IReadOnlyCollection<TopicPartition> inputs)
    {
        _updater!.Take(standby, StandbySuspendReason.Promoted);
        Forget(standby);
        var task = Recycle(standby, inputs, _committer.Collector);
        _tasks.Add(task.Id, task);
        foreach (var input in inputs) _taskByPartition[input] = task;
        Log.TaskRecycled(_logger, task.Id, "active");
        BringUpToDate(task, isStandby: false);
    }

    private void Demote(StreamTask task)
    {
        Forget(task);
        var standby = Recycle(task, [.. task.Queues.Select(queue => queue.Partition)], RecordCollector.None);
        _standbys.Add(standby.Id, standby);
        Log.TaskRecycled(_logger, task.Id, "a standby");
        BringUpToDate(standby, isStandby: true);
    }

    private StreamTask Recycle(StreamTask task, IReadOnlyCollection<TopicPartition> inputs, RecordCollector collector)
    {
        try
        {
            return task.Recycle(inputs, _environment!(collector));
        }
        catch (Exception)
        {
            task.Close();
            _stateDirectory.Release(task.Id);
            throw;
        }
    }

    private void TakeFromUpdater()
    {
        var changed = false;
        while (_updater!.TryTakeRestored(out var task)) changed |= _restoring.Remove(task);
        while (_updater.TryTakeFailed(out var failed))
        {
            var (task, failure) = failed;
            var isStandby = _standbys.GetValueOrDefault(task.Id) == task;
            if (!isStandby && _tasks.GetValueOrDefault(task.Id) != task) continue;
            if (failure is not TaskCorruptedException) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
            Log.StateCorrupted(_logger, task.Id, failure.Message);
            var inputs = task.Queues.Select(queue => queue.Partition).ToList();
            Close(task, "corrupted");
            _stateDirectory.Wipe(task.Id);
            Create(task.Id, inputs, isStandby);
            changed = true;
        }

        StartRestoredTasks();
        if (changed) Publish();
    }

    private void Publish() => _published =
    [
        .. _tasks.Values.Select(task => (task, _running.Contains(task) ? ThreadTaskState.Running : ThreadTaskState.Restoring)),
        .. _standbys.Values.Select(task => (task, ThreadTaskState.Standby)),
    ];

    private void RemoveInputs(StreamTask task, Predicate<TopicPartition> isGone)
    {
        var gone = _taskByPartition.Where(entry => ReferenceEquals(entry.Value, task) && isGone(entry.Key)).Select(entry => entry.Key).ToList();
        foreach (var partition in gone)
        {
            task.RemoveInput(partition);
            _taskByPartition.Remove(partition);
            _paused.Remove(partition);
            _outOfRange.Remove(partition);
        }

        if (gone.Count > 0) _consumer!.Unassign(gone);
    }

    // Topics that a pattern matches come and go while their task stays.
    private void ChangeInputs(StreamTask task, IReadOnlyCollection<TopicPartition> inputs)
    {
        RemoveInputs(task, partition => !inputs.Contains(partition));
        var added = inputs.Where(partition => !task.Reads(partition)).ToList();
        if (added.Count == 0) return;
        foreach (var partition in added)
        {
            task.AddInput(partition);
            _taskByPartition[partition] = task;
        }

        // A task that is not running yet gets its positions, those of the new partitions among them, when it starts.
        if (!_running.Contains(task)) return;
        try
        {
            var starts = StartPositions(added, out var committed);
            task.RestoreTimes(committed);
            _consumer!.Assign(starts);
        }
        catch (Exception)
        {
            // Without a position they would never be read; the next attempt adds them again.
            foreach (var partition in added)
            {
                task.RemoveInput(partition);
                _taskByPartition.Remove(partition);
            }

            throw;
        }
    }

    private StreamTask Open(TaskId id, IReadOnlyCollection<TopicPartition> inputs, RecordCollector collector)
    {
        var subtopology = _plan.Subtopologies.First(candidate => candidate.Id == id.Subtopology);
        var task = new StreamTask(id, subtopology, inputs, _environment!(collector));
        try
        {
            task.OpenStores();
            return task;
        }
        catch (Exception)
        {
            // Why it could not be opened is what counts; a store that was not opened may not like to be closed either.
            try
            {
                task.Close();
            }
            catch (AggregateException failure)
            {
                Log.CloseFailed(_logger, id, failure);
            }

            _stateDirectory.Release(id);
            throw;
        }
    }

    private void StartRestoredTasks()
    {
        List<StreamTask>? ready = null;
        foreach (var task in _tasks.Values)
        {
            if (!_running.Contains(task) && !_restoring.Contains(task)) (ready ??= []).Add(task);
        }

        if (ready is null) return;
        var partitions = _taskByPartition.Where(entry => ready.Contains(entry.Value)).Select(entry => entry.Key).ToList();
        var starts = StartPositions(partitions, out var committed);
        foreach (var task in ready)
        {
            task.Start(committed);
            _running.Add(task);
        }

        _consumer!.Assign(starts);
        Publish();
    }

    private List<TopicPartitionOffset> StartPositions(List<TopicPartition> partitions, out IReadOnlyDictionary<TopicPartition, OffsetCommit> committed)
    {
        committed = _coordinator.FetchOffsetsAsync(partitions, _stopping.Token).GetAwaiter().GetResult();
        var starts = new List<TopicPartitionOffset>();
        foreach (var partition in partitions)
        {
            var offset = committed.TryGetValue(partition, out var commit) ? commit.Offset : StartOffset(partition);
            _taskByPartition[partition].SetStartPosition(partition, offset);
            starts.Add(new TopicPartitionOffset(partition, offset));
        }

        return starts;
    }

    // Where to read a partition that the group has no offset for.
    private long StartOffset(TopicPartition partition)
    {
        var subtopology = _plan.Subtopologies.First(candidate => candidate.Id == _taskByPartition[partition].Id.Subtopology);
        var reset = _plan.InternalTopicOf(partition.Topic) is not null
            ? AutoOffsetReset.Earliest
            : subtopology.SourceOf(partition.Topic)?.Reset ?? _config.OffsetReset;
        return reset switch
        {
            AutoOffsetReset.EarliestReset => _admin.BeginningOffsetsAsync([partition], _stopping.Token).GetAwaiter().GetResult()[partition],
            AutoOffsetReset.LatestReset => _admin.EndOffsetsAsync([partition], _config.ReadCommitted, _stopping.Token).GetAwaiter().GetResult()[partition],
            AutoOffsetReset.DurationReset back => _admin.OffsetsForTimeAsync([partition], _config.TimeProvider.GetUtcNow() - back.Duration, _stopping.Token).GetAwaiter().GetResult()[partition],
            _ => throw new ConfigException($"Partition {partition} has no committed offset, and its offset reset is None: commit offsets first, or choose another AutoOffsetReset."),
        };
    }

    // Records were deleted before they were read: going on from the reset policy is what the user chose; None makes it an error. A cluster that does not answer is asked
    // again by the next poll.
    private void ResetPositions()
    {
        foreach (var (partition, lost) in _outOfRange)
        {
            var offset = StartOffset(partition);
            Log.PositionLost(_logger, Name, partition.Topic, partition.Partition, lost, offset);
            _taskByPartition[partition].Queue(partition).ExpectFrom(offset);
            _consumer!.Assign([new TopicPartitionOffset(partition, offset)]);
            _outOfRange.Remove(partition);
        }
    }

    private void AnnounceIfRunning()
    {
        if (!_announceRunning || _running.Count != _tasks.Count) return;
        _announceRunning = false;
        _owner.ThreadIsRunning(this);
    }

    private void RunCommands()
    {
        while (_commands.TryDequeue(out var command))
        {
            try
            {
                Guard(command.Run);
            }
            finally
            {
                // A failure is the thread's to report, once, by its end; whoever gave the command goes on without its tasks.
                _config.Threads.Complete(command.Done);
            }
        }
    }

    private void DrainCommands()
    {
        while (_commands.TryDequeue(out var command)) _config.Threads.Complete(command.Done);
    }

    // Losing the tasks to another instance is not a failure of the application: give them up and join again. Nor is a transaction that the cluster gave up.
    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (TaskMigratedException failure)
        {
            foreach (var task in _tasks.Keys) Log.TaskMigrated(_logger, task, failure);
            LoseAll();
            _owner.MembershipLost();
        }
        catch (Exception failure) when (failure is TransactionAbortedException or TaskCorruptedException)
        {
            GoBack((StreamsException)failure);
        }
    }

    // A cluster that does not answer leaves a record, or a callback, half done: only going back to the last commit does it once.
    private void GuardWork(Action action) => Guard(() =>
    {
        try
        {
            action();
        }
        catch (ClusterUnavailableException failure)
        {
            GoBack(failure);
        }
    });

    private void CloseAllClean()
    {
        try
        {
            CommitPatiently();
            foreach (var task in _tasks.Values.ToList()) Close(task, "clean");
            CloseStandbys();
        }
        catch (Exception failure) when (failure is TaskMigratedException or TaskCorruptedException or TransactionAbortedException or ClusterUnavailableException)
        {
            Log.LastCommitFailed(_logger, Name, failure);
            CloseAllDirty();
            CloseStandbys();
        }
    }

    private void LoseAll()
    {
        _assigned = ThreadAssignment.None;
        _opensTasks = false;
        CloseAllDirty();
        CloseStandbys();
        Tasks = [];
        StandbyTasks = [];
    }

    private void CloseStandbys()
    {
        foreach (var task in _standbys.Values.ToList()) Close(task, "was a standby");
        Publish();
    }

    // The producer goes too: what it still holds back must not be written after somebody else has taken the tasks over.
    private void CloseAllDirty()
    {
        foreach (var task in _tasks.Values.ToList()) Close(task, "without commit");
        _committer.Abandon();
        Publish();
    }

    private void TryCloseAllDirty()
    {
        try
        {
            CloseAllDirty();
            CloseStandbys();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // The failure that ended the thread is the one to report; this one is only logged.
            Log.CloseFailed(_logger, default, failure);
        }
    }

    private void Close(StreamTask task, string how)
    {
        Forget(task);
        _stateDirectory.NotePositions(task);
        try
        {
            task.Close();
        }
        catch (AggregateException failure)
        {
            Log.CloseFailed(_logger, task.Id, failure);
        }

        _metrics.TaskClosed.Record(1);
        _stateDirectory.Release(task.Id);
        Log.TaskClosed(_logger, Name, task.Id, how);
    }

    // Takes a task out of everything that works on it.
    private void Forget(StreamTask task)
    {
        _updater?.Take(task, StandbySuspendReason.Migrated);
        _tasks.Remove(task.Id);
        _standbys.Remove(task.Id);
        _running.Remove(task);
        _restoring.Remove(task);
        var partitions = _taskByPartition.Where(entry => ReferenceEquals(entry.Value, task)).Select(entry => entry.Key).ToList();
        foreach (var partition in partitions)
        {
            _taskByPartition.Remove(partition);
            _paused.Remove(partition);
            _outOfRange.Remove(partition);
        }

        _consumer?.Unassign(partitions);
    }

    /// <summary>What there is to tell since the last summary.</summary>
    private struct Doings
    {
        public long ProcessedBefore;
        public long Punctuations;
        public long Polled;
        public long Commits;
    }
}
