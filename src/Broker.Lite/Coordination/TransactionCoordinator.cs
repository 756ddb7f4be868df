using System.Collections.Immutable;
using Broker.Lite.Diagnostics;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// Transactions: who may write under a transactional id, which partitions are in its transaction, and how it ends.
/// </summary>
/// <remarks>
/// Every method runs on the <see cref="BrokerLoop"/>. A change is in the journal before it is answered or acted on. The end of a
/// transaction is decided by one record (PrepareCommit or PrepareAbort); what follows, a marker to each partition and the record that all
/// are written, happens at once as a rule, is tried again while the disk refuses it, and is made up for after a restart: writing a marker
/// twice changes nothing. Source: KIP-98, KIP-360, KIP-447, the first part of KIP-890; Kafka's <c>TransactionCoordinator</c>.
/// </remarks>
internal sealed class TransactionCoordinator
{
    // One broker, which never loses the lead: the epoch of __transaction_state's partitions.
    private const int CoordinatorEpoch = Partition.LeaderEpoch;
    private const int RetryMs = 1000;

    private readonly TransactionOptions _options;
    private readonly TopicCatalog _catalog;
    private readonly OffsetsTopic _offsetsTopic;
    private readonly GroupOffsets _offsets;
    private readonly ITransactionJournal _journal;
    private readonly LoopTimers _timers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<string, Transaction> _transactions;

    // Of ongoing transactions the time-out, of decided ones that could not be completed the next attempt.
    private readonly Dictionary<string, LoopTimer> _deadlines = new(StringComparer.Ordinal);

    public TransactionCoordinator(
        TransactionOptions options,
        TopicCatalog catalog,
        OffsetsTopic offsetsTopic,
        GroupOffsets offsets,
        ITransactionJournal journal,
        Dictionary<string, Transaction> restored,
        LoopTimers timers,
        TimeProvider time,
        ILogger logger)
    {
        _options = options;
        _catalog = catalog;
        _offsetsTopic = offsetsTopic;
        _offsets = offsets;
        _journal = journal;
        _transactions = restored;
        _timers = timers;
        _time = time;
        _logger = logger;
    }

    /// <summary>All transactional ids that are known.</summary>
    public IReadOnlyCollection<Transaction> All => _transactions.Values;

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public Transaction? Find(string transactionalId) => _transactions.GetValueOrDefault(transactionalId);

    /// <summary>
    /// Takes up what the last run of the broker left: decided transactions are completed, open ones may go on until their time-out. Once,
    /// before anybody is served.
    /// </summary>
    public void Resume()
    {
        foreach (var transaction in _transactions.Values.ToList())
        {
            if (transaction.IsDecided)
            {
                Complete(transaction);
            }
            else if (transaction.State == TransactionState.Ongoing)
            {
                Admit(transaction, transaction.Partitions);
                ScheduleTimeout(transaction);
            }
        }

        ScheduleExpiry();
    }

    /// <summary>
    /// Gives the producer of a transactional id its id and epoch. What an earlier one left open is aborted, and that one is fenced. A
    /// producer that says who it is keeps its id and gets the next epoch, unless it has been fenced itself (KIP-360).
    /// </summary>
    /// <param name="transactionalId">The transactional id.</param>
    /// <param name="timeoutMs">How long a transaction may be open, in milliseconds.</param>
    /// <param name="expectedProducerId">The caller's producer id, or -1.</param>
    /// <param name="expectedEpoch">The caller's epoch, or -1.</param>
    public (ErrorCode Error, long ProducerId, short ProducerEpoch) Initialise(string transactionalId, int timeoutMs, long expectedProducerId, short expectedEpoch)
    {
        if (transactionalId.Length == 0 || (expectedProducerId < 0) != (expectedEpoch < 0))
            return Failed(ErrorCode.InvalidRequest);
        if (timeoutMs <= 0 || timeoutMs > _options.MaxTimeoutMs)
            return Failed(ErrorCode.InvalidTransactionTimeout);

        var isRecovering = expectedProducerId >= 0;
        if (Find(transactionalId) is not { } transaction)
        {
            var (error, producerId) = _catalog.NextProducerId();
            if (error != ErrorCode.None)
                return Failed(ErrorCode.CoordinatorNotAvailable);
            return Grant(new Transaction
            {
                TransactionalId = transactionalId,
                ProducerId = producerId,
                ProducerEpoch = 0,
                TimeoutMs = timeoutMs,
                LastUpdateTimestampMs = NowMs,
            });
        }

        var isCurrent = expectedProducerId == transaction.ProducerId && expectedEpoch == transaction.ProducerEpoch;
        if (isRecovering && !isCurrent && !IsRepeated(transaction, expectedProducerId, expectedEpoch))
            return Failed(ErrorCode.ProducerFenced);

        if (transaction.State == TransactionState.Ongoing)
        {
            if (isRecovering && !isCurrent)
                return Failed(ErrorCode.ProducerFenced);
            if (Fence(transaction, isRecovering) is var error and not ErrorCode.None)
                return Failed(error);
        }
        else if (transaction.IsDecided)
        {
            Complete(transaction);
        }

        transaction = _transactions[transactionalId];
        if (transaction.IsDecided)
            return Failed(ErrorCode.ConcurrentTransactions);
        // The answer to its last request was lost: it gets it again, not yet another epoch.
        if (isRecovering && !isCurrent)
            return (ErrorCode.None, transaction.ProducerId, transaction.ProducerEpoch);
        return GrantNextEpoch(transaction, timeoutMs, isRecovering ? expectedEpoch : (short)-1);
    }

