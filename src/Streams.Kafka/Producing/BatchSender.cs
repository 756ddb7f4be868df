using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Kafka.Wire;
using Streams.Protocol;
using Log = Streams.Kafka.Diagnostics.Log;

namespace Streams.Kafka.Producing;

/// <summary>Gathers records in batches per partition and gets every batch acknowledged, once and in order, or says which was given up.</summary>
/// <remarks>
/// <para>Threads: records come from the producer's thread; requests are put together by whoever finds work to do (that thread when it asks for sending, a thread of the pool otherwise), one
/// at a time (<see cref="_isWorking"/>); answers come on their connections' threads. One gate guards all state. Batches are built (compressed, checksummed) and sent outside of it: a head that is in
/// flight is touched by nobody but its request.</para>
/// <para>Order and numbers: of each partition one batch is in flight, and it is offered with the same bytes until the broker has answered for it. So a batch never overtakes another, and the
/// numbers of the next one are known when it is its turn. When a batch is given up and nobody knows whether the broker has it, or the broker has lost count, the epoch is raised and the
/// numbers of what follows begin at 0 (KIP-360); within a transaction that ends the transaction.</para>
/// <para>Bounds: <see cref="ManagedProducerSettings.MaxBufferedBytes"/> of records not acknowledged, as many requests per broker as the settings say, one question of each kind in
/// <see cref="Preparation"/>. Nothing is retried without a pause, and nothing longer than the delivery time-out. Without records there is no timer.</para>
/// </remarks>
internal sealed class BatchSender : IThreadPoolWorkItem, IDisposable
{
    /// <summary>A leader that moves is found by the second attempt; the third one that fails is worth telling, once.</summary>
    private const int AttemptsWithoutWarning = 3;

    /// <summary>The oldest version whose batches have numbers, and the oldest that takes zstd (KIP-110).</summary>
    private const short NumberedFrom = 3;
    private const short ZstdFrom = 7;

    private readonly Lock _gate = new();
    private readonly ManagedProducerSettings _settings;
    private readonly string _clientId;
    private readonly string? _transactionalId;
    private readonly BrokerPool _brokers;
    private readonly TimeProvider _time;
    private readonly Retry _retry;
    private readonly ILogger _logger;
    private readonly VersionRange _versions;
    private readonly RecordBuffer _buffer;
    private readonly Preparation _preparation;
    private readonly CancellationTokenSource _lifetime = new();
    private readonly ITimer _timer;
    private readonly Dictionary<BrokerAddress, BrokerLane> _lanes = [];
    private readonly List<ProduceCall> _calls = [];
    private int _requestsUnderWay;
    private int _firstPartition;
    private long _timerAt = long.MaxValue;
    private bool _isWorking;
    private bool _isDiscarding;
    private bool _isInDoubt;
    private bool _isDisposed;

