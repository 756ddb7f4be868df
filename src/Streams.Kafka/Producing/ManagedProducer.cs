using System.Buffers;
using System.Runtime.ExceptionServices;
using Kafka.Protocol;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Kafka.Wire;

namespace Streams.Kafka.Producing;

/// <summary>An idempotent or transactional producer on the managed connections: nothing is allocated per record, and what costs is a batch.</summary>
/// <remarks>
/// <para>Memory: <see cref="ProducerOptions.MaxBufferedBytes"/> of records that are not acknowledged, and about as much again for batches that are kept for reuse; at that bound a send
/// waits for acknowledgements, which come or fail within <c>delivery.timeout.ms</c> (two minutes, and the request that is under way then).</para>
/// <para>A batch that is given up is told by the next call on the producer's thread. In a transaction that is the end of it: everything but giving it up throws from then on.</para>
/// <para>Settings that it has: those of <see cref="ManagedProducerSettings"/>.</para>
/// </remarks>
internal sealed class ManagedProducer : IRecordProducer
{
    private static readonly TimeSpan _waitSlice = TimeSpan.FromMilliseconds(100);

    private readonly ProducerOptions _options;
    private readonly WireSettings _wire;
    private readonly ManagedProducerSettings _settings;
    private readonly TimeProvider _time;
    private readonly BrokerPool _brokers;
    private readonly Retry _retry;
    private readonly TransactionClient? _transactions;
    private readonly BatchSender _sender;
    private readonly Dictionary<string, ManagedTopic> _topics = [];
    private readonly ArrayBufferWriter<byte> _headers = new();
    private bool _isOpen;
    private bool _mayHaveOffsets;
    private bool _hasOffsets;
    private bool _isDisposed;

    /// <param name="options">What the engine asks for.</param>
    /// <param name="settings">The user's settings.</param>
    /// <param name="wire">How to reach the cluster.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Jitter of pauses, used under its own lock.</param>
    /// <param name="logger">Where trouble is told.</param>
    /// <exception cref="ConfigException">A setting is not known or not allowed, or the codec's native library is missing.</exception>
    public ManagedProducer(ProducerOptions options, ClientSettings settings, WireSettings wire, TimeProvider time, Random random, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _settings = ManagedProducerSettings.Take(options, wire, settings);
        RequireCodec(_settings);
        _wire = wire with { ClientId = options.ClientId, RequestTimeout = _settings.RequestTimeout, ReadsOnOwnThread = true };
        _time = time;
        _brokers = new BrokerPool(_wire, time);
        _retry = new Retry(_wire, time, random);
        if (options.TransactionalId is { } transactionalId) _transactions = new TransactionClient(_brokers, transactionalId, options.TransactionTimeout, time, random);
        _sender = new BatchSender(_settings, options.ClientId, options.TransactionalId, _brokers, _transactions, time, random, logger);
    }

