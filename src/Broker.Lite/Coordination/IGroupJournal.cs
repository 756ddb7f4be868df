using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>Where the coordinator makes its decisions durable before it answers: <c>__consumer_offsets</c>.</summary>
internal interface IGroupJournal
{
    /// <summary>
    /// Appends the entries of one group as one batch, atomically and in order. Returns <see cref="ErrorCode.None"/>, or the error for the
    /// client when nothing was written.
    /// </summary>
    ErrorCode Append(string groupId, IReadOnlyList<JournalEntry> entries);
}

/// <summary>A key and its new value in Kafka's <c>__consumer_offsets</c> formats; a null value deletes the key.</summary>
internal readonly record struct JournalEntry(byte[] Key, byte[]? Value);