    public BatchSender(
        ManagedProducerSettings settings, string clientId, string? transactionalId, BrokerPool brokers, TransactionClient? transactions, TimeProvider time, Random random, ILogger logger)
    {
        _settings = settings;
        _clientId = clientId;
        _transactionalId = transactionalId;
        _brokers = brokers;
        _time = time;
        _retry = new Retry(brokers.Settings with { InitialBackoff = settings.RetryBackoff, MaxBackoff = settings.MaxRetryBackoff }, time, random);
        _logger = logger;
        _versions = new VersionRange(settings.Compression == CompressionType.Zstd ? ZstdFrom : NumberedFrom, ProduceRequest.Versions.Max);
        _buffer = new RecordBuffer(settings, transactionalId is not null, time);
        _preparation = new Preparation(this, brokers, transactions, transactionalId, _lifetime.Token);
        News = new DeliveryNews(_gate);
        _timer = time.CreateTimer(static state => ((BatchSender)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Guards all state of the sender and of its parts.</summary>
    public Lock Gate => _gate;

    /// <summary>What became of the batches that were given up.</summary>
    public DeliveryNews News { get; }

    /// <summary>Who produces.</summary>
    public ProducerIdentity Producer
    {
        get
        {
            lock (_gate) return _preparation.Producer;
        }

        set
        {
            lock (_gate) _preparation.Producer = value;
        }
    }

    /// <summary>Whether the coordinator has been asked to add partitions to the open transaction.</summary>
    public bool MayHavePartitions
    {
        get
        {
            lock (_gate) return _preparation.MayHavePartitions;
        }
    }

    /// <summary>Whether the coordinator has said that it has added partitions to the open transaction.</summary>
    public bool HasPartitions
    {
        get
        {
            lock (_gate) return _preparation.HasPartitions;
        }
    }

    /// <summary>Whether a batch was given up that the broker may have, so that only another epoch has numbers that it takes.</summary>
    public bool IsInDoubt
    {
        get
        {
            lock (_gate) return _isInDoubt;
        }
    }

    /// <summary>Whether everything is acknowledged, or given up.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate) return _buffer.Bytes == 0;
        }
    }

    /// <summary>Whether nothing is on its way to a broker.</summary>
    public bool IsQuiet
    {
        get
        {
            lock (_gate) return _requestsUnderWay == 0 && !_preparation.IsAdding;
        }
    }

    /// <summary>Whether there is room for a record whose key, value and headers have so many bytes.</summary>
    public bool HasRoom(long bytes)
    {
        lock (_gate) return _buffer.HasRoom(bytes);
    }

    /// <summary>Adds a record to its partition's batch; its spans are copied.</summary>
    public AddOutcome Add(ProducerPartition partition, long timestamp, NullableBytes key, NullableBytes value, ReadOnlySpan<byte> headers)
    {
        AddOutcome outcome;
        ProducerBatch? opened;
        bool sends;
        lock (_gate)
        {
            outcome = _buffer.Add(partition, timestamp, key, value, headers, out opened, out sends);
            if (opened is { IsDue: false }) SetTimer(opened.OpenedAt, After(opened.OpenedAt, _settings.Linger));
        }

        if (!sends || !TryBeginWork()) return outcome;

        // Building and sending what is full is for another core while records come. A record that waits for no company goes from here: another thread would take longer to wake than it takes to send.
        if (opened is { IsDue: true }) WorkOn();
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return outcome;
    }

    /// <summary>Sends what there is as soon as it can go, full or not.</summary>
    public void SendOpen()
    {
        lock (_gate) _buffer.MakeDue();
        Work();
    }

    /// <summary>Opens a transaction: partitions are added to it before anything is sent to them.</summary>
    public void BeginTransaction()
    {
        lock (_gate) _preparation.BeginTransaction();
    }

    /// <summary>Drops everything that is not on its way; what is on its way is dropped when its answer has come.</summary>
    public void Discard()
    {
        lock (_gate)
        {
            _isDiscarding = true;
            _isInDoubt |= _buffer.Discard();
        }
    }

    /// <summary>Goes on after <see cref="Discard"/>, with what went wrong before forgotten.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _isDiscarding = false;
            _isInDoubt = false;
            News.Forget();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            _buffer.Dispose();
        }

