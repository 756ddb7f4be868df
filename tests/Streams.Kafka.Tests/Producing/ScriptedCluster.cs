using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core;
using Streams.Kafka.Producing;
using Streams.Kafka.Tests.Support;

namespace Streams.Kafka.Tests.Producing;

/// <summary>A cluster of one broker and one topic that keeps what is produced by the rules of Kafka, and goes wrong as a test says.</summary>
internal sealed class ScriptedCluster : IAsyncDisposable
{
    public const string Topic = "out";
    public const long FirstProducerId = 7;

    private readonly Lock _gate = new();
    private readonly List<(IApiMessage Request, short Version)> _requests = [];
    private readonly ScriptedBroker _broker;
    private readonly KeptPartition[] _partitions;
    private long _nextProducerId = FirstProducerId;
    private short _transactionalEpoch = -1;

    public ScriptedCluster(int partitions = 1)
    {
        _partitions = [.. Enumerable.Range(0, partitions).Select(_ => new KeptPartition())];
        _broker = new ScriptedBroker((_, request, header) => Answer(request, header));
    }

    /// <summary>What goes wrong with the batches of a partition, decided per partition of a request; a thrown <see cref="IOException"/> closes the connection. Default: nothing.</summary>
    public Func<int, Fault> FaultOf { get; set; } = _ => Fault.None;

    /// <summary>Answers a request in another way than usual; <c>null</c> for the usual one.</summary>
    public Func<IApiMessage, IApiMessage?> Instead { get; set; } = _ => null;

    /// <summary>Set: produce requests are answered. Otherwise they wait.</summary>
    public ManualResetEventSlim Answers { get; } = new(initialState: true);

    public int ThrottleTimeMs { get; set; }

    public int MaxBatchBytes { get; set; } = int.MaxValue;

    public string Address => _broker.Address.ToString()!;

    /// <summary>All requests of a kind so far.</summary>
    public IReadOnlyList<T> Requests<T>()
        where T : IApiMessage
    {
        lock (_gate) return [.. _requests.Select(each => each.Request).OfType<T>()];
    }

    public IReadOnlyList<short> VersionsOf<T>()
        where T : IApiMessage
    {
        lock (_gate) return [.. _requests.Where(each => each.Request is T).Select(each => each.Version)];
    }

    /// <summary>Keys of the records of a partition, in their order.</summary>
    public IReadOnlyList<string> Keys(int partition = 0)
    {
        lock (_gate) return [.. _partitions[partition].Keys];
    }

    public KeptPartition Partition(int partition = 0) => _partitions[partition];

