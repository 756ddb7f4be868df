namespace Broker.Lite.Logs;

/// <summary>Where a leader epoch ends (OffsetForLeaderEpoch, KIP-101).</summary>
/// <param name="LeaderEpoch">The largest epoch not above the one asked for, -1 when unknown.</param>
/// <param name="EndOffset">The offset after its last record, -1 when unknown.</param>
internal readonly record struct EpochEndOffset(int LeaderEpoch, long EndOffset);
