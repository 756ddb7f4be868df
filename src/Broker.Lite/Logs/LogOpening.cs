namespace Broker.Lite.Logs;

/// <summary>What is known about a log before it is opened.</summary>
/// <param name="WasClosedCleanly">Whether its files were completed when it was last closed, and need no check.</param>
/// <param name="LogStartOffset">Its first offset, as far as it was made durable.</param>
/// <param name="RecoveryPoint">The offset before which everything was forced to disk.</param>
/// <param name="FirstDirtyOffset">The offset from which on it has not been compacted.</param>
internal readonly record struct LogOpening(bool WasClosedCleanly, long LogStartOffset, long RecoveryPoint, long FirstDirtyOffset = 0);
