using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Support;

/// <summary>A transactional producer that sends exactly what a test tells it to, and remembers its id, epoch and sequence numbers.</summary>
internal sealed class TestProducer(TestBroker broker, string transactionalId)
{
    private readonly Dictionary<(string, int), int> _sequences = [];

    public long Id { get; set; } = -1;

    public short Epoch { get; set; } = -1;

    public int TimeoutMs { get; set; } = 60_000;

    /// <summary>Gets an id and epoch, as a new producer or, to recover, as the one it is.</summary>
    public async Task<ErrorCode> InitAsync(bool asItself = false)
    {
        var response = await broker.SendAsync(new InitProducerIdRequest
        {
            TransactionalId = transactionalId,
            TransactionTimeoutMs = TimeoutMs,
            ProducerId = asItself ? Id : -1,
            ProducerEpoch = asItself ? Epoch : (short)-1,
        });
        if (response.ErrorCode == ErrorCode.None)
        {
            (Id, Epoch) = (response.ProducerId, response.ProducerEpoch);
            _sequences.Clear();
        }

        return response.ErrorCode;
    }

    public async Task<ErrorCode> AddAsync(string topic, int partition = 0) => (await broker.SendAsync(new AddPartitionsToTxnRequest
    {
        V3AndBelowTransactionalId = transactionalId,
        V3AndBelowProducerId = Id,
        V3AndBelowProducerEpoch = Epoch,
        V3AndBelowTopics = [new() { Name = topic, Partitions = [partition] }],
    })).ResultsByTopicV3AndBelow[0].ResultsByPartition[0].PartitionErrorCode;

    /// <summary>Writes one record per value in one batch, without adding the partition.</summary>
    public async Task<ProduceResponse.PartitionProduceResponse> WriteAsync(string topic, int partition, params string[] values)
    {
        var sequence = _sequences.GetValueOrDefault((topic, partition));
        var request = TestBroker.Produce(topic, Batch(sequence, values), partition);
        request.TransactionalId = transactionalId;
        var result = (await broker.SendAsync(request)).Responses[0].PartitionResponses[0];
        if (result.ErrorCode == ErrorCode.None)
            _sequences[(topic, partition)] = sequence + values.Length;
        return result;
    }

    /// <summary>Adds the partition and writes to it.</summary>
    public async Task SendAsync(string topic, int partition, params string[] values)
    {
        Assert.Equal(ErrorCode.None, await AddAsync(topic, partition));
        Assert.Equal(ErrorCode.None, (await WriteAsync(topic, partition, values)).ErrorCode);
    }

    public byte[] Batch(int sequence, params string[] values) => Batches.Build(
        new RecordBatchOptions { ProducerId = Id, ProducerEpoch = Epoch, BaseSequence = sequence, IsTransactional = true }, broker.Clock.NowMs, values);

    public async Task<ErrorCode> AddOffsetsAsync(string group) => (await broker.SendAsync(new AddOffsetsToTxnRequest
    {
        TransactionalId = transactionalId,
        ProducerId = Id,
        ProducerEpoch = Epoch,
        GroupId = group,
    })).ErrorCode;

    public async Task<ErrorCode> CommitOffsetAsync(
        string group, string topic, long offset, int partition = 0, TestMember? member = null, string? instanceId = null) => (await broker.SendAsync(new TxnOffsetCommitRequest
        {
            TransactionalId = transactionalId,
            ProducerId = Id,
            ProducerEpoch = Epoch,
            GroupId = group,
            GenerationId = member?.Generation ?? -1,
            MemberId = member?.Id ?? "",
            GroupInstanceId = instanceId,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedMetadata = "m" }] }],
        })).Topics[0].Partitions[0].ErrorCode;

    public async Task<ErrorCode> EndAsync(bool commit) => (await broker.SendAsync(new EndTxnRequest
    {
        TransactionalId = transactionalId,
        ProducerId = Id,
        ProducerEpoch = Epoch,
        Committed = commit,
    })).ErrorCode;

    public async Task CommitAsync() => Assert.Equal(ErrorCode.None, await EndAsync(commit: true));

    public async Task AbortAsync() => Assert.Equal(ErrorCode.None, await EndAsync(commit: false));
}
