using System.Globalization;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Kafka.OAuth;
using Log = Streams.Kafka.Diagnostics.Log;

namespace Streams.Kafka.Librdkafka;

/// <summary>An idempotent or transactional producer on Confluent.Kafka.</summary>
/// <remarks>
/// <para>Memory: <see cref="ProducerOptions.MaxBufferedBytes"/> of records inside librdkafka; at that bound a send waits for deliveries, which come or fail within
/// <c>delivery.timeout.ms</c> (two minutes; for a transactional producer the transaction's time-out).</para>
/// <para>Every record has a delivery handler: librdkafka reports a lost record nowhere else. The first failure is thrown by the next call, together with the number of further ones.</para>
/// <para>librdkafka takes a timestamp of 0 for "now"; a record of exactly 1970-01-01T00:00:00.000Z is therefore written one millisecond later.</para>
/// </remarks>
internal sealed class KafkaRecordProducer : IRecordProducer
{
    private static readonly TimeSpan WaitSlice = TimeSpan.FromMilliseconds(100);

    // A transactional call is made in slices, so that cancellation is noticed; librdkafka continues the same operation when it is called again.
    private static readonly TimeSpan TransactionSlice = TimeSpan.FromSeconds(1);

    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly IClusterAdmin _admin;
    private readonly TimeSpan _apiTimeout;
    private readonly TimeProvider _time;
    private readonly string _clientId;
    private readonly bool _isTransactional;
    private readonly CancellationToken _closing;
    private readonly Func<string, ProductionException, bool>? _onRefused;
    private readonly Message<byte[]?, byte[]?> _message = new();
    private readonly ExactArrays _keys = new();
    private readonly ExactArrays _values = new();
    private readonly Dictionary<string, KafkaTopic> _topics = [];
    private readonly Lock _failureLock = new();
    private readonly ManualResetEventSlim _delivered = new();
    private ProductionException? _failure;
    private string _failureTopic = "";
    private Error? _failureError;
    private int _failureCount;
    private volatile bool _hasFailure;
    private volatile bool _waitingForRoom;
    private volatile Error? _fatal;
    private bool _disposed;

    public KafkaRecordProducer(
        ProducerOptions options, IReadOnlyDictionary<string, string> clientConfig, string bootstrapServers, BearerTokens? tokens, IClusterAdmin admin, TimeSpan apiTimeout, TimeProvider time, ILogger logger)
    {
        _admin = admin;
        _apiTimeout = apiTimeout;
        _time = time;
        _clientId = options.ClientId;
        _isTransactional = options.TransactionalId is not null;
        _closing = options.Closing;
        _onRefused = options.OnRefused;
        var configuration = new ClientConfiguration()
            .Defaults(
                ("client.id", options.ClientId),
                ("linger.ms", Text(options.Linger)),
                ("compression.type", options.Compression),
                ("queue.buffering.max.kbytes", Math.Max(1, options.MaxBufferedBytes / 1024).ToString(CultureInfo.InvariantCulture)),
                // librdkafka counts payload only; this bounds what it needs for each message besides.
                ("queue.buffering.max.messages", Math.Clamp(options.MaxBufferedBytes / 64, 1000, 10_000_000).ToString(CultureInfo.InvariantCulture)),
                ("socket.nagle.disable", "true"),
                ("reconnect.backoff.max.ms", "1000"));
        if (options.TransactionalId is null) configuration.Defaults(("delivery.timeout.ms", "120000"));
        configuration.Add(clientConfig).Add(options.Properties).Insist(
            options.Properties,
            ("bootstrap.servers", bootstrapServers),
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("dotnet.producer.enable.delivery.reports", "true"),
            ("dotnet.producer.delivery.report.fields", "none"));
        if (options.TransactionalId is { } transactionalId)
        {
            configuration.Insist(
                options.Properties,
                ("transactional.id", transactionalId),
                ("transaction.timeout.ms", Text(options.TransactionTimeout)));
        }

        _producer = configuration.Build(values =>
        {
            var builder = new ProducerBuilder<byte[]?, byte[]?>(values)
                .SetKeySerializer(Serializers.ByteArray!)
                .SetValueSerializer(Serializers.ByteArray!)
                .SetErrorHandler((_, error) =>
                {
                    if (error.IsFatal) _fatal = error;
                    Log.ClientProblem(logger, options.ClientId, error.Code.ToString(), error.Reason);
                })
                .SetLogHandler((_, message) => ClientConfiguration.LogMessage(logger, options.ClientId, message));
            return (tokens is null ? builder : builder.SetOAuthBearerTokenRefreshHandler(tokens.Refresh)).Build();
        });
    }

