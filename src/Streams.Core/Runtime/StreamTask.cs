using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>
/// One sub-topology at work on one partition: its nodes, stores and input queues. Run by one thread at a time; it does no I/O of its own except
/// through its stores and the collector.
/// </summary>
/// <remarks>
/// Life: construct, <see cref="OpenStores"/>, restore, <see cref="Start"/>, then <see cref="Enqueue"/> / <see cref="Process"/> / punctuate, with
/// commits in two halves around the producer: <see cref="PrepareCommit"/>, producer flush or transaction, <see cref="CompleteCommit"/>; at the end
/// <see cref="Close"/>. Source: Kafka's <c>StreamTask</c> and <c>ProcessorStateManager</c>.
/// </remarks>
internal sealed class StreamTask
{
    /// <summary>Reads that one commit answers, so that answering never keeps the task from its records for long.</summary>
    private const int CommittedReadsPerCommit = 256;

    private static readonly TimeSpan _timeBetweenYields = TimeSpan.FromMicroseconds(50);

    private readonly TaskEnvironment _environment;
    private readonly TaskContext _context;
    private readonly List<TaskStore> _stores = [];
    private readonly List<StoreContext> _storeContexts = [];
    private readonly Dictionary<string, IStateStore> _storesByName = [];
    private readonly List<Processor> _nodes = [];
    private readonly List<RecordQueue> _queues = [];
    private readonly Dictionary<TopicPartition, RecordQueue> _queueByPartition = [];
    private readonly Dictionary<TopicPartition, long> _startPositions = [];
    private readonly StreamTimePunctuation _streamTime;
    private readonly PunctuationQueue _wallClock = new();
    private readonly Subtopology _subtopology;
    private readonly ConcurrentDictionary<string, IStateStore> _views = new();
    private readonly ConcurrentQueue<(Action Read, Action Fail)> _committedReads = new();
    private bool _started;
    private long _idleSinceMs = -1;
    private long _lastYield;

    public StreamTask(TaskId id, Subtopology subtopology, IReadOnlyCollection<TopicPartition> inputs, TaskEnvironment environment)
    {
        Id = id;
        _subtopology = subtopology;
        _environment = environment;
        _context = new TaskContext(id, environment.ApplicationId, _storesByName, environment.Time, environment.Errors, new TaskMetrics(id, environment.ThreadName, environment.Time))
        {
            Scheduler = Schedule,
            Async = new AsyncCalls(environment.Wake, environment.WaitsForAsyncCalls),
            Paced = new PacedNodes { Wake = environment.Wake, RestNow = Rest },
            EmitIntervalMs = (long)environment.EmitInterval.TotalMilliseconds,
            Collector = subtopology.IsGlobal ? null : environment.Collector,
            IsClosing = environment.IsClosing,
        };
        _streamTime = new StreamTimePunctuation(new PunctuationQueue(), _context);
        BuildNodes(inputs);
        environment.Metrics?.Add(_context.Metrics);
    }

    public TaskId Id { get; }

    public TaskContext Context => _context;

    /// <summary>Held by whoever works with the stores.</summary>
    public StoreGate Gate => _context.Gate;

    public IReadOnlyList<TaskStore> Stores => _stores;

    public IReadOnlyList<RecordQueue> Queues => _queues;

    /// <summary>Whether anything was processed or punctuated since the last commit.</summary>
    public bool CommitNeeded { get; private set; }

    /// <summary>Whether a processor asked for a commit.</summary>
    public bool CommitRequested => _context.CommitRequested;

