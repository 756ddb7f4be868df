using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>How a commit ended.</summary>
internal enum CommitResult
{
    /// <summary>Outputs, offsets and state are committed.</summary>
    Done,

    /// <summary>Nothing is, and nothing is lost: try again later.</summary>
    NotNow,
}

/// <summary>
/// Owns a thread's producer and commits its tasks. The order is the promise: outputs and changelogs are acknowledged before offsets move, and state
/// follows last, so that a crash at any point leaves at worst records that are processed again, never a record whose effect is missing.
/// </summary>
/// <remarks>
/// <para>
/// With <see cref="ProcessingGuarantee.ExactlyOnce"/> outputs, changelogs and offsets of all tasks of the thread are one transaction, which begins with the first
/// record that is sent after a commit. One transaction cannot be given up in part: when one task of the thread loses its right to commit, all of them go back to the
/// last commit.
/// </para>
/// <para>
/// After <see cref="Abandon"/> the producer is gone, and with it whatever it had not sent; <see cref="Open"/> makes another, which fences it.
/// Used from the thread only. Source: Kafka's <c>TaskExecutor</c> and <c>StreamsProducer</c>; KIP-447.
/// </para>
/// </remarks>
internal sealed class Committer : IDisposable
{
    /// <summary>
    /// How long a client that sends by itself may hold a record back. Kafka Streams' 100 ms would be the latency of every output; under load batches fill in less time than
    /// this. With transactions nobody sees a record before the commit, which waits for nothing.
    /// </summary>
    private static readonly TimeSpan _linger = TimeSpan.FromMilliseconds(2);

    /// <summary>How long a commit waits for the answer to a join that the coordinator must have given already, since it does not know the generation before any more.</summary>
    private static readonly TimeSpan _generationPatience = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _generationPause = TimeSpan.FromMilliseconds(2);

    /// <summary>How long giving up a transaction may take; past that it is left to its time-out, or to the next producer of the same id.</summary>
    private static readonly TimeSpan _abortPatience = TimeSpan.FromSeconds(3);

    private readonly string _threadName;
    private readonly StreamsConfig _config;
    private readonly ICluster _cluster;
    private readonly IGroupCoordinator _coordinator;
    private readonly Func<GroupMembership> _membership;
    private readonly Func<GroupMembership, bool> _mayBeOutdated;
    private readonly ProducerOptions _options;
    private readonly ILogger _logger;
    private readonly ClosePatience _closing;
    private readonly List<DeadLetterRecord> _deadLetters = [];
    private RecordCollector? _collector;
    private CancellationTokenSource _lost = new();
    private long? _unavailableSince;

    public Committer(
        string threadName, string transactionalId, StreamsConfig config, ICluster cluster, IGroupCoordinator coordinator, Func<GroupMembership> membership, Func<GroupMembership, bool> mayBeOutdated, ErrorPolicy errors, ClosePatience closing, ILogger logger)
    {
        _threadName = threadName;
        _config = config;
        _cluster = cluster;
        _coordinator = coordinator;
        _membership = membership;
        _mayBeOutdated = mayBeOutdated;
        _closing = closing;
        _logger = logger;
        _options = new ProducerOptions
        {
            ClientId = threadName + "-producer",
            TransactionalId = IsExactlyOnce ? transactionalId : null,
            Linger = IsExactlyOnce ? TimeSpan.FromMilliseconds(100) : _linger,
            TransactionTimeout = config.TransactionTimeout,
            OnRefused = (topic, failure) => IsLeftOut(errors, topic, failure),
            Properties = config.ProducerProperties,
            Closing = closing.Commits,
        };
    }

    /// <summary>Where the time spent waiting for the cluster is counted; <c>null</c> for nowhere.</summary>
    public ThreadMetrics? Metrics { get; init; }

    /// <summary>What tasks write through; changes with <see cref="Open"/>.</summary>
    public RecordCollector Collector => _collector ?? throw new InvalidOperationException("The producer is not open.");

    [MemberNotNullWhen(true, nameof(_collector))]
    public bool IsOpen => _collector is not null;

    /// <summary>Whether a transaction is open, which has to be committed however little is in it.</summary>
    public bool HasOpenTransaction => _collector is { IsTransactionOpen: true };

    /// <summary>
    /// Cancelled by whoever learns that the tasks are not this instance's any more: the commit under way then does not wait for the cluster. Another one with each producer. Read from any thread.
    /// </summary>
    public CancellationTokenSource Lost => Volatile.Read(ref _lost);

    private bool IsExactlyOnce => _config.ProcessingGuarantee == ProcessingGuarantee.ExactlyOnce;

