using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Streams.Core;
using Streams.Protocol;

namespace Streams.Embedded;

/// <summary>Reads partitions of a broker in this process. One long poll is always under way ahead of the reader, bounded in bytes.</summary>
/// <remarks>
/// A pump fetches and decodes on the thread pool and puts batches into the queue of their partition; <see cref="Poll"/> takes from one partition after
/// another. A partition's batches never overtake each other, whatever is paused and resumed in between: its position in the log is committed from
/// them. Everything shared is guarded by one lock, taken once per batch.
/// </remarks>
internal sealed class EmbeddedConsumer : IRecordConsumer
{
    private const int MaxWaitMs = 500;
    private const int MaxBytesPerPartition = 1 << 20;
    private const int MinShareBytes = 64 << 10;
    private const sbyte ReadCommitted = 1;

    private readonly BrokerConnection _connection;
    private readonly ConsumerOptions _options;
    private readonly object _gate = new();
    private readonly Dictionary<TopicPartition, Position> _positions = [];
    private readonly Queue<Position> _turns = new();
    private readonly CancellationTokenSource _stopping = new();
    private CancellationTokenSource _asking = new();
    private Task _pump = Task.CompletedTask;
    private bool _pumping;
    private bool _woken;
    private Exception? _failure;

    public EmbeddedConsumer(BrokerConnection connection, ConsumerOptions options)
    {
        _connection = connection;
        _options = options;
    }

