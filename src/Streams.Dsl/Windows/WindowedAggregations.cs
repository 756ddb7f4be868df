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
        Emission emission,
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
        var store = windows.CreateStore(graph, settings, storeName, name, keySerde, valueSerde, emission);
        var node = new ProcessorGraphNode<K, V>(name, () => windows.CreateProcessor(storeName, aggregation, merger, emission, table.SendsOldValues))
        {
            Stores = [store],
            WindowGraceMs = windows.GraceMs,
            AcceptsNullKeys = stream.Dropped is not null,
        };
        graph.Add(parent, node);
        stream.Dropped?.AddTo(graph, node, keySerde, sources);
        return new KTable<Windowed<K>, VR>(graph, node, windows.KeySerde(keySerde), valueSerde, sources, table, settings.Name);
    }
}
