using System.Buffers;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Streams.Core;
using Streams.Protocol;

namespace Streams.Embedded;

/// <summary>Writes to a broker in this process: records gather in a batch per partition, which is appended when it is full, on a flush, or when the thread has nothing else to do.</summary>
/// <remarks>
/// <para>Appending is a call, so an acknowledgement is there when it returns and nothing is ever in flight; the batches being filled are the only buffer.</para>
/// <para>With a transactional id, partitions are added to the transaction before the first batch is appended to them. Being fenced is a <see cref="TaskMigratedException"/>,
/// any other trouble with the transaction's state a <see cref="TransactionAbortedException"/>.</para>
/// </remarks>
internal sealed class EmbeddedProducer : IRecordProducer
{
    /// <summary>A batch is sent at this size: large enough to spread the cost of an append, small enough for the processor's cache.</summary>
    private const int BatchBytes = 128 << 10;

    /// <summary>Largest batch, and so record; the broker's own limit for the topic comes first.</summary>
    private const int MaxBatchBytes = 64 << 20;

    private const short AcksAll = -1;

    /// <summary>How long a refused batch is offered again. Kafka's <c>delivery.timeout.ms</c>.</summary>
    private static readonly TimeSpan _deliveryTimeout = TimeSpan.FromMinutes(2);

    /// <summary>How long a transaction's calls are repeated while the broker says "not yet".</summary>
    private static readonly TimeSpan _transactionPatience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _transactionBackoff = TimeSpan.FromMilliseconds(5);

    /// <summary>Kafka's <c>retry.backoff.ms</c>.</summary>
    private static readonly TimeSpan _retryBackoff = TimeSpan.FromMilliseconds(100);

    private readonly BrokerConnection _connection;
    private readonly ProducerOptions _options;
    private readonly TimeProvider _time;
    private readonly RecordBatchOptions _batchOptions;
    private readonly Dictionary<string, Topic> _topics = [];
    private readonly List<Batch> _open = [];
    private readonly ArrayBufferWriter<byte> _headers = new();
    private readonly ProduceRequest _request = new() { Acks = AcksAll, TimeoutMs = 30_000 };
    private readonly ProduceRequest.TopicProduceData _topicData = new();
    private readonly ProduceRequest.PartitionProduceData _partitionData = new();
    private ProducerIdentity _identity;
    private bool _isOpen;
    private bool _hasContent;
    private int _transactionNumber;

    public EmbeddedProducer(BrokerConnection connection, ProducerOptions options, TimeProvider time)
    {
        _connection = connection;
        _options = options;
        _time = time;
        if (!Enum.TryParse<CompressionType>(options.Compression, ignoreCase: true, out var compression))
            throw new ConfigException($"compression.type is '{options.Compression}': none, gzip, snappy, lz4 and zstd are allowed.");
        _batchOptions = new RecordBatchOptions { Compression = compression, MaxBytes = MaxBatchBytes, IsTransactional = options.TransactionalId is not null };
        _identity = ProducerIdentity.Unknown(options.TransactionalId);
        _request.TransactionalId = options.TransactionalId;
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
        if (_options.TransactionalId is not null && !_isOpen) throw new InvalidOperationException("There is no open transaction to write in.");
        var handle = (Topic)topic;
        var batch = handle.Batches[partition] ??= new Batch(handle, partition, _batchOptions);
        batch.StartNext();
        if (!TryAppend(batch, in record))
        {
            AppendPatiently(batch);
            if (!TryAppend(batch, in record))
                throw new ProductionException($"A record of {record.Key.Length + record.Value.Length} bytes for {topic.Name}-{partition} is larger than the largest batch ({MaxBatchBytes} bytes).");
        }

        if (!batch.IsOpen) _open.Add(batch);
        batch.IsOpen = true;
        if (batch.Builder.UncompressedBytes >= BatchBytes || (long)_open.Count * BatchBytes > _options.MaxBufferedBytes) AppendPatiently(batch);
    }

    public void SendPending()
    {
        if (_isOpen) AddToTransaction(_open);
        for (var index = _open.Count - 1; index >= 0; index--) Append(_open[index]);
    }

    public void Flush(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SendPending();
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition) => ((Topic)topic).Batches[partition]?.AcknowledgedOffset;

    public void InitTransactions(CancellationToken cancellationToken)
    {
        RequireTransactional();
        if (_identity.IsKnown) throw new InvalidOperationException("Transactions were initialised before.");
        InitProducer(cancellationToken);
    }

