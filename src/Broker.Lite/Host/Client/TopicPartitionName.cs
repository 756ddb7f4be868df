namespace Broker.Lite.Host.Client;

/// <summary>A partition of a topic.</summary>
internal readonly record struct TopicPartitionName(string Topic, int Partition)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Topic}-{Partition}";
}
