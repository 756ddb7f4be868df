using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Streams.Core;
using Streams.Protocol;

namespace Streams.Embedded;

/// <summary>Reads partitions of a broker in this process. One long poll is always under way ahead of the reader, bounded in bytes.</summary>
/// <remarks>
/// A pump fetches and decodes on the thread pool and puts batches into the queue of their partition.
/// </remarks>
internal sealed class EmbeddedConsumer : FetchingConsumer<FetchedPartition>
{
    private const int MaxWaitMs = 500;
    private const int MaxBytesPerPartition = 1 << 20;
    private const sbyte ReadCommitted = 1;

    private readonly BrokerConnection _connection;
    private readonly ConsumerOptions _options;
    private readonly CancellationTokenSource _stopping = new();
    private CancellationTokenSource _asking = new();
    private Task _pump = Task.CompletedTask;
    private bool _pumping;
    private Exception? _failure;

    public EmbeddedConsumer(BrokerConnection connection, ConsumerOptions options)
        : base(options)
    {
        _connection = connection;
        _options = options;
    }

    public override void Dispose()
    {
        Task pump;
        lock (Gate)
        {
            if (_stopping.IsCancellationRequested) return;
            _stopping.Cancel();
            _asking.Cancel();
            pump = _pump;
        }

        pump.GetAwaiter().GetResult();
        lock (Gate) DropAll();

        _stopping.Dispose();
        _asking.Dispose();
    }

    protected override FetchedPartition NewPartition(TopicPartition partition, long offset) => new(partition, offset);

    protected override void OnAssignmentChanged() => AskAgain();

    protected override void OnRoom() => StartPump();

    protected override void ThrowIfBroken()
    {
        if (_failure is not { } failure) return;
        _failure = null;
        StartPump();
        throw failure;
    }

    private static bool MayBeAsked(FetchedPartition position, int share) => !position.IsPaused && !position.IsLost && position.Failure is null && position.ReadyBytes < share;

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
        var share = ShareBytes;
        if (!Partitions.Any(position => MayBeAsked(position, share))) return;
        _pumping = true;
        _pump = Task.Run(PumpAsync);
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            FetchRequest? request;
            Dictionary<TopicPartition, FetchedPartition> asked;
            CancellationToken cancelled;
            lock (Gate)
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
                lock (Gate)
                {
                    _failure = failure is StreamsException ? failure : new SerializationException($"A fetched batch cannot be read: {failure.Message}", failure);
                    _pumping = false;
                    Monitor.PulseAll(Gate);
                    return;
                }
            }
        }
    }

    private (FetchRequest? Request, Dictionary<TopicPartition, FetchedPartition> Asked) NextRequest()
    {
        var asked = new Dictionary<TopicPartition, FetchedPartition>();
        if (_stopping.IsCancellationRequested || _failure is not null) return (null, asked);
        var share = ShareBytes;
        var topics = new Dictionary<string, FetchRequest.FetchTopic>();
        foreach (var position in Partitions)
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

    private void Take(FetchResponse response, Dictionary<TopicPartition, FetchedPartition> asked)
    {
        foreach (var topic in response.Responses)
        {
            foreach (var data in topic.Partitions)
            {
                var partition = new TopicPartition(topic.Topic, data.PartitionIndex);
                var position = asked[partition];
                if (data.ErrorCode != ErrorCode.None)
                {
                    var failure = data.ErrorCode == ErrorCode.OffsetOutOfRange ? new OffsetOutOfRangeException(partition, position.FetchOffset) : Failure(data.ErrorCode, partition);
                    lock (Gate) Fail(position, failure);
                    continue;
                }

                // Decoding happens outside of the lock: it is the pump's real work.
                var batches = new List<RecordBatch>();
                var next = data.Records is { Length: > 0 } records
                    ? FetchedRecords.Decode(partition, records, position.FetchOffset, _options.ReadCommitted ? data.AbortedTransactions : null, batches).NextOffset
                    : position.FetchOffset;
                lock (Gate)
                {
                    if (!IsCurrent(position))
                    {
                        foreach (var batch in batches) batch.Dispose();
                        continue;
                    }

                    position.FetchOffset = next;
                    position.EndOffset = _options.ReadCommitted ? data.LastStableOffset : data.HighWatermark;
                    Put(position, batches);
                }
            }
        }
    }

    private static StreamsException Failure(ErrorCode error, TopicPartition partition)
    {
        var description = ErrorCodes.Describe(error);
        var message = $"{partition} cannot be read: {description.Name}, {description.Meaning}";
        return description.IsRetriable ? new ClusterUnavailableException(message) : new ClusterException((short)error, description.Name, message);
    }
}
