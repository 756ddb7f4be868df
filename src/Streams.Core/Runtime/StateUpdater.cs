using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>
/// Brings stores up to date on a thread of its own: those of active tasks up to the end of their changelogs, after which the task is given back, and those of
/// standbys for as long as they are standbys. The stream thread's other tasks go on meanwhile.
/// </summary>
/// <remarks>
/// <para>
/// A task that is here is touched by this thread only; <see cref="Take"/> and the two queues hand it over. Active tasks come first: while one restores, standbys
/// wait. Each changelog is read from the offset that its store is at. An active task reads to the end that the changelog had when it came; nobody else writes to it
/// from then on, because the task is ours. With exactly-once, records of open transactions are waited for and those of aborted ones are skipped.
/// </para>
/// <para>
/// Of a source topic that serves as changelog only what the group has committed is taken: the rest is still to be processed. A cluster that does not answer is asked
/// again for <c>task.timeout.ms</c>. Source: Kafka's <c>DefaultStateUpdater</c> and <c>StoreChangelogReader</c>.
/// </para>
/// </remarks>
internal sealed class StateUpdater : IDisposable
{
    /// <summary>Restored records become durable in steps of this many, so that a restart in the middle does not start over.</summary>
    private const int RecordsPerCommit = 500_000;

    private static readonly TimeSpan _pollTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _retryPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _timeBetweenLogs = TimeSpan.FromSeconds(10);

    private readonly string _name;
    private readonly ICluster _cluster;
    private readonly IClusterAdmin _admin;
    private readonly IGroupCoordinator _coordinator;
    private readonly StreamsConfig _config;
    private readonly Action _changed;
    private readonly ILogger _logger;
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly ConcurrentQueue<StreamTask> _restored = new();
    private readonly ConcurrentQueue<(StreamTask Task, Exception Failure)> _failed = new();
    private readonly RuntimeSignal _wake;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<StreamTask, bool> _tasks = [];
    private readonly List<StreamTask> _arrived = [];
    private readonly Dictionary<TopicPartition, List<Follower>> _followers = [];
    private CancellationTokenSource _interruption = new();
    private RuntimeThread? _thread;
    private volatile IRecordConsumer? _consumer;
    private volatile bool _ended;
    private volatile bool _paused;
    private bool _standbysWait;
    private long? _failingSince;
    private long _lastLimits;

    /// <summary>Makes an updater; its thread starts with the first task.</summary>
    /// <param name="name">Name of the stream thread that it works for.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="admin">Tells offsets.</param>
    /// <param name="coordinator">Tells committed offsets.</param>
    /// <param name="config">The settings.</param>
    /// <param name="changed">Called, on this thread, when there is something to take.</param>
    /// <param name="logger">The log.</param>
    public StateUpdater(string name, ICluster cluster, IClusterAdmin admin, IGroupCoordinator coordinator, StreamsConfig config, Action changed, ILogger logger)
    {
        _name = name;
        _cluster = cluster;
        _admin = admin;
        _coordinator = coordinator;
        _config = config;
        _changed = changed;
        _logger = logger;
        _wake = config.Threads.CreateSignal();
    }

    /// <summary>Gives a task away. Its stores are open and nobody else touches them until it comes back.</summary>
    public void Add(StreamTask task, bool isStandby)
    {
        if (_thread is null)
        {
            _thread = _config.Threads.Create(_name + "-restore", Run);
            _thread.Start();
        }

        Post(() =>
        {
            _tasks.Add(task, isStandby);
            _arrived.Add(task);
        });
    }

    /// <summary>Takes a task back, wherever it is with it; returns when this thread touches it no more. One that came back already is left alone.</summary>
    public void Take(StreamTask task, StandbySuspendReason reason)
    {
        if (_thread is null) return;
        var done = _config.Threads.CreateCompletion();
        Post(() =>
        {
            try
            {
                Remove(task, reason);
                _config.Threads.Complete(done);
            }
            catch (Exception failure)
            {
                _config.Threads.Complete(done, failure);
                throw;
            }
        });

        // An administrative call that waits for an answer must not keep the stream thread from its other tasks.
        lock (_gate) _interruption.Cancel();
        if (_ended) Drain();
        _config.Threads.Wait(done.Task);
    }

