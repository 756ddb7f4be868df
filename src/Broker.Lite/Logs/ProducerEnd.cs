namespace Broker.Lite.Logs;

/// <summary>The end of what a producer wrote, which compaction keeps as an empty batch so that its sequence numbers can be restored.</summary>
/// <param name="LastDataOffset">Offset of the last record of its newest batch; -1 when it wrote only markers in its epoch.</param>
/// <param name="Epoch">Its epoch.</param>
internal readonly record struct ProducerEnd(long LastDataOffset, short Epoch);