        _timer.Dispose();
        _lifetime.Cancel();
        News.Dispose();
    }

    /// <summary>Looks for what can be sent, and sends it, unless somebody does already.</summary>
    internal void Work()
    {
        if (TryBeginWork()) WorkOn();
    }

    /// <summary>A fault of this library, or its end: the next call on the producer's thread throws it, as there is nobody above who would.</summary>
    internal void Break(Exception failure)
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            Log.ProducerBroken(_logger, _clientId, failure);
            News.Stop(failure);
        }
    }

    /// <summary>So long from now, as a timestamp of the clock.</summary>
    internal long After(TimeSpan time) => After(_time.GetTimestamp(), time);

    /// <summary>How long to wait after so many attempts that failed.</summary>
    internal TimeSpan Pause(int attempt) => _retry.Pause(attempt);

    /// <summary>Says of what waits why it does, or that it will not be written. With the gate.</summary>
    internal void Explain(Func<ProducerPartition, bool> concerns, ErrorCode code, string reason, Exception? refusal)
    {
        foreach (var partition in _buffer.Partitions)
        {
            if (partition.IsInFlight || partition.Oldest is not { } oldest || !concerns(partition)) continue;
            oldest.LastError = code;
            oldest.LastReason = reason;
            while (refusal is not null && partition.Oldest is not null)
            {
                RecordBuffer.MakeHead(partition);
                GiveUp(partition, code, reason, refusal);
            }
        }
    }

    /// <summary>Partitions are in the transaction, or will not be. With the gate.</summary>
    internal void Added(Exception? failure)
    {
        if (failure is not null && !_isDisposed && !_isDiscarding) News.Stop(failure);
        News.Changed();
    }

    void IThreadPoolWorkItem.Execute() => WorkOn();

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private long After(long timestamp, TimeSpan time) => timestamp + (long)(time.TotalSeconds * _time.TimestampFrequency);

    // It may go off too early, which costs a look; it is never late.
    private void SetTimer(long now, long at)
    {
        if (at >= _timerAt || _isDisposed) return;
        _timerAt = at;

        // Rounded up: the system's timers count whole milliseconds, and one that goes off a little early would find nothing to do and be set for the rest, which is 0.
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, at - now) * 1000.0 / _time.TimestampFrequency)), Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_gate) _timerAt = long.MaxValue;
        Work();
    }

    // Whoever works looks again until there is nothing to do, and says under the gate that it stops: what changes before that it sees, what changes after it is the next one's.
    private bool TryBeginWork()
    {
        lock (_gate)
        {
            if (_isWorking || _isDisposed) return false;
            return _isWorking = true;
        }
    }

    private void WorkOn()
    {
        try
        {
            while (true)
            {
                _calls.Clear();
                lock (_gate)
                {
                    if (!Collect())
                    {
                        _isWorking = false;
                        return;
                    }
                }

                foreach (var call in _calls) Send(call);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            lock (_gate) _isWorking = false;
            Break(e);
        }
    }

    /// <summary>Finds what can be sent now and asks for what is needed for the rest; false when there is nothing to do but wait.</summary>
    private bool Collect()
    {
        if (_isDisposed || _isDiscarding || News.End is not null) return false;
        var now = _time.GetTimestamp();
        var next = long.MaxValue;
        var partitions = _buffer.Partitions;

        // Not always from the same one on, or the last would starve when a broker takes less than all of them.
        for (var offset = 0; offset < partitions.Count; offset++)
        {
            var partition = partitions[(_firstPartition + offset) % partitions.Count];
            if (partition.IsInFlight) continue;
            GiveUpExpired(partition, now);
            if (partition.Oldest is not { } oldest) continue;
            next = Math.Min(next, After(oldest.OpenedAt, _settings.DeliveryTimeout));
            var notBefore = Math.Max(partition.NotBefore, ReferenceEquals(oldest, partition.Open) && !oldest.IsDue ? After(oldest.OpenedAt, _settings.Linger) : long.MinValue);
            if (now < notBefore) next = Math.Min(next, notBefore);
            else if (_preparation.IsReady(partition, out var leader)) next = Math.Min(next, Assign(partition, leader, now));
        }

        if (partitions.Count > 0) _firstPartition = (_firstPartition + 1) % partitions.Count;
        _buffer.RemoveEmpty();
        foreach (var call in _calls) call.Lane.Next = null;
        next = Math.Min(next, _preparation.Ask(partitions, now));
        if (next != long.MaxValue) SetTimer(now, next);
        return _calls.Count > 0;
    }

    /// <summary>Puts the partition's oldest batch into its leader's request, if there is room for it.</summary>
    /// <returns>When to look again besides after an answer.</returns>
    private long Assign(ProducerPartition partition, BrokerAddress leader, long now)
    {
        if (!_lanes.TryGetValue(leader, out var lane)) _lanes.Add(leader, lane = new BrokerLane(leader));
        if (now < lane.MutedUntil) return lane.MutedUntil;
        if (lane.Next is null)
        {
            if (lane.InFlight >= _settings.MaxInFlightPerBroker) return long.MaxValue;
            lane.Next = new ProduceCall(lane);
            lane.InFlight++;
            _requestsUnderWay++;
            _calls.Add(lane.Next);
        }
        else if (lane.Next.Bytes + partition.Oldest!.BufferedBytes > _settings.MaxRequestBytes)
        {
            // The next round takes it.
            return long.MaxValue;
        }

        var head = RecordBuffer.MakeHead(partition);
        if (!head.IsNumbered) partition.NumberHead(_preparation.Producer);
        partition.IsInFlight = true;
        lane.Next.Add(partition);
        return long.MaxValue;
    }

    private void Send(ProduceCall call)
    {
        foreach (var partition in call.Partitions) partition.Head!.Build();

        // The broker gives up first, so that its reason is heard and the connection kept.
        _ = ExchangeAsync(call, call.ToRequest(_transactionalId, (int)(_settings.RequestTimeout.TotalMilliseconds * 2 / 3)));
    }

    private async Task ExchangeAsync(ProduceCall call, ProduceRequest request)
    {
        try
        {
            var answer = await _brokers.SendAsync<ProduceResponse>(call.Lane.Address, _versions, _ => request, _settings.RequestTimeout, _lifetime.Token).ConfigureAwait(false);
            var answers = ProduceCall.ByPartition(answer);
            lock (_gate)
            {
                EndCall(call);
                if (answer.ThrottleTimeMs > 0) call.Lane.MutedUntil = After(Min(TimeSpan.FromMilliseconds(answer.ThrottleTimeMs), _settings.DeliveryTimeout));
                foreach (var partition in call.Partitions)
                {
                    if (answers.TryGetValue(partition.Id, out var said)) Answered(partition, said);
                    else OfferAgain(partition, ErrorCode.None, $"{call.Lane.Address} did not say what became of it");
                }
            }
        }
        catch (ConnectionLostException e)
        {
            lock (_gate)
            {
                EndCall(call);
                foreach (var partition in call.Partitions)
                {
                    // Its request may still be reading from it.
                    partition.Head!.IsShared = true;
                    _preparation.ForgetLeader(partition);
                    OfferAgain(partition, ErrorCode.None, e.Message);
                }
            }
        }
        catch (ClusterException e)
        {
            // Of the connection, not of the records.
            lock (_gate)
            {
                EndCall(call);
                foreach (var partition in call.Partitions) GiveUp(partition, ErrorCode.None, e.Message, e);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Its heads stay where they are: after the producer's end nobody asks for them, and after a fault nothing is sent.
            lock (_gate) EndCall(call);
            Break(e);
        }

        Work();
    }

    private void EndCall(ProduceCall call)
    {
        if (call.IsEnded) return;
        call.IsEnded = true;
        call.Lane.InFlight--;
        _requestsUnderWay--;
        News.Changed();
    }

    private void Answered(ProducerPartition partition, ProduceResponse.PartitionProduceResponse answer)
    {
        var code = answer.ErrorCode;
        var reason = $"{code.ProtocolName()}, {answer.ErrorMessage ?? ErrorCodes.Describe(code).Meaning}";
        switch (code)
        {
            case ErrorCode.None or ErrorCode.DuplicateSequenceNumber:
                Release(partition.TakeAcknowledged(code == ErrorCode.None ? answer.BaseOffset : -1));
                break;
            case ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId or ErrorCode.InvalidProducerEpoch when _transactionalId is null:
                Renumber(partition, code, reason);
                break;
            case ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge when partition.Head is { Count: > 1, IsInDoubt: false } && !_isDiscarding:
                var bytes = _buffer.Split(partition);
                Log.BatchSplit(_logger, _clientId, bytes, partition.Id, partition.MaxBatchBytes);
                break;
            case var _ when code.IsRetriable():
                if (SaysThatLeaderMoved(code)) _preparation.ForgetLeader(partition);
                OfferAgain(partition, code, reason);
                break;
            default:
                // The broker has failed in the middle of something.
                if (code == ErrorCode.UnknownServerError) partition.Head!.IsInDoubt = true;
                GiveUp(partition, code, reason, null);
                break;
        }
    }

    private static bool SaysThatLeaderMoved(ErrorCode code) => code is ErrorCode.NotLeaderOrFollower or ErrorCode.UnknownTopicOrPartition or ErrorCode.LeaderNotAvailable
        or ErrorCode.FencedLeaderEpoch or ErrorCode.UnknownLeaderEpoch or ErrorCode.UnknownTopicId or ErrorCode.ListenerNotFound or ErrorCode.KafkaStorageError or ErrorCode.NetworkException;

    // The broker has lost count of this producer, or the numbers of a batch that was given up are missing to it. It has not got this batch: it would have said that it is a duplicate.
    private void Renumber(ProducerPartition partition, ErrorCode code, string reason)
    {
        var batch = partition.Head!;
        if (code == ErrorCode.InvalidProducerEpoch && _preparation.Producer == batch.Producer) _preparation.Producer = ProducerIdentity.Unknown(null);
        else _preparation.RaiseEpoch(batch.Producer);
        Log.ProducerRenumbered(_logger, _clientId, partition.Id, reason);
        batch.Unnumber();
        OfferAgain(partition, code, reason);
        batch.IsInDoubt = false;
    }

    /// <summary>The same batch once more, after a pause.</summary>
    private void OfferAgain(ProducerPartition partition, ErrorCode code, string reason)
    {
        var batch = partition.Head!;
        if (_isDiscarding)
        {
            _isInDoubt = true;
            Release(partition.TakeHead());
            return;
        }

        batch.IsInDoubt = true;
        batch.LastError = code;
        batch.LastReason = reason;
        partition.IsInFlight = false;
        partition.NotBefore = After(Pause(partition.Attempts++));
        if (partition.Attempts == AttemptsWithoutWarning) Log.PartitionWaits(_logger, _clientId, partition.Id, reason);
        else Log.BatchOfferedAgain(_logger, _clientId, batch.Count, partition.Id, reason);
    }

    private void GiveUpExpired(ProducerPartition partition, long now)
    {
        while (partition.Oldest is { } oldest && now >= After(oldest.OpenedAt, _settings.DeliveryTimeout))
        {
            RecordBuffer.MakeHead(partition);
            GiveUp(partition, oldest.LastError, $"not within {_settings.DeliveryTimeout.TotalSeconds:0.#} s; {oldest.LastReason ?? "no broker has taken them"}", null);
        }
    }

    /// <summary>Takes the head for not written.</summary>
    private void GiveUp(ProducerPartition partition, ErrorCode code, string reason, Exception? cause)
    {
        var batch = partition.TakeHead();
        if (batch.IsInDoubt)
        {
            _isInDoubt = true;
            if (_transactionalId is null) _preparation.RaiseEpoch(batch.Producer);
        }

        var failure = new DeliveryFailure(partition.Id.Topic, code, $"{batch.Count} record(s) for {partition.Id.Topic}-{partition.Id.Partition} were not written: {reason}", cause);
        Release(batch);
        if (_isDiscarding) return;
        if (_transactionalId is null) News.Report(failure);
        else News.Stop(failure.ToTransactionException());
    }

    private void Release(ProducerBatch batch)
    {
        _buffer.Release(batch);
        News.Changed();
    }
}
