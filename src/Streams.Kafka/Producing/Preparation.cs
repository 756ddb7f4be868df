using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Kafka.Wire;
using Streams.Protocol;

namespace Streams.Kafka.Producing;

/// <summary>What has to be known before a batch can go: who produces, that its partition is in the transaction, who leads it. One question of each kind is under way at a time, and they are no closer to each other than retries are.</summary>
/// <remarks>
/// Guarded by the sender's gate, which its callers have. A round of the sender asks <see cref="IsReady"/> for every partition that could go, which notes what is missing, and then has
/// <see cref="Ask"/> find it out; every answer, of whatever kind, is the beginning of another round.
/// </remarks>
internal sealed class Preparation
{
    private readonly BatchSender _sender;
    private readonly BrokerPool _brokers;
    private readonly TransactionClient? _transactions;
    private readonly PartitionLeaders _leaders;
    private readonly CancellationToken _end;
    private readonly HashSet<string> _unknownTopics = [];
    private int _transaction;
    private long _lookUpNotBefore;
    private long _askNotBefore;
    private int _failedLookUps;
    private int _failedQuestions;
    private bool _needsProducer;
    private bool _needsAdding;
    private bool _isLookingUp;
    private bool _isAskingForProducer;
    private bool _isAdding;

    /// <param name="sender">Who needs it.</param>
    /// <param name="brokers">Whom to ask.</param>
    /// <param name="transactions">The coordinator; <c>null</c> without transactions.</param>
    /// <param name="transactionalId">The transactional id, if there is one.</param>
    /// <param name="end">The producer's end.</param>
    public Preparation(BatchSender sender, BrokerPool brokers, TransactionClient? transactions, string? transactionalId, CancellationToken end)
    {
        _sender = sender;
        _brokers = brokers;
        _transactions = transactions;
        _leaders = new PartitionLeaders(brokers);
        _end = end;
        Producer = ProducerIdentity.Unknown(transactionalId);
    }

    /// <summary>Who produces.</summary>
    public ProducerIdentity Producer { get; set; }

    /// <summary>Whether the coordinator has been asked to add partitions to the open transaction.</summary>
    public bool MayHavePartitions { get; private set; }

    /// <summary>Whether the coordinator has said that it has added partitions to the open transaction.</summary>
    public bool HasPartitions { get; private set; }

    public bool IsAdding => _isAdding;

    public void BeginTransaction()
    {
        _transaction++;
        MayHavePartitions = false;
        HasPartitions = false;
    }

    /// <summary>Makes the numbers of what follows begin again, unless they have since the one they were given under. Not within transactions, where the coordinator gives epochs out.</summary>
    public void RaiseEpoch(ProducerIdentity since)
    {
        if (Producer != since) return;
        Producer = since.Epoch < short.MaxValue ? since with { Epoch = (short)(since.Epoch + 1) } : ProducerIdentity.Unknown(null);
    }

    /// <summary>Has another broker looked for: this one does not answer, or says that it is not the leader.</summary>
    public void ForgetLeader(ProducerPartition partition) => _leaders.Forget(partition.Id);

    /// <summary>Whether a batch for the partition can go, and where to; if not, what is missing is noted.</summary>
    public bool IsReady(ProducerPartition partition, out BrokerAddress leader)
    {
        leader = default;
        if (!Producer.IsKnown)
        {
            _needsProducer = true;
            return false;
        }

        if (_transactions is not null && partition.AddedTo != _transaction)
        {
            _needsAdding = true;
            return false;
        }

        if (_leaders.Find(partition.Id) is not { } found)
        {
            _unknownTopics.Add(partition.Id.Topic);
            return false;
        }

        leader = found.Address;
        return true;
    }

