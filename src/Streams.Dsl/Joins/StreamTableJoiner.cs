using Streams.Dsl.Nodes;
using Streams.Dsl.Windows;

namespace Streams.Dsl.Joins;

/// <summary>Adds joins of a stream with a table or a global table to the graph.</summary>
internal static class StreamTableJoiner
{
    public static KStream<K, VR> Join<K, V, VT, VR>(
        KStream<K, V> stream,
        KTable<K, VT> table,
        Joiner<K, V, VT, VR> joiner,
        bool isLeft,
        Joined<K, V, VT>? joined)
    {
        ArgumentNullException.ThrowIfNull(table);
        stream.ThrowIfForeign(table.Graph);
        var graph = stream.Graph;
        stream = stream.RepartitionedForJoin(joined?.Name, joined?.KeySerde, joined?.ValueSerde);
        var sources = KStream<K, V>.Union(stream.Sources, table.Sources);
        graph.Copartition(sources);
        var name = graph.NameOf(joined?.Name, isLeft ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
        var rows = table.Table.View();
        var node = joined?.GracePeriod is { } grace
            ? GraceNode(graph, stream, table, joiner, isLeft, joined, name, rows, grace)
            : new ProcessorGraphNode<K, V>(name, () => new StreamTableJoin<K, V, K, VT, VR>(rows.Create(), OwnKey, joiner, isLeft))
            {
                AcceptsNullKeys = isLeft || joined?.Dropped is not null,
                ConnectedStores = () => rows.StoreNames,
            };
        graph.Add(stream.Node, node);
        joined?.Dropped?.AddTo(graph, node, joined.KeySerde ?? stream.KeySerde, sources);
        return new KStream<K, VR>(graph, node, joined?.KeySerde ?? stream.KeySerde, null, sources, repartitionRequired: false);

        static bool OwnKey(in Record<K, V> record, out K key)
        {
            key = record.Key;
            return record.HasKey;
        }
    }

    private static ProcessorGraphNode<K, V> GraceNode<K, V, VT, VR>(
        GraphBuilder graph,
        KStream<K, V> stream,
        KTable<K, VT> table,
        Joiner<K, V, VT, VR> joiner,
        bool isLeft,
        Joined<K, V, VT> joined,
        string name,
        RowLookup<K, VT> rows,
        TimeSpan grace)
    {
        if (!table.Table.IsVersioned)
        {
            throw new ArgumentException(
                $"KTable must be versioned to use a grace period in a stream table join: '{table.Name}' is not. Materialise it with WithHistoryRetention.",
                nameof(table));
        }

        if (table.Table.HistoryRetention < grace)
        {
            throw new ArgumentException(
                $"History retention must be at least grace period: '{table.Name}' keeps versions for {table.Table.HistoryRetention}, but join '{name}' waits for {grace}.",
                nameof(joined));
        }

        var graceMs = WindowTimes.NotNegative(grace, nameof(joined));
        var bufferName = name + "-Buffer";
        var buffer = StoreFactory.JoinBuffer(graph, bufferName, name, joined.KeySerde ?? stream.KeySerde, joined.ValueSerde ?? stream.ValueSerde);
        return new ProcessorGraphNode<K, V>(name, () => new StreamTableGraceJoin<K, V, VT, VR>(rows.Create(), joiner, isLeft, bufferName, graceMs))
        {
            AcceptsNullKeys = isLeft || joined.Dropped is not null,
            Stores = [buffer],
            ConnectedStores = () => rows.StoreNames,
        };
    }

    public static KStream<K, VR> Join<K, V, KG, VG, VR>(
        KStream<K, V> stream,
        GlobalKTable<KG, VG> table,
        Func<K, V, KG> keySelector,
        Joiner<K, V, VG, VR> joiner,
        bool isLeft,
        Named? named)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(keySelector);
        stream.ThrowIfForeign(table.Graph);
        var graph = stream.Graph;
        var name = graph.NameOf(named, "KSTREAM-LEFTJOIN-");
        var storeName = table.StoreName;
        var node = new ProcessorGraphNode<K, V>(
            name,
            () => new StreamTableJoin<K, V, KG, VG, VR>(new StoredRowReader<KG, VG>(storeName), MappedKey, joiner, isLeft))
        {
            AcceptsNullKeys = isLeft,
        };
        graph.Add(stream.Node, node);
        return new KStream<K, VR>(graph, node, stream.KeySerde, null, stream.Sources, stream.RepartitionRequired);

        bool MappedKey(in Record<K, V> record, out KG key)
        {
            if (!Absent.CanShow(in record))
            {
                key = default!;
                return false;
            }

            key = keySelector(record.Key, record.Value);
            return Nullability.IsPresent(key);
        }
    }
}
