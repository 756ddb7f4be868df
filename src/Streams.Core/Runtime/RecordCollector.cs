namespace Streams.Core;

/// <summary>What sinks and changelogs of a thread write through: the producer, buffers to serialise into, and the production failure handler.</summary>
/// <param name="producer">The producer, with transactions initialised where there are any.</param>
/// <param name="isTransactional">Whether everything that is sent belongs to a transaction.</param>
internal sealed class RecordCollector(IRecordProducer producer, bool isTransactional = false)
{
    /// <summary>For tasks that write to no topic.</summary>
    public static RecordCollector None => new(new NoProducer());

    /// <summary>Scratch space for keys; whoever uses it is done before it forwards anything.</summary>
    public SerdeBuffer KeyBuffer { get; } = new();

    /// <summary>Scratch space for values.</summary>
    public SerdeBuffer ValueBuffer { get; } = new(1024);

    /// <summary>The producer, for flushing and transactions.</summary>
    public IRecordProducer Producer { get; } = producer;

    /// <summary>Whether a transaction is open; the first record after a commit opens one.</summary>
    public bool IsTransactionOpen { get; set; }

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
        if (isTransactional && !IsTransactionOpen) BeginTransaction();
        Producer.Send(topic, partition, in record);
    }

    /// <summary>Opens a transaction unless one is open.</summary>
    public void BeginTransaction()
    {
        if (IsTransactionOpen) return;
        Producer.BeginTransaction();
        IsTransactionOpen = true;
    }

    /// <summary>Sends a sink's record; one that cannot be written is the production handler's to judge.</summary>
    public void Send(Processor node, ProducerTopic topic, int partition, in OutgoingRecord record)
    {
        try
        {
            Send(topic, partition, in record);
        }
        catch (ProductionException failure) when (!failure.IsOfEarlierRecords)
        {
            if (!IsLeftOut(node, topic.Name, record.Timestamp, record.Headers, failure)) throw;
        }
    }

    /// <summary>Asks the production handler about a record that could not be serialised; returns when it is left out.</summary>
    public static void HandleSerializationFailure(Processor node, string topic, long timestamp, Headers? headers, Exception failure)
    {
        if (IsLeftOut(node, topic, timestamp, headers, failure)) return;
        var task = node.Context.Task;
        throw new ProductionException(
            $"Sink '{node.NodeName}' could not serialise a record for topic '{topic}'" +
            (task.Metadata is { } at ? $" (source: topic '{at.Topic}', partition {at.Partition}, offset {at.Offset})" : "") + $": {failure.Message}", failure);
    }

    /// <summary>Writes what handlers want in dead-letter topics. Before the thread stops, and without transactions, it also waits until they are written: nobody will commit them.</summary>
    public void SendDeadLetters(IReadOnlyList<DeadLetterRecord> records, bool stops)
    {
        if (records.Count == 0) return;
        foreach (var record in records)
        {
            var topic = GetDeadLetterTopic(record.Topic);
            var key = record.Key is { } keyBytes ? keyBytes.Span : default;
            var value = record.Value is { } valueBytes ? valueBytes.Span : default;
            var partition = record.Key is null ? 0 : Murmur2.Partition(key, topic.PartitionCount);
            Send(topic, partition, new OutgoingRecord(key, record.Key is not null, value, record.Value is not null, record.Timestamp, record.Headers));
        }

        if (stops && !isTransactional) Producer.Flush(CancellationToken.None);
    }

    private ProducerTopic GetDeadLetterTopic(string name)
    {
        try
        {
            return Producer.GetTopic(name);
        }
        catch (ProductionException failure)
        {
            throw new ProductionException($"The dead-letter topic '{name}' cannot be written to: {failure.Message} It is not created by the application; create it first.", failure);
        }
    }

    private static bool IsLeftOut(Processor node, string topic, long timestamp, Headers? headers, Exception failure)
    {
        var task = node.Context.Task;
        var context = task.DescribeFailure(node.NodeName, timestamp, headers);
        var response = task.Ask(context, () => task.Errors.Production(context, topic, failure));
        if (response.Decision == ErrorDecision.Retry)
            throw new TaskCorruptedException($"A record for topic '{topic}' could not be written, and the production handler wants another try: {failure.Message}", failure);
        return task.Continues(response, context, failure, DropReason.Production);
    }
}