    /// <summary>Bytes that stores hold back until the next commit.</summary>
    public long UncommittedBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var store in _stores) bytes += store.Store.UncommittedBytes;
            return bytes;
        }
    }

    /// <summary>Opens the stores, which then know the changelog offset that they are at.</summary>
    public void OpenStores()
    {
        var changelogs = _subtopology.Changelogs();
        foreach (var definition in _subtopology.Stores)
        {
            // The task of a global store keeps it; every other task only reads it.
            if (definition.IsGlobal && !_subtopology.IsGlobal) continue;
            Changelog? changelog = null;
            TopicPartition? changelogPartition = null;
            if (changelogs.TryGetValue(definition.Name, out var topic))
            {
                changelogPartition = new TopicPartition(topic, Id.Partition);
                // A source topic that serves as changelog holds the writes already.
                if (definition.SourceTopic is null) changelog = new Changelog(_environment.Collector, topic, Id.Partition);
            }

            var built = definition.Builder.Build() ?? throw new StateStoreException($"The builder of store '{definition.Name}' ({TypeNames.Of(definition.Builder.GetType())}) made no store: Build returned null.");
            if (built.Name != definition.Name)
            {
                var name = built.Name;
                built.Dispose();
                throw new StateStoreException($"The builder of store '{definition.Name}' ({TypeNames.Of(definition.Builder.GetType())}) made a store that is named '{name}': changelog and folder go by the name, so both must have the same.");
            }

            var store = _environment.Decorate(built);
            _storesByName.Add(definition.Name, store);
            _stores.Add(new TaskStore(store, changelogPartition, changelog));
            var context = new StoreContext(this, changelog, _environment.Metrics is { MeasuresStores: true } ? _context.Metrics.AddStore(definition.Name) : null);
            _storeContexts.Add(context);
            store.Init(context);
        }

        foreach (var (name, store) in _environment.GlobalStores) _storesByName.TryAdd(name, store);
    }

    /// <summary>Whether any store can be restored from a changelog.</summary>
    public bool HasChangelogs => _stores.Exists(store => store.ChangelogPartition is not null);

    /// <summary>How far its stores are: the sum of their offsets, as far as they have changelogs. May be asked from any thread.</summary>
    public long PositionSum
    {
        get
        {
            var sum = 0L;
            foreach (var store in StoresNow()) sum += store.RestoredOffset ?? 0;
            return sum;
        }
    }

    /// <summary>
    /// Ends the task and keeps its stores open in a new one: a running task becomes a standby, or a standby one that will run. Call after a commit.
    /// </summary>
    /// <param name="inputs">Input partitions of the new one.</param>
    /// <param name="environment">What the new one gets from its thread; its changelogs are written through it too.</param>
    public StreamTask Recycle(IReadOnlyCollection<TopicPartition> inputs, TaskEnvironment environment)
    {
        using var gate = Gate.EnterAsOwner();
        FailCommittedReads();
        if (_started)
        {
            foreach (var node in _nodes) node.Close();
        }

        _started = false;
        foreach (var queue in _queues) queue.Clear();
        _environment.Metrics?.Remove(_context.Metrics);
        var next = new StreamTask(Id, _subtopology, inputs, environment);
        next._context.Gate = Gate;
        next._context.Metrics.TakeStores(_context.Metrics);
        foreach (var store in _stores) store.MoveTo(environment.Collector);
        next._stores.AddRange(_stores);
        next._storeContexts.AddRange(_storeContexts);
        foreach (var (name, store) in _storesByName) next._storesByName.Add(name, store);
        foreach (var context in _storeContexts) context.MoveTo(next);
        _stores.Clear();
        _storeContexts.Clear();
        _storesByName.Clear();
        return next;
    }

    /// <summary>Calls every node's Init, parents first. Stores are restored by now.</summary>
    public void Start(IReadOnlyDictionary<TopicPartition, OffsetCommit> committed)
    {
        using var gate = Gate.EnterAsOwner();
        RestoreTimes(committed);
        for (var index = 0; index < _nodes.Count; index++)
        {
            var definition = _subtopology.Nodes[index];
            IReadOnlyCollection<string> stores = _environment.GlobalStores.Count == 0 ? definition.Stores : [.. definition.Stores, .. _environment.GlobalStores.Keys];
            var context = new ProcessorContext(_context, _nodes[index], stores);
            try
            {
                _nodes[index].InitNode(context);
            }
            catch (Exception failure) when (_context.IsUserFailure(failure))
            {
                throw ProcessorException.InInit(_nodes[index].NodeName, Id, failure);
            }
        }

        _started = true;
    }

    /// <summary>Takes over how far time had come in the given partitions, as their last commits tell.</summary>
    public void RestoreTimes(IReadOnlyDictionary<TopicPartition, OffsetCommit> committed)
    {
        foreach (var queue in _queues)
        {
            if (!committed.TryGetValue(queue.Partition, out var commit) || !CommitMetadata.TryDecode(commit.Metadata, out var time, out var values)) continue;
            queue.PartitionTime = time;
            if (time > _context.StreamTime) _context.StreamTime = time;
            foreach (var (key, value) in values) _context.RestoreProcessorValue(key, value);
        }
    }

    /// <summary>Adds an input partition: one of a topic that appeared after the task was made and that a pattern matches.</summary>
    public RecordQueue AddInput(TopicPartition input)
    {
        var source = _subtopology.SourceOf(input.Topic)
            ?? throw new InvalidOperationException($"Task {Id} was given {input}, which none of its sources reads.");
        var settings = new RecordQueueSettings { Task = _context, DefaultTimestampPolicy = _environment.TimestampPolicy };
        var queue = source.CreateQueue(input, _nodes.First(node => node.NodeName == source.Name), settings);
        _queues.Add(queue);
        _queueByPartition.Add(input, queue);
        _context.Metrics.SetQueues(_queues);
        return queue;
    }

    /// <summary>Gives an input partition up: its topic has been deleted. Waiting for it would hold the others up for ever.</summary>
    public void RemoveInput(TopicPartition input)
    {
        if (!_queueByPartition.Remove(input, out var queue)) return;
        _queues.Remove(queue);
        _context.Metrics.SetQueues(_queues);
        _startPositions.Remove(input);
        queue.Clear();
    }

    public bool Reads(TopicPartition partition) => _queueByPartition.ContainsKey(partition);

    public RecordQueue Queue(TopicPartition partition) => _queueByPartition[partition];

    /// <summary>Takes a batch over.</summary>
    public void Enqueue(RecordBatch batch)
    {
        var queue = _queueByPartition[batch.Partition];
        var had = queue.Count;
        var came = batch.Count;
        queue.Enqueue(batch);

        // What could not be read has been judged already: its offsets, and its dead letters, are work to commit even when nothing else comes (E-109).
        if (queue.Count < had + came) CommitNeeded = true;
    }

    /// <summary>
    /// Processes up to so many records, always the one with the smallest timestamp next; of equal ones, that of the partition that was added first.
    /// </summary>
    /// <returns>Number of records processed; 0 when there is nothing to do or the task waits for a partition without records.</returns>
    public int Process(int maxRecords)
    {
        var processed = 0;
        DrainAsync();
        Rest();
        var mark = _context.Metrics.BeginTurn(_environment.Metrics is null ? null : _environment.EndOffset);
        using (Gate.EnterAsOwner())
        {
            while (processed < maxRecords && !_context.Paced.HoldTaskUp() && IsProcessable())
            {
                var (next, limit, includeLimit) = Next();
                if (next is null) break;
                processed += next.Process(limit, includeLimit, maxRecords - processed, _streamTime);
                CommitNeeded = true;
                if (_context.CommitRequested) break;
                if (Gate.IsWanted) LetReadersIn();
            }
        }

        if (processed > 0) _context.Metrics.EndTurn(mark, processed);
        return processed;
    }

    // However many ask and however often, most of the time is the task's.
    private void LetReadersIn()
    {
        var now = _environment.Time.GetTimestamp();
        if (_environment.Time.GetElapsedTime(_lastYield, now) < _timeBetweenYields) return;
        Gate.Yield();
        _lastYield = _environment.Time.GetTimestamp();
    }

    /// <summary>Processes the head of one queue, which has one: for a caller that decides the order itself.</summary>
    public void ProcessHead(RecordQueue queue)
    {
        using var gate = Gate.EnterAsOwner();
        var mark = _context.Metrics.BeginTurn(_environment.Metrics is null ? null : _environment.EndOffset);
        queue.Process(long.MaxValue, true, 1, _streamTime);
        _context.Metrics.EndTurn(mark, 1);
        DrainAsync();
        CommitNeeded = true;
    }

    /// <summary>Whether somebody who reads what the task sends out has to catch up first.</summary>
    public bool IsHeldUp => _context.Paced.HoldTaskUp();

    /// <summary>
    /// Lets nodes look at the stores between two records, if they want to. What caches hold back goes out first, so that who looks at a store now and is told of every change from
    /// now on misses nothing and hears nothing twice.
    /// </summary>
    public void Rest()
    {
        if (!_started || !_context.Paced.WantRest) return;
        using var gate = Gate.EnterAsOwner();
        if (_stores.Exists(static store => store.Store.HoldsWrites))
        {
            FlushStores();
            CommitNeeded = true;
        }

        _context.Paced.Rest();
    }

    /// <summary>Asynchronous calls that have not been taken in.</summary>
    public int PendingAsyncCalls => _context.Async.Pending;

    /// <summary>Takes in the results of asynchronous calls that are there.</summary>
    public int DrainAsync()
    {
        if (_context.Async.Pending == 0) return 0;
        using var gate = Gate.EnterAsOwner();
        var drained = _context.Async.Drain();
        if (drained > 0) CommitNeeded = true;
        return drained;
    }

    /// <summary>Fires the wall-clock callbacks that are due.</summary>
    public bool PunctuateWallClock()
    {
        var now = _environment.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (now < _wallClock.NextDue || _context.Paced.HoldTaskUp()) return false;
        using var gate = Gate.EnterAsOwner();
        while (_wallClock.TryTake(now, out var due)) Punctuation.Run(_context, due, now);
        CommitNeeded = true;
        return true;
    }

    /// <summary>Wall-clock time at which a callback is due, Unix milliseconds; <see cref="long.MaxValue"/> when none is, or the task is held up.</summary>
    public long NextWallClockPunctuation => _context.Paced.HoldTaskUp() ? long.MaxValue : _wallClock.NextDue;

    /// <summary>First half of a commit: sends on and logs what caches held back, and says which offsets are consumed.</summary>
    public IReadOnlyList<OffsetCommit> PrepareCommit()
    {
        // What a cache gives out may set calls off, whose results may be cached in turn further down; each round is one stage nearer to the end.
        do
        {
            // Not inside the gate: readers need not wait for calls.
            _context.Async.Finish(DrainAsync);
            using (Gate.EnterAsOwner()) FlushStores();
        }
        while (_context.Async.Pending > 0);
        using var gate = Gate.EnterAsOwner();
        var offsets = new List<OffsetCommit>(_queues.Count);
        foreach (var queue in _queues)
        {
            // A wall-clock callback may have something to remember before anything has been read since the start: it goes with the offset that reading begins at.
            if ((queue.Position ?? (_context.ProcessorValuesChanged ? StartPosition(queue) : null)) is { } position)
                offsets.Add(new OffsetCommit(queue.Partition, position, CommitMetadata.Encode(queue.PartitionTime, _context.ProcessorValues)));
        }

        return offsets;
    }

    private void FlushStores()
    {
        foreach (var store in _stores) store.Store.Flush();

        // A store's flush goes downstream, where it may be written to a store before it in the list. Each pass reaches one more of a row of such stores.
        for (var pass = 1; _stores.Exists(static store => store.Store.HoldsWrites); pass++)
        {
            if (pass > _stores.Count)
                throw new StateStoreException($"The stores of task {Id} are written to by their own flush, {pass} times over: do two processors feed each other's stores?");
            foreach (var store in _stores)
            {
                if (store.Store.HoldsWrites) store.Store.Flush();
            }
        }
    }

    /// <summary>Second half of a commit, when outputs and offsets are safe: makes the stores durable at the changelog offset that they now contain.</summary>
    public void CompleteCommit()
    {
        using var gate = Gate.EnterAsOwner();
        foreach (var store in _stores) store.Store.Commit(store.OffsetToCommit(this));
        CommitNeeded = false;
        _context.ProcessorValuesChanged = false;
        _context.CommitRequested = false;
        _context.Paced.Committed();
        AnswerCommittedReads();
    }

    /// <summary>Second half of a commit of a global task, whose store counts commits instead of offsets: it is fed from several partitions.</summary>
    public void CompleteGlobalCommit(long number)
    {
        foreach (var store in _stores) store.Store.Commit(number);
        CommitNeeded = false;
        _context.CommitRequested = false;
    }

    /// <summary>Ends the task: nodes first, then stores. Call after a commit; without one, what was written since is given up.</summary>
    public void Close()
    {
        using var gate = Gate.EnterAsOwner();
        List<Exception>? failures = null;
        if (_started)
        {
            foreach (var node in _nodes) Attempt(node.Close);
        }

        foreach (var queue in _queues) queue.Clear();
        foreach (var store in _stores) Attempt(store.Store.Dispose);
        Gate.Close();
        FailCommittedReads();
        _started = false;
        _environment.Metrics?.Remove(_context.Metrics);
        if (failures is not null)
            throw new AggregateException($"Task {Id} did not close cleanly.", failures);

        void Attempt(Action close)
        {
            // Each part is closed whatever the others do; the failures are reported together.
            try
            {
                close();
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                (failures ??= []).Add(failure);
            }
        }
    }

    private void BuildNodes(IReadOnlyCollection<TopicPartition> inputs)
    {
        var factory = new NodeFactory { ResolveTopic = _subtopology.ResolveTopic, Collector = _environment.Collector };
        var byName = new Dictionary<string, Processor>();
        foreach (var definition in _subtopology.Nodes)
        {
            var node = definition.Create(factory);
            node.Name(definition.Name);
            byName.Add(definition.Name, node);
            _nodes.Add(node);
            foreach (var parent in definition.Parents) byName[parent].Connect(node);
        }

        foreach (var input in inputs) AddInput(input);
    }

    private (RecordQueue? Queue, long Limit, bool IncludeLimit) Next()
    {
        RecordQueue? first = null;
        var firstIndex = -1;
        var limit = long.MaxValue;
        var includeLimit = true;
        for (var index = 0; index < _queues.Count; index++)
        {
            var queue = _queues[index];
            if (!queue.HasHead) continue;
            if (first is null || queue.HeadTimestamp < first.HeadTimestamp)
            {
                if (first is not null)
                {
                    limit = first.HeadTimestamp;
                    includeLimit = index < firstIndex;
                }

                first = queue;
                firstIndex = index;
            }
            else if (queue.HeadTimestamp < limit)
            {
                limit = queue.HeadTimestamp;
                includeLimit = true;
            }
        }

        // With other partitions to wait for, a queue that runs empty must be looked at again before the others go on.
        return (first, limit, includeLimit);
    }

    private bool IsProcessable()
    {
        var buffered = 0;
        foreach (var queue in _queues)
        {
            if (queue.HasHead) buffered++;
        }

        if (buffered == _queues.Count)
        {
            _idleSinceMs = -1;
            return buffered > 0;
        }

        if (buffered == 0) return false;
        if (_environment.MaxTaskIdle < TimeSpan.Zero) return true;
        foreach (var queue in _queues)
        {
            if (queue.HasHead) continue;

            // Not knowing the end counts as "there may be more": the first fetch answers it (KIP-695).
            if (_environment.EndOffset(queue.Partition) is not { } end) return false;
            if (queue.Position is { } position ? end > position : !IsKnownEmpty(queue, end)) return false;
        }

        if (_environment.MaxTaskIdle == TimeSpan.Zero) return true;
        var now = _environment.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (_idleSinceMs < 0) _idleSinceMs = now;
        return now - _idleSinceMs >= (long)_environment.MaxTaskIdle.TotalMilliseconds;
    }

    private bool IsKnownEmpty(RecordQueue queue, long end) =>
        _startPositions.TryGetValue(queue.Partition, out var start) ? end <= start : end == 0;

    /// <summary>A store as other threads may read it; <c>null</c> when the task does not have it, or has it no more.</summary>
    /// <exception cref="StateStoreMigratedException">The task is closed.</exception>
    public IStateStore? ReadView(string name)
    {
        using var gate = Gate.Enter();
        if (_views.TryGetValue(name, out var known)) return known;
        if (_stores.Find(store => store.Store.Name == name) is not { } store) return null;
        return store.Store is IShareableStore shareable ? _views.GetOrAdd(name, shareable.Share(Gate, writable: false)) : store.Store;
    }

    /// <summary>Its stores as they are now, for other threads.</summary>
    public IReadOnlyList<TaskStore> StoresNow()
    {
        using var gate = Gate.EnterAsVisitor();
        return [.. _stores];
    }

    /// <summary>Offsets of the next records that the stores do not contain yet, by input partition. Inside the gate only.</summary>
    public IEnumerable<TopicPartitionOffset> InputPositions()
    {
        foreach (var queue in _queues)
        {
            if ((queue.Position ?? StartPosition(queue)) is { } position) yield return new TopicPartitionOffset(queue.Partition, position);
        }
    }

    private long? StartPosition(RecordQueue queue) => _startPositions.TryGetValue(queue.Partition, out var start) ? start : null;

    /// <summary>Reads when everything that the stores contain is committed: at once if it is, else right after the next commit, which is asked for.</summary>
    public async Task<T> ReadCommittedAsync<T>(Func<T> read, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        using (Gate.Enter())
        {
            if (!CommitNeeded) return read();
            _committedReads.Enqueue((() => Answer(answer, read), () => answer.TrySetException(new StateStoreMigratedException("The task moved before it committed. Ask where it is now."))));
            _context.CommitRequested = true;
        }

        return await answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void Answer<T>(TaskCompletionSource<T> answer, Func<T> read)
    {
        // What goes wrong in a read is the reader's to know.
        try
        {
            answer.TrySetResult(read());
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            answer.TrySetException(failure);
        }
    }

    private void AnswerCommittedReads()
    {
        for (var count = 0; count < CommittedReadsPerCommit && _committedReads.TryDequeue(out var waiting); count++) waiting.Read();
        if (!_committedReads.IsEmpty) _context.CommitRequested = true;
    }

    private void FailCommittedReads()
    {
        while (_committedReads.TryDequeue(out var waiting)) waiting.Fail();
    }

    /// <summary>Tells where reading a partition starts, so that an empty queue at the end of its partition is not waited for.</summary>
    public void SetStartPosition(TopicPartition partition, long offset) => _startPositions[partition] = offset;

    private ICancellable Schedule(long? start, TimeSpan interval, PunctuationType type, Punctuator callback, Processor node)
    {
        var intervalMs = (long)interval.TotalMilliseconds;
        if (type == PunctuationType.StreamTime) return _streamTime.Queue.Add(start ?? 0, intervalMs, callback, node);
        var now = _environment.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var firstDue = start ?? (now > long.MaxValue - intervalMs ? long.MaxValue : now + intervalMs);
        return _wallClock.Add(firstDue, intervalMs, callback, node);
    }

    /// <summary>A store of the task and its changelog.</summary>
    internal sealed class TaskStore(IStateStore store, TopicPartition? changelogPartition, Changelog? changelog)
    {
        private long _restoredOffset = -1;

        public IStateStore Store { get; } = store;

        /// <summary>The partition that the store is restored from; <c>null</c> without logging.</summary>
        public TopicPartition? ChangelogPartition { get; } = changelogPartition;

        /// <summary>Whether the changelog is a source topic, to which the store itself does not write.</summary>
        public bool FollowsSource => ChangelogPartition is not null && changelog is null;

        /// <summary>Offset up to which the store was restored. Written by the thread that has the task, read by any.</summary>
        public long? RestoredOffset
        {
            get => Volatile.Read(ref _restoredOffset) is >= 0 and var offset ? offset : null;
            set => Volatile.Write(ref _restoredOffset, value ?? -1);
        }

        /// <summary>Offset that the store is at; <c>null</c> when it is empty. While the task runs it moves with each commit.</summary>
        public long? Position => RestoredOffset is { } restored ? Math.Max(restored, Store.ChangelogOffset ?? 0) : Store.ChangelogOffset;

        /// <summary>The store goes on in another task, from where it is.</summary>
        public void MoveTo(RecordCollector collector)
        {
            RestoredOffset = Position;
            changelog?.MoveTo(collector);
        }

        public long? OffsetToCommit(StreamTask task)
        {
            if (ChangelogPartition is not { } partition) return null;
            if (changelog is null) return task._queueByPartition.TryGetValue(partition, out var queue) ? queue.Position ?? RestoredOffset ?? Store.ChangelogOffset : RestoredOffset;

            // A store that was a standby in between has taken more than its producer wrote.
            return changelog.AcknowledgedOffset is { } written ? Math.Max(written, RestoredOffset ?? 0) : RestoredOffset ?? Store.ChangelogOffset;
        }
    }

    /// <summary>Writes a store's changelog.</summary>
    internal sealed class Changelog(RecordCollector collector, string topicName, int partition) : IChangelog
    {
        private RecordCollector collector = collector;
        private ProducerTopic? _topic;

        /// <summary>The store goes on in a task that writes through another producer.</summary>
        public void MoveTo(RecordCollector next)
        {
            collector = next;
            _topic = null;
        }

        public long? AcknowledgedOffset => _topic is null ? null : collector.Producer.AcknowledgedOffset(_topic, partition);

        public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasValue, long timestamp, Headers? headers = null)
        {
            _topic ??= collector.Producer.GetTopic(topicName, trackOffsets: true);
            collector.Send(_topic, partition, new OutgoingRecord(key, true, value, hasValue, timestamp, headers));
        }
    }

    private sealed class StoreContext(StreamTask task, IChangelog? changelog, StoreMetrics? metrics) : IRuntimeStoreContext, IMeasuredStoreContext
    {
        private StreamTask task = task;

        /// <summary>The store goes on in another task object of the same id.</summary>
        public void MoveTo(StreamTask next) => task = next;

        public StoreMetrics? StoreMetrics { get; } = metrics;

        public ILogger Logger => task._environment.Logger;

        public IReadOnlyDictionary<string, string> RocksDbOptionsOf(string store) => task._environment.RocksDbOptionsOf(store);

        public string ApplicationId => task._environment.ApplicationId;

        public TaskId TaskId => task.Id;

        public string TaskDirectory => task._environment.TaskDirectory(task.Id);

        public IChangelog? Changelog { get; } = changelog;

        public long Timestamp => task._context.Timestamp;

        public StateMemory Memory => task._environment.Memory;

        public RecordCoordinates Coordinates
        {
            get
            {
                var context = task._context;
                return new RecordCoordinates(context.Topic, context.Partition, context.Offset, context.Timestamp, context.HasRecord, context.Headers);
            }

            set
            {
                var context = task._context;
                context.Topic = value.Topic;
                context.Partition = value.Partition;
                context.Offset = value.Offset;
                context.Timestamp = value.Timestamp;
                context.HasRecord = value.HasRecord;
                context.Headers = value.Headers;
            }
        }

        public void RecordDropped() => task._context.Metrics.Drop(DropReason.Expired);
    }
}
