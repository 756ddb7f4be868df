using System.Buffers;
using System.Buffers.Binary;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// Reads whole batches of a segment with one read of the file in the usual case, or none where the file's memory can be lent. Looks at
/// batch headers only.
/// </summary>
internal static class SegmentReader
{
    /// <summary>What has to be there of a batch to know its size and offsets.</summary>
    private const int NeededHeaderBytes = RecordBatchHeader.LastOffsetDeltaEnd;

    /// <summary>Read beyond what is asked for when the position is only near: the bytes in front of it.</summary>
    private const int ApproachBytes = 8 * 1024;

    /// <summary>From here on lending is worth it: it costs some calls that reading into memory does not.</summary>
    private const int MinLentBytes = 64 * 1024;

    /// <summary>
    /// Batches from the one that holds <paramref name="offset"/>, or follows it, up to <paramref name="boundOffset"/>. Nothing found leaves
    /// <see cref="Result.Records"/> empty. With <paramref name="maySendFile"/> much is not read but lent, as a <see cref="FileMemory"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">What is in the file is not a batch.</exception>
    public static Result Read(LogSegment segment, long offset, long boundOffset, int maxBytes, bool minOneBatch, bool maySendFile = false)
    {
        int size = segment.SizeBytes;
        int position = segment.FindPosition(offset, out bool isExact);
        var wanted = new Wanted(offset, boundOffset, maxBytes, minOneBatch);
        if (position > 0 && !isExact && !IsBatchBefore(segment, position, size, offset))
            position = 0; // the index lies; the log itself does not need it
        Result result = default;
        if (!maySendFile || !isExact || !TryLend(segment, position, size, wanted, out result))
            result = ReadFrom(segment.Log, position, size, isExact, wanted);
        if (result.Records.Length > 0)
            segment.RememberPosition(result.NextOffset, result.EndPosition);
        return result;
    }