    /// <summary>Asks for what has been found missing since the last time.</summary>
    /// <returns>When to look again besides after an answer.</returns>
    public long Ask(IReadOnlyList<ProducerPartition> partitions, long now)
    {
        var next = long.MaxValue;

        // A transactional producer has been given its id before its first record.
        if (_needsProducer && _transactions is null && !_isAskingForProducer)
        {
            if (now < _askNotBefore) next = _askNotBefore;
            else _ = AskForProducerAsync();
        }

        if (_unknownTopics.Count > 0 && !_isLookingUp)
        {
            if (now < _lookUpNotBefore) next = Math.Min(next, _lookUpNotBefore);
            else _ = LookUpAsync([.. _unknownTopics]);
        }

        if (_needsAdding && !_isAdding) _ = AddToTransactionAsync([.. partitions.Where(partition => partition.AddedTo != _transaction && !partition.IsEmpty)]);
        _unknownTopics.Clear();
        _needsProducer = false;
        _needsAdding = false;
        return next;
    }

    private async Task AskForProducerAsync()
    {
        _isAskingForProducer = true;
        var code = ErrorCode.None;
        string? reason = null;
        Exception? refusal = null;
        var producer = ProducerIdentity.Unknown(null);
        try
        {
            // Not on the caller's stack, which has the gate.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var answer = await _brokers.SendAnyAsync<InitProducerIdResponse>(version => TransactionCalls.Init(producer, default, version), _end).ConfigureAwait(false);
            code = answer.ErrorCode;
            producer = new ProducerIdentity(null, answer.ProducerId, answer.ProducerEpoch);
            if (code != ErrorCode.None) (reason, refusal) = Refused(code, "a producer id cannot be had");
        }
        catch (ConnectionLostException e)
        {
            reason = e.Message;
        }
        catch (ClusterException e)
        {
            (reason, refusal) = (e.Message, e);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _sender.Break(e);
        }

        lock (_sender.Gate)
        {
            _isAskingForProducer = false;
            _failedQuestions = reason is null ? 0 : _failedQuestions + 1;
            _askNotBefore = _sender.After(_sender.Pause(_failedQuestions));
            if (reason is null) Producer = producer;
            else _sender.Explain(_ => true, code, reason, refusal);
        }

        _sender.Work();
    }

    private async Task LookUpAsync(string[] topics)
    {
        _isLookingUp = true;
        var hasAnswer = false;
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            foreach (var (topic, code) in await _leaders.RefreshAsync(topics, _end).ConfigureAwait(false))
            {
                var (reason, refusal) = Refused(code, "its leader cannot be had");
                Explain([topic], code, reason, refusal);
            }

            hasAnswer = true;
        }
        catch (ConnectionLostException e)
        {
            Explain(topics, ErrorCode.None, e.Message, null);
        }
        catch (ClusterException e)
        {
            Explain(topics, ErrorCode.None, e.Message, e);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _sender.Break(e);
        }

        lock (_sender.Gate)
        {
            _isLookingUp = false;
            _failedLookUps = hasAnswer ? 0 : _failedLookUps + 1;
            _lookUpNotBefore = _sender.After(_sender.Pause(_failedLookUps));
        }

        _sender.Work();
    }

    // All partitions that have something, so that one call does for those whose batches are not due yet.
    private async Task AddToTransactionAsync(ProducerPartition[] partitions)
    {
        _isAdding = true;
        MayHavePartitions = true;
        var producer = Producer;
        Exception? failure = null;
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await _transactions!.AddPartitionsAsync(producer, [.. partitions.Select(partition => partition.Id)], _end).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failure = e is ClusterUnavailableException ? new TransactionAbortedException(e.Message, e) : e;
        }

        lock (_sender.Gate)
        {
            _isAdding = false;
            if (failure is null)
            {
                HasPartitions = true;
                foreach (var partition in partitions) partition.AddedTo = _transaction;
            }

            _sender.Added(failure);
        }

        _sender.Work();
    }

    private void Explain(string[] topics, ErrorCode code, string reason, Exception? refusal)
    {
        lock (_sender.Gate) _sender.Explain(partition => topics.Contains(partition.Id.Topic), code, reason, refusal);
    }

    /// <summary>What an error means in words, and, when no other attempt helps, as an exception.</summary>
    private static (string Reason, ClusterException? Refusal) Refused(ErrorCode code, string what)
    {
        var reason = TransactionCalls.Describe(code, what);
        return (reason, code.IsRetriable() ? null : new ClusterException((short)code, code.ProtocolName(), reason));
    }
}
