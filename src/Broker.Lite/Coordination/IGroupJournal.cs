using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>Where the group coordinator makes its decisions durable before it answers: <c>__consumer_offsets</c>.</summary>
internal interface IGroupJournal
{
    /// <summary>
    /// Appends the entries of one group as one batch, atomically and in order. On error nothing was written.
    /// </summary>
    JournalResult Append(string groupId, IReadOnlyList<JournalEntry> entries);

    /// <summary>Like <see cref="Append"/>, as part of a producer's transaction: the entries count once its commit marker follows.</summary>
    JournalResult AppendInTransaction(string groupId, long producerId, short producerEpoch, IReadOnlyList<JournalEntry> entries);

    /// <summary>The partition of the journal that a group's entries are in.</summary>
    int PartitionOf(string groupId);
}

/// <summary>A key and its new value in the formats of Kafka's internal topics; a null value deletes the key.</summary>
internal readonly record struct JournalEntry(byte[] Key, byte[]? Value);

/// <summary>What became of an append to a journal.</summary>
/// <param name="Error"><see cref="ErrorCode.None"/>, or why nothing was written.</param>
/// <param name="BaseOffset">Where the first entry went; the others follow. -1 on error.</param>
internal readonly record struct JournalResult(ErrorCode Error, long BaseOffset)
{
    public static JournalResult Failed(ErrorCode error) => new(error, -1);
}