    /// <summary>A task that is restored and can start.</summary>
    public bool TryTakeRestored([NotNullWhen(true)] out StreamTask? task) => _restored.TryDequeue(out task);

    /// <summary>A task that could not be brought up to date, and why.</summary>
    public bool TryTakeFailed(out (StreamTask Task, Exception Failure) failed) => _failed.TryDequeue(out failed);

    /// <summary>Stops reading, without letting go of tasks.</summary>
    public void Pause()
    {
        _paused = true;
        Wake();
    }

    /// <summary>Goes on.</summary>
    public void Resume()
    {
        _paused = false;
        Wake();
    }

    /// <summary>Ends the thread. Its tasks are the caller's again.</summary>
    public void Dispose()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel();
        lock (_gate) _interruption.Cancel();
        Wake();
        _thread?.Join(Timeout.InfiniteTimeSpan);
        _consumer?.Dispose();
        _interruption.Dispose();
        _wake.Dispose();
        _stopping.Dispose();
    }

    private void Post(Action command)
    {
        _commands.Enqueue(command);
        if (_ended) Drain();
        else Wake();
    }

    private void Wake()
    {
        _wake.Set();
        _consumer?.Wake();
    }

    private void Run()
    {
        try
        {
            while (!_stopping.IsCancellationRequested) Turn();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            foreach (var task in _tasks.Keys) _failed.Enqueue((task, failure));
            _tasks.Clear();
        }
        finally
        {
            _ended = true;
            Drain();
            _changed();
        }
    }

    // With the thread gone there is nothing to hand over any more; whoever waits must not wait for ever.
    private void Drain()
    {
        lock (_gate)
        {
            while (_commands.TryDequeue(out var command)) command();
        }
    }

    private void Turn()
    {
        lock (_gate)
        {
            if (_interruption.IsCancellationRequested && !_stopping.IsCancellationRequested)
            {
                _interruption.Dispose();
                _interruption = new CancellationTokenSource();
            }
        }

        while (_commands.TryDequeue(out var command)) command();
        try
        {
            if (_arrived.Count > 0) Begin();
            if (_followers.Count == 0 || _paused)
            {
                _wake.Wait(Timeout.InfiniteTimeSpan);
                return;
            }

            RaiseLimits();
            LetActiveTasksGoFirst();
            Poll();
            _failingSince = null;
        }
        catch (OperationCanceledException)
        {
            // Somebody wants a task back, or the thread is to end.
        }
        catch (ClusterUnavailableException failure)
        {
            if (_failingSince is null) Log.RestoreRetried(_logger, _name, _config.TaskTimeout.TotalMilliseconds, failure);
            _failingSince ??= _config.TimeProvider.GetTimestamp();
            if (_config.TimeProvider.GetElapsedTime(_failingSince.Value) >= _config.TaskTimeout) throw;
            _wake.Wait(_retryPause);
        }
    }

    private T Ask<T>(Func<CancellationToken, Task<T>> question)
    {
        CancellationToken cancellation;
        lock (_gate) cancellation = _interruption.Token;
        return question(cancellation).GetAwaiter().GetResult();
    }

    private void Begin()
    {
        var arrived = _arrived.ToList();
        var stores = arrived.SelectMany(task => task.Stores).Where(store => store.ChangelogPartition is not null).ToList();
        var partitions = stores.Select(store => store.ChangelogPartition!.Value).Distinct().ToList();
        var begins = Ask(cancellation => _admin.BeginningOffsetsAsync(partitions, cancellation));

        // Also with exactly-once the very end: what an open transaction holds back is not to be missed if it is committed after all.
        var ends = Ask(cancellation => _admin.EndOffsetsAsync(partitions, readCommitted: false, cancellation));
        var sources = stores.Where(store => store.FollowsSource).Select(store => store.ChangelogPartition!.Value).Distinct().ToList();
        var committed = sources.Count == 0 ? new Dictionary<TopicPartition, OffsetCommit>() : Ask(cancellation => _coordinator.FetchOffsetsAsync(sources, cancellation));
        _arrived.Clear();
        var moved = new HashSet<TopicPartition>();
        foreach (var task in arrived)
        {
            try
            {
                Begin(task, begins, ends, committed, moved);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                Fail(task, failure);
            }
        }

        Reposition(moved);
        foreach (var task in arrived) FinishIfRestored(task);
    }

    private void Begin(
        StreamTask task,
        IReadOnlyDictionary<TopicPartition, long> begins,
        IReadOnlyDictionary<TopicPartition, long> ends,
        IReadOnlyDictionary<TopicPartition, OffsetCommit> committed,
        HashSet<TopicPartition> moved)
    {
        var isStandby = _tasks[task];
        foreach (var store in task.Stores)
        {
            if (store.ChangelogPartition is not { } partition) continue;
            var begin = begins[partition];
            var end = ends[partition];
            if (store.FollowsSource) end = committed.TryGetValue(partition, out var commit) ? Math.Min(commit.Offset, end) : begin;
            var from = store.Position ?? begin;

            // The end of a source topic is what is committed of it, which deleting committed offsets moves back below what the store has.
            if (from < begin || from > (store.FollowsSource ? ends[partition] : end))
            {
                throw new TaskCorruptedException(
                    $"store '{store.Store.Name}' is at offset {from} of {partition}, which has {begin} to {end}: the topic was truncated or made anew");
            }

            store.RestoredOffset = from;
            if (from >= end && !isStandby) continue;
            var follower = new Follower(task, store, isStandby, from, isStandby && !store.FollowsSource ? long.MaxValue : end, _config.TimeProvider.GetTimestamp());
            if (!_followers.TryGetValue(partition, out var list)) _followers.Add(partition, list = []);
            list.Add(follower);
            moved.Add(partition);
            if (isStandby)
            {
                Log.StandbyStarted(_logger, task.Id, partition, from, Math.Max(0, end - from));
                _config.StandbyUpdateListener?.OnUpdateStart(Standby(follower, end));
            }
            else
            {
                task.Context.Metrics.AddRemaining(end - from);
                Log.RestoreStarted(_logger, task.Id, end - from, partition, from);
                _config.StateRestoreListener?.OnRestoreStart(Restore(follower));
            }
        }
    }

    // Starts reading where the one that is furthest behind needs it; the others skip what they have.
    private void Reposition(IEnumerable<TopicPartition> partitions)
    {
        var starts = new List<TopicPartitionOffset>();
        var ends = new List<TopicPartition>();
        foreach (var partition in partitions)
        {
            var position = long.MaxValue;
            if (_followers.TryGetValue(partition, out var followers))
            {
                foreach (var follower in followers)
                {
                    if (follower.Position < follower.Limit) position = Math.Min(position, follower.Position);
                }
            }

            if (position == long.MaxValue) ends.Add(partition);
            else starts.Add(new TopicPartitionOffset(partition, position));
        }

        if (ends.Count > 0) _consumer?.Unassign(ends);
        if (starts.Count == 0) return;
        _consumer ??= _cluster.CreateConsumer(new ConsumerOptions
        {
            ClientId = _name + "-restore-consumer",
            MaxBufferedBytes = _config.RestoreFetchedMaxBytes,
            // Also without transactions of our own: a source topic that serves as changelog is restored as it was read.
            ReadCommitted = _config.ReadCommitted,
            Properties = _config.ConsumerSettings(_config.RestoreConsumerProperties),
        });
        _consumer.Assign(starts);
        if (_standbysWait) _consumer.Pause([.. starts.Select(start => start.Partition).Where(IsOfStandbys)]);
    }

    private bool IsOfStandbys(TopicPartition partition) => _followers.TryGetValue(partition, out var followers) && followers.TrueForAll(follower => follower.IsStandby);

    private void LetActiveTasksGoFirst()
    {
        var wait = false;
        foreach (var followers in _followers.Values)
        {
            foreach (var follower in followers) wait |= !follower.IsStandby;
        }

        if (wait == _standbysWait || _consumer is null) return;
        _standbysWait = wait;
        var partitions = _followers.Where(entry => IsOfStandbys(entry.Key) && entry.Value.Exists(follower => follower.Position < follower.Limit)).Select(entry => entry.Key).ToList();
        if (partitions.Count == 0) return;
        if (wait) _consumer.Pause(partitions);
        else _consumer.Resume(partitions);
    }

    // Standbys of source topics may go as far as the group has committed.
    private void RaiseLimits()
    {
        if (_config.TimeProvider.GetElapsedTime(_lastLimits) < _config.CommitInterval) return;
        _lastLimits = _config.TimeProvider.GetTimestamp();
        var partitions = _followers.Where(entry => entry.Value.Exists(follower => follower.IsStandby && follower.Store.FollowsSource)).Select(entry => entry.Key).ToList();
        if (partitions.Count == 0) return;
        var moved = new List<TopicPartition>();
        foreach (var (partition, commit) in Ask(cancellation => _coordinator.FetchOffsetsAsync(partitions, cancellation)))
        {
            foreach (var follower in _followers[partition])
            {
                if (!follower.IsStandby || !follower.Store.FollowsSource || commit.Offset <= follower.Limit) continue;
                if (follower.Position >= follower.Limit && !moved.Contains(partition)) moved.Add(partition);
                follower.Limit = commit.Offset;
            }
        }

        Reposition(moved);
    }

    private void Poll()
    {
        RecordBatch? batch;
        if (_consumer is null)
        {
            _wake.Wait(_pollTime);
            return;
        }

        try
        {
            batch = _consumer.Poll(_pollTime);
        }
        catch (OffsetOutOfRangeException failure)
        {
            var gone = _followers.TryGetValue(failure.Partition, out var followers) ? followers.Select(follower => follower.Task).Distinct().ToList() : [];
            foreach (var task in gone) Fail(task, new TaskCorruptedException($"records of {failure.Partition} were deleted before they were restored", failure));
            return;
        }

        CommitStandbys();
        if (batch is null) return;
        using (batch)
        {
            if (!_followers.TryGetValue(batch.Partition, out var followers)) return;
            foreach (var follower in followers.ToArray())
            {
                try
                {
                    Apply(follower, batch);
                }
                catch (Exception failure) when (failure is not OutOfMemoryException)
                {
                    Fail(follower.Task, failure);
                }
            }
        }
    }

    // A source topic may have records without a key, which processing leaves out too. In a changelog of our own one is damage, and the store says so.
    private static void Restore(StreamTask.TaskStore store, RecordBatch batch, int from, int to)
    {
        var first = from;
        for (var index = from; store.FollowsSource && index < to; index++)
        {
            if (batch[index].HasKey) continue;
            if (index > first) store.Store.Restore(batch, first, index);
            first = index + 1;
        }

        if (first < to) store.Store.Restore(batch, first, to);
    }

    private void Apply(Follower follower, RecordBatch batch)
    {
        if (follower.Position >= follower.Limit) return;
        var from = 0;
        while (from < batch.Count && batch[from].Offset < follower.Position) from++;
        var to = batch.Count;
        while (to > from && batch[to - 1].Offset >= follower.Limit) to--;
        if (to > from)
        {
            using var gate = follower.Task.Gate.EnterAsOwner();
            Restore(follower.Store, batch, from, to);
        }

        follower.Records += to - from;
        follower.SinceCommit += to - from;
        var position = Math.Max(follower.Position, Math.Min(batch.NextOffset, follower.Limit));
        if (follower.IsStandby) follower.Task.Context.Metrics.Updated(to - from);
        else follower.Task.Context.Metrics.Restored(to - from, position - follower.Position);
        follower.Position = position;
        follower.Store.RestoredOffset = follower.Position;
        if (follower.SinceCommit >= RecordsPerCommit) Commit(follower);
        if (follower.IsStandby)
        {
            if (to > from) _config.StandbyUpdateListener?.OnBatchLoaded(Standby(follower, null), to - from);

            // The rest of the batch is lost to it; reading goes on from its position once more is committed.
            if (follower.Position >= follower.Limit) Reposition([batch.Partition]);
            return;
        }

        if (to > from) _config.StateRestoreListener?.OnBatchRestored(Restore(follower), to - from);
        if (follower.Position < follower.Limit)
        {
            LogProgress(follower);
            return;
        }

        Commit(follower);
        Drop(follower);
        Log.RestoreDone(_logger, follower.Task.Id, follower.Records, batch.Partition, _config.TimeProvider.GetElapsedTime(follower.StartedAt).TotalMilliseconds);
        _config.StateRestoreListener?.OnRestoreEnd(Restore(follower));
        FinishIfRestored(follower.Task);
    }

    private void LogProgress(Follower follower)
    {
        if (_config.TimeProvider.GetElapsedTime(follower.LastLog) < _timeBetweenLogs) return;
        follower.LastLog = _config.TimeProvider.GetTimestamp();
        var progress = Restore(follower);
        Log.RestoreProgress(
            _logger, follower.Task.Id, progress.Position - progress.StartOffset, progress.EndOffset - progress.StartOffset, progress.Changelog, (long)progress.Rate, (long)(progress.TimeLeft ?? TimeSpan.Zero).TotalSeconds);
    }

    private void CommitStandbys()
    {
        foreach (var followers in _followers.Values)
        {
            foreach (var follower in followers)
            {
                if (follower.SinceCommit > 0 && follower.IsStandby && _config.TimeProvider.GetElapsedTime(follower.LastCommit) >= _config.CommitInterval) Commit(follower);
            }
        }
    }

    private void Commit(Follower follower)
    {
        using (follower.Task.Gate.EnterAsOwner()) follower.Store.Store.Commit(follower.Position);
        follower.SinceCommit = 0;
        follower.LastCommit = _config.TimeProvider.GetTimestamp();
    }

    private void FinishIfRestored(StreamTask task)
    {
        if (!_tasks.TryGetValue(task, out var isStandby) || isStandby) return;
        foreach (var followers in _followers.Values)
        {
            if (followers.Exists(follower => follower.Task == task)) return;
        }

        _tasks.Remove(task);
        _restored.Enqueue(task);
        _changed();
    }

    private void Fail(StreamTask task, Exception failure)
    {
        _tasks.Remove(task);
        foreach (var follower in FollowersOf(task)) Drop(follower);
        _failed.Enqueue((task, failure));
        _changed();
    }

    private void Remove(StreamTask task, StandbySuspendReason reason)
    {
        if (!_tasks.Remove(task)) return;
        _arrived.Remove(task);
        foreach (var follower in FollowersOf(task))
        {
            // In memory as on disk: what was taken is kept, at the position that goes with it.
            Commit(follower);
            Drop(follower);
            if (follower.IsStandby) _config.StandbyUpdateListener?.OnUpdateSuspended(Standby(follower, null), reason);
            else _config.StateRestoreListener?.OnRestoreSuspended(Restore(follower));
        }
    }

    private List<Follower> FollowersOf(StreamTask task) => [.. _followers.Values.SelectMany(followers => followers).Where(follower => follower.Task == task)];

    private void Drop(Follower follower)
    {
        // What one that is given up had left is nobody's any more.
        if (!follower.IsStandby) follower.Task.Context.Metrics.AddRemaining(follower.Position - follower.Limit);
        var followers = _followers[follower.Partition];
        followers.Remove(follower);
        if (followers.Count > 0) return;
        _followers.Remove(follower.Partition);
        _consumer?.Unassign([follower.Partition]);
    }

    private RestoreProgress Restore(Follower follower) => new(
        follower.Task.Id,
        follower.Store.Store.Name,
        follower.Partition,
        follower.Start,
        follower.Limit,
        follower.Position,
        follower.Records,
        _config.TimeProvider.GetElapsedTime(follower.StartedAt));

    private StandbyProgress Standby(Follower follower, long? end) => new(
        follower.Task.Id,
        follower.Store.Store.Name,
        follower.Partition,
        follower.Start,
        follower.Position,
        end ?? _consumer?.CachedEndOffset(follower.Partition) ?? follower.Position,
        follower.Records);

    /// <summary>A store that follows its changelog. Several may follow one partition: a source topic can be the changelog of tables of two sub-topologies.</summary>
    private sealed class Follower(StreamTask task, StreamTask.TaskStore store, bool isStandby, long start, long limit, long startedAt)
    {
        public StreamTask Task { get; } = task;

        public StreamTask.TaskStore Store { get; } = store;

        public TopicPartition Partition { get; } = store.ChangelogPartition!.Value;

        public bool IsStandby { get; } = isStandby;

        public long Start { get; } = start;

        public long Position { get; set; } = start;

        /// <summary>Where it stops, for good when it is active; for a standby of a source topic until more is committed.</summary>
        public long Limit { get; set; } = limit;

        public long StartedAt { get; } = startedAt;

        public long LastLog { get; set; } = startedAt;

        public long LastCommit { get; set; } = startedAt;

        public long Records { get; set; }

        public int SinceCommit { get; set; }
    }
}
