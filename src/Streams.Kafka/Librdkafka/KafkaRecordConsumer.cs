using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Kafka.OAuth;
using ConfluentOffset = Confluent.Kafka.TopicPartitionOffset;
using Log = Streams.Kafka.Diagnostics.Log;
using TopicPartition = Streams.Core.TopicPartition;
using TopicPartitionOffset = Streams.Core.TopicPartitionOffset;

namespace Streams.Kafka.Librdkafka;

/// <summary>Hand-assigned partitions on a Confluent.Kafka consumer.</summary>
/// <remarks>
/// <para>One <see cref="Poll"/> drains what librdkafka has queued, up to <see cref="MaxDrainBytes"/> and <see cref="MaxDrainRecords"/>, into one pooled buffer and gives the
/// partitions found in it out one by one. Memory: half of <see cref="ConsumerOptions.MaxBufferedBytes"/> inside librdkafka (which may exceed it by one fetch), and the other half, and one drain, here.</para>
/// <para>End-of-partition events are switched on but not surfaced: they tell where the log ends behind control records and compacted ones, so that the position
/// reaches the end offset also where no record does.</para>
/// <para>librdkafka drops what it has queued of a partition that is paused and fetches it again after the resume, which costs a round trip each time. An engine pauses and
/// resumes all the time, so a pause first only keeps drained batches back here; librdkafka is told when half of <see cref="ConsumerOptions.MaxBufferedBytes"/> is held.</para>
/// </remarks>
internal sealed class KafkaRecordConsumer : IRecordConsumer
{
    private const int MaxDrainBytes = 1 << 20;
    private const int MaxDrainRecords = 16 * 1024;

    // Confluent.Kafka has no way to end a waiting Consume from another thread, so waits are cut to this length; it bounds how late Wake is noticed. It costs an idle
    // consumer 50 short calls a second.
    private static readonly TimeSpan WaitSlice = TimeSpan.FromMilliseconds(20);

    // librdkafka 2.0 to 2.3 loses count of a partition that it has had to pause fetching from (a deleted topic, a broker that was away) and then waits for ever for the thread
    // that read it (its issues 4486 and 4674). Otherwise it is done in milliseconds, or in a second with a request on its way.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    private readonly IConsumer<ByteRange, ByteRange> _consumer;
    private readonly string _clientId;
    private readonly bool _readCommitted;
    private readonly long _maxHeldBytes;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BatchBuffer _buffer = new();
    private readonly Dictionary<TopicPartition, AssignedPartition> _assigned = [];
    private readonly List<AssignedPartition> _touched = [];
    private readonly List<RecordBatch> _ready = [];
    private AssignedPartition? _last;
    private StreamsException? _failure;
    private TopicPartition? _failedPartition;
    private int _woken;
    private bool _disposed;

    public KafkaRecordConsumer(ConsumerOptions options, IReadOnlyDictionary<string, string> clientConfig, string bootstrapServers, BearerTokens? tokens, TimeProvider time, ILogger logger)
    {
        _clientId = options.ClientId;
        _readCommitted = options.ReadCommitted;
        _maxHeldBytes = Math.Max(MaxDrainBytes, options.MaxBufferedBytes / 2);
        _time = time;
        _logger = logger;
        var queuedBytes = Math.Max(1024, options.MaxBufferedBytes / 2);
        var configuration = new ClientConfiguration()
            .Defaults(
                ("client.id", options.ClientId),
                // Only a name: nothing is committed or subscribed to by this client, but librdkafka does not assign partitions without one.
                ("group.id", options.ClientId),
                ("queued.max.messages.kbytes", Text(queuedBytes / 1024)),
                // The byte bound above is the one that counts; librdkafka's default of 100,000 messages would starve small records.
                ("queued.min.messages", Text(Math.Clamp(queuedBytes / 16, 1000, 10_000_000))),
                ("fetch.max.bytes", Text(Math.Clamp(queuedBytes, 1_000_000, 50 << 20))),
                // In librdkafka before 2.2 this is also the pause after a full queue, where the default of half a second would be half a second without data.
                ("fetch.error.backoff.ms", "50"),
                ("check.crcs", "true"),
                ("socket.nagle.disable", "true"),
                ("reconnect.backoff.max.ms", "1000"),
                ("max.poll.interval.ms", "86400000"))
            .Add(clientConfig)
            .Add(options.Properties)
            .Insist(
                options.Properties,
                ("bootstrap.servers", bootstrapServers),
                ("isolation.level", options.ReadCommitted ? "read_committed" : "read_uncommitted"),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("enable.partition.eof", "true"),
                ("auto.offset.reset", "error"),
                ("dotnet.consumer.consume.result.fields", "headers,timestamp,topic"));
        _consumer = configuration.Build(values =>
        {
            var builder = new ConsumerBuilder<ByteRange, ByteRange>(values)
                .SetKeyDeserializer(_buffer)
                .SetValueDeserializer(_buffer)
                .SetErrorHandler((_, error) => Log.ClientProblem(logger, options.ClientId, error.Code.ToString(), error.Reason))
                .SetLogHandler((_, message) => ClientConfiguration.LogMessage(logger, options.ClientId, message));
            return (tokens is null ? builder : builder.SetOAuthBearerTokenRefreshHandler(tokens.Refresh)).Build();
        });
    }

