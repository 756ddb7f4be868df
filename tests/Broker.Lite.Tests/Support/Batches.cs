using System.Text;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Support;

/// <summary>Record batches as producers send them.</summary>
internal static class Batches
{
    public static byte[] Of(params string[] values) => Build(new RecordBatchOptions(), 0, values);

    public static byte[] At(long timestamp, params string[] values) => Build(new RecordBatchOptions(), timestamp, values);

    public static byte[] FromProducer(long producerId, short epoch, int sequence, params string[] values) =>
        Build(new RecordBatchOptions { ProducerId = producerId, ProducerEpoch = epoch, BaseSequence = sequence }, 0, values);

    public static byte[] Build(RecordBatchOptions options, long timestamp, params string[] values)
    {
        using var builder = new RecordBatchBuilder(options);
        foreach (var value in values)
        {
            if (!builder.TryAppend(timestamp, NullableBytes.Null, new NullableBytes(Encoding.UTF8.GetBytes(value))))
                throw new InvalidOperationException("The values do not fit into one batch");
        }

        return builder.Build().ToArray();
    }

    /// <summary>Offset and value of every record in some batches that is not a transaction's marker.</summary>
    public static List<(long Offset, string Value)> ReadData(ReadOnlyMemory<byte>? batches) => Read(batches, withMarkers: false);

    /// <summary>The offset after the last one in some batches; 0 without any.</summary>
    public static long EndOffset(ReadOnlyMemory<byte>? batches)
    {
        var end = 0L;
        for (var rest = (batches ?? default).Span; RecordBatchView.TryRead(rest, out var batch) == RecordBatchStatus.Valid; rest = rest[batch.Bytes.Length..])
            end = batch.Header.LastOffset + 1;
        return end;
    }

    /// <summary>Offset and value of every record in some batches.</summary>
    public static List<(long Offset, string Value)> Read(ReadOnlyMemory<byte>? batches, bool withMarkers = true)
    {
        var records = new List<(long, string)>();
        var rest = (batches ?? default).Span;
        while (RecordBatchView.TryRead(rest, out var batch) == RecordBatchStatus.Valid)
        {
            rest = rest[batch.Bytes.Length..];
            if (batch.Header.IsControl && !withMarkers)
                continue;
            using var decompressed = batch.Decompress(1 << 24);
            foreach (var record in decompressed is null ? batch.GetRecords() : batch.GetRecords(decompressed.WrittenSpan))
                records.Add((record.Offset, Encoding.UTF8.GetString(record.Value)));
        }

        return records;
    }
}
