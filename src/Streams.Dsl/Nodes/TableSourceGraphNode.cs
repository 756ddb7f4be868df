using Streams.Dsl.TimeToLive;

namespace Streams.Dsl.Nodes;

/// <summary>A table read from a topic: a source, the processor that keeps the rows, and their store if somebody needs it.</summary>
internal abstract class TableSourceGraphNode(string name, string topic) : GraphNode(name)
{
    public string Topic { get; } = topic;

    /// <summary>Whether the topic serves as the store's changelog; set by the optimiser.</summary>
    public bool ReusesSourceTopic { get; set; }
}

internal sealed class TableSourceGraphNode<K, V>(
    string name,
    string sourceName,
    string topic,
    Consumed<K, V> consumed,
    TableSource<K, V> table,
    StoreSettings settings,
    GraphBuilder graph)
    : TableSourceGraphNode(name, topic)
{
    public override void WriteTo(Topology topology)
    {
        var options = graph.SourceOptions(consumed, Name) with { AllowAbsentValue = true };
        table.Life = TimeToLiveSettings.Of(settings.TimeToLive, () => graph.Serde(consumed.KeySerde, Name, "key", "Consumed.With"));
        topology.AddSource(sourceName, options, Topic);
        topology.AddProcessor(Name, table.CreateProcessor, sourceName);
        if (table.StoreName is not { } storeName) return;

        // A store of the user's own logs or does not as its builder says, so it keeps the changelog that it has. A row that has expired is still in the source
        // topic, which would bring it back.
        var reuses = ReusesSourceTopic && settings.Store is not IStoreBuilder && settings.TimeToLive is null;
        var logged = reuses ? settings with { Logging = false } : settings;
        var store = settings.HistoryRetention is null
            ? StoreFactory.KeyValue(graph, logged, storeName, Name, consumed.KeySerde, consumed.ValueSerde, rowsExpire: true)
            : StoreFactory.Versioned(graph, logged, storeName, Name, consumed.KeySerde, consumed.ValueSerde);
        topology.AddStateStore(store, Name);
        if (settings.TimeToLive is not null) topology.AddStateStore(StoreFactory.ExpiryIndex(graph, settings, storeName), Name);
        if (reuses) topology.UseSourceAsChangelog(storeName, Topic);
    }
}
