using System.Diagnostics;
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
/// at a time (<see cref="_isWorking"/>); answers come on threads of the pool. One gate guards all state. Batches are built (compressed, checksummed) and sent outside of it: a head that is in
/// flight is touched by nobody but its request.</para>
/// <para>Order and numbers: of each partition one batch is in flight, and it is offered with the same bytes until the broker has answered for it. So a batch never overtakes another, and the
/// numbers of the next one are known when it is its turn. When a batch is given up and nobody knows whether the broker has it, or the broker has lost count, the epoch is raised and the
/// numbers of what follows begin at 0 (KIP-360); within a transaction that ends the transaction.</para>
/// <para>Bounds: <see cref="ManagedProducerSettings.MaxBufferedBytes"/> of records not acknowledged, as many requests per broker as the settings say, one look-up of leaders, of a producer id and
/// of partitions to add at a time. Nothing is retried without a pause, and nothing longer than the delivery time-out. Without records there is no timer.</para>
/// </remarks>
internal sealed class BatchSender : IThreadPoolWorkItem, IDisposable
{
    /// <summary>Largest number of bytes that the fields of a record other than key, value and headers take: five varints of 32 bits, one of 64, the attributes.</summary>
    private const int MaxRecordOverheadBytes = (4 * 5) + 10 + 1;

    private const double Jitter = 0.2;

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
    private readonly TransactionClient? _transactions;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly PartitionLeaders _leaders;
    private readonly VersionRange _versions;
    private readonly BatchStore _store;
    private readonly CancellationTokenSource _lifetime = new();
    private readonly ITimer _timer;
    private readonly ManualResetEventSlim _changed = new();
    private readonly List<ProducerPartition> _listed = [];
    private readonly Dictionary<BrokerAddress, BrokerLane> _lanes = [];
    private readonly Queue<DeliveryFailure> _failures = new();
    private readonly List<ProduceCall> _calls = [];
    private readonly List<ProducerPartition> _toAdd = [];
    private readonly HashSet<string> _toLookUp = [];
    private ProducerIdentity _producer;
    private Exception? _end;
    private long _bufferedBytes;
    private int _underWay;
    private int _firstListed;
    private int _transaction;
    private long _timerAt = long.MaxValue;
    private long _lookUpNotBefore;
    private long _askNotBefore;
    private bool _isWorking;
    private bool _isLookingUp;
    private bool _isAskingForProducer;
    private bool _isAdding;
    private bool _isDiscarding;
    private bool _isInDoubt;
    private bool _isAwaited;
    private bool _mayHavePartitions;
    private bool _hasPartitions;
    private bool _isDisposed;
    private volatile bool _hasTrouble;

