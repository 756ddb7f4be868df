namespace Streams.Core;

/// <summary>What sinks and changelogs of a thread write through: the producer, buffers to serialise into, and the production failure handler.</summary>
internal sealed class RecordCollector(IRecordProducer producer)
{
    /// <summary>Scratch space for keys; whoever uses it is done before it forwards anything.</summary>
    public SerdeBuffer KeyBuffer { get; } = new();

    /// <summary>Scratch space for values.</summary>
    public SerdeBuffer ValueBuffer { get; } = new(1024);

    /// <summary>The producer, for flushing and transactions.</summary>
    public IRecordProducer Producer { get; } = producer;

    /// <summary>Called before the first record after a commit; opens a transaction where there are any.</summary>
    public Action? BeforeFirstSend { get; set; }

    public ProducerTopic GetTopic(string name, string nodeName)
    {
        try
        {
            return Producer.GetTopic(name);
        }
        catch (ProductionException failure)
        {
            throw new ProductionException($"Sink '{nodeName}' writes to topic '{name}': {failure.Message} Output topics are not created by the application; create it first.", failure);
        }
    }

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
    {
        BeforeFirstSend?.Invoke();
        Producer.Send(topic, partition, in record);
    }

    public static void HandleSerializationFailure(Processor node, string topic, long timestamp, Headers? headers, Exception failure)
    {
        var task = node.Context.Task;
        var raw = task.RawSource?.Invoke() ?? default;
        var context = new ErrorHandlerContext(node.NodeName, task.TaskId, task.Metadata, timestamp, headers ?? Headers.Empty, raw.Key, raw.Value);
        var response = task.Errors.Production(context, topic, failure);
        if (response == ErrorResponse.Continue)
        {
            task.DroppedRecords++;
            task.Errors.Dropped(context, failure);
            return;
        }

        throw new ProductionException(
            $"Sink '{node.NodeName}' could not serialise a record for topic '{topic}'" +
            (task.Metadata is { } at ? $" (source: topic '{at.Topic}', partition {at.Partition}, offset {at.Offset})" : "") + $": {failure.Message}", failure);
    }
}
