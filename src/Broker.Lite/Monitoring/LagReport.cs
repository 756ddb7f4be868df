namespace Broker.Lite.Monitoring;

/// <summary>A group's position in a partition and how it is doing.</summary>
internal sealed record LagReport(string Group, string Topic, int Partition, long CommittedOffset, long EndOffset, long Lag, LagStatus Status);