    /// <summary>Makes the producer; with transactions, fences the one before and ends what it left open.</summary>
    /// <exception cref="ClusterUnavailableException">The cluster does not answer; try again.</exception>
    public void Open(CancellationToken cancellationToken)
    {
        if (IsOpen) return;
        var producer = _cluster.CreateProducer(_options);
        try
        {
            if (IsExactlyOnce) producer.InitTransactions(cancellationToken);
        }
        catch (Exception)
        {
            producer.Dispose();
            throw;
        }

        Volatile.Write(ref _lost, new CancellationTokenSource());
        _collector = new RecordCollector(producer, IsExactlyOnce);
    }

    /// <summary>Commits tasks.</summary>
    /// <param name="tasks">With an open transaction, all tasks that may have sent something in it.</param>
    /// <param name="offsets">The committed offsets; empty unless done.</param>
    /// <exception cref="TaskMigratedException">The tasks are somebody else's.</exception>
    /// <exception cref="TransactionAbortedException">Nothing is committed, or it is not known whether it is: all tasks go back to the last commit, as the cluster knows it.</exception>
    /// <exception cref="ClusterUnavailableException">The cluster did not answer for <c>task.timeout.ms</c>.</exception>
    public CommitResult Commit(IReadOnlyList<StreamTask> tasks, out IReadOnlyList<OffsetCommit> offsets)
    {
        offsets = [];
        if (tasks.Count == 0) return CommitResult.Done;
        try
        {
            var consumed = Prepare(tasks);
            var waiting = Metrics?.Mark();
            FlushProducer();
            if (IsExactlyOnce) CommitTransaction(consumed);
            else if (!CommitOffsets(consumed)) return CommitResult.NotNow;
            if (waiting is { } since) Metrics?.Blocked(since);
            foreach (var task in tasks) task.CompleteCommit();
            _unavailableSince = null;
            offsets = consumed;
            return CommitResult.Done;
        }
        catch (ClusterUnavailableException failure)
        {
            Retry(failure);
            return CommitResult.NotNow;
        }
        catch (OperationCanceledException) when (_closing.Commits.IsCancellationRequested)
        {
            throw new TransactionAbortedException("The cluster did not answer before the application closed.");
        }
    }

    // What a cache has given out it does not have any more: a flush that broke off in the middle cannot be made again.
    private static List<OffsetCommit> Prepare(IReadOnlyList<StreamTask> tasks)
    {
        var consumed = new List<OffsetCommit>();
        try
        {
            foreach (var task in tasks) consumed.AddRange(task.PrepareCommit());
            return consumed;
        }
        catch (ClusterUnavailableException failure)
        {
            throw new TransactionAbortedException("The cluster did not answer while stores were flushed: " + failure.Message, failure);
        }
    }

    /// <summary>Sends off what waits for company, so that latency is low when there is little to do.</summary>
    public void SendPending()
    {
        try
        {
            _collector?.Producer.SendPending();
        }
        catch (ClusterUnavailableException failure)
        {
            // Nothing is lost: the records stay with the producer, and the next commit waits for them and counts the time.
            Log.CommitRetried(_logger, _threadName, _config.TaskTimeout.TotalMilliseconds, failure);
        }
    }

    /// <summary>Gives up what was written since the last commit. The tasks that wrote it are closed.</summary>
    public void Abandon()
    {
        if (!IsOpen) return;
        var collector = _collector;
        _collector = null;
        _unavailableSince = null;
        _deadLetters.Clear();
        try
        {
            if (collector.IsTransactionOpen)
            {
                using var patience = new CancellationTokenSource(_abortPatience, _config.TimeProvider);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _closing.Farewells);
                collector.Producer.AbortTransaction(both.Token);
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Fenced, timed out, unreachable, or committed after all: whatever it is, the transaction ends without us, and the producer is not used again.
            Log.AbortFailed(_logger, _threadName, failure);
        }
        finally
        {
            collector.Producer.Dispose();
        }
    }

    public void Dispose() => Abandon();

    // A refusal becomes known in the middle of a send or flush, so what its handler wants written waits until that is over.
    private void FlushProducer()
    {
        FlushWhileOurs();
        if (_deadLetters.Count == 0) return;
        var deadLetters = _deadLetters.ToArray();
        _deadLetters.Clear();
        Collector.SendDeadLetters(deadLetters, stops: false);
        FlushWhileOurs();

        // Refusals of dead letters themselves end here: writing about them to the same topic would not end.
        _deadLetters.Clear();
    }

