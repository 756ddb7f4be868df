namespace Streams.Core;

/// <summary>A processor or user function failed; carries the operator's name and the coordinates of the source record.</summary>
public sealed class ProcessorException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public ProcessorException(string nodeName, TaskId taskId, RecordMetadata? record, Exception innerException)
        : base(Describe(nodeName, taskId, record, innerException), innerException)
    {
        NodeName = nodeName;
        TaskId = taskId;
        Record = record;
    }

    /// <summary>Name of the node that failed.</summary>
    public string NodeName { get; }

    /// <summary>The task it ran in.</summary>
    public TaskId TaskId { get; }

    /// <summary>The source record that was being processed; <c>null</c> inside a punctuator.</summary>
    public RecordMetadata? Record { get; }

    private static string Describe(string nodeName, TaskId taskId, RecordMetadata? record, Exception failure)
    {
        var source = record is { } at
            ? $"while processing topic '{at.Topic}', partition {at.Partition}, offset {at.Offset}"
            : "in a punctuator";
        return $"Operator '{nodeName}' (task {taskId}) failed {source}: {failure.GetType().Name}: {failure.Message}";
    }
}
