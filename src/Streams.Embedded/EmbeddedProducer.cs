using System.Buffers;
using Broker.Lite;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Streams.Core;

namespace Streams.Embedded;

/// <summary>Writes to a broker in this process: records gather in a batch per partition, which is appended when it is full, on a flush, or when the thread has nothing else to do.</summary>
/// <remarks>Appending is a call, so an acknowledgement is there when it returns and nothing is ever in flight; the batches being filled are the only buffer.</remarks>
internal sealed class EmbeddedProducer : IRecordProducer
{
    /// <summary>A batch is sent at this size: large enough to spread the cost of an append, small enough for the processor's cache.</summary>
    private const int BatchBytes = 128 << 10;

    /// <summary>Largest batch, and so record; the broker's own limit for the topic comes first.</summary>
    private const int MaxBatchBytes = 64 << 20;

    private const short AcksAll = -1;

    /// <summary>How long a refused batch is offered again. Kafka's <c>delivery.timeout.ms</c>.</summary>
    private static readonly TimeSpan _deliveryTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Kafka's <c>retry.backoff.ms</c>.</summary>
    private static readonly TimeSpan _retryBackoff = TimeSpan.FromMilliseconds(100);

    private readonly LocalConnection _connection;
    private readonly ProducerOptions _options;
    private readonly TimeProvider _time;
    private readonly RecordBatchOptions _batchOptions;
    private readonly Dictionary<string, Topic> _topics = [];
    private readonly List<Batch> _open = [];
    private readonly ManualResetEventSlim _pause = new(false);
    private readonly ArrayBufferWriter<byte> _headers = new();
    private readonly ProduceRequest _request = new() { Acks = AcksAll, TimeoutMs = 30_000 };
    private readonly ProduceRequest.TopicProduceData _topicData = new();
    private readonly ProduceRequest.PartitionProduceData _partitionData = new();
    private long _producerId = -1;
    private short _producerEpoch = -1;

    public EmbeddedProducer(LocalConnection connection, ProducerOptions options, TimeProvider time)
    {
        if (options.TransactionalId is not null)
            throw new ConfigException("The embedded broker has no transactions in this version; use ProcessingGuarantee.AtLeastOnce.");
        _connection = connection;
        _options = options;
        _time = time;
        if (!Enum.TryParse<CompressionType>(options.Compression, ignoreCase: true, out var compression))
            throw new ConfigException($"compression.type is '{options.Compression}': none, gzip, snappy, lz4 and zstd are allowed.");
        _batchOptions = new RecordBatchOptions { Compression = compression, MaxBytes = MaxBatchBytes };
        _topicData.PartitionData.Add(_partitionData);
        _request.TopicData.Add(_topicData);
    }

    public ProducerTopic GetTopic(string name, bool trackOffsets = false)
    {
        if (_topics.TryGetValue(name, out var known)) return known;
        var response = Wait(new MetadataRequest { Topics = [new MetadataRequest.MetadataRequestTopic { Name = name }], AllowAutoTopicCreation = false });
        var topic = response.Topics[0];
        if (topic.ErrorCode != ErrorCode.None)
            throw new ProductionException($"topic '{name}' cannot be written: {ErrorCodes.Describe(topic.ErrorCode).Name}, {ErrorCodes.Describe(topic.ErrorCode).Meaning}");
        var handle = new Topic(name, topic.Partitions.Count);
        _topics.Add(name, handle);
        return handle;
    }

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
    {
        var handle = (Topic)topic;
        var batch = handle.Batches[partition] ??= new Batch(handle, partition, _batchOptions);
        if (!TryAppend(batch, in record))
        {
            Append(batch);
            if (!TryAppend(batch, in record))
                throw new ProductionException($"A record of {record.Key.Length + record.Value.Length} bytes for {topic.Name}-{partition} is larger than the largest batch ({MaxBatchBytes} bytes).");
        }

        if (batch.Builder.Count == 1) _open.Add(batch);
        if (batch.Builder.UncompressedBytes >= BatchBytes || (long)_open.Count * BatchBytes > _options.MaxBufferedBytes) Append(batch);
    }

    public void SendPending()
    {
        for (var index = _open.Count - 1; index >= 0; index--) Append(_open[index]);
    }

    public void Flush(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SendPending();
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition) => ((Topic)topic).Batches[partition]?.AcknowledgedOffset;

    public void InitTransactions(CancellationToken cancellationToken) => throw NoTransactions();

