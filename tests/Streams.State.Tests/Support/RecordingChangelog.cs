using Streams.Core;

namespace Streams.State.Tests.Support;

internal sealed record Logged(byte[] Key, byte[]? Value, long Timestamp, Headers? Headers = null);

/// <summary>Keeps what stores log, and gives it back as the batches that a restore reads.</summary>
internal sealed class RecordingChangelog : IChangelog
{
    public List<Logged> Records { get; } = [];

    /// <summary>When set, nothing is kept: for tests that count allocations.</summary>
    public bool Discard { get; set; }

    public long EndOffset { get; private set; }

    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasValue, long timestamp, Headers? headers = null)
    {
        EndOffset++;
        if (!Discard) Records.Add(new Logged(key.ToArray(), hasValue ? value.ToArray() : null, timestamp, headers));
    }

    /// <summary>Takes back what an aborted transaction wrote.</summary>
    public void Truncate(long endOffset)
    {
        Records.RemoveRange((int)endOffset, Records.Count - (int)endOffset);
        EndOffset = endOffset;
    }

    public RecordBatch Batch(long fromOffset = 0) => Batches.Of(Records.Skip((int)fromOffset), fromOffset);
}

internal static class Batches
{
    /// <summary>A batch gives its slices to the shared pool, so that is where they must come from.</summary>
    public static RecordSlice[] Pooled(IReadOnlyCollection<RecordSlice> slices)
    {
        var pooled = System.Buffers.ArrayPool<RecordSlice>.Shared.Rent(slices.Count);
        var count = 0;
        foreach (var slice in slices) pooled[count++] = slice;
        return pooled;
    }

    public static RecordBatch Of(IEnumerable<Logged> records, long firstOffset = 0)
    {
        var bytes = new List<byte>();
        var slices = new List<RecordSlice>();
        foreach (var record in records)
        {
            var keyStart = bytes.Count;
            bytes.AddRange(record.Key);
            var valueStart = bytes.Count;
            if (record.Value is not null) bytes.AddRange(record.Value);
            var headersStart = bytes.Count;
            if (record.Headers is not null)
            {
                var encoded = new System.Buffers.ArrayBufferWriter<byte>();
                HeaderEncoding.Write(record.Headers, encoded);
                bytes.AddRange(encoded.WrittenSpan);
            }

            slices.Add(new RecordSlice(
                firstOffset + slices.Count, record.Timestamp, keyStart, record.Key.Length, valueStart, record.Value?.Length ?? -1, headersStart, record.Headers?.Count ?? 0));
        }

        return new RecordBatch(new TopicPartition("changelog", 0), bytes.ToArray(), Pooled(slices), slices.Count, firstOffset + slices.Count);
    }
}
