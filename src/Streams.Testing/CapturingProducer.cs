using System.Buffers;
using Streams.Core;

namespace Streams.Testing;

/// <summary>A record that the topology wrote.</summary>
internal sealed record CapturedRecord(string Topic, int Partition, byte[]? Key, byte[]? Value, long Timestamp, Headers Headers);

/// <summary>The producer port of the test driver: keeps what is written, in order, until the driver takes it.</summary>
internal sealed class CapturingProducer(Func<string, int> partitionCount) : IRecordProducer
{
    private readonly Dictionary<string, ProducerTopic> _topics = [];
    private readonly Dictionary<TopicPartition, long> _endOffsets = [];
    private readonly Queue<CapturedRecord> _captured = [];

    public bool TryTake(out CapturedRecord record) => _captured.TryDequeue(out record!);

    public ProducerTopic GetTopic(string name, bool trackOffsets = false)
    {
        if (!_topics.TryGetValue(name, out var topic))
        {
            topic = new ProducerTopic(name, partitionCount(name));
            _topics.Add(name, topic);
        }

        return topic;
    }

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
    {
        ArgumentNullException.ThrowIfNull(topic);
        var at = new TopicPartition(topic.Name, partition);
        _endOffsets[at] = _endOffsets.GetValueOrDefault(at) + 1;
        _captured.Enqueue(new CapturedRecord(
            topic.Name,
            partition,
            record.HasKey ? record.Key.ToArray() : null,
            record.HasValue ? record.Value.ToArray() : null,
            record.Timestamp,
            record.Headers ?? Headers.Empty));
    }

    public void SendPending()
    {
    }

    public void Flush(CancellationToken cancellationToken)
    {
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition) =>
        _endOffsets.TryGetValue(new TopicPartition(topic.Name, partition), out var end) ? end : null;

    public void InitTransactions(CancellationToken cancellationToken) => throw NoTransactions();

    public void BeginTransaction() => throw NoTransactions();

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken) =>
        throw NoTransactions();

    public void CommitTransaction(CancellationToken cancellationToken) => throw NoTransactions();

    public void AbortTransaction(CancellationToken cancellationToken) => throw NoTransactions();

    public void Dispose() => _captured.Clear();

    private static InvalidOperationException NoTransactions() => new("The test driver commits each record by itself and has no transactions.");
}

/// <summary>Makes batches of one record, the form in which tasks take their input.</summary>
internal static class SingleRecordBatch
{
    public static RecordBatch Of(TopicPartition partition, long offset, byte[]? key, byte[]? value, long timestamp, Headers headers)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(key);
        buffer.Write(value);
        var headersStart = buffer.WrittenCount;
        HeaderEncoding.Write(headers, buffer);
        var slices = ArrayPool<RecordSlice>.Shared.Rent(1);
        var keyLength = key?.Length ?? 0;
        slices[0] = new RecordSlice(offset, timestamp, 0, key?.Length ?? -1, keyLength, value?.Length ?? -1, headersStart, headers.Count);
        return new RecordBatch(partition, buffer.WrittenMemory, slices, 1, offset + 1);
    }
}
