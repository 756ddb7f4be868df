using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Embedded;
using Streams.Protocol;

namespace Simulation;

/// <summary>The cluster as one process sees it: the real clients of the embedded broker over a network with faults, and a consumer without threads.</summary>
internal sealed class SimulatedCluster(World world, SimulatedBroker broker, Incarnation owner) : ICluster
{
    public string Description => "a simulated cluster";

    public IRecordConsumer CreateConsumer(ConsumerOptions options) => new SimulatedConsumer(world, broker, owner, Connect(options.ClientId), options);

    public IRecordProducer CreateProducer(ProducerOptions options) => new EmbeddedProducer(Connect(options.ClientId), options, owner.Time);

    public IClusterAdmin CreateAdmin(string clientId) => new EmbeddedAdmin(Connect(clientId));

    public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => new EmbeddedGroupCoordinator(Connect(clientId), groupId);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private SimulatedConnection Connect(string clientId) => new(world, broker, owner, clientId);
}

/// <summary>A connection that may lose, delay and double, and at whose calls the process may be killed.</summary>
internal sealed class SimulatedConnection(World world, SimulatedBroker broker, Incarnation owner, string clientId) : BrokerConnection(null!)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _patienceForGroup = TimeSpan.FromSeconds(20);

    public override async Task<TResponse> AskAsync<TResponse>(IRequest<TResponse> request, CancellationToken cancellationToken)
    {
        world.Note(owner, request.Key.ToString());
        await DieIfDueAsync().ConfigureAwait(false);
        var reply = new TaskCompletionSource<TResponse>();
        broker.Send(clientId, SimulatedBroker.Copy(request), reply);
        var patience = request is JoinGroupRequest or SyncGroupRequest ? _patienceForGroup : _patience;
        var alarm = world.At(patience, owner, () => reply.TrySetException(new ClusterUnavailableException($"{request.Key} has no answer after {patience.TotalSeconds} s.")));
        try
        {
            return await world.Until(owner, reply.Task, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            alarm.Cancel();
            await DieIfDueAsync().ConfigureAwait(false);
        }
    }

    public override void Pause(TimeSpan time, CancellationToken cancellationToken) => world.Delay(owner, time, cancellationToken).GetAwaiter().GetResult();

    public override Task PauseAsync(TimeSpan time, CancellationToken cancellationToken) => world.Delay(owner, time, cancellationToken);

    // A call is left half done: of a killed process nothing goes on, on a fiber or off it.
    private Task DieIfDueAsync()
    {
        if (owner.IsDead || owner.CallsToLive < 0 || owner.CallsToLive-- > 0)
        {
            if (!owner.IsDead) return Task.CompletedTask;
        }
        else
        {
            owner.Kill();
        }

        if (Fiber.Current is null) return new TaskCompletionSource().Task;
        Fiber.Current.Park();
        return Task.CompletedTask;
    }
}

/// <summary>A consumer whose fetches are made by the thread that polls.</summary>
internal sealed class SimulatedConsumer(World world, SimulatedBroker broker, Incarnation owner, SimulatedConnection connection, ConsumerOptions options) : IRecordConsumer
{
    // Time, too, ends transactions.
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(1);

    private readonly Dictionary<TopicPartition, Place> _places = [];
    private readonly Queue<(Place Place, RecordBatch Batch)> _ready = new();
    private TimeSpan _asked;
    private long _seen = -1;
    private bool _woken;
    private Waiter? _waiter;

    public void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions)
    {
        foreach (var (partition, offset) in partitions) _places[partition] = new Place { Offset = offset };
        _seen = -1;
    }

    public void Unassign(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var partition in partitions) _places.Remove(partition);
    }

    public void Pause(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            if (_places.TryGetValue(partition, out var place)) place.IsPaused = true;
        }
    }

    public void Resume(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            if (_places.TryGetValue(partition, out var place)) place.IsPaused = false;
        }

        _seen = -1;
    }

    public RecordBatch? Poll(TimeSpan timeout)
    {
        if (Take() is { } ready) return ready;
        Fetch();
        if (Take() is { } fetched) return fetched;
        if (timeout <= TimeSpan.Zero) return null;
        if (!_woken)
        {
            _waiter = new Waiter(world, owner, Fiber.Current!);
            var wake = _waiter.Wake;
            broker.Wait(wake);
            try
            {
                _waiter.Wait(timeout, CancellationToken.None);
            }
            finally
            {
                broker.StopWaiting(wake);
                _waiter = null;
            }
        }

        _woken = false;
        Fetch();
        return Take();
    }

    public void Wake()
    {
        _woken = true;
        _waiter?.Wake();
    }

    public long? CachedEndOffset(TopicPartition partition) => _places.TryGetValue(partition, out var place) ? place.End : null;

    public void Dispose()
    {
        while (_ready.TryDequeue(out var ready)) ready.Batch.Dispose();
    }

    private RecordBatch? Take()
    {
        for (var left = _ready.Count; left > 0; left--)
        {
            var (place, batch) = _ready.Dequeue();
            if (!_places.TryGetValue(batch.Partition, out var current) || current != place) batch.Dispose();
            else if (place.IsPaused) _ready.Enqueue((place, batch));
            else return batch;
        }

        return null;
    }

    private void Fetch()
    {
        var asked = _places.Where(entry => !entry.Value.IsPaused).ToDictionary();
        if (asked.Count == 0 || (_seen == broker.Version && world.Now - _asked < _silence))
        {
            // A turn of the thread takes some time, whatever it finds.
            _ = world.Delay(owner, world.Between(0.01, 0.1), CancellationToken.None);
            return;
        }

        var version = broker.Version;
        var response = connection.AskAsync(
            new FetchRequest
            {
                MaxWaitMs = 0,
                MinBytes = 0,
                MaxBytes = 1 << 20,
                IsolationLevel = options.ReadCommitted ? (sbyte)1 : (sbyte)0,
                Topics =
                [
                    .. asked.GroupBy(entry => entry.Key.Topic).Select(topic => new FetchRequest.FetchTopic
                    {
                        Topic = topic.Key,
                        Partitions = [.. topic.Select(entry => new FetchRequest.FetchPartition { Partition = entry.Key.Partition, FetchOffset = entry.Value.Offset, PartitionMaxBytes = 1 << 20 })],
                    }),
                ],
            },
            CancellationToken.None).GetAwaiter().GetResult();
        foreach (var topic in response.Responses)
        {
            foreach (var data in topic.Partitions) Take(new TopicPartition(topic.Topic, data.PartitionIndex), data, asked);
        }

        _seen = version;
        _asked = world.Now;
    }

    private void Take(TopicPartition partition, FetchResponse.PartitionData data, Dictionary<TopicPartition, Place> asked)
    {
        var place = asked[partition];
        if (data.ErrorCode == ErrorCode.OffsetOutOfRange) throw new OffsetOutOfRangeException(partition, place.Offset);
        BrokerErrors.ThrowIfError(data.ErrorCode, $"{partition} cannot be read");
        place.End = options.ReadCommitted ? data.LastStableOffset : data.HighWatermark;
        if (data.Records is not { Length: > 0 } records) return;
        var batches = new List<RecordBatch>();
        place.Offset = FetchedRecords.Decode(partition, records, place.Offset, options.ReadCommitted ? data.AbortedTransactions : null, batches).NextOffset;
        foreach (var batch in batches) _ready.Enqueue((place, batch));
    }

    private sealed class Place
    {
        public long Offset { get; set; }

        public long? End { get; set; }

        public bool IsPaused { get; set; }
    }
}
