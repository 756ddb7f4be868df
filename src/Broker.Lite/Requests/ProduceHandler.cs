using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Requests;

/// <summary>Produce (0): append one record batch to each of some partitions, as it was sent.</summary>
/// <remarks>
/// v0–2 carry older record formats and are refused, but advertised: librdkafka takes their absence for a broker without compression
/// (KAFKA-18659). v8: errors per record (KIP-467). v10: leader hints, never needed here. With acks=0 there is no response, and an error
/// closes the connection. acks=1 and acks=all are the same promise with one replica: the batch is written as the topic's flush settings
/// say.
/// </remarks>
internal sealed class ProduceHandler(BrokerState broker) : RequestHandler<ProduceRequest, ProduceResponse>(0, 11)
{
    private const short OldestWithRecordBatches = 3;

    protected override ValueTask<ProduceResponse?> HandleAsync(ProduceRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var response = new ProduceResponse { Responses = new(request.TopicData.Count) };
        var failed = false;
        foreach (var asked in request.TopicData)
        {
            var topic = view.Find(asked.Name);
            var results = new List<ProduceResponse.PartitionProduceResponse>(asked.PartitionData.Count);
            foreach (var data in asked.PartitionData)
            {
                var error = Check(request, asked.Name, topic, data, context.Version, out var partition);
                var result = error == ErrorCode.None ? Append(partition!, data) : Failed(data.Index, error, null);
                failed |= result.ErrorCode != ErrorCode.None;
                results.Add(result);
            }

            response.Responses.Add(new() { Name = asked.Name, PartitionResponses = results });
        }

        if (request.Acks != 0)
            return ValueTask.FromResult<ProduceResponse?>(response);
        context.CloseConnection = failed;
        return ValueTask.FromResult<ProduceResponse?>(null);
    }

    private static ErrorCode Check(
        ProduceRequest request, string name, Topic? topic, ProduceRequest.PartitionProduceData data, short version, out Partition? partition)
    {
        partition = topic?.Find(data.Index);
        if (version < OldestWithRecordBatches)
            return ErrorCode.UnsupportedVersion;
        if (request.Acks is < -1 or > 1)
            return ErrorCode.InvalidRequiredAcks;
        if (request.TransactionalId is not null)
            return ErrorCode.TransactionalIdAuthorizationFailed;
        if (partition is null)
            return TopicName.Fault(name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException;
        // Whoever writes here could move any group's offsets.
        if (topic!.IsInternal)
            return ErrorCode.InvalidTopicException;
        if (data.Records is not { } records)
            return ErrorCode.InvalidRecord;
        // A transaction that nobody can end would hide everything after it from read-committed clients.
        return RecordBatchView.TryRead(records.Span, out var batch) == RecordBatchStatus.Valid && batch.Header.IsTransactional
            ? ErrorCode.TransactionalIdAuthorizationFailed
            : ErrorCode.None;
    }

    private static ProduceResponse.PartitionProduceResponse Append(Partition partition, ProduceRequest.PartitionProduceData data)
    {
        var appended = partition.Append(data.Records!.Value);
        if (appended.Error != ErrorCode.None)
        {
            var result = Failed(data.Index, appended.Error, appended.ErrorMessage);
            result.LogStartOffset = appended.LogStartOffset;
            foreach (var index in appended.InvalidRecordIndexes ?? [])
                result.RecordErrors.Add(new() { BatchIndex = index, BatchIndexErrorMessage = appended.ErrorMessage });
            return result;
        }

        return new()
        {
            Index = data.Index,
            BaseOffset = appended.BaseOffset,
            LogAppendTimeMs = appended.LogAppendTimestamp,
            LogStartOffset = appended.LogStartOffset,
        };
    }

    private static ProduceResponse.PartitionProduceResponse Failed(int index, ErrorCode error, string? message) =>
        new() { Index = index, ErrorCode = error, ErrorMessage = message, BaseOffset = -1 };
}
