namespace Broker.Lite.Coordination;

/// <summary>A group's committed position in one partition.</summary>
/// <param name="Offset">The next offset to read.</param>
/// <param name="LeaderEpoch">Epoch of the last consumed record, or -1 when the client did not say.</param>
/// <param name="Metadata">The client's own text, at most <c>offset.metadata.max.bytes</c> long; never null.</param>
/// <param name="CommitTimestampMs">Unix milliseconds at which the broker took the commit.</param>
/// <param name="JournalOffset">
/// Where the commit is in the journal. Of two commits the later one there counts, also when the earlier one was part of a transaction that
/// ended after it: compaction keeps the later one, and a restart must not change what clients see.
/// </param>
internal readonly record struct CommittedOffset(long Offset, int LeaderEpoch, string Metadata, long CommitTimestampMs, long JournalOffset = -1);
