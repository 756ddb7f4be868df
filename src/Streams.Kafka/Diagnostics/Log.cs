using Microsoft.Extensions.Logging;
using Streams.Core;

namespace Streams.Kafka.Diagnostics;

/// <summary>Every log message of this assembly. Ids: 1–99 clients, 100–199 consumers, 200–299 producers.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Client {ClientId}: {Code}: {Reason}")]
    public static partial void ClientProblem(ILogger logger, string clientId, string code, string reason);

    [LoggerMessage(2, LogLevel.Debug, "Client {ClientId}: {Facility}: {Message}")]
    public static partial void ClientMessage(ILogger logger, string clientId, string facility, string message);

    [LoggerMessage(3, LogLevel.Warning, "{What} does not succeed; it is tried for {LimitSeconds} s in all: {Reason}")]
    public static partial void StillTrying(ILogger logger, string what, double limitSeconds, string reason);

    [LoggerMessage(100, LogLevel.Warning, "Consumer {ClientId} goes on after {Code}: {Reason}")]
    public static partial void ConsumeProblem(ILogger logger, string clientId, string code, string reason);

    [LoggerMessage(102, LogLevel.Warning, "Consumer {ClientId} waits for {Partition}: {Code}")]
    public static partial void FetchProblem(ILogger logger, string clientId, string partition, string code);

    [LoggerMessage(101, LogLevel.Warning, "Consumer {ClientId} has not ended within {Seconds} s, as librdkafka 2.0 to 2.3 may not after a topic was deleted; its threads are left behind")]
    public static partial void ClientDoesNotEnd(ILogger logger, string clientId, double seconds);

    [LoggerMessage(200, LogLevel.Debug, "Producer {ClientId} offers {Count} record(s) to {Partition} again: {Reason}")]
    public static partial void BatchOfferedAgain(ILogger logger, string clientId, int count, TopicPartition partition, string reason);

    [LoggerMessage(201, LogLevel.Warning, "Producer {ClientId}: the numbers of records begin again, because {Partition} says {Reason}")]
    public static partial void ProducerRenumbered(ILogger logger, string clientId, TopicPartition partition, string reason);

    [LoggerMessage(202, LogLevel.Information, "Producer {ClientId}: a batch of {Bytes} bytes is too large for {Partition}; from now on they end at {MaxBytes}")]
    public static partial void BatchSplit(ILogger logger, string clientId, int bytes, TopicPartition partition, int maxBytes);

    [LoggerMessage(204, LogLevel.Warning, "Producer {ClientId} still cannot write to {Partition}: {Reason}")]
    public static partial void PartitionWaits(ILogger logger, string clientId, TopicPartition partition, string reason);

    [LoggerMessage(203, LogLevel.Error, "Producer {ClientId} sends nothing any more")]
    public static partial void ProducerBroken(ILogger logger, string clientId, Exception failure);
}
