using Broker.Lite.Logs;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Coordination;

/// <summary>
/// A compacted topic in which a coordinator keeps its state, a key always in the same partition. Created at the first write. Runs on the
/// loop, except for <see cref="ReadAll"/>, which runs before there is anybody else.
/// </summary>
internal sealed class CoordinatorTopic(TopicCatalog catalog, TimeProvider time, string name, string partitionsKey)
{
    private const int ReplayBytes = 1024 * 1024;
    private const int MaxDecompressedBytes = 64 * 1024 * 1024;

    /// <summary>Sees a record of the topic; not the control records, which <see cref="MarkerVisitor"/> sees.</summary>
    internal delegate void RecordVisitor(Partition partition, RecordBatchHeader batch, RecordView record);

    /// <summary>Sees the end of a transaction in a partition of the topic.</summary>
    internal delegate void MarkerVisitor(Partition partition, long producerId, bool isCommit);

    /// <summary>The partition for a key, as the number of partitions stands; creates the topic if need be.</summary>
    public ErrorCode TryGetPartition(string key, out Partition? partition)
    {
        partition = null;
        if (catalog.View.Find(name) is not { } topic)
        {
            var created = catalog.Create(new NewTopic
            {
                Name = name,
                Partitions = catalog.View.Config.Int(partitionsKey),
                Configs = new Dictionary<string, string?>
                {
                    [TopicConfigKeys.CleanupPolicy] = "compact",

                // Only full segments are compacted, and all is read at every start. Kafka: offsets.topic.segment.bytes, transaction.state.log.segment.bytes.
                [TopicConfigKeys.SegmentBytes] = "104857600",
                    // What one entry may carry is bounded by the request's size, not by what producers of other topics may send.
                    [TopicConfigKeys.MaxMessageBytes] = "104857600",
                },
            });
            if (created.Error != ErrorCode.None)
                return created.Error;
            topic = catalog.View.Find(name)!;
        }

        partition = topic.Partitions[PartitionOf(key, topic.Partitions.Length)];
        return ErrorCode.None;
    }

    /// <summary>Appends the entries as one batch to the partition of a key, in a producer's transaction if it has one.</summary>
    public JournalResult Append(string key, IReadOnlyList<JournalEntry> entries, long producerId = -1, short producerEpoch = -1)
    {
        if (TryGetPartition(key, out var partition) is var error and not ErrorCode.None)
            return JournalResult.Failed(error);
        var size = RecordBatchHeader.SizeBytes + entries.Sum(entry => 64L + entry.Key.Length + (entry.Value?.Length ?? 0));
        using var builder = new RecordBatchBuilder(new RecordBatchOptions
        {
            MaxBytes = (int)Math.Min(size, Array.MaxLength),
            ProducerId = producerId,
            ProducerEpoch = producerEpoch,
            IsTransactional = producerId >= 0,
        });
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (entryKey, value) in entries)
        {
            if (!builder.TryAppend(now, new NullableBytes(entryKey), value is null ? NullableBytes.Null : new NullableBytes(value)))
                return JournalResult.Failed(ErrorCode.RecordListTooLarge);
        }

        var outcome = partition!.Append(builder.Build(), AppendOrigin.Coordinator);
        return new JournalResult(outcome.Error, outcome.BaseOffset);
    }

    /// <summary>Reads the whole topic, partition by partition, each in its order.</summary>
    /// <exception cref="InvalidDataException">A partition cannot be read to its end.</exception>
    public void ReadAll(RecordVisitor onRecord, MarkerVisitor onMarker)
    {
        if (catalog.View.Find(name) is not { } topic)
            return;
        foreach (var partition in topic.Partitions)
        {
            for (var offset = partition.LogStartOffset; offset < partition.HighWatermark;)
            {
                using var read = partition.Read(offset, ReplayBytes, minOneBatch: true, ReadIsolation.ReadUncommitted);
                if (read.Error != ErrorCode.None)
                    throw new InvalidDataException($"{partition} cannot be read at offset {offset}: {read.Error}");
                var next = Read(read.Records, partition, offset, onRecord, onMarker);
                if (next <= offset)
                    throw new InvalidDataException($"{partition} cannot be read on from offset {offset}");
                offset = next;
            }
        }
    }

    /// <summary>Kafka's choice: Java's hash code of the key, its sign dropped, modulo the number of partitions.</summary>
    internal static int PartitionOf(string key, int partitions)
    {
        var hash = 0;
        foreach (var c in key)
            hash = unchecked((31 * hash) + c);
        return (hash == int.MinValue ? 0 : Math.Abs(hash)) % partitions;
    }

    private static long Read(ReadOnlyMemory<byte> batches, Partition partition, long from, RecordVisitor onRecord, MarkerVisitor onMarker)
    {
        var next = from;
        var rest = batches.Span;
        while (RecordBatchView.TryRead(rest, out var batch) == RecordBatchStatus.Valid)
        {
            rest = rest[batch.Bytes.Length..];
            next = batch.Header.LastOffset + 1;
            if (batch.Header.IsControl)
            {
                if (batch.Header.LastOffset >= from && LogRecovery.TryReadMarker(batch, out var type, out _))
                    onMarker(partition, batch.Header.ProducerId, type == ControlRecordType.Commit);
                continue;
            }

            using var decompressed = batch.Decompress(MaxDecompressedBytes);
            foreach (var record in decompressed is null ? batch.GetRecords() : batch.GetRecords(decompressed.WrittenSpan))
            {
                if (!record.IsKeyNull && record.Offset >= from)
                    onRecord(partition, batch.Header, record);
            }
        }

        return next;
    }
}