    public void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        if (partitions.Count == 0) return;
        var paused = partitions.Where(item => _assigned.TryGetValue(item.Partition, out var known) && known.IsPaused).Select(item => item.Partition).ToArray();
        Unassign([.. partitions.Select(item => item.Partition)]);
        var assignment = new List<ConfluentOffset>(partitions.Count);
        foreach (var (partition, offset) in partitions)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(offset, nameof(partitions));
            var assigned = new AssignedPartition(partition, offset);
            _assigned[partition] = assigned;
            assignment.Add(new ConfluentOffset(assigned.ConfluentPartition, offset));
        }

        _consumer.IncrementalAssign(assignment);

        // Moving a partition does not resume it.
        Pause(paused);
    }

    public void Unassign(IReadOnlyCollection<TopicPartition> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        var removed = new List<Confluent.Kafka.TopicPartition>(partitions.Count);
        foreach (var partition in partitions)
        {
            if (!_assigned.Remove(partition, out var assigned)) continue;
            removed.Add(assigned.ConfluentPartition);
            if (ReferenceEquals(_last, assigned)) _last = null;
            if (_failedPartition == partition) ForgetFailure();
        }

        if (removed.Count == 0) return;
        _consumer.IncrementalUnassign(removed);
        for (var index = _ready.Count - 1; index >= 0; index--)
        {
            if (_assigned.ContainsKey(_ready[index].Partition)) continue;
            _ready[index].Dispose();
            _ready.RemoveAt(index);
        }
    }

    public void Pause(IReadOnlyCollection<TopicPartition> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        foreach (var partition in partitions)
        {
            if (_assigned.TryGetValue(partition, out var assigned)) assigned.IsPaused = true;
        }
    }

    public void Resume(IReadOnlyCollection<TopicPartition> partitions)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        List<Confluent.Kafka.TopicPartition>? stopped = null;
        foreach (var partition in partitions)
        {
            if (!_assigned.TryGetValue(partition, out var assigned)) continue;
            assigned.IsPaused = false;
            if (!assigned.IsStopped) continue;
            assigned.IsStopped = false;
            (stopped ??= []).Add(assigned.ConfluentPartition);
        }

        if (stopped is not null) _consumer.Resume(stopped);
    }

    public RecordBatch? Poll(TimeSpan timeout)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var start = _time.GetTimestamp();
        var expired = false;
        while (true)
        {
            if (TryTakeReady(out var batch)) return batch;
            if (_failure is { } failure)
            {
                ForgetFailure();
                throw failure;
            }

            if (Interlocked.Exchange(ref _woken, 0) != 0 || expired) return null;
            StopPausedIfFull();
            var wait = timeout == Timeout.InfiniteTimeSpan ? WaitSlice : timeout - _time.GetElapsedTime(start);
            expired = wait <= TimeSpan.Zero;
            Drain(expired ? TimeSpan.Zero : wait < WaitSlice ? wait : WaitSlice);
        }
    }

    public void Wake() => Volatile.Write(ref _woken, 1);

    public long? CachedEndOffset(TopicPartition partition)
    {
        if (!_assigned.TryGetValue(partition, out var assigned)) return null;

        // librdkafka caches the high watermark, not the last stable offset. But at the end of what is stable it says so, and nothing after that has come yet.
        if (_readCommitted && assigned.EndSeenAt == assigned.Position) return assigned.Position;
        try
        {
            var high = _consumer.GetWatermarkOffsets(assigned.ConfluentPartition).High;
            return high.Value >= 0 ? Math.Max(high.Value, assigned.Position) : null;
        }
        catch (KafkaException)
        {
            // Not fetched from yet, so nothing is cached: the "not known" of the contract.
            return null;
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        foreach (var batch in _ready) batch.Dispose();
        _ready.Clear();

        // On a thread of its own, which is given up with the threads that it waits for when they do not end: an application that closes must not hang with them.
        var ending = Task.Factory.StartNew(_consumer.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (Task.WaitAny([ending], EndLimit) == 0) ending.GetAwaiter().GetResult();
        else Log.ClientDoesNotEnd(_logger, _clientId, EndLimit.TotalSeconds);
    }

    private bool TryTakeReady(out RecordBatch? batch)
    {
        for (var index = 0; index < _ready.Count; index++)
        {
            batch = _ready[index];
            if (_assigned[batch.Partition].IsPaused) continue;
            _ready.RemoveAt(index);
            return true;
        }

        batch = null;
        return false;
    }

    // Everything ready is held back for paused partitions here: the others' batches have just been looked for.
    private void StopPausedIfFull()
    {
        var held = 0L;
        foreach (var batch in _ready) held += batch.SizeBytes;
        if (held < _maxHeldBytes) return;
        List<Confluent.Kafka.TopicPartition>? stopped = null;
        foreach (var assigned in _assigned.Values)
        {
            if (!assigned.IsPaused || assigned.IsStopped) continue;
            assigned.IsStopped = true;
            (stopped ??= []).Add(assigned.ConfluentPartition);
        }

        if (stopped is not null) _consumer.Pause(stopped);
    }

    private void Drain(TimeSpan firstWait)
    {
        var wait = (int)Math.Ceiling(firstWait.TotalMilliseconds);
        try
        {
            for (var taken = 0; taken < MaxDrainRecords && _buffer.Length < MaxDrainBytes; taken++)
            {
                var result = _consumer.Consume(wait);
                if (result is null) break;
                Take(result);
                wait = 0;
            }
        }
        catch (ConsumeException e)
        {
            Fail(e);
        }
        finally
        {
            Publish();
        }
    }

    private void Take(ConsumeResult<ByteRange, ByteRange> result)
    {
        var partition = Find(result.Topic, result.Partition.Value);

        // Of a partition given up while it was queued: librdkafka filters these out itself, but promises it nowhere.
        if (partition is null) return;
        var offset = result.Offset.Value;
        if (result.IsPartitionEOF)
        {
            partition.EndSeenAt = offset;
            if (offset <= partition.Position) return;
            partition.Position = offset;
            partition.Moved = true;
            Touch(partition);
            return;
        }

        if (offset < partition.Position) return;
        var message = result.Message;
        var headersStart = _buffer.Length;
        var headers = message.Headers;
        var headerCount = headers?.Count ?? 0;
        for (var index = 0; index < headerCount; index++)
        {
            var header = headers![index];
            HeaderEncoding.Write(header.Key, header.GetValueBytes() is { } value ? value : (ReadOnlyMemory<byte>?)null, _buffer);
        }

        var timestamp = message.Timestamp.Type == TimestampType.NotAvailable ? -1 : message.Timestamp.UnixTimestampMs;
        Touch(partition);
        partition.Add(new RecordSlice(offset, timestamp, message.Key.Start, message.Key.Length, message.Value.Start, message.Value.Length, headersStart, headerCount));
        partition.Position = offset + 1;
    }

    // Records come in runs of one partition, so the last one is tried first: a comparison of strings instead of a look-up.
    private AssignedPartition? Find(string topic, int partition)
    {
        if (_last is { } last && last.Partition.Partition == partition && last.Partition.Topic == topic) return last;
        return _assigned.TryGetValue(new TopicPartition(topic, partition), out var found) ? _last = found : null;
    }

    private void Touch(AssignedPartition partition)
    {
        if (partition.Count == 0 && !_touched.Contains(partition)) _touched.Add(partition);
    }

    private void Publish()
    {
        if (_touched.Count == 0 && _buffer.Length == 0) return;
        using var bytes = _buffer.Detach();
        foreach (var partition in _touched)
        {
            if (partition.Count > 0 || partition.Moved) _ready.Add(partition.ToBatch(bytes));
        }

        _touched.Clear();
    }

    private void Fail(ConsumeException e)
    {
        var record = e.ConsumerRecord;
        if (e.Error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange && record?.Topic is { } topic)
        {
            var partition = Find(topic, record.Partition.Value);
            if (partition is null) return;

            // The error names the offset that was fetched. Another one than ours is from before the partition was moved here, or behind control records that the client has passed silently:
            // it is asked again, from where we are.
            if (record.Offset.Value >= 0 && record.Offset.Value != partition.Position)
            {
                AssignAgain(partition);
                return;
            }

            _failedPartition = partition.Partition;
            _failure = new OffsetOutOfRangeException(partition.Partition, partition.Position);
        }
        else if (ConfluentErrors.IsRefusal(e.Error))
        {
            _failedPartition = null;
            _failure = ConfluentErrors.ToClusterException(e.Error, $"Consumer {_clientId} cannot go on reading {record?.Topic ?? "its partitions"}", e);
        }
        else
        {
            // librdkafka goes on by itself, with its own pauses: brokers that are away, leaders that move, topics that are not known yet.
            Log.ConsumeProblem(_logger, _clientId, e.Error.Code.ToString(), e.Error.Reason);
        }
    }

    private void AssignAgain(AssignedPartition partition)
    {
        _consumer.IncrementalUnassign([partition.ConfluentPartition]);
        _consumer.IncrementalAssign([new ConfluentOffset(partition.ConfluentPartition, partition.Position)]);
        if (partition.IsStopped) _consumer.Pause([partition.ConfluentPartition]);
    }

    private void ForgetFailure()
    {
        _failure = null;
        _failedPartition = null;
    }

    private static string Text(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
