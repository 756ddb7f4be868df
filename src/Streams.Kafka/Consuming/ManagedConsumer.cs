using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Kafka.Wire;
using Streams.Protocol;
using Log = Streams.Kafka.Diagnostics.Log;

namespace Streams.Kafka.Consuming;

/// <summary>Reads hand-assigned partitions on connections of its own. Fetches are always under way ahead of the reader, bounded in bytes.</summary>
/// <remarks>
/// <para>Fetches run on the threads that read their answers (<see cref="WireSettings.ReadsOnOwnThread"/>), one for each connection, and put batches into the queue of their partition. A partition is in one fetch at most, so that its batches come in their order.</para>
/// <para>A broker answers a connection's requests in their order and keeps a fetch waiting until there are records. So that a partition that is assigned or resumed meanwhile need not wait
/// for the others' records, there are two lanes, connections to a broker, with one fetch each; the second waits for a short time only and gives its partitions back to the first when that is free.</para>
/// <para>Memory: a partition is fetched while it has less than its share; what that brings may exceed it by a batch that is larger, and by what compression has saved.</para>
/// <para>Brokers that are away, leaders that move and topics that are not known (yet) are waited for, with growing pauses; refusals and damaged batches are thrown by <see cref="IRecordConsumer.Poll"/>.</para>
/// </remarks>
internal sealed class ManagedConsumer : FetchingConsumer<FetchPosition>
{
    private const int Lanes = 2;
    private const int LaneOfLongWaits = 0;
    private const int LaneOfQuestions = 1;
    private const sbyte ReadCommitted = 1;
    private const int Consumer = -1;

    /// <summary>Versions that name topics by name and have record batches of format 2.</summary>
    private static readonly VersionRange _fetchVersions = new(4, 12);

    /// <summary>How long the second lane's fetches wait for records.</summary>
    private static readonly TimeSpan _shortWait = TimeSpan.FromMilliseconds(50);

    private readonly ConsumerOptions _options;
    private readonly FetchSettings _fetching;
    private readonly WireSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BrokerPool[] _lanes;
    private readonly PartitionLeaders _leaders;
    private readonly Retry _retry;
    private readonly HashSet<(BrokerAddress Address, int Lane)> _busyLanes = [];
    private readonly Queue<Func<Task>> _started = new();
    private readonly HashSet<Task> _work = [];
    private readonly CancellationTokenSource _stopping = new();
    private int _firstToAsk;
    private Exception? _crash;
    private bool _isAway;

    public ManagedConsumer(ConsumerOptions options, ClientSettings clientSettings, WireSettings settings, TimeProvider time, Random random, ILogger logger)
        : base(options)
    {
        _options = options;
        _fetching = FetchSettings.From(clientSettings, options);
        _settings = settings with { ClientId = options.ClientId, ReadsOnOwnThread = true };
        _time = time;
        _logger = logger;
        _lanes = [.. Enumerable.Range(0, Lanes).Select(_ => new BrokerPool(_settings, time))];
        _leaders = new PartitionLeaders(_lanes[LaneOfQuestions]);
        _retry = new Retry(_settings, time, random);
    }

    public override void Dispose()
    {
        Task[] work;
        lock (Gate)
        {
            if (_stopping.IsCancellationRequested) return;
            _stopping.Cancel();
            work = [.. _work];
            Monitor.PulseAll(Gate);
        }

        foreach (var lane in _lanes) lane.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Task.WhenAll(work).GetAwaiter().GetResult();
        lock (Gate) DropAll();

        _stopping.Dispose();
    }

    protected override FetchPosition NewPartition(TopicPartition partition, long offset) => new(partition, offset);

    protected override void OnAssignmentChanged() => StartFetches();

    protected override void OnRoom() => StartFetches();

    protected override void OnGateLeft() => Launch();

    protected override void ThrowIfBroken()
    {
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        if (_crash is not null) throw new InvalidOperationException($"Consumer {_options.ClientId} has ended: {_crash.Message}", _crash);
    }