    public void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions)
    {
        lock (_gate)
        {
            foreach (var (partition, offset) in partitions)
            {
                // Moving a partition does not resume it.
                var isPaused = false;
                if (_positions.TryGetValue(partition, out var old))
                {
                    isPaused = old.IsPaused;
                    Forget(old);
                }

                _positions[partition] = new Position(partition) { FetchOffset = offset, IsPaused = isPaused };
            }

            AskAgain();
        }
    }

    public void Unassign(IReadOnlyCollection<TopicPartition> partitions)
    {
        lock (_gate)
        {
            foreach (var partition in partitions)
            {
                if (_positions.Remove(partition, out var old)) Forget(old);
            }

            AskAgain();
        }
    }

    public void Pause(IReadOnlyCollection<TopicPartition> partitions)
    {
        lock (_gate)
        {
            foreach (var partition in partitions)
            {
                if (_positions.TryGetValue(partition, out var position)) position.IsPaused = true;
            }
        }
    }

    public void Resume(IReadOnlyCollection<TopicPartition> partitions)
    {
        lock (_gate)
        {
            foreach (var partition in partitions)
            {
                if (!_positions.TryGetValue(partition, out var position)) continue;
                position.IsPaused = false;
                TakeTurns(position);
            }

            AskAgain();
        }
    }

    public RecordBatch? Poll(TimeSpan timeout)
    {
        lock (_gate)
        {
            var batch = TakeReady();
            if (batch is not null || timeout <= TimeSpan.Zero) return batch;

            // The pump, Wake and failures all pulse; waking early without a batch is allowed by the contract.
            if (!_woken) Monitor.Wait(_gate, timeout);
            _woken = false;
            return TakeReady();
        }
    }

    public void Wake()
    {
        lock (_gate)
        {
            _woken = true;
            Monitor.PulseAll(_gate);
        }
    }

    public long? CachedEndOffset(TopicPartition partition)
    {
        lock (_gate) return _positions.TryGetValue(partition, out var position) ? position.EndOffset : null;
    }

    public void Dispose()
    {
        Task pump;
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) return;
            _stopping.Cancel();
            _asking.Cancel();
            pump = _pump;
        }

        pump.GetAwaiter().GetResult();
        lock (_gate)
        {
            foreach (var position in _positions.Values) Forget(position);
            _positions.Clear();
        }

        _stopping.Dispose();
        _asking.Dispose();
    }

    private RecordBatch? TakeReady()
    {
        if (_failure is { } failure)
        {
            _failure = null;
            throw failure;
        }

        while (_turns.TryDequeue(out var position))
        {
            position.HasTurn = false;
            if (position.IsPaused) continue;
            if (!position.Ready.TryDequeue(out var batch))
            {
                if (position.Failure is not { } itsFailure) continue;
                position.Failure = null;
                StartPump();
                throw itsFailure;
            }

            position.ReadyBytes -= batch.SizeBytes;
            TakeTurns(position);
            StartPump();
            return batch;
        }

        StartPump();
        return null;
    }

    private void TakeTurns(Position position)
    {
        if (position.HasTurn || position.IsPaused || (position.Ready.Count == 0 && position.Failure is null)) return;
        position.HasTurn = true;
        _turns.Enqueue(position);
    }

    // What was fetched for an assignment that is over is given back; an answer still under way finds that its position is not the current one.
    private static void Forget(Position position)
    {
        while (position.Ready.TryDequeue(out var batch)) batch.Dispose();
    }

    private static bool MayBeAsked(Position position, int share) => !position.IsPaused && !position.IsLost && position.Failure is null && position.ReadyBytes < share;

    // Each has its own part of the buffer, so that one that is full and held back does not keep the others from being read: the reader may wait for just theirs.
    private int Share() => Math.Max(MinShareBytes, _options.MaxBufferedBytes / Math.Max(1, _positions.Count));

    // A long poll that was asked before the assignment changed would answer for the old one only when its time is up.
    // The pump may go on inside Cancel, so the new token is in place before, and the callbacks run elsewhere, not under the lock.
    private void AskAgain()
    {
        var old = _asking;
        _asking = new CancellationTokenSource();
        _ = old.CancelAsync();
        StartPump();
    }

    private void StartPump()
    {
        if (_pumping || _stopping.IsCancellationRequested) return;
        var share = Share();
        if (!_positions.Values.Any(position => MayBeAsked(position, share))) return;
        _pumping = true;
        _pump = Task.Run(PumpAsync);
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            FetchRequest? request;
            Dictionary<TopicPartition, Position> asked;
            CancellationToken cancelled;
            lock (_gate)
            {
                (request, asked) = NextRequest();
                if (request is null)
                {
                    _pumping = false;
                    return;
                }

                cancelled = _asking.Token;
            }

            try
            {
                var response = await _connection.AskAsync(request, cancelled).ConfigureAwait(false);
                Take(response, asked);
            }
            catch (OperationCanceledException)
            {
                // Asked again with the new assignment.
            }
            catch (Exception failure) when (failure is StreamsException or ProtocolException or CompressionUnavailableException)
            {
                lock (_gate)
                {
                    _failure = failure is StreamsException ? failure : new SerializationException($"A fetched batch cannot be read: {failure.Message}", failure);
                    _pumping = false;
                    Monitor.PulseAll(_gate);
                    return;
                }
            }
        }
    }

    private (FetchRequest? Request, Dictionary<TopicPartition, Position> Asked) NextRequest()
    {
        var asked = new Dictionary<TopicPartition, Position>();
        if (_stopping.IsCancellationRequested || _failure is not null) return (null, asked);
        var share = Share();
        var topics = new Dictionary<string, FetchRequest.FetchTopic>();
        foreach (var position in _positions.Values)
        {
            if (!MayBeAsked(position, share)) continue;
            if (!topics.TryGetValue(position.Partition.Topic, out var topic))
            {
                topic = new FetchRequest.FetchTopic { Topic = position.Partition.Topic };
                topics.Add(topic.Topic, topic);
            }

            topic.Partitions.Add(new FetchRequest.FetchPartition
            {
                Partition = position.Partition.Partition,
                FetchOffset = position.FetchOffset,
                PartitionMaxBytes = Math.Min(MaxBytesPerPartition, share),
            });
            asked.Add(position.Partition, position);
        }

        if (asked.Count == 0) return (null, asked);
        var request = new FetchRequest
        {
            MaxWaitMs = MaxWaitMs,
            MinBytes = 1,
            MaxBytes = (int)Math.Min((long)asked.Count * MaxBytesPerPartition, int.MaxValue),
            IsolationLevel = _options.ReadCommitted ? ReadCommitted : (sbyte)0,
            Topics = [.. topics.Values],
        };
        return (request, asked);
    }

    private void Take(FetchResponse response, Dictionary<TopicPartition, Position> asked)
    {
        foreach (var topic in response.Responses)
        {
            foreach (var data in topic.Partitions)
            {
                var partition = new TopicPartition(topic.Topic, data.PartitionIndex);
                var position = asked[partition];
                if (data.ErrorCode == ErrorCode.OffsetOutOfRange)
                {
                    Fail(position, new OffsetOutOfRangeException(partition, position.FetchOffset));
                    continue;
                }

                if (data.ErrorCode != ErrorCode.None)
                {
                    Fail(position, Failure(data.ErrorCode, partition));
                    continue;
                }

                // Decoding happens outside of the lock: it is the pump's real work.
                var batches = new List<RecordBatch>();
                var next = data.Records is { Length: > 0 } records
                    ? FetchedRecords.Decode(partition, records, position.FetchOffset, _options.ReadCommitted ? data.AbortedTransactions : null, batches).NextOffset
                    : position.FetchOffset;
                lock (_gate)
                {
                    if (!IsCurrent(position))
                    {
                        foreach (var batch in batches) batch.Dispose();
                        continue;
                    }

                    position.FetchOffset = next;
                    position.EndOffset = _options.ReadCommitted ? data.LastStableOffset : data.HighWatermark;
                    foreach (var batch in batches)
                    {
                        position.ReadyBytes += batch.SizeBytes;
                        position.Ready.Enqueue(batch);
                    }

                    TakeTurns(position);
                    if (batches.Count > 0) Monitor.PulseAll(_gate);
                }
            }
        }
    }

    private void Fail(Position position, Exception failure)
    {
        lock (_gate)
        {
            if (!IsCurrent(position)) return;

            // What was fetched before comes first. Asking again for what is gone would have the same answer, and that could come when the reader has moved on, and move it back:
            // records would be read twice.
            position.Failure = failure;
            position.IsLost = failure is OffsetOutOfRangeException;
            TakeTurns(position);
            Monitor.PulseAll(_gate);
        }
    }

    private bool IsCurrent(Position position) => _positions.TryGetValue(position.Partition, out var current) && ReferenceEquals(current, position);

    private static StreamsException Failure(ErrorCode error, TopicPartition partition)
    {
        var description = ErrorCodes.Describe(error);
        var message = $"{partition} cannot be read: {description.Name}, {description.Meaning}";
        return description.IsRetriable ? new ClusterUnavailableException(message) : new ClusterException((short)error, description.Name, message);
    }

    private sealed class Position(TopicPartition partition)
    {
        public TopicPartition Partition { get; } = partition;

        public long FetchOffset { get; set; }

        public long? EndOffset { get; set; }

        public bool IsPaused { get; set; }

        /// <summary>What the broker said instead of records, until the reader has been told.</summary>
        public Exception? Failure { get; set; }

        /// <summary>Whether there is nothing at its offset and will not be.</summary>
        public bool IsLost { get; set; }

        /// <summary>Whether it is in line for <see cref="Poll"/>.</summary>
        public bool HasTurn { get; set; }

        /// <summary>Bytes of what waits to be polled.</summary>
        public long ReadyBytes { get; set; }

        /// <summary>Fetched and not yet polled, in the order of the log.</summary>
        public Queue<RecordBatch> Ready { get; } = new();
    }
}