    public BatchSender(
        ManagedProducerSettings settings, string clientId, string? transactionalId, BrokerPool brokers, TransactionClient? transactions, TimeProvider time, Random random, ILogger logger)
    {
        _settings = settings;
        _clientId = clientId;
        _transactionalId = transactionalId;
        _brokers = brokers;
        _transactions = transactions;
        _time = time;
        _random = random;
        _logger = logger;
        _leaders = new PartitionLeaders(brokers);
        _producer = ProducerIdentity.Unknown(transactionalId);
        _versions = new VersionRange(settings.Compression == CompressionType.Zstd ? ZstdFrom : NumberedFrom, ProduceRequest.Versions.Max);
        var options = new RecordBatchOptions
        {
            Compression = settings.Compression,
            CompressionLevel = settings.CompressionLevel,
            MaxBytes = settings.MaxRequestBytes,
            IsTransactional = transactionalId is not null,
        };
        _store = new BatchStore(options, (int)Math.Clamp(settings.MaxBufferedBytes / Math.Max(1, settings.BatchBytes), 1, 1024));
        _timer = time.CreateTimer(static state => ((BatchSender)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether a call has to look at <see cref="TakeFailure"/> and <see cref="End"/> before it does anything.</summary>
    public bool HasTrouble => _hasTrouble;

    /// <summary>Why nothing more is sent, until the transaction is given up; <c>null</c> while all is well.</summary>
    public Exception? End
    {
        get
        {
            lock (_gate) return _end;
        }
    }

    /// <summary>Who produces.</summary>
    public ProducerIdentity Producer
    {
        get
        {
            lock (_gate) return _producer;
        }
    }

    /// <summary>Whether the coordinator has been asked to add partitions to the open transaction.</summary>
    public bool MayHavePartitions
    {
        get
        {
            lock (_gate) return _mayHavePartitions;
        }
    }

    /// <summary>Whether the coordinator has said that it has added partitions to the open transaction.</summary>
    public bool HasPartitions
    {
        get
        {
            lock (_gate) return _hasPartitions;
        }
    }

    /// <summary>Adds a record to its partition's batch; its spans are copied.</summary>
    public AddOutcome Add(ProducerPartition partition, long timestamp, NullableBytes key, NullableBytes value, ReadOnlySpan<byte> headers)
    {
        var bound = (long)key.Bytes.Length + value.Bytes.Length + headers.Length + MaxRecordOverheadBytes;
        var sends = false;
        lock (_gate)
        {
            if (_bufferedBytes > 0 && _bufferedBytes + bound > _settings.MaxBufferedBytes) return AddOutcome.NoRoom;
            var maxBytes = Math.Min(_settings.BatchBytes, partition.MaxBatchBytes);
            if (partition.Open is { } filled && filled.BufferedBytes + bound > maxBytes) sends = CloseFull(partition);

            var batch = partition.Open ?? _store.Take();
            if (!batch.Builder.TryAppendEncoded(batch.Count, timestamp, key, value, headers))
            {
                Debug.Assert(partition.Open is null, "a batch that others are in has room for what is smaller than a batch");
                _store.Return(batch);
                return AddOutcome.TooLarge;
            }

            if (partition.Open is null)
            {
                Open(partition, batch);
                sends |= batch.IsDue;
            }

            var bytes = batch.Builder.UncompressedBytes;
            _bufferedBytes += bytes - batch.BufferedBytes;
            batch.BufferedBytes = bytes;
            if (bytes >= maxBytes) sends |= CloseFull(partition);
        }

        if (sends) Schedule();
        return AddOutcome.Added;
    }

    /// <summary>Sends what there is as soon as it can go, full or not.</summary>
    public void SendOpen()
    {
        lock (_gate)
        {
            foreach (var partition in _listed)
            {
                if (partition.Open is { } open) open.IsDue = true;
            }
        }

        Work();
    }

    /// <summary>Opens a transaction: partitions are added to it before anything is sent to them.</summary>
    public void BeginTransaction()
    {
        lock (_gate)
        {
            _transaction++;
            _mayHavePartitions = false;
            _hasPartitions = false;
        }
    }

    /// <summary>Takes the id and the epoch that the coordinator has given out.</summary>
    public void Take(ProducerIdentity producer)
    {
        lock (_gate) _producer = producer;
    }

    /// <summary>Drops everything that is not on its way; what is on its way is dropped when its answer has come.</summary>
    public void Discard()
    {
        lock (_gate)
        {
            _isDiscarding = true;
            foreach (var partition in _listed)
            {
                if (partition.Head is not null && !partition.IsInFlight)
                {
                    _isInDoubt |= partition.Head.IsInDoubt;
                    Release(partition.TakeHead());
                }

                while (partition.Full.TryDequeue(out var full)) Release(full);
                if (partition.Open is { } open) Release(open);
                partition.Open = null;
            }
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

    /// <summary>Goes on after <see cref="Discard"/>, with what went wrong before forgotten.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _isDiscarding = false;
            _isInDoubt = false;
            _end = null;
            _failures.Clear();
            _hasTrouble = false;
        }
    }

    /// <summary>The oldest batch that was given up and not been told about; <c>null</c> for none.</summary>
    public DeliveryFailure? TakeFailure()
    {
        lock (_gate)
        {
            var failure = _failures.TryDequeue(out var first) ? first : null;
            _hasTrouble = _failures.Count > 0 || _end is not null;
            return failure;
        }
    }

    /// <summary>Whether everything is acknowledged, or given up.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate) return _bufferedBytes == 0;
        }
    }

    /// <summary>Whether nothing is on its way to a broker.</summary>
    public bool IsQuiet
    {
        get
        {
            lock (_gate) return _underWay == 0;
        }
    }

    /// <summary>Blocks until a condition holds or there is trouble, at most for so long.</summary>
    /// <param name="what">The condition.</param>
    /// <param name="bytes">For <see cref="Awaited.Room"/>: how much.</param>
    /// <param name="atMost">Real time; callers look at the clock themselves.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Await(Awaited what, long bytes, TimeSpan atMost, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var holds = what switch
            {
                Awaited.Empty => _bufferedBytes == 0,
                Awaited.Quiet => _underWay == 0,
                _ => _bufferedBytes == 0 || _bufferedBytes + bytes + MaxRecordOverheadBytes <= _settings.MaxBufferedBytes,
            };
            if (holds || (_hasTrouble && what != Awaited.Quiet)) return;
            _changed.Reset();
            _isAwaited = true;
        }

