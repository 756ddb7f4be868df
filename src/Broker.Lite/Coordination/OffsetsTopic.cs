using Broker.Lite.Diagnostics;
using Broker.Lite.Logs;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// The journal of groups as Kafka keeps it: the compacted topic <c>__consumer_offsets</c>, a group always in the same partition of it.
/// Created at the first write. Runs on the loop.
/// </summary>
internal sealed class OffsetsTopic(TopicCatalog catalog, TimeProvider time, ILogger logger) : IGroupJournal
{
    private const int ReplayBytes = 1024 * 1024;
    private const int MaxDecompressedBytes = 64 * 1024 * 1024;

    public ErrorCode Append(string groupId, IReadOnlyList<JournalEntry> entries)
    {
        if (catalog.View.Find(TopicName.ConsumerOffsets) is not { } topic)
        {
            var created = catalog.Create(new NewTopic
            {
                Name = TopicName.ConsumerOffsets,
                Partitions = catalog.View.Config.Int(BrokerConfigKeys.OffsetsTopicPartitions),
                Configs = new Dictionary<string, string?>
                {
                    [TopicConfigKeys.CleanupPolicy] = "compact",
                    // What one commit may carry is bounded by the request's size, not by what producers of other topics may send.
                    [TopicConfigKeys.MaxMessageBytes] = "104857600",
                },
            });
            if (created.Error != ErrorCode.None)
                return created.Error;
            topic = catalog.View.Find(TopicName.ConsumerOffsets)!;
        }

        var size = RecordBatchHeader.SizeBytes + entries.Sum(entry => 64L + entry.Key.Length + (entry.Value?.Length ?? 0));
        using var builder = new RecordBatchBuilder(new RecordBatchOptions { MaxBytes = (int)Math.Min(size, Array.MaxLength) });
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (key, value) in entries)
        {
            if (!builder.TryAppend(now, new NullableBytes(key), value is null ? NullableBytes.Null : new NullableBytes(value)))
                return ErrorCode.RecordListTooLarge;
        }

        var outcome = topic.Partitions[PartitionOf(groupId, topic.Partitions.Length)].Append(builder.Build(), AppendOrigin.Coordinator);
        return outcome.Error;
    }

    /// <summary>Reads the whole topic into the groups. Before the broker serves anybody.</summary>
    public void Replay(GroupDirectory groups)
    {
        if (catalog.View.Find(TopicName.ConsumerOffsets) is not { } topic)
            return;
        long records = 0;
        foreach (var partition in topic.Partitions)
        {
            for (var offset = partition.LogStartOffset; offset < partition.HighWatermark;)
            {
                using var read = partition.Read(offset, ReplayBytes, minOneBatch: true, ReadIsolation.ReadUncommitted);
                if (read.Error != ErrorCode.None)
                    throw new InvalidDataException($"{partition} cannot be read at offset {offset}: {read.Error}");
                var next = Replay(read.Records, partition, offset, groups, ref records);
                if (next <= offset)
                    throw new InvalidDataException($"{partition} cannot be read on from offset {offset}");
                offset = next;
            }
        }

        Log.GroupsRestored(logger, groups.All.Count, groups.All.Sum(group => group.Offsets.Count), records);
    }

    /// <summary>Kafka's choice: Java's hash code of the group id, its sign dropped, modulo the number of partitions.</summary>
    internal static int PartitionOf(string groupId, int partitions)
    {
        var hash = 0;
        foreach (var c in groupId)
            hash = unchecked((31 * hash) + c);
        return (hash == int.MinValue ? 0 : Math.Abs(hash)) % partitions;
    }

    private long Replay(ReadOnlyMemory<byte> batches, Partition partition, long from, GroupDirectory groups, ref long records)
    {
        var next = from;
        var rest = batches.Span;
        while (RecordBatchView.TryRead(rest, out var batch) == RecordBatchStatus.Valid)
        {
            rest = rest[batch.Bytes.Length..];
            next = batch.Header.LastOffset + 1;
            if (batch.Header.IsControl)
                continue;
            using var decompressed = batch.Decompress(MaxDecompressedBytes);
            var contents = decompressed is null ? batch.GetRecords() : batch.GetRecords(decompressed.WrittenSpan);
            foreach (var record in contents)
            {
                records++;
                if (record.IsKeyNull || record.Offset < from)
                    continue;
                // Copied: the readers of the formats work on memory, and this happens once per start.
                var value = record.IsValueNull ? (ReadOnlyMemory<byte>?)null : record.Value.ToArray();
                try
                {
                    if (!OffsetsTopicFormat.Replay(record.Key.ToArray(), value, groups))
                        Log.GroupRecordSkipped(logger, partition.Topic, partition.Index, record.Offset, "its version is not known");
                }
                catch (ProtocolException e)
                {
                    Log.GroupRecordSkipped(logger, partition.Topic, partition.Index, record.Offset, e.Message);
                }
            }
        }

        return next;
    }
}
