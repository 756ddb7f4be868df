using Microsoft.Extensions.Logging;

namespace Streams.Reactive.Diagnostics;

/// <summary>Every log message of the bridges to observables and sequences. Ids: 1–99 taps and views, 100–199 sources.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "A subscriber of '{Tap}' threw, and has been unsubscribed")]
    public static partial void SubscriberFailed(ILogger logger, string tap, Exception failure);

    [LoggerMessage(100, LogLevel.Error, "The source of topic {Topic} failed after {Written} record(s)")]
    public static partial void SourceFailed(ILogger logger, string topic, long written, Exception failure);

    [LoggerMessage(101, LogLevel.Warning, "The cluster does not answer; {Records} record(s) for topic {Topic} are written again in {DelayMs} ms, for at most {PatienceMs} ms")]
    public static partial void WriteRetried(ILogger logger, int records, string topic, double delayMs, double patienceMs, Exception failure);

    [LoggerMessage(102, LogLevel.Information, "The source of topic {Topic} has come to its end after {Written} record(s)")]
    public static partial void SourceEnded(ILogger logger, string topic, long written);
}
