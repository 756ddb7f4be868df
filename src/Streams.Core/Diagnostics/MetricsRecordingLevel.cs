namespace Streams.Core;

/// <summary>How much is measured. Source: Kafka's <c>metrics.recording.level</c>.</summary>
public enum MetricsRecordingLevel
{
    /// <summary>What an operator watches and alerts on: application, threads, topics, dropped records, end-to-end latency. The default.</summary>
    Info,

    /// <summary>Also what is needed to find out why: each task's and each source's share.</summary>
    Debug,
}