    public ProducerTopic GetTopic(string name, bool trackOffsets = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_topics.TryGetValue(name, out var known)) return known;
        var counts = Describe(name);
        if (!counts.TryGetValue(name, out var count)) throw new ProductionException($"There is no topic {name}.");
        return _topics[name] = new KafkaTopic(name, count, this);
    }

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
    {
        if (topic is not KafkaTopic target) throw new ArgumentException("The topic is not of this producer.", nameof(topic));
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, target.Partitions.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(record.Timestamp, OutgoingRecord.TimeOfWriting, nameof(record));
        if (_hasFailure) JudgeFailure();

        // One message object for all: the client copies what is in it before Produce returns.
        var message = _message;
        message.Key = record.HasKey ? _keys.Copy(record.Key) : null;
        message.Value = record.HasValue ? _values.Copy(record.Value) : null;
        message.Timestamp = record.Timestamp == OutgoingRecord.TimeOfWriting
            ? Timestamp.Default
            : new Timestamp(Math.Max(record.Timestamp, 1), TimestampType.CreateTime);
        message.Headers = record.Headers is { Count: > 0 } headers ? Convert(headers) : null;
        Produce(target.Partitions[partition], message);
    }

    /// <summary>Nothing: librdkafka sends by itself after the linger, and has no call to send sooner without waiting for the answers.</summary>
    public void SendPending()
    {
    }

    public void Flush(CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        while (_producer.Flush(WaitSlice) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_hasFailure) JudgeFailure();
            GiveUpIfClosing("Not everything was acknowledged");
            if (_time.GetElapsedTime(start) > _apiTimeout)
                throw new ClusterUnavailableException($"Producer {_clientId}: not everything was acknowledged within {_apiTimeout.TotalSeconds:0.#} s; it still may be.");
        }

        if (_hasFailure) JudgeFailure();
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition)
    {
        if (topic is not KafkaTopic target) throw new ArgumentException("The topic is not of this producer.", nameof(topic));
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, target.Partitions.Length);
        var last = target.Partitions[partition].LastOffset;
        return last < 0 ? null : last + 1;
    }

    public void InitTransactions(CancellationToken cancellationToken) =>
        RunTransactional("Starting transactions", _producer.InitTransactions, cancellationToken);

    public void BeginTransaction()
    {
        try
        {
            _producer.BeginTransaction();
        }
        catch (KafkaException e)
        {
            throw ToException("Opening a transaction", e.Error, e);
        }
    }

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        ArgumentNullException.ThrowIfNull(membership);
        if (offsets.Count == 0) return;
        RunTransactional("Adding offsets to a transaction", slice => TransactionOffsets.Send(_producer.Handle, offsets, membership, slice), cancellationToken);
    }

    public void CommitTransaction(CancellationToken cancellationToken)
    {
        RunTransactional("Committing a transaction", _producer.CommitTransaction, cancellationToken);
        if (_hasFailure) JudgeFailure();
    }

    public void AbortTransaction(CancellationToken cancellationToken)
    {
        RunTransactional("Aborting a transaction", _producer.AbortTransaction, cancellationToken, alsoWhenClosing: true);

        // Whatever failed, it failed in the transaction that is now given up.
        lock (_failureLock) ForgetFailure();
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _producer.Dispose();
        _delivered.Dispose();
    }

    /// <summary>A record was not written. On the client's threads.</summary>
    internal void Failed(Confluent.Kafka.TopicPartition partition, Error error)
    {
        lock (_failureLock)
        {
            _failureCount++;
            if (_failure is not null) return;
            _failureError = error;
            _failure = new ProductionException($"A record could not be written to {partition.Topic}-{partition.Partition.Value}: {error.Code}: {error.Reason}", new KafkaException(error)) { IsOfEarlierRecords = true };
            _failureTopic = partition.Topic;
            _hasFailure = true;
        }
    }

    /// <summary>A record is off the client's queue, written or not. On the client's threads.</summary>
    internal void Delivered()
    {
        if (_waitingForRoom) _delivered.Set();
    }

    private void Produce(PartitionDeliveries target, Message<byte[]?, byte[]?> message)
    {
        while (true)
        {
            try
            {
                _producer.Produce(target.ConfluentPartition, message, target.Handler);
                return;
            }
            catch (ProduceException<byte[]?, byte[]?> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                WaitForRoom();
            }
            catch (KafkaException e)
            {
                throw ToException($"Writing to {target.ConfluentPartition.Topic}-{target.ConfluentPartition.Partition.Value}", e.Error, e);
            }
        }
    }

    // The flag is set before the event is looked at and the event is reset only here, on the sending thread: a delivery between the failed attempt and the wait is either
    // seen by the next attempt after at most one slice, or sets the event. Nothing is lost by the rare wait of one slice too long.
    private void WaitForRoom()
    {
        _waitingForRoom = true;
        _delivered.Wait(WaitSlice);
        _delivered.Reset();
        _waitingForRoom = false;
        if (_hasFailure) JudgeFailure();
        GiveUpIfClosing("There was no room for a record");
    }

    private IReadOnlyDictionary<string, int> Describe(string topic)
    {
        try
        {
            return _admin.DescribeTopicsAsync([topic], _closing).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            throw NoTimeLeft($"Topic {topic} was not found out about");
        }
    }

    private void GiveUpIfClosing(string what)
    {
        if (_closing.IsCancellationRequested) throw NoTimeLeft(what);
    }

    private ClusterUnavailableException NoTimeLeft(string what) => new($"Producer {_clientId}: {what} before the application closed.");

    private void RunTransactional(string what, Action<TimeSpan> step, CancellationToken cancellationToken, bool alsoWhenClosing = false)
    {
        var start = _time.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!alsoWhenClosing) GiveUpIfClosing($"{what} had not succeeded");
            try
            {
                step(TransactionSlice);
                return;
            }
            catch (KafkaRetriableException e)
            {
                WaitOrGiveUp(what, start, e, cancellationToken);
            }
            catch (KafkaException e) when (!e.Error.IsFatal && e.Error.Code == ErrorCode.Local_TimedOut && e is not KafkaTxnRequiresAbortException)
            {
                WaitOrGiveUp(what, start, e, cancellationToken);
            }
            catch (KafkaException e)
            {
                throw ToException(what, e.Error, e);
            }
        }
    }

    private void WaitOrGiveUp(string what, long start, KafkaException failure, CancellationToken cancellationToken)
    {
        if (_time.GetElapsedTime(start) >= _apiTimeout)
            throw new ClusterUnavailableException($"{what} did not succeed within {_apiTimeout.TotalSeconds:0.#} s: {failure.Error.Code}: {failure.Error.Reason}", failure);

        // An error that comes back at once must not make this loop spin.
        if (failure.Error.Code != ErrorCode.Local_TimedOut) cancellationToken.WaitHandle.WaitOne(WaitSlice);
    }

    // The cause of a fatal error is told to the error handler only; later calls just say that there was one.
    private StreamsException ToException(string what, Error error, Exception inner)
    {
        var cause = error.Code == ErrorCode.Local_Fatal && _fatal is { } fatal ? fatal : error;
        Error? delivery;
        lock (_failureLock) delivery = _failureError;
        var text = $"Producer {_clientId}: {what} failed: {cause.Code}: {cause.Reason}";
        if (ConfluentErrors.IsFenced(cause) || delivery is not null && ConfluentErrors.IsFenced(delivery)) return new TaskMigratedException(text, inner);

        // Whatever broke the transaction, the next producer starts afresh; only what it would meet again is an error for the user.
        return _isTransactional && !ConfluentErrors.IsPermanent(cause) && (delivery is null || !ConfluentErrors.IsPermanent(delivery))
            ? new TransactionAbortedException(text, inner)
            : new ProductionException(text, inner);
    }

    /// <summary>Deals with what deliveries have reported: throws, or returns when the records may be left out.</summary>
    private void JudgeFailure()
    {
        ProductionException failure;
        Error error;
        string topic;
        int count;
        lock (_failureLock)
        {
            failure = _failure!;
            error = _failureError!;
            topic = _failureTopic;
            count = _failureCount;
            ForgetFailure();
        }

        if (ConfluentErrors.IsFenced(error)) throw new TaskMigratedException(failure.Message, failure.InnerException);
        if (_isTransactional && !ConfluentErrors.IsPermanent(error)) throw new TransactionAbortedException(failure.Message, failure.InnerException);
        if (count > 1)
            failure = new ProductionException($"{failure.Message} ({count - 1} further records were not written either.)", failure.InnerException) { IsOfEarlierRecords = true };
        if (_isTransactional || _onRefused?.Invoke(topic, failure) != true) throw failure;
    }

    private void ForgetFailure()
    {
        _failure = null;
        _failureError = null;
        _failureCount = 0;
        _hasFailure = false;
    }

    private static Confluent.Kafka.Headers Convert(Streams.Core.Headers headers)
    {
        var converted = new Confluent.Kafka.Headers();
        foreach (var header in headers) converted.Add(header.Key, header.Value?.ToArray());
        return converted;
    }

    private static string Text(TimeSpan time) => ((long)Math.Max(0, time.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture);
}
