using Microsoft.Extensions.Logging;

namespace Streams.Hosting.Diagnostics;

/// <summary>Every log message of the hosting integration.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Critical, "Application {Name} has failed, and the host stops because of it")]
    public static partial void StopsHost(ILogger logger, string name, Exception? failure);

    [LoggerMessage(2, LogLevel.Error, "Application {Name} has failed; the host goes on without it")]
    public static partial void FailedAlone(ILogger logger, string name, Exception? failure);

    [LoggerMessage(3, LogLevel.Warning, "Application {Name} did not close within the host's shutdown time-out; what it had not committed is processed again at the next start")]
    public static partial void NotClosedInTime(ILogger logger, string name);
}