        _changed.Wait(atMost, cancellationToken);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            foreach (var partition in _listed)
            {
                // What is on its way may still be read by its request.
                if (partition.Head is { } head && !partition.IsInFlight) _store.Return(head);
                foreach (var full in partition.Full) _store.Return(full);
                if (partition.Open is { } open) _store.Return(open);
            }

            _listed.Clear();
            _store.Dispose();
        }

        _timer.Dispose();
        _lifetime.Cancel();
    }

    void IThreadPoolWorkItem.Execute() => WorkOn();

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private void Open(ProducerPartition partition, ProducerBatch batch)
    {
        var now = _time.GetTimestamp();
        batch.OpenedAt = now;
        batch.IsDue = _settings.Linger == TimeSpan.Zero;
        partition.Open = batch;
        if (!partition.IsListed)
        {
            partition.IsListed = true;
            _listed.Add(partition);
        }

        if (!batch.IsDue) SetTimer(now, After(now, _settings.Linger));
    }

    /// <summary>Closes the batch being filled; true when it can go. Behind another it cannot: what that one waits for sends this one too.</summary>
    private static bool CloseFull(ProducerPartition partition)
    {
        Close(partition);
        return partition.Head is null && partition.Full.Count == 1;
    }

    private static void Close(ProducerPartition partition)
    {
        partition.Full.Enqueue(partition.Open!);
        partition.Open = null;
    }

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

    // Building and sending is for another core while records come.
    private void Schedule()
    {
        if (TryBeginWork()) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Work()
    {
        if (TryBeginWork()) WorkOn();
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
            // Nobody is above to see it: the next call on the producer's thread throws it.
            Log.ProducerBroken(_logger, _clientId, e);
            lock (_gate)
            {
                _isWorking = false;
                Stop(e);
            }
        }
    }

    /// <summary>Finds what can be sent now and starts what is needed for the rest; false when there is nothing to do but wait.</summary>
    private bool Collect()
    {
        if (_isDisposed) return false;
        var now = _time.GetTimestamp();
        var next = long.MaxValue;
        var asksForProducer = false;
        _toAdd.Clear();
        _toLookUp.Clear();

        // Not always from the same one on, or the last would starve when a broker takes less than all of them.
        for (var offset = 0; offset < _listed.Count; offset++)
        {
            var partition = _listed[(_firstListed + offset) % _listed.Count];
            if (partition.IsInFlight || _isDiscarding || _end is not null) continue;
            GiveUpExpired(partition, now);
            if (partition.Oldest is not { } oldest) continue;
            next = Math.Min(next, After(oldest.OpenedAt, _settings.DeliveryTimeout));
            if (ReferenceEquals(oldest, partition.Open) && !oldest.IsDue)
            {
                var due = After(oldest.OpenedAt, _settings.Linger);
                if (now < due)
                {
                    next = Math.Min(next, due);
                    continue;
                }
            }

            if (now < partition.NotBefore) next = Math.Min(next, partition.NotBefore);
            else if (!_producer.IsKnown) asksForProducer = true;
            else if (_transactionalId is not null && partition.AddedTo != _transaction) AddToTransaction(partition);
            else if (_leaders.Find(partition.Id) is not { } leader) _toLookUp.Add(partition.Id.Topic);
            else next = Math.Min(next, Assign(partition, leader.Address, now));
        }

        if (_listed.Count > 0) _firstListed = (_firstListed + 1) % _listed.Count;
        RemoveEmpty();
        foreach (var call in _calls) call.Lane.Next = null;
        if (asksForProducer) next = Math.Min(next, AskForProducer(now));
        if (_toLookUp.Count > 0) next = Math.Min(next, LookUp(now));
        if (_toAdd.Count > 0) StartAdding();
        if (next != long.MaxValue) SetTimer(now, next);
        return _calls.Count > 0;
    }

    private void RemoveEmpty()
    {
        for (var index = _listed.Count - 1; index >= 0; index--)
        {
            var partition = _listed[index];
            if (!partition.IsEmpty) continue;
            partition.IsListed = false;
            _listed[index] = _listed[^1];
            _listed.RemoveAt(_listed.Count - 1);
        }
    }

    /// <summary>Puts the partition's oldest batch into its leader's request, if there is room for it.</summary>
    /// <returns>When to look again besides after an answer.</returns>
    private long Assign(ProducerPartition partition, BrokerAddress address, long now)
    {
        if (!_lanes.TryGetValue(address, out var lane)) _lanes.Add(address, lane = new BrokerLane(address));
        if (now < lane.MutedUntil) return lane.MutedUntil;
        if (lane.Next is null)
        {
            if (lane.InFlight >= _settings.MaxInFlightPerBroker) return long.MaxValue;
            lane.Next = new ProduceCall(lane);
            lane.InFlight++;
            _underWay++;
            _calls.Add(lane.Next);
        }
        else if (lane.Next.Bytes + partition.Oldest!.BufferedBytes > _settings.MaxRequestBytes)
        {
            // The next round takes it.
            return long.MaxValue;
        }

        if (partition.Head is null)
        {
            if (partition.Full.Count == 0) Close(partition);
            partition.Head = partition.Full.Dequeue();
        }

        if (!partition.Head.IsNumbered) partition.NumberHead(_producer);
        partition.IsInFlight = true;
        lane.Next.Add(partition);
        return long.MaxValue;
    }

    private void Send(ProduceCall call)
    {
        foreach (var partition in call.Partitions) partition.Head!.Build();

        // The broker gives up first, so that its reason is heard and the connection kept.
        var request = call.ToRequest(_transactionalId, (int)(_settings.RequestTimeout.TotalMilliseconds * 2 / 3));
        _ = ExchangeAsync(call, request);
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
                if (answer.ThrottleTimeMs > 0)
                    call.Lane.MutedUntil = After(_time.GetTimestamp(), Min(TimeSpan.FromMilliseconds(answer.ThrottleTimeMs), _settings.DeliveryTimeout));
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
                    _leaders.Forget(partition.Id);
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
            Lost(call, e);
        }

        Work();
    }

    // At the end of the producer; anything else is a fault of this library, which the next call on the producer's thread throws.
    private void Lost(ProduceCall call, Exception failure)
    {
        lock (_gate)
        {
            EndCall(call);
            foreach (var partition in call.Partitions)
            {
                partition.Head!.IsShared = true;
                partition.IsInFlight = false;
            }

            if (_isDisposed) return;
            Log.ProducerBroken(_logger, _clientId, failure);
            Stop(failure);
        }
    }

    private void EndCall(ProduceCall call)
    {
        if (call.IsEnded) return;
        call.IsEnded = true;
        call.Lane.InFlight--;
        _underWay--;
        Changed();
    }

    private void Answered(ProducerPartition partition, ProduceResponse.PartitionProduceResponse answer)
    {
        var code = answer.ErrorCode;
        var reason = answer.ErrorMessage ?? ErrorCodes.Describe(code).Meaning;
        switch (code)
        {
            case ErrorCode.None or ErrorCode.DuplicateSequenceNumber:
                Release(partition.TakeAcknowledged(code == ErrorCode.None ? answer.BaseOffset : -1));
                break;
            case ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId or ErrorCode.InvalidProducerEpoch when _transactionalId is null:
                Renumber(partition, code, reason);
                break;
            case ErrorCode.MessageTooLarge or ErrorCode.RecordListTooLarge when partition.Head is { Count: > 1, IsInDoubt: false } && !_isDiscarding:
                Split(partition);
                break;
            case var _ when code.IsRetriable():
                if (code is ErrorCode.NotLeaderOrFollower or ErrorCode.UnknownTopicOrPartition or ErrorCode.LeaderNotAvailable or ErrorCode.FencedLeaderEpoch
                    or ErrorCode.UnknownLeaderEpoch or ErrorCode.UnknownTopicId or ErrorCode.ListenerNotFound or ErrorCode.KafkaStorageError or ErrorCode.NetworkException)
                {
                    _leaders.Forget(partition.Id);
                }

                OfferAgain(partition, code, $"{code.ProtocolName()}, {reason}");
                break;
            default:
                // The broker has failed in the middle of something.
                if (code == ErrorCode.UnknownServerError) partition.Head!.IsInDoubt = true;
                GiveUp(partition, code, $"{code.ProtocolName()}, {reason}", null);
                break;
        }
    }

    // The broker has lost count of this producer, or the numbers of a batch that was given up are missing to it. It has not got this batch: it would have said that it is a duplicate.
    private void Renumber(ProducerPartition partition, ErrorCode code, string reason)
    {
        var batch = partition.Head!;
        if (code == ErrorCode.InvalidProducerEpoch && _producer == batch.Producer) _producer = ProducerIdentity.Unknown(null);
        else RaiseEpoch(batch.Producer);
        Log.ProducerRenumbered(_logger, _clientId, partition.Id, code.ProtocolName(), reason);
        batch.Unnumber();
        OfferAgain(partition, code, $"{code.ProtocolName()}, {reason}");
        if (partition.Head is not null) batch.IsInDoubt = false;
    }

    /// <summary>Makes the numbers of what follows begin again, unless they have since the one they were given under. Not within transactions, where the coordinator gives epochs out.</summary>
    private void RaiseEpoch(ProducerIdentity since)
    {
        if (_producer != since) return;
        _producer = since.Epoch < short.MaxValue ? since with { Epoch = (short)(since.Epoch + 1) } : ProducerIdentity.Unknown(null);
    }

    /// <summary>The same batch once more, after a pause.</summary>
    private void OfferAgain(ProducerPartition partition, ErrorCode code, string reason)
    {
        var batch = partition.Head!;
        batch.IsInDoubt = true;
        if (_isDiscarding)
        {
            _isInDoubt = true;
            Release(partition.TakeHead());
            return;
        }

        batch.LastError = code;
        batch.LastReason = reason;
        partition.IsInFlight = false;
        partition.NotBefore = After(_time.GetTimestamp(), Pause(partition.Attempts++));
        if (partition.Attempts == AttemptsWithoutWarning) Log.PartitionWaits(_logger, _clientId, partition.Id, reason);
        else Log.BatchOfferedAgain(_logger, _clientId, batch.Count, partition.Id, reason);
    }

    private TimeSpan Pause(int attempt)
    {
        var pause = Min(_settings.RetryBackoff * (1 << Math.Min(attempt, 20)), _settings.MaxRetryBackoff);
        lock (_random) return pause * (1 - Jitter + (2 * Jitter * _random.NextDouble()));
    }

    private void GiveUpExpired(ProducerPartition partition, long now)
    {
        while (partition.Oldest is { } oldest && now >= After(oldest.OpenedAt, _settings.DeliveryTimeout))
        {
            if (partition.Head is null)
            {
                if (partition.Full.Count == 0) Close(partition);
                partition.Head = partition.Full.Dequeue();
            }

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
            if (_transactionalId is null) RaiseEpoch(batch.Producer);
        }

        var failure = new DeliveryFailure(partition.Id.Topic, code, $"{batch.Count} record(s) for {partition.Id.Topic}-{partition.Id.Partition} were not written: {reason}", cause);
        Release(batch);
        if (_isDiscarding) return;
        if (_transactionalId is not null)
        {
            Stop(failure.ToTransactionException());
            return;
        }

        _failures.Enqueue(failure);
        _hasTrouble = true;
        Changed();
    }

    /// <summary>Makes smaller batches of a head that the topic does not take in one, and of what comes after it.</summary>
    private void Split(ProducerPartition partition)
    {
        var batch = partition.TakeHead();

        // One that was filled under an earlier, larger bound says nothing about the one there is.
        if (batch.BufferedBytes <= partition.MaxBatchBytes) partition.MaxBatchBytes = Math.Max(1, batch.BufferedBytes / 2);
        var parts = new Queue<ProducerBatch>();
        ProducerBatch? part = null;
        var view = RecordBatchView.Read(batch.Bytes.Span);
        using var unpacked = view.Decompress(_settings.MaxRequestBytes);
        var records = unpacked is null ? view.GetRecords() : view.GetRecords(unpacked.WrittenSpan);
        while (records.MoveNext())
        {
            var record = records.Current;
            if (part is null || part.Builder.UncompressedBytes + record.Encoded.Length > partition.MaxBatchBytes)
            {
                parts.Enqueue(part = _store.Take());
                part.OpenedAt = batch.OpenedAt;
            }

            if (!part.Builder.TryAppendEncoded(part.Count, record.Timestamp, record.NullableKey, record.NullableValue, record.EncodedHeaders))
                throw new InvalidOperationException("A record of a batch is larger than a batch.");
        }

        foreach (var made in parts)
        {
            made.BufferedBytes = made.Builder.UncompressedBytes;
            _bufferedBytes += made.BufferedBytes;
        }

        while (partition.Full.TryDequeue(out var later)) parts.Enqueue(later);
        while (parts.TryDequeue(out var first)) partition.Full.Enqueue(first);
        Log.BatchSplit(_logger, _clientId, batch.BufferedBytes, partition.Id, partition.MaxBatchBytes);
        Release(batch);
    }

    private void Release(ProducerBatch batch)
    {
        _bufferedBytes -= batch.BufferedBytes;
        _store.Return(batch);
        Changed();
    }

    private void Stop(Exception end)
    {
        _end ??= end;
        _hasTrouble = true;
        Changed();
    }

    private void Changed()
    {
        if (!_isAwaited) return;
        _isAwaited = false;
        _changed.Set();
    }

    private long AskForProducer(long now)
    {
        // A transactional producer has been given its id before its first record.
        if (_isAskingForProducer || _transactionalId is not null) return long.MaxValue;
        if (now < _askNotBefore) return _askNotBefore;
        _isAskingForProducer = true;
        _ = AskForProducerAsync();
        return long.MaxValue;
    }

    private async Task AskForProducerAsync()
    {
        var code = ErrorCode.None;
        string? reason = null;
        Exception? refusal = null;
        var producer = ProducerIdentity.Unknown(null);
        try
        {
            // Not on the caller's stack, which holds the gate.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var answer = await _brokers.SendAnyAsync<InitProducerIdResponse>(version => TransactionCalls.Init(producer, default, version), _lifetime.Token).ConfigureAwait(false);
            code = answer.ErrorCode;
            producer = new ProducerIdentity(null, answer.ProducerId, answer.ProducerEpoch);
            if (code != ErrorCode.None) reason = TransactionCalls.Describe(code, "a producer id cannot be had");
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
            Broken(e);
        }

        lock (_gate)
        {
            _isAskingForProducer = false;
            _askNotBefore = After(_time.GetTimestamp(), _settings.RetryBackoff);
            if (reason is null) _producer = producer;
            else Explain(partition => true, code, reason, refusal ?? (code != ErrorCode.None && !code.IsRetriable() ? new ClusterException((short)code, code.ProtocolName(), reason) : null));
        }

        Work();
    }

    private long LookUp(long now)
    {
        if (_isLookingUp) return long.MaxValue;
        if (now < _lookUpNotBefore) return _lookUpNotBefore;
        _isLookingUp = true;
        _ = LookUpAsync([.. _toLookUp]);
        return long.MaxValue;
    }

    private async Task LookUpAsync(string[] topics)
    {
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var refused = await _leaders.RefreshAsync(topics, _lifetime.Token).ConfigureAwait(false);
            lock (_gate)
            {
                foreach (var (topic, code) in refused)
                {
                    var reason = TransactionCalls.Describe(code, "its leader cannot be had");
                    Explain(partition => partition.Id.Topic == topic, code, reason, code.IsRetriable() ? null : new ClusterException((short)code, code.ProtocolName(), reason));
                }
            }
        }
        catch (ConnectionLostException e)
        {
            lock (_gate) Explain(partition => topics.Contains(partition.Id.Topic), ErrorCode.None, e.Message, null);
        }
        catch (ClusterException e)
        {
            lock (_gate) Explain(partition => topics.Contains(partition.Id.Topic), ErrorCode.None, e.Message, e);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Broken(e);
        }

        lock (_gate)
        {
            _isLookingUp = false;
            _lookUpNotBefore = After(_time.GetTimestamp(), _settings.RetryBackoff);
        }

        Work();
    }

    /// <summary>Says of what waits why it does, or that it will not be written.</summary>
    private void Explain(Func<ProducerPartition, bool> concerns, ErrorCode code, string reason, Exception? refusal)
    {
        foreach (var partition in _listed)
        {
            if (partition.IsInFlight || partition.Oldest is not { } oldest || !concerns(partition)) continue;
            oldest.LastError = code;
            oldest.LastReason = reason;
            if (refusal is null) continue;
            while (partition.Oldest is not null)
            {
                if (partition.Head is null)
                {
                    if (partition.Full.Count == 0) Close(partition);
                    partition.Head = partition.Full.Dequeue();
                }

                GiveUp(partition, code, reason, refusal);
            }
        }
    }

    // All partitions that have something, so that one call does for those whose batches are not due yet.
    private void AddToTransaction(ProducerPartition due)
    {
        if (_isAdding || due.IsBeingAdded || _toAdd.Count > 0) return;
        foreach (var partition in _listed)
        {
            if (partition.AddedTo == _transaction || partition.IsEmpty) continue;
            partition.IsBeingAdded = true;
            _toAdd.Add(partition);
        }
    }

    private void StartAdding()
    {
        _isAdding = true;
        _underWay++;
        _mayHavePartitions = true;
        _ = AddToTransactionAsync([.. _toAdd], _producer);
    }

    private async Task AddToTransactionAsync(ProducerPartition[] partitions, ProducerIdentity producer)
    {
        Exception? failure = null;
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await _transactions!.AddPartitionsAsync(producer, [.. partitions.Select(partition => partition.Id)], _lifetime.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failure = e is ClusterUnavailableException ? new TransactionAbortedException(e.Message, e) : e;
        }

        lock (_gate)
        {
            _isAdding = false;
            _underWay--;
            foreach (var partition in partitions)
            {
                partition.IsBeingAdded = false;
                if (failure is null) partition.AddedTo = _transaction;
            }

            if (failure is null) _hasPartitions = true;
            else if (!_isDisposed && !_isDiscarding) Stop(failure);
            Changed();
        }

        Work();
    }

    private void Broken(Exception failure)
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            Log.ProducerBroken(_logger, _clientId, failure);
            Stop(failure);
        }
    }
}
