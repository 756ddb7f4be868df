using Streams.Dsl.Nodes;

namespace Streams.Dsl.Windows;

/// <summary>Adds windowed aggregations to the graph.</summary>
internal static class WindowedAggregations
{
    public const string AggregatePrefix = "KSTREAM-AGGREGATE-";
    public const string ReducePrefix = "KSTREAM-REDUCE-";

    public static KTable<Windowed<K>, VR> Add<K, V, VR>(
        KGroupedStream<K, V> stream,
        WindowSpec windows,
        EmitStrategy emit,
        string prefix,
        Aggregation<K, V, VR> aggregation,
        Func<K, VR, VR, VR>? merger,
        ISerde<VR>? valueSerde,
        Materialized<K, VR>? materialized,
        Named? named)
    {
        var graph = stream.Graph;
        var settings = materialized?.Settings ?? new StoreSettings();
        var storeName = settings.Name ?? graph.NewStoreName(prefix);
        var name = graph.NameOf(named, prefix);
        var keySerde = graph.Serde(materialized?.KeySerde ?? stream.KeySerde, name, "key", "Grouped.With");
        valueSerde = materialized?.ValueSerde ?? valueSerde;
        var (parent, sources) = stream.Repartitioned(storeName);
        var table = windows.CreateTable<K, VR>(storeName);
        var store = windows.CreateStore(graph, settings, storeName, name, keySerde, valueSerde, emit);
        var node = new ProcessorGraphNode<K, V>(name, () => windows.CreateProcessor(storeName, aggregation, merger, emit, table.SendsOldValues))
        {
            Stores = [store],
            WindowGraceMs = windows.GraceMs,
        };
        graph.Add(parent, node);
        return new KTable<Windowed<K>, VR>(graph, node, windows.KeySerde(keySerde), valueSerde, sources, table, settings.Name);
    }
}
