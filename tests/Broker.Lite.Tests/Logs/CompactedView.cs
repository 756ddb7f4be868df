using System.Text;
using Broker.Lite.Logs;
using Kafka.Protocol;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Logs;

/// <summary>What a consumer of a compacted topic sees, by the rules of Kafka's clients.</summary>
internal static class CompactedView
{
    /// <summary>All records of committed transactions and of none, in order; a null value is a tombstone.</summary>
    public static List<(long Offset, string Key, string? Value)> Records(PartitionLog log, int maxBytes = 3000)
    {
        var records = new List<(long, string, string?)>();
        var aborted = new Dictionary<long, SortedSet<long>>();
        var open = new HashSet<long>();
        long offset = log.LogStartOffset;
        while (true)
        {
            using LogSlice slice = log.Read(offset, maxBytes, minOneBatch: true, ReadIsolation.ReadCommitted);
            Assert.Equal(ErrorCode.None, slice.Error);
            foreach (AbortedTransaction transaction in slice.AbortedTransactions ?? [])
            {
                if (!aborted.TryGetValue(transaction.ProducerId, out SortedSet<long>? firsts))
                    aborted.Add(transaction.ProducerId, firsts = []);
                if (transaction.LastOffset >= offset)
                    firsts.Add(transaction.FirstOffset);
            }

            ReadOnlySpan<byte> data = slice.Records.Span;
            if (data.IsEmpty)
            {
                // Beside writers and compaction, all up to the end that this read knew may have gone: then there is more behind it.
                if (slice.LastStableOffset == log.LastStableOffset)
                    return records;
                continue;
            }

            while (!data.IsEmpty)
            {
                RecordBatchView batch = RecordBatchView.Read(data);
                data = data[batch.Bytes.Length..];
                Follow(batch, aborted, open, records, offset);
                Assert.True(batch.Header.LastOffset >= offset, "batches go forward");
                offset = batch.Header.LastOffset + 1;
            }
        }
    }

    /// <summary>The table that those records make.</summary>
    public static SortedDictionary<string, string> Table(PartitionLog log)
    {
        var table = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((_, string key, string? value) in Records(log))
        {
            if (value is null)
                table.Remove(key);
            else
                table[key] = value;
        }

        return table;
    }

    /// <summary>Every batch of the log as "first-last:count", markers with C or A.</summary>
    public static List<string> Batches(PartitionLog log)
    {
        var batches = new List<string>();
        long offset = log.LogStartOffset;
        while (true)
        {
            using LogSlice slice = log.Read(offset, 1 << 20, minOneBatch: true);
            ReadOnlySpan<byte> data = slice.Records.Span;
            if (data.IsEmpty)
                return batches;
            while (!data.IsEmpty)
            {
                RecordBatchView batch = RecordBatchView.Read(data);
                data = data[batch.Bytes.Length..];
                RecordBatchHeader header = batch.Header;
                string kind = header.IsControl && LogRecovery.TryReadMarker(batch, out ControlRecordType type, out _) ? type.ToString()[..1] : "";
                batches.Add($"{header.BaseOffset}-{header.LastOffset}:{header.RecordCount}{kind}");
                offset = header.LastOffset + 1;
            }
        }
    }

    private static void Follow(
        RecordBatchView batch,
        Dictionary<long, SortedSet<long>> aborted,
        HashSet<long> open,
        List<(long Offset, string Key, string? Value)> records,
        long from)
    {
        RecordBatchHeader header = batch.Header;
        long last = header.LastOffset;
        foreach ((long producerId, SortedSet<long> firsts) in aborted)
        {
            if (firsts.RemoveWhere(first => first <= last) > 0)
                open.Add(producerId);
        }

        if (header.IsControl)
        {
            if (LogRecovery.TryReadMarker(batch, out ControlRecordType type, out _) && type == ControlRecordType.Abort)
                open.Remove(header.ProducerId);
            return;
        }

        if (header.IsTransactional && open.Contains(header.ProducerId))
            return;
        using PooledBuffer? decompressed = batch.Decompress(1 << 24);
        foreach (RecordView record in batch.GetRecords(decompressed is null ? batch.EncodedRecords : decompressed.WrittenSpan))
        {
            if (record.Offset >= from)
                records.Add((record.Offset, Encoding.UTF8.GetString(record.Key), record.IsValueNull ? null : Encoding.UTF8.GetString(record.Value)));
        }
    }
}
