using System.Collections.Immutable;
using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>
/// Kafka's record formats of <c>__transaction_state</c>, byte for byte, so that Kafka's own tools can read the topic.
/// </summary>
/// <remarks>
/// Big-endian, strings with an int16 length. Key: int16 version 0, transactional id. Value written, version 0: producer id int64, epoch
/// int16, time-out int32 ms, state int8, partitions by topic (null when empty), last update int64, start int64, both Unix ms. Value
/// version 1, which a Kafka with transaction.version 1 or 2 writes, is read, too: the same in the compact forms. Source: Kafka's
/// TransactionLogKey and TransactionLogValue schemas.
/// </remarks>
internal static class TransactionTopicFormat
{
    private const short KeyVersion = 0;
    private const short ValueVersion = 0;
    private const short FlexibleValueVersion = 1;

    public static JournalEntry Entry(Transaction transaction)
    {
        using var value = new ProtocolWriter();
        value.WriteInt16(ValueVersion);
        value.WriteInt64(transaction.ProducerId);
        value.WriteInt16(transaction.ProducerEpoch);
        value.WriteInt32(transaction.TimeoutMs);
        value.WriteInt8((sbyte)transaction.State);
        value.WriteNullableArray(transaction.State == TransactionState.Empty ? null : TopicPartitions.Of(transaction.Partitions), ValueVersion, compact: false);
        value.WriteInt64(transaction.LastUpdateTimestampMs);
        value.WriteInt64(transaction.StartTimestampMs);
        return new JournalEntry(Key(transaction.TransactionalId), value.ToArray());
    }

    public static JournalEntry Tombstone(string transactionalId) => new(Key(transactionalId), null);

    /// <summary>Applies one record of the topic, as it is replayed from the start.</summary>
    /// <param name="keyBytes">The record's key.</param>
    /// <param name="valueBytes">The record's value, or null.</param>
    /// <param name="transactions">The transactions as the records before have made them.</param>
    /// <returns>False for keys, values and states of versions not known here, which are skipped.</returns>
    /// <exception cref="ProtocolException">The record is damaged.</exception>
    public static bool Replay(ReadOnlyMemory<byte> keyBytes, ReadOnlyMemory<byte>? valueBytes, Dictionary<string, Transaction> transactions)
    {
        var key = new ProtocolReader(keyBytes);
        if (key.ReadInt16() != KeyVersion)
            return false;
        var transactionalId = key.ReadString(compact: false);
        if (valueBytes is null)
        {
            transactions.Remove(transactionalId);
            return true;
        }

        var value = new ProtocolReader(valueBytes.Value);
        var version = value.ReadInt16();
        if (version is not (ValueVersion or FlexibleValueVersion))
            return false;
        var compact = version == FlexibleValueVersion;
        var transaction = new Transaction
        {
            TransactionalId = transactionalId,
            ProducerId = value.ReadInt64(),
            ProducerEpoch = value.ReadInt16(),
            TimeoutMs = value.ReadInt32(),
            State = (TransactionState)value.ReadInt8(),
            Partitions = ReadPartitions(ref value, compact),
            LastUpdateTimestampMs = value.ReadInt64(),
            StartTimestampMs = value.ReadInt64(),
        };
        if (transaction.State is TransactionState.Dead)
            transactions.Remove(transactionalId);
        else if (transaction.State is >= TransactionState.Empty and <= TransactionState.CompleteAbort)
            transactions[transactionalId] = transaction;
        else
            return false;
        return true;
    }

    private static ImmutableHashSet<OffsetPartition> ReadPartitions(ref ProtocolReader reader, bool compact)
    {
        var topics = reader.ReadNullableArray<TopicPartitions>(version: compact ? FlexibleValueVersion : ValueVersion, compact);
        return topics is null ? [] : [.. topics.SelectMany(topic => topic.Partitions.Select(partition => new OffsetPartition(topic.Name, partition)))];
    }

    private static byte[] Key(string transactionalId)
    {
        using var key = new ProtocolWriter();
        key.WriteInt16(KeyVersion);
        key.WriteString(transactionalId, compact: false);
        return key.ToArray();
    }

    /// <summary>PartitionsSchema of TransactionLogValue.</summary>
    private sealed class TopicPartitions : IMessage
    {
        public string Name { get; private set; } = "";

        public List<int> Partitions { get; private set; } = [];

        public static List<TopicPartitions> Of(IEnumerable<OffsetPartition> partitions) =>
        [
            .. partitions
                .GroupBy(partition => partition.Topic, partition => partition.Partition, StringComparer.Ordinal)
                .OrderBy(topic => topic.Key, StringComparer.Ordinal)
                .Select(topic => new TopicPartitions { Name = topic.Key, Partitions = [.. topic.Order()] }),
        ];

        public void Read(ref ProtocolReader reader, short version)
        {
            var compact = version == FlexibleValueVersion;
            Name = reader.ReadString(compact);
            Partitions = reader.ReadInt32Array(compact);
            if (compact)
                reader.SkipTaggedFields();
        }

        public void Write(ProtocolWriter writer, short version)
        {
            var compact = version == FlexibleValueVersion;
            writer.WriteString(Name, compact);
            writer.WriteInt32Array(Partitions, compact);
            if (compact)
                writer.WriteNoTaggedFields();
        }
    }
}