    public ProducerTopic GetTopic(string name, bool trackOffsets = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_topics.TryGetValue(name, out var known)) return known;
        var what = $"Looking topic '{name}' up";
        var count = Run(what, token => _retry.RunAsync(what, _wire.ApiTimeout, attempt => CountPartitionsAsync(name, what, attempt), token), CancellationToken.None);
        return _topics[name] = new ManagedTopic(name, count);
    }

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
    {
        var target = PartitionOf(topic, partition);
        if (_options.TransactionalId is not null && !_isOpen) throw new InvalidOperationException("There is no open transaction to write in.");
        ArgumentOutOfRangeException.ThrowIfLessThan(record.Timestamp, OutgoingRecord.TimeOfWriting, nameof(record));
        ThrowIfTrouble();
        var timestamp = record.Timestamp == OutgoingRecord.TimeOfWriting ? _time.GetUtcNow().ToUnixTimeMilliseconds() : record.Timestamp;
        var key = record.HasKey ? new NullableBytes(record.Key) : NullableBytes.Null;
        var value = record.HasValue ? new NullableBytes(record.Value) : NullableBytes.Null;
        ReadOnlySpan<byte> headers = [];
        if (record.Headers is { Count: > 0 } given)
        {
            _headers.ResetWrittenCount();
            HeaderEncoding.WriteCount(given.Count, _headers);
            HeaderEncoding.Write(given, _headers);
            headers = _headers.WrittenSpan;
        }

        while (true)
        {
            switch (_sender.Add(target, timestamp, key, value, headers))
            {
                case AddOutcome.Added:
                    return;
                case AddOutcome.NoRoom:
                    WaitForRoom((long)record.Key.Length + record.Value.Length + headers.Length);
                    break;
                default:
                    throw new ProductionException(
                        $"A record of {(long)record.Key.Length + record.Value.Length + headers.Length} bytes for {topic.Name}-{partition} is larger than max.request.size allows ({_settings.MaxRequestBytes} bytes with what a batch needs).");
            }
        }
    }

    public void SendPending()
    {
        ThrowIfTrouble();
        _sender.SendOpen();
    }

    public void Flush(CancellationToken cancellationToken)
    {
        const string What = "Not everything was acknowledged";
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfTrouble();
        _sender.SendOpen();
        var start = _time.GetTimestamp();
        while (!_sender.IsEmpty)
        {
            GiveUpIfClosing(What);
            _sender.News.Await(() => _sender.IsEmpty, evenInTrouble: false, _waitSlice, cancellationToken);
            ThrowIfTrouble();
            if (!_sender.IsEmpty && _time.GetElapsedTime(start) > _wire.ApiTimeout)
                throw new ClusterUnavailableException($"Producer {_options.ClientId}: not everything was acknowledged within {_wire.ApiTimeout.TotalSeconds:0.#} s; it still may be.");
        }

        ThrowIfTrouble();
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition) => PartitionOf(topic, partition).AcknowledgedOffset;

    public void InitTransactions(CancellationToken cancellationToken)
    {
        var transactions = RequireTransactional();
        if (_sender.Producer.IsKnown) throw new InvalidOperationException("Transactions were initialised before.");
        _sender.Producer = Run("Starting transactions", token => transactions.InitAsync(_sender.Producer, token), cancellationToken);
    }

    public void BeginTransaction()
    {
        RequireTransactional();
        if (!_sender.Producer.IsKnown) throw new InvalidOperationException("InitTransactions comes first.");
        if (_isOpen) throw new InvalidOperationException("A transaction is open.");
        _isOpen = true;
        _mayHaveOffsets = false;
        _hasOffsets = false;
        _sender.BeginTransaction();
    }

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        ArgumentNullException.ThrowIfNull(membership);
        var transactions = RequireOpen();
        if (offsets.Count == 0) return;
        ThrowIfTrouble();
        const string What = "Adding offsets to a transaction";
        _mayHaveOffsets = true;
        Run(What, token => transactions.AddOffsetsAsync(_sender.Producer, membership.GroupId, token), cancellationToken);
        _hasOffsets = true;
        Run(What, token => transactions.CommitOffsetsAsync(_sender.Producer, offsets, membership, token), cancellationToken);
    }

    public void CommitTransaction(CancellationToken cancellationToken)
    {
        var transactions = RequireOpen();
        Flush(cancellationToken);
        if (_hasOffsets || _sender.HasPartitions)
            Run("Committing a transaction", token => transactions.EndAsync(_sender.Producer, commit: true, mayBeEmpty: false, token), cancellationToken);
        _isOpen = false;
    }

    public void AbortTransaction(CancellationToken cancellationToken)
    {
        const string What = "Giving a transaction up";
        var transactions = RequireOpen();
        _sender.Discard();

        // What is on its way must not reach its partition after the marker: it would begin a transaction that nobody ends.
        var start = _time.GetTimestamp();
        while (!_sender.IsQuiet)
        {
            _sender.News.Await(() => _sender.IsQuiet, evenInTrouble: true, _waitSlice, cancellationToken);
            if (!_sender.IsQuiet && _time.GetElapsedTime(start) > _wire.ApiTimeout)
                throw new ClusterUnavailableException($"Producer {_options.ClientId}: {What} did not succeed within {_wire.ApiTimeout.TotalSeconds:0.#} s; records are still on their way.");
        }

        if (_mayHaveOffsets || _sender.MayHavePartitions)
        {
            var mayBeEmpty = !_hasOffsets && !_sender.HasPartitions;
            Run(What, token => transactions.EndAsync(_sender.Producer, commit: false, mayBeEmpty, token), cancellationToken, alsoWhenClosing: true);
        }

        // Whether the broker has counted what it did not answer for nobody knows; with a new epoch the numbers begin again.
        if (_sender.IsInDoubt) _sender.Producer = Run(What, token => transactions.InitAsync(_sender.Producer, token), cancellationToken, alsoWhenClosing: true);
        _sender.Resume();
        _isOpen = false;
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _sender.Dispose();
        _brokers.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    // Said at the start, not when the first batch is full.
    private static void RequireCodec(ManagedProducerSettings settings)
    {
        if (settings.Compression == CompressionType.None) return;
        using var probe = new RecordBatchBuilder(new RecordBatchOptions { Compression = settings.Compression, CompressionLevel = settings.CompressionLevel });
        probe.TryAppend(0, NullableBytes.Null, NullableBytes.Null);
        try
        {
            probe.Build();
        }
        catch (Exception e) when (e is CompressionUnavailableException or ArgumentException)
        {
            throw new ConfigException($"compression.type {settings.Compression} cannot be used: {e.Message}", e);
        }
    }

    private static ProducerPartition PartitionOf(ProducerTopic topic, int partition)
    {
        if (topic is not ManagedTopic target) throw new ArgumentException("The topic is not of this producer.", nameof(topic));
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, target.Partitions.Length);
        return target.Partitions[partition];
    }

    private async Task<int> CountPartitionsAsync(string name, string what, CancellationToken cancellationToken)
    {
        var answer = await _brokers.MetadataAsync([name], cancellationToken).ConfigureAwait(false);
        var topic = answer.Topics.Find(topic => topic.Name == name);
        if (topic is null || topic.ErrorCode == ErrorCode.UnknownTopicOrPartition) throw new ProductionException($"There is no topic {name}.");

        // Without leaders it has partitions all the same.
        if (topic.Partitions.Count > 0 && topic.ErrorCode is ErrorCode.None or ErrorCode.LeaderNotAvailable) return topic.Partitions.Count;
        if (topic.ErrorCode == ErrorCode.None || topic.ErrorCode.IsRetriable()) throw new RetriableErrorException(topic.ErrorCode == ErrorCode.None ? ErrorCode.LeaderNotAvailable : topic.ErrorCode, what);
        throw new ProductionException($"Topic {name} cannot be written: {topic.ErrorCode.ProtocolName()}, {ErrorCodes.Describe(topic.ErrorCode).Meaning}");
    }

    private TransactionClient RequireTransactional() => _transactions ?? throw new InvalidOperationException("The producer is not transactional.");

    private TransactionClient RequireOpen()
    {
        var transactions = RequireTransactional();
        return _isOpen ? transactions : throw new InvalidOperationException("There is no open transaction.");
    }

    private void WaitForRoom(long bytes)
    {
        // What is being filled would otherwise wait for records that there is no room for.
        _sender.SendOpen();
        GiveUpIfClosing("There was no room for a record");
        _sender.News.Await(() => _sender.HasRoom(bytes), evenInTrouble: false, _waitSlice, CancellationToken.None);
        ThrowIfTrouble();
    }

    /// <summary>Deals with batches that were given up: throws, or returns when the records may be left out.</summary>
    private void ThrowIfTrouble()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_sender.News.HasTrouble) return;
        while (_sender.News.TakeFailure() is { } failure)
        {
            var exception = failure.ToException();
            if (!failure.IsRefusal || _options.OnRefused?.Invoke(failure.Topic, exception) != true) throw exception;
        }

        switch (_sender.News.End)
        {
            case null:
                return;

            // A new one each time, since each is thrown by another call.
            case TaskMigratedException end:
                throw new TaskMigratedException(end.Message, end);
            case TransactionAbortedException end:
                throw new TransactionAbortedException(end.Message, end);
            case ProductionException end:
                throw new ProductionException(end.Message, end) { IsOfEarlierRecords = true };
            case { } end:
                ExceptionDispatchInfo.Throw(end);
                return;
        }
    }

    private void GiveUpIfClosing(string what)
    {
        if (_options.Closing.IsCancellationRequested) throw NoTimeLeft(what);
    }

    private ClusterUnavailableException NoTimeLeft(string what) => new($"Producer {_options.ClientId}: {what} before the application closed.");

    private void Run(string what, Func<CancellationToken, Task> call, CancellationToken cancellationToken, bool alsoWhenClosing = false) => Run(
        what,
        async token =>
        {
            await call(token).ConfigureAwait(false);
            return true;
        },
        cancellationToken,
        alsoWhenClosing);

    // The calls end by themselves within the time limit; cancelling stops the waiting.
    private T Run<T>(string what, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken, bool alsoWhenClosing = false)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var closing = alsoWhenClosing ? CancellationToken.None : _options.Closing;
        if (closing.IsCancellationRequested) throw NoTimeLeft($"{what} had not succeeded");
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, closing);
        try
        {
            return call(both.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            throw NoTimeLeft($"{what} had not succeeded");
        }
    }
}
