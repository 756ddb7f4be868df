namespace Streams.Core;

/// <summary>A processor or user function failed; carries the operator's name and the coordinates of the source record.</summary>
public sealed class ProcessorException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public ProcessorException(string nodeName, TaskId taskId, RecordMetadata? record, Exception innerException)
        : this(nodeName, taskId, record, Where(record), innerException)
    {
    }

    private ProcessorException(string nodeName, TaskId taskId, RecordMetadata? record, string where, Exception innerException)
        : base($"Operator '{nodeName}' (task {taskId}) failed {where}: {innerException.GetType().Name}: {innerException.Message}", innerException)
    {
        NodeName = nodeName;
        TaskId = taskId;
        Record = record;
    }

    /// <summary>Name of the node that failed.</summary>
    public string NodeName { get; }

    /// <summary>The task it ran in.</summary>
    public TaskId TaskId { get; }

    /// <summary>The source record that was being processed; <c>null</c> inside a punctuator, and in <c>Init</c>.</summary>
    public RecordMetadata? Record { get; }

    /// <summary>The operator was not even ready: its <c>Init</c> failed.</summary>
    internal static ProcessorException InInit(string nodeName, TaskId taskId, Exception failure) => new(nodeName, taskId, null, "in Init, before its first record", failure);

    private static string Where(RecordMetadata? record) => record is { } at
        ? $"while processing topic '{at.Topic}', partition {at.Partition}, offset {at.Offset}"
        : "in a punctuator";
}
