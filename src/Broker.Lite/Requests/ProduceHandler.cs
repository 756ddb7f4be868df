using Broker.Lite.Coordination;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Requests;

/// <summary>Produce (0): append one record batch to each of some partitions, as it was sent.</summary>
/// <remarks>
/// v0–2 carry older record formats and are refused, but advertised: librdkafka takes their absence for a broker without compression
/// (KAFKA-18659). v7: zstd (KIP-110). v8: errors per record (KIP-467). v10: leader hints, never needed here. With acks=0 there is no response, and an error
/// closes the connection. A transactional batch needs its partition in the producer's transaction: the log lets in only producers that the
/// coordinator announced to it. acks=1 and acks=all are the same promise with one replica: the batch is written as the topic's flush settings
/// say.
/// </remarks>
internal sealed class ProduceHandler(BrokerState broker) : RequestHandler<ProduceRequest, ProduceResponse>(0, 11)
{
    private const short OldestWithRecordBatches = 3;
    private const short OldestWithZstd = 7;

    protected override ValueTask<ProduceResponse?> HandleAsync(ProduceRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var response = Append(request, context, out var failed);
        if (request.Acks == 0)
        {
            context.CloseConnection = failed;
            return ValueTask.FromResult<ProduceResponse?>(null);
        }

        return failed && request.TransactionalId is not null ? ExplainAsync(request, response) : ValueTask.FromResult<ProduceResponse?>(response);
    }

    private ProduceResponse Append(ProduceRequest request, RequestContext context, out bool failed)
    {
        var view = broker.View;
        var response = new ProduceResponse { Responses = new(request.TopicData.Count) };
        failed = false;
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

        return response;
    }

    /// <summary>
    /// The log only knows that a partition is in no transaction of the producer. Whether that is because the producer has been fenced, which
    /// ends it, or because it did not add the partition, the coordinator knows.
    /// </summary>
    private async ValueTask<ProduceResponse?> ExplainAsync(ProduceRequest request, ProduceResponse response)
    {
        for (var i = 0; i < response.Responses.Count; i++)
        {
            for (var j = 0; j < response.Responses[i].PartitionResponses.Count; j++)
            {
                var result = response.Responses[i].PartitionResponses[j];
                var data = request.TopicData[i].PartitionData[j];
                if (result.ErrorCode != ErrorCode.InvalidTxnState || !TryReadProducer(data, out var producerId, out var epoch))
                    continue;
                var partition = new OffsetPartition(request.TopicData[i].Name, data.Index);
                var error = await broker.Loop
                    .InvokeAsync(() => broker.Transactions.Verify(request.TransactionalId!, producerId, epoch, partition))
                    .ConfigureAwait(false);
                // In the transaction by now: it was added after the batch had been refused, or the batch is not of this transaction.
                if (error is not (ErrorCode.None or ErrorCode.ConcurrentTransactions))
                    result.ErrorCode = error;
            }
        }

        return response;
    }

    private static bool TryReadProducer(ProduceRequest.PartitionProduceData data, out long producerId, out short epoch)
    {
        var isValid = RecordBatchView.TryRead(data.Records!.Value.Span, out var batch) == RecordBatchStatus.Valid;
        producerId = isValid ? batch.Header.ProducerId : -1;
        epoch = isValid ? batch.Header.ProducerEpoch : (short)-1;
        return isValid;
    }

    private static ErrorCode Check(
        ProduceRequest request, string name, Topic? topic, ProduceRequest.PartitionProduceData data, short version, out Partition? partition)
    {
        partition = topic?.Find(data.Index);
        if (version < OldestWithRecordBatches)
            return ErrorCode.UnsupportedVersion;
        if (request.Acks is < -1 or > 1)
            return ErrorCode.InvalidRequiredAcks;
        if (partition is null)
            return TopicName.Fault(name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException;
        // Whoever writes here could move any group's offsets.
        if (topic!.IsInternal)
            return ErrorCode.InvalidTopicException;
        if (data.Records is not { } records)
            return ErrorCode.InvalidRecord;
        if (RecordBatchView.TryRead(records.Span, out var batch) != RecordBatchStatus.Valid)
            return ErrorCode.None; // the log says what is wrong with it
        if (version < OldestWithZstd && batch.Header.Compression == CompressionType.Zstd)
            return ErrorCode.UnsupportedCompressionType;
        // Whose transaction it is decides whether the client may write to it.
        return request.TransactionalId is null && batch.Header.IsTransactional ? ErrorCode.TransactionalIdAuthorizationFailed : ErrorCode.None;
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