    /// <summary>Finds what may be fetched and is not. Under the gate; <see cref="Launch"/> follows when it has been left.</summary>
    private void StartFetches()
    {
        if (_stopping.IsCancellationRequested) return;
        List<FetchPosition>? homeless = null;
        List<FetchPosition>? inDoubt = null;
        Dictionary<BrokerAddress, List<(FetchPosition Position, int LeaderEpoch)>>? byLeader = null;
        var share = ShareBytes;
        foreach (var position in Partitions)
        {
            if (!position.MayBeAsked || position.ReadyBytes >= share) continue;
            if (_leaders.Find(position.Partition) is not { } leader)
            {
                position.IsBusy = true;
                (homeless ??= []).Add(position);
                continue;
            }

            if (position.FetchedEpoch >= 0 && leader.Epoch > Math.Max(position.FetchedEpoch, position.CheckedEpoch))
            {
                position.IsBusy = true;
                (inDoubt ??= []).Add(position);
                continue;
            }

            byLeader ??= [];
            if (position.ReplicaUntil <= _time.GetTimestamp()) position.Replica = null;
            var address = position.Replica ?? leader.Address;
            if (!byLeader.TryGetValue(address, out var positions)) byLeader.Add(address, positions = []);
            positions.Add((position, leader.Epoch));
        }

        if (homeless is not null) _started.Enqueue(() => FindLeadersAsync(homeless));
        foreach (var position in inDoubt ?? []) _started.Enqueue(() => CheckLogAsync(position));
        if (byLeader is null) return;
        foreach (var (address, positions) in byLeader)
        {
            var lane = 0;
            while (lane < Lanes && _busyLanes.Contains((address, lane))) lane++;
            if (lane == Lanes) continue;
            foreach (var (position, _) in positions) position.IsBusy = true;
            _busyLanes.Add((address, lane));
            var fetch = new Fetch(address, lane, InTurn(positions), share);
            _started.Enqueue(() => FetchAsync(fetch));
        }
    }

    // A broker fills an answer in the order of the request, and only the first partition in it gets a batch that is larger than what was asked for (KIP-74).
    private List<(FetchPosition Position, int LeaderEpoch)> InTurn(List<(FetchPosition Position, int LeaderEpoch)> positions)
    {
        var first = (int)((uint)_firstToAsk++ % (uint)positions.Count);
        return first == 0 ? positions : [.. positions[first..], .. positions[..first]];
    }

