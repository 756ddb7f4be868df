using System.Text;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Support;

/// <summary>
/// What a read-committed client makes of a fetch: control batches are skipped, and a producer's records are dropped from where the list of
/// aborted transactions says to its abort marker.
/// </summary>
internal static class CommittedReader
{
    public static List<(long Offset, string Value)> Read(FetchResponse.PartitionData fetched)
    {
        var upcoming = new Queue<FetchResponse.AbortedTransaction>((fetched.AbortedTransactions ?? []).OrderBy(one => one.FirstOffset));
        var aborting = new HashSet<long>();
        var records = new List<(long, string)>();
        var rest = (fetched.Records ?? default).Span;
        while (RecordBatchView.TryRead(rest, out var batch) == RecordBatchStatus.Valid)
        {
            rest = rest[batch.Bytes.Length..];
            while (upcoming.TryPeek(out var next) && next.FirstOffset <= batch.Header.LastOffset)
                aborting.Add(upcoming.Dequeue().ProducerId);
            if (batch.Header.IsControl)
            {
                var marker = batch.GetRecords();
                if (marker.MoveNext() && TransactionMarker.ReadType(marker.Current) == ControlRecordType.Abort)
                    aborting.Remove(batch.Header.ProducerId);
                continue;
            }

            if (batch.Header.IsTransactional && aborting.Contains(batch.Header.ProducerId))
                continue;
            using var decompressed = batch.Decompress(1 << 24);
            foreach (var record in decompressed is null ? batch.GetRecords() : batch.GetRecords(decompressed.WrittenSpan))
                records.Add((record.Offset, Encoding.UTF8.GetString(record.Value)));
        }

        return records;
    }
}