    public ManagedProducer NewProducer(TimeProvider time, ProducerOptions? options = null, TimeSpan? apiTimeout = null, params (string Name, string Value)[] settings)
    {
        options ??= new ProducerOptions { ClientId = "test" };
        return new ManagedProducer(
            options,
            new ClientSettings("Producer test", settings.ToDictionary(setting => setting.Name, setting => setting.Value), options.Properties),
            _broker.Settings with { ApiTimeout = apiTimeout ?? TimeSpan.FromSeconds(60), RequestTimeout = TimeSpan.FromSeconds(30) },
            time,
            new Random(1),
            NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        Answers.Set();
        await _broker.DisposeAsync();
        Answers.Dispose();
    }

    private byte[]? Answer(IApiMessage request, RequestHeader header)
    {
        lock (_gate) _requests.Add((request, header.ApiVersion));
        try
        {
            if (request is ProduceRequest) Answers.Wait();
            var answer = Instead(request) ?? request switch
            {
                MetadataRequest metadata => Describe(metadata),
                ProduceRequest produce => Keep(produce),
                InitProducerIdRequest init => Init(init),
                FindCoordinatorRequest find => new FindCoordinatorResponse
                {
                    Coordinators = [.. find.CoordinatorKeys.Select(key => new FindCoordinatorResponse.Coordinator { Key = key, NodeId = 1, Host = _broker.Address.Host, Port = _broker.Address.Port })],
                },
                AddPartitionsToTxnRequest add => new AddPartitionsToTxnResponse
                {
                    ResultsByTopicV3AndBelow = [.. add.V3AndBelowTopics.Select(topic => new AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult
                    {
                        Name = topic.Name,
                        ResultsByPartition = [.. topic.Partitions.Select(partition => new AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult { PartitionIndex = partition })],
                    })],
                },
                AddOffsetsToTxnRequest => new AddOffsetsToTxnResponse(),
                TxnOffsetCommitRequest commit => new TxnOffsetCommitResponse
                {
                    Topics = [.. commit.Topics.Select(topic => new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
                    {
                        Name = topic.Name,
                        Partitions = [.. topic.Partitions.Select(partition => new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex })],
                    })],
                },
                EndTxnRequest => new EndTxnResponse(),
                _ => throw new InvalidOperationException($"nobody expects a {request.Key}"),
            };
            return ScriptedBroker.Frame(answer, header);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private MetadataResponse Describe(MetadataRequest request) => new()
    {
        Brokers = [new MetadataResponse.MetadataResponseBroker { NodeId = 1, Host = _broker.Address.Host, Port = _broker.Address.Port }],
        Topics = [.. request.Topics!.Select(topic => topic.Name == Topic
            ? new MetadataResponse.MetadataResponseTopic
            {
                Name = Topic,
                Partitions = [.. Enumerable.Range(0, _partitions.Length).Select(partition => new MetadataResponse.MetadataResponsePartition { PartitionIndex = partition, LeaderId = 1, LeaderEpoch = 1 })],
            }
            : new MetadataResponse.MetadataResponseTopic { Name = topic.Name, ErrorCode = ErrorCode.UnknownTopicOrPartition })],
    };

    private InitProducerIdResponse Init(InitProducerIdRequest request)
    {
        lock (_gate)
        {
            return request.TransactionalId is null
                ? new InitProducerIdResponse { ProducerId = _nextProducerId++, ProducerEpoch = 0 }
                : new InitProducerIdResponse { ProducerId = FirstProducerId, ProducerEpoch = ++_transactionalEpoch };
        }
    }

    private ProduceResponse Keep(ProduceRequest request)
    {
        var response = new ProduceResponse { ThrottleTimeMs = ThrottleTimeMs };
        var isCut = false;
        lock (_gate)
        {
            foreach (var topic in request.TopicData)
            {
                var said = new ProduceResponse.TopicProduceResponse { Name = topic.Name };
                response.Responses.Add(said);
                foreach (var partition in topic.PartitionData)
                {
                    var fault = FaultOf(partition.Index);
                    isCut |= fault.Cuts;
                    var kept = fault.Loses || fault.Cuts && !fault.Keeps
                        ? new ProduceResponse.PartitionProduceResponse { ErrorCode = fault.Code }
                        : _partitions[partition.Index].Append(partition.Records!.Value.Span, MaxBatchBytes);
                    if (fault.Code != ErrorCode.None) kept = new ProduceResponse.PartitionProduceResponse { ErrorCode = fault.Code, BaseOffset = -1 };
                    kept.Index = partition.Index;
                    said.PartitionResponses.Add(kept);
                }
            }
        }

        return isCut ? throw new IOException("cut") : response;
    }
}

/// <summary>What goes wrong with a batch.</summary>
/// <param name="Code">What the broker says.</param>
/// <param name="Keeps">Whether the batch is kept all the same.</param>
/// <param name="Cuts">Whether the connection ends instead of an answer.</param>
internal readonly record struct Fault(ErrorCode Code, bool Keeps, bool Cuts)
{
    public static readonly Fault None = new(ErrorCode.None, true, false);

    public bool Loses => Code != ErrorCode.None && !Keeps;

    public static Fault Refuses(ErrorCode code) => new(code, false, false);

    public static Fault KeepsButSays(ErrorCode code) => new(code, true, false);

    public static Fault CutsBefore() => new(ErrorCode.None, false, true);

    public static Fault CutsAfter() => new(ErrorCode.None, true, true);
}
