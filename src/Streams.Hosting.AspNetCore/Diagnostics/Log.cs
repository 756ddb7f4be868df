using Microsoft.Extensions.Logging;

namespace Streams.Hosting.AspNetCore.Diagnostics;

/// <summary>Every log message of the endpoints.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Store {Store}: {Target} did not answer for partition {Partition}: {Reason}")]
    public static partial void NotAnswered(ILogger logger, string store, string target, int partition, string reason);

    [LoggerMessage(2, LogLevel.Warning, "Store {Store}: nobody could answer for partition {Partition} within {Waited}: {Reason}")]
    public static partial void Unavailable(ILogger logger, string store, int partition, TimeSpan waited, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Store {Store}: {Target} refuses what is forwarded to it with status {Status}; does it want an Authorization header (ForwardAuthorization)?")]
    public static partial void Refused(ILogger logger, string store, string target, int status);

    [LoggerMessage(4, LogLevel.Warning, "Store {Store}: how far it is behind its changelog is not known")]
    public static partial void LagUnknown(ILogger logger, string store, Exception failure);
}