    public void BeginTransaction()
    {
        RequireTransactional();
        if (!_identity.IsKnown) throw new InvalidOperationException("InitTransactions comes first.");
        if (_isOpen) throw new InvalidOperationException("A transaction is open.");
        _isOpen = true;
        _hasContent = false;
        _transactionNumber++;
    }

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken)
    {
        RequireOpen();
        if (offsets.Count == 0) return;
        Retry(
            () => Wait(TransactionCalls.AddOffsets(_identity, membership.GroupId)).ErrorCode,
            $"Adding offsets of group '{membership.GroupId}' to the transaction",
            cancellationToken);
        _hasContent = true;
        var request = TransactionCalls.CommitOffsets(_identity, offsets, membership, TxnOffsetCommitRequest.Versions.Max);
        Retry(() => TransactionCalls.FirstError(Wait(request)), $"Committing offsets of group '{membership.GroupId}' in the transaction", cancellationToken);
    }

    public void CommitTransaction(CancellationToken cancellationToken)
    {
        RequireOpen();
        Flush(cancellationToken);
        End(commit: true, cancellationToken);
    }

    public void AbortTransaction(CancellationToken cancellationToken)
    {
        RequireOpen();
        var isInDoubt = false;
        foreach (var batch in _open)
        {
            isInDoubt |= batch.Unanswered is not null;
            batch.Discard();
        }

        _open.Clear();
        End(commit: false, cancellationToken);
        if (!isInDoubt) return;

        // Whether the broker has counted what it did not answer for nobody knows; with a new epoch the numbers begin again.
        InitProducer(cancellationToken);
        foreach (var batch in _topics.Values.SelectMany(topic => topic.Batches))
        {
            if (batch is not null) batch.NextSequence = 0;
        }
    }

    public void Dispose()
    {
        foreach (var batch in _topics.Values.SelectMany(topic => topic.Batches)) batch?.Dispose();
        _topics.Clear();
        _open.Clear();
    }

    private void RequireTransactional()
    {
        if (_options.TransactionalId is null) throw new InvalidOperationException("The producer is not transactional.");
    }

    private void RequireOpen()
    {
        RequireTransactional();
        if (!_isOpen) throw new InvalidOperationException("There is no open transaction.");
    }

    private void End(bool commit, CancellationToken cancellationToken)
    {
        if (_hasContent)
        {
            var request = TransactionCalls.End(_identity, commit);
            Retry(() => Wait(request).ErrorCode, commit ? "Committing a transaction" : "Aborting a transaction", cancellationToken, alsoWhenClosing: !commit);
        }

        _isOpen = false;
    }

    private void AddToTransaction(IReadOnlyCollection<Batch> batches)
    {
        List<Batch>? added = null;
        foreach (var batch in batches)
        {
            if (batch.AddedTo != _transactionNumber && (batch.UnsentCount > 0 || batch.Unanswered is not null)) (added ??= []).Add(batch);
        }

        if (added is null) return;
        var request = TransactionCalls.AddPartitions(_identity, added.Select(batch => new TopicPartition(batch.Topic.Name, batch.Partition)));
        Retry(() => TransactionCalls.FirstError(Wait(request)), "Adding partitions to the transaction", CancellationToken.None);
        _hasContent = true;
        foreach (var batch in added) batch.AddedTo = _transactionNumber;
    }

    // The end of the transaction before may still be on its way, and a group between its join and its sync takes no commits: both pass by themselves.
    private void Retry(Func<ErrorCode> ask, string what, CancellationToken cancellationToken, bool alsoWhenClosing = false)
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            var error = ask();
            if (error == ErrorCode.None) return;
            if (!TransactionCalls.Passes(error)) throw TransactionCalls.ToException(error, what);
            if (_time.GetElapsedTime(started) >= _transactionPatience || (_options.Closing.IsCancellationRequested && !alsoWhenClosing)) throw new ClusterUnavailableException(TransactionCalls.Describe(error, what));
            _connection.Pause(_transactionBackoff, cancellationToken);
        }
    }

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

    // A broker that does not answer is waited for as long as a delivery may take: there is nowhere to put more.
    private void AppendPatiently(Batch batch)
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            try
            {
                Append(batch);
                return;
            }
            catch (ClusterUnavailableException failure)
            {
                if (_options.Closing.IsCancellationRequested) throw;
                if (_time.GetElapsedTime(started) >= _deliveryTimeout)
                    throw new ProductionException($"Records for {batch.Topic.Name}-{batch.Partition} could not be written for {_deliveryTimeout.TotalSeconds} s: {failure.Message}", failure);
                _connection.Pause(_retryBackoff, CancellationToken.None);
            }
        }
    }

    // What has been sent and not answered is offered again as it was, with its numbers, so that the broker can tell; records that came since are the next batch.
    private void Append(Batch batch)
    {
        if (batch.Unanswered is not null) Offer(batch);
        if (batch.UnsentCount > 0)
        {
            if (_isOpen) AddToTransaction([batch]);
            else if (!_identity.IsKnown) InitProducer(CancellationToken.None);
            batch.Builder.SetProducer(_identity.ProducerId, _identity.Epoch, batch.NextSequence);
            batch.Seal();
            Offer(batch);
        }

        if (batch.IsOpen) _open.Remove(batch);
        batch.IsOpen = false;
    }

    private void Offer(Batch batch)
    {
        var count = batch.UnansweredCount;
        _topicData.Name = batch.Topic.Name;
        _partitionData.Index = batch.Partition;
        _partitionData.Records = batch.Unanswered;
        ProduceResponse.PartitionProduceResponse answer;
        try
        {
            answer = AppendWithRetries();
        }
        finally
        {
            _partitionData.Records = null;
        }

        if (answer.ErrorCode != ErrorCode.None)
        {
            Refuse(batch, count, answer);
            return;
        }

        batch.AcknowledgedOffset = answer.BaseOffset + count;
        batch.NextSequence = RecordBatchHeader.IncrementSequence(batch.NextSequence, count);
        batch.Answered();
    }

    // The broker's disk may be full for a while. The same batch with the same sequence numbers is offered again, so nothing is doubled or lost.
    private ProduceResponse.PartitionProduceResponse AppendWithRetries()
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            var answer = Wait(_request).Responses[0].PartitionResponses[0];
            if (answer.ErrorCode == ErrorCode.None || !answer.ErrorCode.IsRetriable()) return answer;
            if (_options.Closing.IsCancellationRequested)
                throw new ClusterUnavailableException($"Records for {_topicData.Name}-{_partitionData.Index} were not written before the application closed: {ErrorCodes.Describe(answer.ErrorCode).Name}");
            if (_time.GetElapsedTime(started) >= _deliveryTimeout)
                return answer;
            _connection.Pause(_retryBackoff, CancellationToken.None);
        }
    }

    private void Refuse(Batch batch, int count, ProduceResponse.PartitionProduceResponse answer)
    {
        var text = Refused(batch, count, answer);
        if (_options.TransactionalId is not null)
        {
            if (TransactionCalls.IsFenced(answer.ErrorCode)) throw new TaskMigratedException(text);
            if (answer.ErrorCode is ErrorCode.InvalidTxnState or ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId) throw new TransactionAbortedException(text);
        }

        var failure = new ProductionException(text) { IsOfEarlierRecords = true };
        if (_options.TransactionalId is not null || _options.OnRefused?.Invoke(batch.Topic.Name, failure) != true) throw failure;

        // The broker has none of them, so that the numbers they had are the next batch's.
        batch.Answered();
    }

    private static string Refused(Batch batch, int count, ProduceResponse.PartitionProduceResponse answer)
    {
        var error = ErrorCodes.Describe(answer.ErrorCode);
        return $"{count} record(s) for {batch.Topic.Name}-{batch.Partition} were refused: {error.Name}, {answer.ErrorMessage ?? error.Meaning}";
    }

    private void InitProducer(CancellationToken cancellationToken)
    {
        var request = TransactionCalls.Init(_identity, _options.TransactionTimeout, InitProducerIdRequest.Versions.Max);
        if (_options.TransactionalId is null)
        {
            var response = Wait(request);
            BrokerErrors.ThrowIfError(response.ErrorCode, "A producer id cannot be had");
            Take(response);
            return;
        }

        Retry(
            () =>
            {
                var response = Wait(request);
                if (response.ErrorCode == ErrorCode.None) Take(response);
                else if (response.ErrorCode == ErrorCode.InvalidTransactionTimeout)
                    throw new ConfigException($"transaction.timeout.ms is {request.TransactionTimeoutMs}: the broker allows less (transaction.max.timeout.ms).");
                return response.ErrorCode;
            },
            $"Transactions of '{_options.TransactionalId}' cannot be started",
            cancellationToken);

        void Take(InitProducerIdResponse response) => _identity = new ProducerIdentity(_options.TransactionalId, response.ProducerId, response.ProducerEpoch);
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

    private sealed class Batch(Topic topic, int partition, RecordBatchOptions options) : IDisposable
    {
        private RecordBatchBuilder? _sealed;

        public Topic Topic { get; } = topic;

        public int Partition { get; } = partition;

        /// <summary>What is being filled.</summary>
        public RecordBatchBuilder Builder { get; private set; } = new(options);

        /// <summary>What has been sent and not been answered; <c>null</c> when everything has.</summary>
        public ReadOnlyMemory<byte>? Unanswered { get; private set; }

        public int UnansweredCount { get; private set; }

        /// <summary>Records that have not been sent.</summary>
        public int UnsentCount => Unanswered is null || _sealed is not null ? Builder.Count : 0;

        /// <summary>Whether it is among those to send.</summary>
        public bool IsOpen { get; set; }

        public int NextSequence { get; set; }

        public long? AcknowledgedOffset { get; set; }

        /// <summary>Number of the transaction that the partition was added to last.</summary>
        public int AddedTo { get; set; }

        /// <summary>Ends the batch being filled, which is then unanswered. Only when nothing is.</summary>
        public void Seal()
        {
            Unanswered = Builder.Build();
            UnansweredCount = Builder.Count;
        }

        /// <summary>Makes room for a record while there is no answer, which is rare: otherwise one buffer does.</summary>
        public void StartNext()
        {
            if (Unanswered is null || _sealed is not null) return;
            _sealed = Builder;
            Builder = new RecordBatchBuilder(options);
        }

        public void Answered()
        {
            if (_sealed is null) Builder.Reset();
            else _sealed.Dispose();
            _sealed = null;
            Unanswered = null;
        }

        public void Discard()
        {
            Answered();
            Builder.Reset();
            IsOpen = false;
        }

        public void Dispose()
        {
            Builder.Dispose();
            _sealed?.Dispose();
        }
    }
}