    public void BeginTransaction() => throw NoTransactions();

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken) => throw NoTransactions();

    public void CommitTransaction(CancellationToken cancellationToken) => throw NoTransactions();

    public void AbortTransaction(CancellationToken cancellationToken) => throw NoTransactions();

    public void Dispose()
    {
        foreach (var batch in _topics.Values.SelectMany(topic => topic.Batches)) batch?.Builder.Dispose();
        _topics.Clear();
        _open.Clear();
        _pause.Dispose();
    }

    private static InvalidOperationException NoTransactions() => new("The producer is not transactional.");

    private bool TryAppend(Batch batch, in OutgoingRecord record)
    {
        var key = record.HasKey ? new NullableBytes(record.Key) : NullableBytes.Null;
        var value = record.HasValue ? new NullableBytes(record.Value) : NullableBytes.Null;
        var timestamp = record.Timestamp == OutgoingRecord.TimeOfWriting ? _time.GetUtcNow().ToUnixTimeMilliseconds() : record.Timestamp;
        if (record.Headers is not { Count: > 0 } headers) return batch.Builder.TryAppend(timestamp, key, value);
        _headers.ResetWrittenCount();
        HeaderEncoding.WriteCount(headers.Count, _headers);
        HeaderEncoding.Write(headers, _headers);
        return batch.Builder.TryAppendEncoded(batch.Builder.Count, timestamp, key, value, _headers.WrittenSpan);
    }

    private void Append(Batch batch)
    {
        _open.Remove(batch);
        if (batch.Builder.Count == 0) return;
        if (_producerId < 0) InitProducer();
        var count = batch.Builder.Count;
        batch.Builder.SetProducer(_producerId, _producerEpoch, batch.NextSequence);
        _topicData.Name = batch.Topic.Name;
        _partitionData.Index = batch.Partition;
        _partitionData.Records = batch.Builder.Build();
        var answer = AppendWithRetries(batch, count);
        _partitionData.Records = null;
        if (answer.ErrorCode != ErrorCode.None)
            throw new ProductionException(Refused(batch, count, answer));

        batch.AcknowledgedOffset = answer.BaseOffset + count;
        batch.NextSequence = RecordBatchHeader.IncrementSequence(batch.NextSequence, count);
        batch.Builder.Reset();
    }

    // The broker's disk may be full for a while. The same batch with the same sequence numbers is offered again, so nothing is doubled or lost.
    private ProduceResponse.PartitionProduceResponse AppendWithRetries(Batch batch, int count)
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            var answer = Wait(_request).Responses[0].PartitionResponses[0];
            if (answer.ErrorCode == ErrorCode.None || !answer.ErrorCode.IsRetriable()) return answer;
            if (_time.GetElapsedTime(started) >= _deliveryTimeout)
                throw new ProductionException(Refused(batch, count, answer) + $"; tried again for {_deliveryTimeout.TotalSeconds} s");
            _pause.Wait(_retryBackoff);
        }
    }

    private static string Refused(Batch batch, int count, ProduceResponse.PartitionProduceResponse answer)
    {
        var error = ErrorCodes.Describe(answer.ErrorCode);
        return $"{count} record(s) for {batch.Topic.Name}-{batch.Partition} were refused: {error.Name}, {answer.ErrorMessage ?? error.Meaning}";
    }

    private void InitProducer()
    {
        var response = Wait(new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = int.MaxValue });
        BrokerErrors.ThrowIfError(response.ErrorCode, "A producer id cannot be had");
        _producerId = response.ProducerId;
        _producerEpoch = response.ProducerEpoch;
    }

    private TResponse Wait<TResponse>(IRequest<TResponse> request)
        where TResponse : IApiMessage, new()
    {
        var answer = _connection.AskAsync(request, CancellationToken.None);
        return answer.IsCompletedSuccessfully ? answer.Result : answer.GetAwaiter().GetResult();
    }

    private sealed class Topic(string name, int partitionCount) : ProducerTopic(name, partitionCount)
    {
        public Batch?[] Batches { get; } = new Batch?[partitionCount];
    }

    private sealed class Batch(Topic topic, int partition, RecordBatchOptions options)
    {
        public Topic Topic { get; } = topic;

        public int Partition { get; } = partition;

        public RecordBatchBuilder Builder { get; } = new(options);

        public int NextSequence { get; set; }

        public long? AcknowledgedOffset { get; set; }
    }
}
