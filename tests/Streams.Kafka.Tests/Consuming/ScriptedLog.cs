using System.Text;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Streams.Kafka.Tests.Support;
using Streams.Kafka.Wire;

namespace Streams.Kafka.Tests.Consuming;

/// <summary>One partition, <c>t-0</c>, on two brokers that can both have it. A fetch at its end is kept waiting for ever.</summary>
internal sealed class ScriptedLog : IAsyncDisposable
{
    public const string Topic = "t";

    private readonly Lock _lock = new();
    private readonly ScriptedBroker[] _brokers;
    private readonly List<(long LastOffset, byte[] Bytes)> _batches = [];
    private readonly List<(int Broker, long Offset, string Rack)> _fetches = [];

    public ScriptedLog() => _brokers = [.. Enumerable.Range(0, 2).Select(index => new ScriptedBroker((_, request, header) => Answer(index, request, header)))];

    /// <summary>Which broker leads; anything else asks in vain.</summary>
    public int Leader { get; set; }

    public int LeaderEpoch { get; set; }

    /// <summary>What a leader says about the end of an earlier epoch.</summary>
    public long EndOfEarlierEpoch { get; set; } = long.MaxValue;

    /// <summary>What the cluster says about the topic.</summary>
    public ErrorCode TopicError { get; set; }

    public List<FetchResponse.AbortedTransaction> Aborted { get; } = [];

    /// <summary>Says something else than the log would; <c>null</c> from it is the log's answer.</summary>
    public Func<int, FetchRequest.FetchPartition, FetchResponse.PartitionData?> OnFetch { get; set; } = static (_, _) => null;

    /// <summary>Hangs up instead of answering.</summary>
    public Func<int, IApiMessage, bool> OnHangUp { get; set; } = static (_, _) => false;

    public int ThrottleTimeMs { get; set; }

    public WireSettings Settings => _brokers[0].Settings;

    public IReadOnlyList<(int Broker, long Offset, string Rack)> Fetches
    {
        get
        {
            lock (_lock) return [.. _fetches];
        }
    }

    /// <summary>Appends one batch.</summary>
    public byte[] Append(long baseOffset, int epoch, long producerId, params string[] values)
    {
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { BaseOffset = baseOffset, PartitionLeaderEpoch = epoch, ProducerId = producerId, ProducerEpoch = 0, BaseSequence = 0, IsTransactional = producerId >= 0 });
        foreach (var value in values) builder.TryAppend(1, new NullableBytes("k"u8), new NullableBytes(Encoding.UTF8.GetBytes(value)));
        var bytes = builder.Build().ToArray();
        lock (_lock) _batches.Add((baseOffset + values.Length - 1, bytes));
        return bytes;
    }

    /// <summary>Forgets all batches.</summary>
    public void Clear()
    {
        lock (_lock) _batches.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in _brokers) await broker.DisposeAsync();
    }

    private byte[]? Answer(int broker, IApiMessage request, RequestHeader header)
    {
        lock (_lock)
        {
            if (OnHangUp(broker, request)) return null;
            IApiMessage? answer = request switch
            {
                MetadataRequest => Metadata(),
                FetchRequest fetch => Fetch(broker, fetch),
                OffsetForLeaderEpochRequest => new OffsetForLeaderEpochResponse
                {
                    Topics = [new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult { Topic = Topic, Partitions = [new OffsetForLeaderEpochResponse.EpochEndOffset { LeaderEpoch = 0, EndOffset = EndOfEarlierEpoch }] }],
                },
                _ => throw new InvalidOperationException($"{request.Key} was not expected"),
            };
            return answer is null ? [] : ScriptedBroker.Frame(answer, header);
        }
    }

    private MetadataResponse Metadata() => new()
    {
        Brokers = [.. _brokers.Select((broker, index) => new MetadataResponse.MetadataResponseBroker { NodeId = index, Host = broker.Address.Host, Port = broker.Address.Port })],
        Topics =
        [
            new MetadataResponse.MetadataResponseTopic
            {
                Name = Topic,
                ErrorCode = TopicError,
                Partitions = TopicError != ErrorCode.None ? [] : [new MetadataResponse.MetadataResponsePartition { LeaderId = Leader, LeaderEpoch = LeaderEpoch, ReplicaNodes = [0, 1], IsrNodes = [0, 1] }],
            },
        ],
    };

    private FetchResponse? Fetch(int broker, FetchRequest request)
    {
        var asked = request.Topics[0].Partitions[0];
        _fetches.Add((broker, asked.FetchOffset, request.RackId));
        var data = OnFetch(broker, asked) ?? Read(broker, asked);
        return data is null ? null : new FetchResponse { ThrottleTimeMs = ThrottleTimeMs, Responses = [new FetchResponse.FetchableTopicResponse { Topic = Topic, Partitions = [data] }] };
    }

    private FetchResponse.PartitionData? Read(int broker, FetchRequest.FetchPartition asked)
    {
        if (broker != Leader) return new FetchResponse.PartitionData { ErrorCode = ErrorCode.NotLeaderOrFollower };
        var found = _batches.Where(batch => batch.LastOffset >= asked.FetchOffset).SelectMany(batch => batch.Bytes).ToArray();
        return found.Length == 0 ? null : Data(found);
    }

    public FetchResponse.PartitionData Data(byte[] records) => new()
    {
        Records = records,
        HighWatermark = _batches.Count == 0 ? 0 : _batches[^1].LastOffset + 1,
        LastStableOffset = _batches.Count == 0 ? 0 : _batches[^1].LastOffset + 1,
        AbortedTransactions = Aborted,
    };
}
