using Broker.Lite;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Embedded;

namespace Simulation;

/// <summary>What may happen to a request on its way, as probabilities; nothing by default.</summary>
internal sealed record NetworkFaults
{
    public double LostRequest { get; init; }

    public double LostReply { get; init; }

    /// <summary>The request arrives long after it was sent, mostly when its sender has given up.</summary>
    public double LateRequest { get; init; }

    public double LateReply { get; init; }

    /// <summary>The request arrives twice, as when a client sends it again over a new connection.</summary>
    public double Doubled { get; init; }

    /// <summary>Milliseconds that an ordinary way takes at most.</summary>
    public double SlowestMs { get; init; } = 1;
}

/// <summary>The real broker with the world's clock, the network in front of it, and its restarts.</summary>
internal sealed class SimulatedBroker : IDisposable
{
    private readonly World _world;
    private readonly string? _folder;
    private readonly List<Action> _waitingReaders = [];
    private BrokerServer? _server;
    private int _life;
    private byte _ids;

    /// <param name="world">The world.</param>
    /// <param name="folder">Where its data is; <c>null</c> keeps it in memory, and the broker cannot be restarted.</param>
    public SimulatedBroker(World world, string? folder)
    {
        _world = world;
        _folder = folder;
        Start();
    }

    public NetworkFaults Faults { get; set; } = new();

    /// <summary>Grows with everything that is written: nothing is to be fetched while it stays.</summary>
    public long Version { get; private set; }

    public bool IsUp => _server is not null;

    public AssignmentRules Assignments { get; } = new();

    /// <summary>A way to the broker that loses nothing and takes no time, for the judge and the one who writes the input. Only while it is up.</summary>
    public BrokerConnection Direct() => new(_server!.Connect("judge"));

    public void Appended()
    {
        Version++;
        foreach (var reader in _waitingReaders.ToArray()) reader();
    }

    public void Wait(Action reader) => _waitingReaders.Add(reader);

    public void StopWaiting(Action reader) => _waitingReaders.Remove(reader);

    /// <summary>kill -9 of the broker: what it has written so far is what the next one finds.</summary>
    public void Kill()
    {
        if (_server is not { } server || _folder is null) return;
        _world.Note(null, "broker killed");
        _server = null;
        var from = FolderOf(_life++);
        Folders.Copy(from, FolderOf(_life));

        // Only its memory is given back: answers of a life that is over are not heard, and its files are not those of the next.
        server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Directory.Delete(from, recursive: true);
    }

    public void Start()
    {
        _world.Note(null, "broker started");
        _server = BrokerServer.StartAsync(
            new BrokerOptions
            {
                TimeProvider = new SimulatedTime(_world, null),
                DataDirectory = _folder is null ? null : FolderOf(_life),
                AnswersInside = true,
                NewId = () => new Guid(_world.Seed, (short)_life, 0, 0, 0, 0, 0, 0, 0, 0, ++_ids),
                Settings = new Dictionary<string, string>
                {
                    ["offsets.topic.num.partitions"] = "1",
                    ["transaction.state.log.num.partitions"] = "1",
                    ["log.cleaner.enable"] = "false",
                    ["auto.create.topics.enable"] = "false",
                    ["group.initial.rebalance.delay.ms"] = "100",
                },
            }).GetAwaiter().GetResult();
    }

    /// <summary>Sends a request off; the answer's task ends inside an event, if it ever does.</summary>
    public void Send<TResponse>(string clientId, IRequest<TResponse> request, TaskCompletionSource<TResponse> reply)
        where TResponse : IApiMessage, new()
    {
        var faults = Faults;
        if (_world.Chance(faults.LostRequest)) return;
        var losesReply = _world.Chance(faults.LostReply);
        var there = _world.Chance(faults.LateRequest) ? _world.Between(500, 9_000) : _world.Between(0.02, faults.SlowestMs);
        var back = _world.Chance(faults.LateReply) ? _world.Between(500, 9_000) : _world.Between(0.02, faults.SlowestMs);
        _world.At(there, null, () => Arrive(clientId, request, reply, back, losesReply));
        if (_world.Chance(faults.Doubled) && request is HeartbeatRequest or ProduceRequest or OffsetCommitRequest or EndTxnRequest or AddPartitionsToTxnRequest or AddOffsetsToTxnRequest or TxnOffsetCommitRequest)
            _world.At(there, null, () => Arrive(clientId, Copy(request), new TaskCompletionSource<TResponse>(), back, losesReply: true));
    }

    /// <summary>A request whose sender goes on to use the memory it is in.</summary>
    public static IRequest<TResponse> Copy<TResponse>(IRequest<TResponse> request)
        where TResponse : IApiMessage, new()
    {
        if (request is not ProduceRequest produce) return request;
        return (IRequest<TResponse>)(object)new ProduceRequest
        {
            TransactionalId = produce.TransactionalId,
            Acks = produce.Acks,
            TimeoutMs = produce.TimeoutMs,
            TopicData =
            [
                .. produce.TopicData.Select(topic => new ProduceRequest.TopicProduceData
                {
                    Name = topic.Name,
                    PartitionData = [.. topic.PartitionData.Select(partition => new ProduceRequest.PartitionProduceData { Index = partition.Index, Records = partition.Records?.ToArray() })],
                }),
            ],
        };
    }

    public void Dispose()
    {
        _life++;
        _server?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _server = null;
    }

    private string FolderOf(int life) => Path.Combine(_folder!, $"broker-{life}");

    private void Arrive<TResponse>(string clientId, IRequest<TResponse> request, TaskCompletionSource<TResponse> reply, TimeSpan back, bool losesReply)
        where TResponse : IApiMessage, new()
    {
        if (_server is not { } server)
        {
            _world.At(back, null, () => reply.TrySetException(new ClusterUnavailableException($"{request.Key}: the broker is down.")));
            return;
        }

        if (request is SyncGroupRequest sync) Assignments.Check(sync);
        var life = _life;
        _ = server.Connect(clientId).SendAsync(request).AsTask().ContinueWith(
            answer =>
            {
                if (life != _life) return;
                if (request.Key is ApiKey.Produce or ApiKey.EndTxn) Appended();
                if (answer is { IsCompletedSuccessfully: true, Result: JoinGroupResponse joined }) Assignments.Learn(joined);
                if (losesReply) return;
                _world.At(back, null, () =>
                {
                    if (answer.IsCompletedSuccessfully) reply.TrySetResult(answer.Result);
                    else reply.TrySetException(answer.Exception?.InnerException ?? new ClusterUnavailableException($"{request.Key} was given up."));
                });
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }
}

internal static class Folders
{
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        if (!Directory.Exists(from)) return;
        foreach (var file in Directory.EnumerateFiles(from))
        {
            // Locks are the system's, and go with the process.
            if (Path.GetFileName(file) != ".lock") File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.EnumerateDirectories(from)) Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
    }
}