    // Without transactions nothing fences off what the cluster takes late: when the tasks have another owner, it would come after what that one writes, into their changelogs too.
    private void FlushWhileOurs()
    {
        if (IsExactlyOnce)
        {
            Collector.Producer.Flush(_closing.Commits);
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(_closing.Commits, _lost.Token);
        try
        {
            Collector.Producer.Flush(either.Token);
        }
        catch (OperationCanceledException) when (_lost.IsCancellationRequested)
        {
            throw new TaskMigratedException("The instance is not a member of its group any more, and what it has written was not acknowledged until then.");
        }
    }

    // Which records they were, and of which task, nobody knows any more.
    private bool IsLeftOut(ErrorPolicy errors, string topic, ProductionException failure)
    {
        var context = new ErrorHandlerContext("", default, null, OutgoingRecord.TimeOfWriting, Headers.Empty, null, null) { DeadLetterTopic = errors.DeadLetterTopic };
        var response = errors.Production(context, topic, failure);
        if (response.Decision == ErrorDecision.Retry)
            throw new TaskCorruptedException($"Records for topic '{topic}' were refused, and the production handler wants another try: {failure.Message}", failure);
        if (response.Decision != ErrorDecision.Continue) return false;
        _deadLetters.AddRange(response.DeadLetters);
        errors.Dropped(context, failure);
        return true;
    }

    private bool CommitOffsets(List<OffsetCommit> offsets)
    {
        if (offsets.Count == 0) return true;
        var membership = _membership();
        var error = _coordinator.CommitOffsetsAsync(membership, offsets, _closing.Commits).GetAwaiter().GetResult();

        // Tasks go on during a rebalance, and the generation may move while a commit is on its way.
        if (error == GroupError.IllegalGeneration && _mayBeOutdated(membership)) return false;
        if (error == GroupError.RebalanceInProgress) return false;
        return error == GroupError.None ? true : throw new TaskMigratedException($"The group refused the commit of {offsets.Count} offset(s): {error}.");
    }

    private void CommitTransaction(List<OffsetCommit> offsets)
    {
        if (offsets.Count == 0 && !HasOpenTransaction) return;
        Collector.BeginTransaction();
        var producer = Collector.Producer;
        var membership = _membership();
        try
        {
            if (offsets.Count > 0) membership = SendOffsets(producer, offsets, membership);
            producer.CommitTransaction(_closing.Commits);
        }
        catch (TaskMigratedException failure) when (_mayBeOutdated(membership))
        {
            // The generation moved while the offsets were on their way: the transaction is lost, the tasks are not. If they are, the join under way says so.
            throw new TransactionAbortedException("The group was rebalancing when the transaction was committed: " + failure.Message, failure);
        }
        catch (ClusterUnavailableException failure)
        {
            // It may be committed or not. The next producer's start waits for the outcome, and the tasks then go on from the offsets that it left.
            throw new TransactionAbortedException("The cluster did not answer whether the transaction is committed: " + failure.Message, failure);
        }

        Collector.IsTransactionOpen = false;
    }

    // The generation may move while the offsets are on their way. The tasks are this member's in the next one too, until it lets go of them itself, so the offsets are sent once more as its
    // member, where the client can do that (librdkafka gives the transaction up): otherwise all tasks of the thread, those that stay too, would have to go back for it.
    private GroupMembership SendOffsets(IRecordProducer producer, List<OffsetCommit> offsets, GroupMembership membership)
    {
        while (true)
        {
            try
            {
                producer.SendOffsetsToTransaction(offsets, membership, _closing.Commits);
                return membership;
            }
            catch (TaskMigratedException) when (_mayBeOutdated(membership))
            {
                if (NextGeneration(membership) is not { } next) throw;
                membership = next;
            }
        }
    }

    // Another member id means that the membership was lost in between, and the tasks with it. The generations of a rebalance after the other are as many as there are: each is waited for anew.
    private GroupMembership? NextGeneration(GroupMembership used)
    {
        var started = _config.TimeProvider.GetTimestamp();
        while (true)
        {
            var now = _membership();
            if (now.MemberId != used.MemberId) return null;
            if (now.GenerationId > used.GenerationId) return now;
            if (_config.TimeProvider.GetElapsedTime(started) >= _generationPatience || _closing.Commits.IsCancellationRequested) return null;
            _config.Threads.Sleep(_generationPause, _closing.Commits);
        }
    }

    private void Retry(ClusterUnavailableException failure)
    {
        _unavailableSince ??= _config.TimeProvider.GetTimestamp();
        if (_config.TimeProvider.GetElapsedTime(_unavailableSince.Value) >= _config.TaskTimeout)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        Log.CommitRetried(_logger, _threadName, _config.TaskTimeout.TotalMilliseconds, failure);
    }
}
