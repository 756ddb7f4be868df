using System.Buffers;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Streams.Core;

namespace Streams.Protocol;

/// <summary>Where a fetch has come to.</summary>
/// <param name="NextOffset">Offset after the last batch.</param>
/// <param name="LeaderEpoch">The election under whose leader the last batch was written (KIP-101); -1 when there was none, or it does not say.</param>
internal readonly record struct FetchedEnd(long NextOffset, int LeaderEpoch);

/// <summary>Turns what a partition's fetch brought into batches for the engine: compressed records are unpacked once, others stay where they are or are copied.</summary>
internal static class FetchedRecords
{
    /// <summary>Largest batch after decompression; a larger one is refused as a bomb.</summary>
    private const int MaxDecompressedBytes = 128 << 20;

    /// <param name="partition">The partition.</param>
    /// <param name="data">Batches; the first may begin before <paramref name="position"/>, the last may be cut off, which a broker does at the size that was asked for.</param>
    /// <param name="position">First offset wanted.</param>
    /// <param name="aborted">Aborted transactions to hide, in any order; empty or null when reading uncommitted records.</param>
    /// <param name="output">Receives the batches, also those before one that is damaged.</param>
    /// <param name="copies">Whether <paramref name="data"/> is only lent.</param>
    /// <returns>Where the next fetch begins.</returns>
    /// <exception cref="ProtocolException">A batch is damaged, of a format before 2, or larger than what is unpacked.</exception>
    /// <exception cref="CompressionUnavailableException">A codec's native library is missing.</exception>
    public static FetchedEnd Decode(
        TopicPartition partition,
        ReadOnlyMemory<byte> data,
        long position,
        IReadOnlyList<FetchResponse.AbortedTransaction>? aborted,
        ICollection<RecordBatch> output,
        bool copies = false)
    {
        var next = position;
        var leaderEpoch = -1;
        var start = 0;
        var abortedProducers = new HashSet<long>();
        var abortedIndex = 0;

        // Apache Kafka lists them in the order in which they ended.
        if (aborted is { Count: > 1 }) aborted = [.. aborted.OrderBy(transaction => transaction.FirstOffset)];
        while (start < data.Length)
        {
            // At least the first comes whole (KIP-74); one that does not is damaged.
            if (start > 0 && RecordBatchView.TryRead(data.Span[start..], out _) == RecordBatchStatus.Truncated) break;
            var batch = RecordBatchView.Read(data.Span[start..]);
            var size = checked((int)batch.Header.TotalBytes);
            var header = batch.Header;
            while (aborted is not null && abortedIndex < aborted.Count && aborted[abortedIndex].FirstOffset <= header.LastOffset)
                abortedProducers.Add(aborted[abortedIndex++].ProducerId);

            next = Math.Max(next, header.LastOffset + 1);
            leaderEpoch = header.PartitionLeaderEpoch;
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
                output.Add(DecodeBatch(partition, data.Slice(start, size), batch, position, copies));
            }

            start += size;
        }

        return new FetchedEnd(next, leaderEpoch);
    }

    private static RecordBatch Empty(TopicPartition partition, long next) => new(partition, default, [], 0, next);

    private static RecordBatch DecodeBatch(TopicPartition partition, ReadOnlyMemory<byte> bytes, RecordBatchView batch, long position, bool copies)
    {
        var header = batch.Header;
        PooledBuffer? unpacked = null;
        RecordSlice[]? slices = null;
        try
        {
            unpacked = header.Compression != CompressionType.None ? batch.Decompress(MaxDecompressedBytes) : copies ? Copy(batch.EncodedRecords) : null;
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
        catch (Exception e) when (e is ProtocolException or CompressionUnavailableException)
        {
            if (slices is not null) ArrayPool<RecordSlice>.Shared.Return(slices);
            unpacked?.Dispose();
            throw;
        }
    }

    private static PooledBuffer Copy(ReadOnlySpan<byte> records)
    {
        var copy = new PooledBuffer(records.Length, records.Length);
        copy.Write(records);
        return copy;
    }
}
