using System.Buffers.Binary;
using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>
/// The producer state at an offset, in the file <c>(offset).snapshot</c> of Kafka's format: version 2 bytes (1), CRC-32C 4 of what follows it, count 4,
/// and per producer id 8, epoch 2, last sequence 4, last offset 8, offset delta 4, timestamp 8, coordinator epoch 4, first offset of the open
/// transaction 8. Like Kafka's it holds the newest batch of each producer only.
/// </summary>
internal static class ProducerSnapshot
{
    public const string Suffix = ".snapshot";

    private const short Version = 1;
    private const int CrcPosition = 2;
    private const int CountPosition = 6;
    private const int EntriesPosition = 10;
    private const int EntryBytes = 46;

    /// <summary>Name of the snapshot at an offset.</summary>
    public static string FileName(long offset) => LogSegment.FileName(offset) + Suffix;

    /// <summary>Writes the state.</summary>
    public static void Write(LogDirectory directory, long offset, IReadOnlyCollection<ProducerEntry> producers)
    {
        var content = new byte[checked(EntriesPosition + (producers.Count * EntryBytes))];
        BinaryPrimitives.WriteInt16BigEndian(content, Version);
        BinaryPrimitives.WriteInt32BigEndian(content.AsSpan(CountPosition), producers.Count);
        Span<byte> output = content.AsSpan(EntriesPosition);
        foreach (ProducerEntry producer in producers)
        {
            ProducerEntry.Batch newest = producer.Count > 0
                ? producer.Newest
                : new ProducerEntry.Batch(-1, -1, -1, -1);
            BinaryPrimitives.WriteInt64BigEndian(output, producer.ProducerId);
            BinaryPrimitives.WriteInt16BigEndian(output[8..], producer.Epoch);
            BinaryPrimitives.WriteInt32BigEndian(output[10..], newest.LastSequence);
            BinaryPrimitives.WriteInt64BigEndian(output[14..], newest.LastOffset);
            BinaryPrimitives.WriteInt32BigEndian(output[22..], (int)(newest.LastOffset - newest.FirstOffset));
            BinaryPrimitives.WriteInt64BigEndian(output[26..], producer.LastTimestamp);
            BinaryPrimitives.WriteInt32BigEndian(output[34..], producer.CoordinatorEpoch);
            BinaryPrimitives.WriteInt64BigEndian(output[38..], producer.TransactionFirstOffset);
            output = output[EntryBytes..];
        }

        BinaryPrimitives.WriteUInt32BigEndian(content.AsSpan(CrcPosition), Crc32C.Compute(content.AsSpan(CountPosition)));
        directory.Replace(FileName(offset), content);
    }

    /// <summary>Reads the state into an empty table; false when the file is missing or not right, and the table is still empty.</summary>
    public static bool TryRead(LogDirectory directory, long offset, ProducerStateTable table) =>
        TryRead(directory.TryReadAll(FileName(offset), int.MaxValue), table);

    /// <summary>Reads the content of such a file into an empty table; false when it is null or not right.</summary>
    public static bool TryRead(byte[]? content, ProducerStateTable table)
    {
        if (content is null
            || content.Length < EntriesPosition
            || BinaryPrimitives.ReadInt16BigEndian(content) != Version
            || BinaryPrimitives.ReadUInt32BigEndian(content.AsSpan(CrcPosition)) != Crc32C.Compute(content.AsSpan(CountPosition)))
        {
            return false;
        }

        int count = BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(CountPosition));
        if (count < 0 || EntriesPosition + ((long)count * EntryBytes) != content.Length)
            return false;
        for (int i = 0; i < count; i++)
            table.Restore(ReadEntry(content.AsSpan(EntriesPosition + (i * EntryBytes), EntryBytes)));
        return true;
    }

    private static ProducerEntry ReadEntry(ReadOnlySpan<byte> input)
    {
        var entry = new ProducerEntry(BinaryPrimitives.ReadInt64BigEndian(input), BinaryPrimitives.ReadInt16BigEndian(input[8..]))
        {
            LastTimestamp = BinaryPrimitives.ReadInt64BigEndian(input[26..]),
            CoordinatorEpoch = BinaryPrimitives.ReadInt32BigEndian(input[34..]),
            TransactionFirstOffset = BinaryPrimitives.ReadInt64BigEndian(input[38..]),
        };
        int lastSequence = BinaryPrimitives.ReadInt32BigEndian(input[10..]);
        if (lastSequence >= 0)
        {
            long lastOffset = BinaryPrimitives.ReadInt64BigEndian(input[14..]);
            int delta = BinaryPrimitives.ReadInt32BigEndian(input[22..]);
            int firstSequence = RecordBatchHeader.IncrementSequence(lastSequence, -delta);
            entry.Add(new ProducerEntry.Batch(firstSequence, lastSequence, lastOffset - delta, lastOffset));
        }

        return entry;
    }
}
