namespace Streams.Dsl.Nodes;

/// <summary>A topic kept in full by every instance, and the processor that keeps it.</summary>
internal sealed class GlobalTableNode<K, V>(
    string name,
    string sourceName,
    string topic,
    Consumed<K, V> consumed,
    StoreSettings settings,
    string storeName,
    GraphBuilder graph)
    : GraphNode(name)
{
    public override void WriteTo(Topology topology)
    {
        var options = graph.SourceOptions(consumed, Name) with { AllowAbsentValue = true };

        // The topic is the log, and nobody downstream waits for changes that a cache would hold back.
        var unlogged = settings with { Logging = false, Caching = false };
        var store = StoreFactory.KeyValue(graph, unlogged, storeName, Name, consumed.KeySerde, consumed.ValueSerde);
        topology.AddGlobalStore(store, sourceName, options, topic, Name, () => new TableSourceProcessor<K, V>(storeName, sendsOldValues: false));
    }
}

/// <summary>A store kept in full by every instance through a processor of the user's.</summary>
internal sealed class GlobalStoreNode<K, V>(
    string name,
    string sourceName,
    string topic,
    Consumed<K, V> consumed,
    IStoreBuilder store,
    Func<Processor<K, V>> supplier,
    GraphBuilder graph)
    : GraphNode(name)
{
    public override void WriteTo(Topology topology) => topology.AddGlobalStore(
        store, sourceName, graph.SourceOptions(consumed, Name) with { AllowAbsentValue = true }, topic, Name, supplier);
}

/// <summary>A store whose topic is its changelog, kept by a processor of the user's.</summary>
internal sealed class ReadOnlyStoreNode<K, V>(
    string name,
    string sourceName,
    string topic,
    Consumed<K, V> consumed,
    IStoreBuilder store,
    Func<Processor<K, V>> supplier,
    GraphBuilder graph)
    : GraphNode(name)
{
    public override void WriteTo(Topology topology) => topology.AddReadOnlyStateStore(
        store, sourceName, graph.SourceOptions(consumed, Name) with { AllowAbsentValue = true }, topic, Name, supplier);
}