    /// <summary>
    /// Lends what is wanted if that is much: up to the last batch that the index knows of within the limit, and the whole batches that follow it there. Only
    /// for a position that is known to be the wanted batch's own, as it is for whoever reads on.
    /// </summary>
    private static bool TryLend(LogSegment segment, int position, int size, Wanted wanted, out Result result)
    {
        result = default;
        int end = (int)Math.Min(size, (long)position + wanted.MaxBytes);
        if (end - position < MinLentBytes || !segment.Offsets.TryFindValueFloor(end, out SegmentIndex.Entry boundary) || boundary.Value >= size || boundary.Value - position < MinLentBytes)
            return false;
        byte[] rented = ArrayPool<byte>.Shared.Rent(ApproachBytes);
        try
        {
            ReadOnlySpan<byte> tail = rented.AsSpan(0, segment.Log.Read(boundary.Value, rented.AsSpan(0, Math.Min(ApproachBytes, size - boundary.Value))));
            if (tail.Length < NeededHeaderBytes)
                return false;
            long next = BinaryPrimitives.ReadInt64BigEndian(tail);

            // An index that lies is none; and what is bounded in its midst is found by reading.
            if (next <= wanted.Offset || next > segment.BaseOffset + boundary.Key || next > wanted.BoundOffset)
                return false;
            Step step = Walk(tail, wanted with { Offset = next, MaxBytes = end - boundary.Value, MinOneBatch = false });
            int stop = boundary.Value + (step.SkipBytes == 0 ? step.TakeBytes : 0);
            FileMemory? lent = segment.Log.TryLend(position, stop - position);
            if (lent is null)
                return false;
            result = new Result(lent.Memory, null, stop > boundary.Value ? step.NextOffset : next, stop, IsDone: true) { Lent = lent };
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static Result ReadFrom(LogFile file, int position, int size, bool isExact, Wanted wanted)
    {
        byte[]? rented = null;
        bool kept = false;
        int neededBytes = 0;
        try
        {
            while (position < size)
            {
                ReadOnlyMemory<byte> memory;
                int ahead = (int)Math.Min(size - position, Math.Max(neededBytes, (long)Math.Max(wanted.MaxBytes, NeededHeaderBytes) + (isExact ? 0 : ApproachBytes)));
                bool isLent = file.TryBorrow(position, size - position, out memory);
                if (!isLent)
                {
                    if (rented is null || rented.Length < ahead)
                    {
                        if (rented is not null)
                            ArrayPool<byte>.Shared.Return(rented);
                        rented = null;
                        rented = ArrayPool<byte>.Shared.Rent(ahead);
                    }

                    memory = rented.AsMemory(0, file.Read(position, rented.AsSpan(0, ahead)));
                }

                Step step = Walk(memory.Span, wanted);
                if (step.TakeBytes > 0)
                {
                    kept = !isLent;
                    return new Result(
                        memory.Slice(step.SkipBytes, step.TakeBytes),
                        kept ? rented : null,
                        step.NextOffset,
                        position + step.SkipBytes + step.TakeBytes,
                        IsDone: true);
                }

                if (step.IsDone)
                    return new Result(default, null, wanted.Offset, position, IsDone: true);
                if (step.SkipBytes == 0 && (isLent || memory.Length >= size - position || step.NeededBytes <= memory.Length))
                    throw new InvalidDataException($"The log has half a batch at position {position}.");
                long next = (long)position + step.SkipBytes;
                if (next >= size)
                    return default;
                position = (int)next;
                neededBytes = step.NeededBytes;
                isExact = step.NeededBytes > 0;
            }

            return default;
        }
        finally
        {
            if (rented is not null && !kept)
                ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Goes over the batches in <paramref name="data"/>: over those before the offset, then along those that are wanted.</summary>
    private static Step Walk(ReadOnlySpan<byte> data, Wanted wanted)
    {
        int skip = 0;
        int take = 0;
        long next = wanted.Offset;
        while (true)
        {
            int position = skip + take;
            if (data.Length - position < NeededHeaderBytes)
                return new Step(skip, take, next, NeededHeaderBytes, IsDone: false);
            ReadOnlySpan<byte> header = data[position..];
            long baseOffset = BinaryPrimitives.ReadInt64BigEndian(header);
            int length = BinaryPrimitives.ReadInt32BigEndian(header[8..]);
            int delta = BinaryPrimitives.ReadInt32BigEndian(header[(NeededHeaderBytes - 4)..]);
            if (length < RecordBatchHeader.SizeBytes - RecordBatchHeader.PrefixBytes || length > int.MaxValue - RecordBatchHeader.PrefixBytes || baseOffset < 0 || delta < 0)
                throw new InvalidDataException($"The log has no batch where one should be, near offset {wanted.Offset}.");
            int total = length + RecordBatchHeader.PrefixBytes;
            if (baseOffset + delta < wanted.Offset && take == 0)
            {
                if (total > data.Length - skip)
                    return new Step((int)Math.Min((long)skip + total, int.MaxValue), 0, next, 0, IsDone: false);
                skip += total;
                continue;
            }

            bool isDone = baseOffset >= wanted.BoundOffset || (total > wanted.MaxBytes - take && (take > 0 || !wanted.MinOneBatch));
            if (isDone || total > data.Length - position)
                return new Step(skip, take, next, total, isDone);
            take += total;
            next = baseOffset + delta + 1;
        }
    }

    private static bool IsBatchBefore(LogSegment segment, int position, int size, long offset)
    {
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.SizeBytes];
        if (size - position < bytes.Length || segment.Log.Read(position, bytes) != bytes.Length)
            return false;
        var header = new RecordBatchHeader(bytes);
        return RecordBatchView.CheckHeader(header) == RecordBatchStatus.Valid
            && header.BaseOffset >= segment.BaseOffset
            && header.BaseOffset <= offset
            && header.TotalBytes <= size - position;
    }

    /// <summary>What was read.</summary>
    /// <param name="Records">Whole batches; empty when there are none.</param>
    /// <param name="Rented">The pooled array that they are in, if any.</param>
    /// <param name="NextOffset">The offset after the last.</param>
    /// <param name="EndPosition">The position after the last.</param>
    /// <param name="IsDone">False when the segment has nothing at or behind the offset, and the next one has to be looked at.</param>
    public readonly record struct Result(ReadOnlyMemory<byte> Records, byte[]? Rented, long NextOffset, int EndPosition, bool IsDone)
    {
        /// <summary>The part of the file that the records are, if they were not read.</summary>
        public FileMemory? Lent { get; init; }
    }

    private readonly record struct Wanted(long Offset, long BoundOffset, int MaxBytes, bool MinOneBatch);

    /// <summary>How far a walk came: bytes passed over, bytes to give, and how many it needs to see of what follows.</summary>
    private readonly record struct Step(int SkipBytes, int TakeBytes, long NextOffset, int NeededBytes, bool IsDone);
}
