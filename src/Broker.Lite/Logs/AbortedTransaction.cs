namespace Broker.Lite.Logs;

/// <summary>A transaction that was aborted: its producer's records from <paramref name="FirstOffset"/> to the marker do not count.</summary>
/// <param name="ProducerId">Whose transaction it was.</param>
/// <param name="FirstOffset">Offset of its first record.</param>
/// <param name="LastOffset">Offset of the marker that ended it.</param>
/// <param name="LastStableOffset">Last stable offset once it had ended.</param>
internal readonly record struct AbortedTransaction(long ProducerId, long FirstOffset, long LastOffset, long LastStableOffset);