    /// <summary>Does what <see cref="StartFetches"/> has found to do, up to where it has to wait. Not under the gate: sending is I/O, and so is opening a connection.</summary>
    private void Launch()
    {
        while (true)
        {
            Func<Task>? work;
            lock (Gate)
            {
                if (!_started.TryDequeue(out work)) return;
            }

            var task = work();
            lock (Gate)
            {
                // Kept until it is done, so that disposing waits for it: what it awaits ends with the consumer. What it does not expect is the reader's to know.
                if (task.IsCompletedSuccessfully) continue;
                _work.Add(task);
            }

            task.ContinueWith(
                done =>
                {
                    lock (Gate)
                    {
                        _work.Remove(done);
                        if (done.Exception is not { } crash) return;
                        _crash = crash.InnerException;
                        Monitor.PulseAll(Gate);
                    }
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    private async Task FetchAsync(Fetch fetch)
    {
        List<FetchPosition>? troubled = null;
        try
        {
            var wait = fetch.Lane == LaneOfLongWaits || _shortWait > _fetching.MaxWait ? _fetching.MaxWait : _shortWait;
            using var answer = await _lanes[fetch.Lane].SendForPooledAsync<FetchResponse>(
                fetch.Address, _fetchVersions, version => NewRequest(fetch, wait, version), _settings.RequestTimeout + wait, _stopping.Token).ConfigureAwait(false);
            var response = answer.Response;
            if (response.ErrorCode != ErrorCode.None) throw WireErrors.ToException(response.ErrorCode, $"Fetching from {fetch.Address}");
            var isEmpty = Take(response, fetch, ref troubled);
            if (response.ThrottleTimeMs > 0) await Task.Delay(TimeSpan.FromMilliseconds(response.ThrottleTimeMs), _time, _stopping.Token).ConfigureAwait(false);
            Finish(fetch, troubled, isEmpty);
        }
        catch (Exception failure) when (_stopping.IsCancellationRequested && failure is OperationCanceledException or ObjectDisposedException or ConnectionLostException)
        {
            return;
        }
        catch (Exception failure) when (failure is ConnectionLostException or RetriableErrorException)
        {
            troubled = Report(fetch, "no answer", failure.Message);
            Finish(fetch, troubled, isEmpty: false);
        }
        catch (ClusterException failure)
        {
            // Credentials, or a broker without a version that is spoken here: for whoever polls to decide.
            lock (Gate)
            {
                foreach (var (position, _) in fetch.Positions) Fail(position, failure);
            }

            Finish(fetch, null, isEmpty: false);
        }

        if (troubled is not null) await FindLeadersAsync(troubled).ConfigureAwait(false);
    }

    private FetchRequest NewRequest(Fetch fetch, TimeSpan wait, short version)
    {
        const short EpochsFrom = 9;
        var topics = new Dictionary<string, FetchRequest.FetchTopic>();
        lock (Gate)
        {
            foreach (var (position, epoch) in fetch.Positions)
            {
                if (!topics.TryGetValue(position.Partition.Topic, out var topic))
                    topics.Add(position.Partition.Topic, topic = new FetchRequest.FetchTopic { Topic = position.Partition.Topic });
                topic.Partitions.Add(new FetchRequest.FetchPartition
                {
                    Partition = position.Partition.Partition,
                    FetchOffset = position.FetchOffset,
                    PartitionMaxBytes = Math.Min(_fetching.MaxPartitionBytes, fetch.Share),
                    CurrentLeaderEpoch = version >= EpochsFrom ? epoch : -1,
                });
            }
        }

        return new FetchRequest
        {
            MaxWaitMs = (int)wait.TotalMilliseconds,
            MinBytes = _fetching.MinBytes,
            MaxBytes = (int)Math.Min(_fetching.MaxBytes, (long)fetch.Positions.Count * fetch.Share),
            IsolationLevel = _options.ReadCommitted ? ReadCommitted : (sbyte)0,
            Topics = [.. topics.Values],
            RackId = _fetching.Rack,
        };
    }

    /// <returns>Whether the answer brought nothing at all.</returns>
    private bool Take(FetchResponse response, Fetch fetch, ref List<FetchPosition>? troubled)
    {
        var isEmpty = true;
        var asked = fetch.Positions.ToDictionary(item => item.Position.Partition, item => item.Position);
        foreach (var topic in response.Responses)
        {
            foreach (var data in topic.Partitions)
            {
                if (!asked.TryGetValue(new TopicPartition(topic.Topic, data.PartitionIndex), out var position)) continue;
                if (data.ErrorCode == ErrorCode.None)
                {
                    if (data.PreferredReadReplica >= 0 && _leaders.Address(data.PreferredReadReplica) is { } replica && replica != fetch.Address)
                    {
                        // Not an answer that ends a row of failed attempts: the leader may send us to a replica that keeps failing.
                        isEmpty = false;
                        lock (Gate)
                        {
                            position.Replica = replica;
                            position.ReplicaUntil = _time.GetTimestamp() + (long)(_fetching.MaxReplicaAge.TotalSeconds * _time.TimestampFrequency);
                        }

                        if (data.Records is not { Length: > 0 }) continue;
                    }

                    if (data.Records is { Length: > 0 } records)
                    {
                        isEmpty = false;
                        TakeRecords(position, data, records);
                    }
                    else
                    {
                        lock (Gate) TakeEnd(position, data);
                    }

                    continue;
                }

                isEmpty = false;
                if (position.Replica is not null)
                {
                    // The leader may have what a replica has not yet, or not any more; what it says counts. It is asked at once, unless it has sent us here before.
                    lock (Gate) position.Replica = null;
                    (troubled ??= []).Add(position);
                }
                else if (data.ErrorCode == ErrorCode.OffsetOutOfRange)
                {
                    lock (Gate) Fail(position, new OffsetOutOfRangeException(position.Partition, position.FetchOffset));
                }
                else if (data.ErrorCode.IsRetriable() && data.ErrorCode != ErrorCode.CorruptMessage)
                {
                    if (position.FailedAttempts == 0) Log.FetchProblem(_logger, _options.ClientId, position.Partition.ToString(), data.ErrorCode.ProtocolName());
                    _leaders.Forget(position.Partition);
                    (troubled ??= []).Add(position);
                }
                else
                {
                    var what = $"Consumer {_options.ClientId} cannot read {position.Partition}";
                    var failure = data.ErrorCode == ErrorCode.CorruptMessage
                        ? new ClusterException((short)data.ErrorCode, data.ErrorCode.ProtocolName(), $"{what}: the broker's log is damaged at offset {position.FetchOffset} or after it.")
                        : (ClusterException)WireErrors.ToException(data.ErrorCode, what);
                    lock (Gate) Fail(position, failure);
                }
            }
        }

        return isEmpty;
    }

    // Under the gate.
    private void TakeEnd(FetchPosition position, FetchResponse.PartitionData data)
    {
        position.EndOffset = _options.ReadCommitted ? data.LastStableOffset : data.HighWatermark;
        position.FailedAttempts = 0;
        _isAway = false;
    }

    private void TakeRecords(FetchPosition position, FetchResponse.PartitionData data, ReadOnlyMemory<byte> records)
    {
        // Decoding happens outside of the lock: it is the real work. The position is this fetch's alone while it is busy.
        var batches = new List<RecordBatch>();
        StreamsException? failure = null;
        var end = new FetchedEnd(position.FetchOffset, -1);
        try
        {
            end = FetchedRecords.Decode(position.Partition, records, end.NextOffset, _options.ReadCommitted ? data.AbortedTransactions : null, batches, copies: true);
        }
        catch (Exception e) when (e is ProtocolException or CompressionUnavailableException)
        {
            if (batches.Count > 0) end = end with { NextOffset = Math.Max(end.NextOffset, batches[^1].NextOffset) };
            failure = new SerializationException($"What was fetched of {position.Partition} at offset {end.NextOffset} cannot be read: {e.Message}", e);
        }

        lock (Gate)
        {
            if (!IsCurrent(position) || _stopping.IsCancellationRequested)
            {
                foreach (var batch in batches) batch.Dispose();
                return;
            }

            position.FetchOffset = end.NextOffset;
            position.FetchedEpoch = Math.Max(position.FetchedEpoch, end.LeaderEpoch);
            TakeEnd(position, data);
            Put(position, batches);
            if (failure is not null) Fail(position, failure);
        }
    }

    /// <summary>Frees what the fetch held, and sends the next ones off.</summary>
    private void Finish(Fetch fetch, List<FetchPosition>? troubled, bool isEmpty)
    {
        lock (Gate)
        {
            _busyLanes.Remove((fetch.Address, fetch.Lane));
            foreach (var (position, _) in fetch.Positions) position.IsBusy = troubled is not null && troubled.Contains(position);

            // Nothing is new for anybody: the other lane's fetch is back within its short wait, and both sets of partitions then go on as one.
            if (isEmpty && fetch.Lane == LaneOfLongWaits && _busyLanes.Contains((fetch.Address, LaneOfQuestions))) return;
            StartFetches();
        }

        Launch();
    }

    private List<FetchPosition> Report(Fetch fetch, string code, string reason)
    {
        lock (Gate)
        {
            // A broker may end a connection that has been idle just when it is needed again; what the next attempt does not mend is worth telling, once.
            if (fetch.Positions.Exists(item => item.Position.FailedAttempts > 0))
            {
                if (!_isAway) Log.ConsumeProblem(_logger, _options.ClientId, code, reason);
                _isAway = true;
            }

            foreach (var (position, _) in fetch.Positions)
            {
                position.Replica = null;
                _leaders.Forget(position.Partition);
            }
        }

        return [.. fetch.Positions.Select(item => item.Position)];
    }

    /// <summary>
    /// There has been an election since the last batch was written: if the new leader never had it, it is gone from the log, and what comes at its offset is something else (KIP-320).
    /// </summary>
    private async Task CheckLogAsync(FetchPosition position)
    {
        var partition = position.Partition;
        try
        {
            if (_leaders.Find(partition) is { } leader)
            {
                var answer = await _lanes[LaneOfQuestions].SendAsync<OffsetForLeaderEpochResponse>(
                    leader.Address,
                    version => new OffsetForLeaderEpochRequest
                    {
                        ReplicaId = Consumer,
                        Topics =
                        [
                            new OffsetForLeaderEpochRequest.OffsetForLeaderTopic
                            {
                                Topic = partition.Topic,
                                Partitions = [new OffsetForLeaderEpochRequest.OffsetForLeaderPartition { Partition = partition.Partition, CurrentLeaderEpoch = version >= 2 ? leader.Epoch : -1, LeaderEpoch = position.FetchedEpoch }],
                            },
                        ],
                    },
                    _settings.RequestTimeout,
                    _stopping.Token).ConfigureAwait(false);
                var found = answer.Topics.SelectMany(topic => topic.Partitions).FirstOrDefault(end => end.Partition == partition.Partition);
                var code = found?.ErrorCode ?? ErrorCode.UnknownTopicOrPartition;

                // A user who may read but not describe is refused the question, not the records.
                if (code is ErrorCode.None or ErrorCode.TopicAuthorizationFailed)
                {
                    lock (Gate)
                    {
                        position.CheckedEpoch = leader.Epoch;
                        position.FailedAttempts = 0;
                        if (code == ErrorCode.None && found!.EndOffset >= 0 && found.EndOffset < position.FetchOffset) Fail(position, new OffsetOutOfRangeException(partition, position.FetchOffset));
                        position.IsBusy = false;
                        StartFetches();
                    }

                    Launch();
                    return;
                }

                _leaders.Forget(partition);
            }
        }
        catch (Exception failure) when (failure is ConnectionLostException or ClusterException)
        {
            // A broker that has no such question (before 0.11) is taken at its word; others are found again.
            if (failure is ClusterException) lock (Gate) position.CheckedEpoch = int.MaxValue;
            else _leaders.Forget(partition);
        }
        catch (Exception failure) when (_stopping.IsCancellationRequested && failure is OperationCanceledException or ObjectDisposedException)
        {
            return;
        }

        await FindLeadersAsync([position]).ConfigureAwait(false);
    }

    /// <summary>Waits as long as positions have failed, looks for their leaders, and lets those go on that have one; the others are looked for again.</summary>
    private async Task FindLeadersAsync(List<FetchPosition> positions)
    {
        try
        {
            while (positions.Count > 0)
            {
                int attempts;
                lock (Gate)
                {
                    attempts = positions.Max(position => position.FailedAttempts);
                    foreach (var position in positions) position.FailedAttempts++;
                }

                if (attempts > 0) await Task.Delay(_retry.Pause(attempts - 1), _time, _stopping.Token).ConfigureAwait(false);
                var refused = await LookUpAsync(positions).ConfigureAwait(false);
                lock (Gate)
                {
                    foreach (var position in positions)
                    {
                        if (!refused.TryGetValue(position.Partition.Topic, out var error) || error.IsRetriable()) continue;
                        Fail(position, (StreamsException)WireErrors.ToException(error, $"Consumer {_options.ClientId} cannot read {position.Partition}"));
                        position.IsBusy = false;
                    }

                    positions.RemoveAll(position =>
                    {
                        if (!IsCurrent(position) || !position.IsBusy) return true;
                        if (_leaders.Find(position.Partition) is null)
                        {
                            // A topic that has just been made is there at the second look; what is still missing then is worth telling, once.
                            if (attempts == 1 && !_isAway)
                                Log.FetchProblem(_logger, _options.ClientId, position.Partition.ToString(), refused.GetValueOrDefault(position.Partition.Topic, ErrorCode.LeaderNotAvailable).ProtocolName());
                            return false;
                        }

                        position.IsBusy = false;
                        return true;
                    });
                    StartFetches();
                }

                Launch();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && _stopping.IsCancellationRequested)
        {
            // The consumer ends.
        }
    }

    private async Task<IReadOnlyDictionary<string, ErrorCode>> LookUpAsync(List<FetchPosition> positions)
    {
        var topics = positions.Select(position => position.Partition.Topic).Distinct().ToList();
        try
        {
            return await _leaders.RefreshAsync(topics, _stopping.Token).ConfigureAwait(false);
        }
        catch (ConnectionLostException failure)
        {
            lock (Gate)
            {
                if (!_isAway) Log.ConsumeProblem(_logger, _options.ClientId, "no leader", failure.Message);
                _isAway = true;
            }
        }
        catch (ClusterException failure)
        {
            lock (Gate)
            {
                foreach (var position in positions)
                {
                    Fail(position, failure);
                    position.IsBusy = false;
                }
            }
        }

        return new Dictionary<string, ErrorCode>();
    }
}