    /// <summary>Takes partitions into the transaction, which begins with the first ones.</summary>
    public ErrorCode AddPartitions(string transactionalId, long producerId, short producerEpoch, IReadOnlyCollection<OffsetPartition> partitions)
    {
        var error = Check(transactionalId, producerId, producerEpoch, out var transaction);
        if (error != ErrorCode.None)
            return error;
        var isOngoing = transaction!.State == TransactionState.Ongoing;
        if (isOngoing && partitions.All(transaction.Partitions.Contains))
            return ErrorCode.None;

        var now = NowMs;
        var next = transaction with
        {
            State = TransactionState.Ongoing,
            Partitions = transaction.Partitions.Union(partitions),
            StartTimestampMs = isOngoing ? transaction.StartTimestampMs : now,
            LastUpdateTimestampMs = now,
        };
        if (!TryStore(next))
            return ErrorCode.CoordinatorNotAvailable;
        Admit(next, partitions);
        if (!isOngoing)
            ScheduleTimeout(next);
        return ErrorCode.None;
    }

    /// <summary>Takes the offsets of a group into the transaction.</summary>
    public ErrorCode AddOffsets(string transactionalId, long producerId, short producerEpoch, string groupId)
    {
        if (groupId.Length == 0)
            return ErrorCode.InvalidGroupId;
        // Checked first: who is not the producer must not be able to create the topic.
        var error = Check(transactionalId, producerId, producerEpoch, out _);
        if (error != ErrorCode.None)
            return error;
        if (_offsetsTopic.TryGetPartition(groupId, out var partition) != ErrorCode.None)
            return ErrorCode.CoordinatorNotAvailable;
        return AddPartitions(transactionalId, producerId, producerEpoch, [new OffsetPartition(partition!.Topic, partition.Index)]);
    }

    /// <summary>Whether a producer may commit a group's offsets in its transaction now.</summary>
    public ErrorCode CheckOffsets(string transactionalId, long producerId, short producerEpoch, string groupId) =>
        Verify(transactionalId, producerId, producerEpoch, new OffsetPartition(TopicName.ConsumerOffsets, _offsetsTopic.PartitionOf(groupId)));

    /// <summary>Why a producer may not write to a partition, in the words of Produce and TxnOffsetCommit; NONE if it may.</summary>
    public ErrorCode Verify(string transactionalId, long producerId, short producerEpoch, OffsetPartition partition)
    {
        var error = Check(transactionalId, producerId, producerEpoch, out var transaction);
        if (error == ErrorCode.ProducerFenced)
            return ErrorCode.InvalidProducerEpoch;
        if (error != ErrorCode.None)
            return error;
        return transaction!.State == TransactionState.Ongoing && transaction.Partitions.Contains(partition) ? ErrorCode.None : ErrorCode.InvalidTxnState;
    }

    /// <summary>
    /// Commits or aborts. Repeating the last end is no error, and neither is an end before anything was added.
    /// </summary>
    public ErrorCode End(string transactionalId, long producerId, short producerEpoch, bool isCommit)
    {
        var error = CheckIdentity(transactionalId, producerId, producerEpoch, out var transaction);
        if (error != ErrorCode.None)
            return error;
        switch (transaction!.State)
        {
            case TransactionState.Ongoing:
                return Decide(transaction, isCommit);
            case TransactionState.Empty:
                return ErrorCode.None;
            case TransactionState.PrepareCommit or TransactionState.PrepareAbort:
                var isSame = isCommit == (transaction.State == TransactionState.PrepareCommit);
                return isSame ? ErrorCode.ConcurrentTransactions : ErrorCode.InvalidTxnState;
            default:
                return isCommit == (transaction.State == TransactionState.CompleteCommit) ? ErrorCode.None : ErrorCode.InvalidTxnState;
        }
    }

