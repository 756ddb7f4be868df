using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>The failure handlers of an application, with the defaults of Kafka Streams: every failure stops the thread.</summary>
internal sealed class ErrorPolicy
{
    public DeserializationExceptionHandler Deserialization { get; init; } = ErrorHandlers.LogAndFail;

    public ProcessingExceptionHandler Processing { get; init; } = ErrorHandlers.LogAndFail;

    public ProductionExceptionHandler Production { get; init; } = ErrorHandlers.LogAndFail;

    /// <summary>Where ready-made handlers write what failed; <c>null</c> for nowhere.</summary>
    public string? DeadLetterTopic { get; init; }

    /// <summary>Told of every record that a handler let go; the runtime logs it.</summary>
    public Action<ErrorHandlerContext, Exception> Dropped { get; init; } = static (_, _) => { };

    /// <summary>Told of updates of a table that are older than the row they replace: node, task, record, time of the update, time of the row, and how many so far.</summary>
    public Action<string, TaskId, RecordMetadata?, long, long, long> OutOfOrder { get; init; } = static (_, _, _, _, _, _) => { };

    /// <summary>The handlers that an application's settings name; what they let go is logged.</summary>
    public static ErrorPolicy Of(StreamsConfig config, ILogger logger)
    {
        var defaults = new ErrorPolicy();
        return new ErrorPolicy
        {
            Deserialization = config.DeserializationExceptionHandler ?? defaults.Deserialization,
            Processing = config.ProcessingExceptionHandler ?? defaults.Processing,
            Production = config.ProductionExceptionHandler ?? defaults.Production,
            DeadLetterTopic = config.DeadLetterTopic,
            Dropped = (context, failure) => Log.RecordLeftOut(
                logger, context.NodeName, context.TaskId, context.Record?.Topic ?? "", context.Record?.Partition ?? -1, context.Record?.Offset ?? -1, failure),
            OutOfOrder = (node, task, record, timestamp, rowTimestamp, count) => Log.TableUpdateOutOfOrder(
                logger, node, task, record?.Topic ?? "", record?.Partition ?? -1, record?.Offset ?? -1, timestamp, rowTimestamp, count),
        };
    }
}
