using System.Buffers;
using System.Text;

namespace Streams.Core.Tests.Support;

/// <summary>A record to be read: texts, an absent part being <c>null</c>.</summary>
internal sealed record Raw(string? Key, string? Value, long Timestamp);

internal static class Batches
{
    /// <summary>A batch of records with consecutive offsets.</summary>
    public static RecordBatch Of(TopicPartition partition, long firstOffset, params Raw[] records) => Of(partition, firstOffset, firstOffset + records.Length, records);

    /// <summary>A batch after which the position is further than its last record: control records follow, or compaction has left a gap.</summary>
    public static RecordBatch Of(TopicPartition partition, long firstOffset, long nextOffset, params Raw[] records)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var slices = ArrayPool<RecordSlice>.Shared.Rent(Math.Max(1, records.Length));
        for (var index = 0; index < records.Length; index++)
        {
            var record = records[index];
            var keyStart = buffer.WrittenCount;
            if (record.Key is not null) Encoding.UTF8.GetBytes(record.Key, buffer);
            var valueStart = buffer.WrittenCount;
            if (record.Value is not null) Encoding.UTF8.GetBytes(record.Value, buffer);
            slices[index] = new RecordSlice(
                firstOffset + index,
                record.Timestamp,
                keyStart,
                record.Key is null ? -1 : valueStart - keyStart,
                valueStart,
                record.Value is null ? -1 : buffer.WrittenCount - valueStart,
                0,
                0);
        }

        return new RecordBatch(partition, buffer.WrittenMemory, slices, records.Length, nextOffset);
    }
}