    private static (ErrorCode Error, long ProducerId, short ProducerEpoch) Failed(ErrorCode error) => (error, -1, -1);

    /// <summary>Whether the caller has what it had before the last epoch was given out: it did not get the answer.</summary>
    private static bool IsRepeated(Transaction transaction, long producerId, short epoch) =>
        epoch == transaction.LastProducerEpoch
        && (producerId == transaction.ProducerId || (producerId == transaction.LastProducerId && epoch >= Transaction.LastUsableEpoch));

    private ErrorCode CheckIdentity(string transactionalId, long producerId, short producerEpoch, out Transaction? transaction)
    {
        transaction = null;
        if (transactionalId.Length == 0)
            return ErrorCode.InvalidRequest;
        transaction = Find(transactionalId);
        if (transaction is null || transaction.ProducerId != producerId)
            return ErrorCode.InvalidProducerIdMapping;
        return transaction.ProducerEpoch == producerEpoch ? ErrorCode.None : ErrorCode.ProducerFenced;
    }

    private ErrorCode Check(string transactionalId, long producerId, short producerEpoch, out Transaction? transaction)
    {
        var error = CheckIdentity(transactionalId, producerId, producerEpoch, out transaction);
        return error == ErrorCode.None && transaction!.IsDecided ? ErrorCode.ConcurrentTransactions : error;
    }

    private (ErrorCode Error, long ProducerId, short ProducerEpoch) GrantNextEpoch(Transaction transaction, int timeoutMs, short askedWithEpoch)
    {
        var next = transaction with
        {
            ProducerEpoch = (short)(transaction.ProducerEpoch + 1),
            LastProducerId = -1,
            LastProducerEpoch = askedWithEpoch,
            TimeoutMs = timeoutMs,
            State = TransactionState.Empty,
            Partitions = [],
            StartTimestampMs = -1,
            LastUpdateTimestampMs = NowMs,
        };
        if (transaction.IsEpochExhausted)
        {
            var (error, producerId) = _catalog.NextProducerId();
            if (error != ErrorCode.None)
                return Failed(ErrorCode.CoordinatorNotAvailable);
            next = next with { ProducerId = producerId, ProducerEpoch = 0, LastProducerId = transaction.ProducerId };
        }

        return Grant(next);
    }

    private (ErrorCode Error, long ProducerId, short ProducerEpoch) Grant(Transaction transaction) =>
        TryStore(transaction) ? (ErrorCode.None, transaction.ProducerId, transaction.ProducerEpoch) : Failed(ErrorCode.CoordinatorNotAvailable);

    /// <summary>
    /// Aborts a transaction under an epoch that its producer does not have, so that it cannot go on; unless it asked for that itself and
    /// asks again.
    /// </summary>
    private ErrorCode Fence(Transaction transaction, bool isRecovering) => Decide(
        transaction with
        {
            ProducerEpoch = (short)(transaction.ProducerEpoch + 1),
            LastProducerId = -1,
            LastProducerEpoch = isRecovering ? transaction.ProducerEpoch : (short)-1,
        },
        isCommit: false);

    private ErrorCode Decide(Transaction transaction, bool isCommit)
    {
        var decided = transaction with
        {
            State = isCommit ? TransactionState.PrepareCommit : TransactionState.PrepareAbort,
            LastUpdateTimestampMs = NowMs,
        };
        if (!TryStore(decided))
            return ErrorCode.CoordinatorNotAvailable;
        Complete(decided);
        return ErrorCode.None;
    }

    /// <summary>Writes the markers of a decided transaction, and that they are written; what fails is tried again later.</summary>
    private void Complete(Transaction transaction)
    {
        CancelDeadline(transaction.TransactionalId);
        var isCommit = transaction.State == TransactionState.PrepareCommit;
        var marker = isCommit ? ControlRecordType.Commit : ControlRecordType.Abort;
        var unmarked = ImmutableHashSet.CreateBuilder<OffsetPartition>();
        foreach (var partition in transaction.Partitions)
        {
            if (!TryMark(transaction, partition, marker))
                unmarked.Add(partition);
        }

        if (unmarked.Count == 0)
        {
            var complete = transaction with
            {
                State = isCommit ? TransactionState.CompleteCommit : TransactionState.CompleteAbort,
                Partitions = [],
                LastUpdateTimestampMs = NowMs,
            };
            if (TryStore(complete))
                return;
        }

        // In memory only: the journal keeps the whole list, and markers may come twice.
        _transactions[transaction.TransactionalId] = transaction with { Partitions = unmarked.ToImmutable() };
        _deadlines[transaction.TransactionalId] = _timers.Schedule(RetryMs, () => Complete(_transactions[transaction.TransactionalId]));
    }

