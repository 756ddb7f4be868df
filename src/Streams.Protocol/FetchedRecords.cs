using System.Buffers;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Streams.Core;

namespace Streams.Protocol;

/// <summary>Turns what a partition's fetch brought into batches for the engine: uncompressed records stay where they are, compressed ones are unpacked once.</summary>
internal static class FetchedRecords
{
    /// <summary>Largest batch after decompression; a larger one is refused as a bomb.</summary>
    private const int MaxDecompressedBytes = 128 << 20;

    /// <param name="partition">The partition.</param>
    /// <param name="data">Whole batches; the first may begin before <paramref name="position"/>.</param>
    /// <param name="position">First offset wanted.</param>
    /// <param name="aborted">Aborted transactions to hide, by first offset; empty or null when reading uncommitted records.</param>
    /// <param name="output">Receives the batches.</param>
    /// <returns>Offset after the last batch.</returns>
    public static long Decode(
        TopicPartition partition,
        ReadOnlyMemory<byte> data,
        long position,
        IReadOnlyList<FetchResponse.AbortedTransaction>? aborted,
        ICollection<RecordBatch> output)
    {
        var next = position;
        var start = 0;
        var abortedProducers = new HashSet<long>();
        var abortedIndex = 0;
        while (start < data.Length)
        {
            var batch = RecordBatchView.Read(data.Span[start..]);
            var size = checked((int)batch.Header.TotalBytes);
            var header = batch.Header;
            while (aborted is not null && abortedIndex < aborted.Count && aborted[abortedIndex].FirstOffset <= header.LastOffset)
                abortedProducers.Add(aborted[abortedIndex++].ProducerId);

            next = header.LastOffset + 1;
            if (header.IsControl)
            {
                // The marker ends the producer's transaction, aborted or not; what follows from it is another one.
                abortedProducers.Remove(header.ProducerId);
                output.Add(Empty(partition, next));
            }
            else if (header.IsTransactional && abortedProducers.Contains(header.ProducerId))
            {
                output.Add(Empty(partition, next));
            }
            else
            {
                output.Add(DecodeBatch(partition, data.Slice(start, size), batch, position));
            }

            start += size;
        }

        return next;
    }

    private static RecordBatch Empty(TopicPartition partition, long next) => new(partition, default, [], 0, next);

    private static RecordBatch DecodeBatch(TopicPartition partition, ReadOnlyMemory<byte> bytes, RecordBatchView batch, long position)
    {
        var header = batch.Header;
        PooledBuffer? unpacked = null;
        RecordSlice[]? slices = null;
        try
        {
            unpacked = header.Compression == CompressionType.None ? null : batch.Decompress(MaxDecompressedBytes);
            var buffer = unpacked?.WrittenMemory ?? bytes[RecordBatchHeader.SizeBytes..];
            var records = unpacked is null ? batch.GetRecords() : batch.GetRecords(unpacked.WrittenSpan);
            slices = ArrayPool<RecordSlice>.Shared.Rent(Math.Max(1, header.RecordCount));
            var count = 0;
            while (records.MoveNext())
            {
                var record = records.Current;
                if (record.Offset < position) continue;

                // Headers begin with their count, which the slice carries itself.
                slices[count++] = new RecordSlice(
                    record.Offset,
                    record.Timestamp,
                    record.KeyPosition,
                    record.KeyLength,
                    record.ValuePosition,
                    record.ValueLength,
                    record.HeadersPosition + HeaderEncoding.CountSize(record.HeaderCount),
                    record.HeaderCount);
            }

            return new RecordBatch(partition, buffer, slices, count, header.LastOffset + 1, unpacked);
        }
        catch (ProtocolException)
        {
            if (slices is not null) ArrayPool<RecordSlice>.Shared.Return(slices);
            unpacked?.Dispose();
            throw;
        }
    }
}