    private bool TryMark(Transaction transaction, OffsetPartition name, ControlRecordType marker)
    {
        if (_catalog.View.Find(name.Topic, name.Partition) is { } partition)
        {
            var bytes = TransactionMarker.Build(marker, transaction.ProducerId, transaction.ProducerEpoch, CoordinatorEpoch, NowMs);
            var appended = partition.AppendMarker(bytes);
            switch (appended.Error)
            {
                case ErrorCode.None or ErrorCode.UnknownTopicOrPartition:
                    break;
                case ErrorCode.InvalidProducerEpoch or ErrorCode.TransactionCoordinatorFenced:
                    // Somebody wrote there under an epoch that was never given out, which the log allows only while no transaction of
                    // this producer is open: so there is nothing to end.
                    Log.MarkerRefused(_logger, transaction.TransactionalId, name.Topic, name.Partition, appended.Error);
                    break;
                default:
                    Log.MarkerNotWritten(_logger, transaction.TransactionalId, name.Topic, name.Partition, appended.Error);
                    return false;
            }
        }

        if (name.Topic == TopicName.ConsumerOffsets)
            _offsets.CompleteTransaction(transaction.ProducerId, marker == ControlRecordType.Commit, name.Partition);
        return true;
    }

    private void Admit(Transaction transaction, IEnumerable<OffsetPartition> partitions)
    {
        foreach (var partition in partitions)
            _catalog.View.Find(partition.Topic, partition.Partition)?.AdmitTransaction(transaction.ProducerId, transaction.ProducerEpoch);
    }

    private void ScheduleTimeout(Transaction transaction)
    {
        // From the wall clock, since it must hold across restarts; one that was set back must not make it longer than it is.
        var left = Math.Clamp(transaction.StartTimestampMs + transaction.TimeoutMs - NowMs, 0, transaction.TimeoutMs);
        CancelDeadline(transaction.TransactionalId);
        _deadlines[transaction.TransactionalId] = _timers.Schedule(left, () => TimeOut(transaction));
    }

    private void TimeOut(Transaction begun)
    {
        // Deadlines are cancelled with the transaction, so it is this one, with more partitions perhaps.
        var transaction = _transactions[begun.TransactionalId];
        Log.TransactionTimedOut(_logger, transaction.TransactionalId, transaction.ProducerId, transaction.TimeoutMs);
        if (Fence(transaction, isRecovering: false) != ErrorCode.None)
            _deadlines[transaction.TransactionalId] = _timers.Schedule(RetryMs, () => TimeOut(begun));
    }

    private void CancelDeadline(string transactionalId)
    {
        if (_deadlines.Remove(transactionalId, out var timer))
            timer.Cancel();
    }

    private void ScheduleExpiry() => _timers.Schedule(_options.IdExpirationCheckIntervalMs, () =>
    {
        Expire();
        ScheduleExpiry();
    });

    /// <summary>Forgets transactional ids without a transaction that nobody has used for transactional.id.expiration.ms.</summary>
    private void Expire()
    {
        var oldest = NowMs - _options.IdExpirationMs;
        foreach (var transaction in _transactions.Values.ToList())
        {
            if (transaction.IsDecided || transaction.State == TransactionState.Ongoing || transaction.LastUpdateTimestampMs > oldest)
                continue;
            var error = _journal.Append(transaction.TransactionalId, TransactionTopicFormat.Tombstone(transaction.TransactionalId));
            if (error != ErrorCode.None)
            {
                Log.TransactionNotPersisted(_logger, transaction.TransactionalId, error);
                return; // the disk is full, or gone: the next round is early enough
            }

            _transactions.Remove(transaction.TransactionalId);
        }
    }

    private bool TryStore(Transaction transaction)
    {
        var error = _journal.Append(transaction.TransactionalId, TransactionTopicFormat.Entry(transaction));
        if (error != ErrorCode.None)
        {
            Log.TransactionNotPersisted(_logger, transaction.TransactionalId, error);
            return false;
        }

        _transactions[transaction.TransactionalId] = transaction;
        return true;
    }
}
