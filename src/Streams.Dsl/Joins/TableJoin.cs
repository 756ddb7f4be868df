using Streams.Dsl.Nodes;

namespace Streams.Dsl.Joins;

/// <summary>Which sides' rows or records are in a join's result without a partner.</summary>
internal enum JoinKind
{
    Inner,
    Left,
    Outer,
}

/// <summary>The table that a primary-key join of two tables makes.</summary>
internal sealed class TableJoin<K, VL, VRight, VR>(
    TableOperator<K, VL> left,
    TableOperator<K, VRight> right,
    Joiner<K, VL, VRight, VR> joiner,
    JoinKind kind,
    string? storeName)
    : TableOperator<K, VR>
{
    public override string? StoreName => storeName;

    public override bool EnableSendingOldValues(bool forceMaterialization)
    {
        // With a store of its own the result's old rows come from the sides all the same: the merge does not read before it writes.
        left.EnableSendingOldValues(forceMaterialization: true);
        right.EnableSendingOldValues(forceMaterialization: true);
        return SendsOldValues = true;
    }

    public override RowLookup<K, VR> View()
    {
        if (storeName is not null) return RowLookup<K, VR>.OfStore(storeName);
        var lefts = left.View();
        var rights = right.View();
        return new RowLookup<K, VR>(
            [.. lefts.StoreNames.Union(rights.StoreNames)],
            () => new JoinedRowReader(lefts.Create(), rights.Create(), joiner, kind));
    }

    public static KTable<K, VR> Add(
        KTable<K, VL> left,
        KTable<K, VRight> right,
        Joiner<K, VL, VRight, VR> joiner,
        JoinKind kind,
        Materialized<K, VR>? materialized,
        Named? named)
    {
        ArgumentNullException.ThrowIfNull(right);
        left.ThrowIfForeign(right.Graph);
        var graph = left.Graph;
        var storeName = materialized is null ? null : materialized.StoreName ?? graph.NewStoreName("KTABLE-MERGE-");
        var mergeName = graph.NameOf(named, "KTABLE-MERGE-");
        var sources = KStream<K, VL>.Union(left.Sources, right.Sources);
        graph.Copartition(sources);

        // Without the old row of a kept side nobody could tell "never was" from "is gone".
        if (kind is JoinKind.Left or JoinKind.Outer) left.Table.EnableSendingOldValues(forceMaterialization: true);
        if (kind is JoinKind.Outer) right.Table.EnableSendingOldValues(forceMaterialization: true);

        var thisName = graph.NameOf(named, "-join-this", "KTABLE-JOINTHIS-");
        var otherName = graph.NameOf(named, "-join-other", "KTABLE-JOINOTHER-");
        var table = new TableJoin<K, VL, VRight, VR>(left.Table, right.Table, joiner, kind, storeName);
        var keySerde = materialized?.KeySerde ?? left.KeySerde ?? right.KeySerde;
        StoreFactory.RefuseTimeToLive(materialized?.Settings, mergeName);
        var node = new TableJoinNode<K, VL, VRight, VR>(mergeName, thisName, otherName, left, right, joiner, kind, table)
        {
            Store = storeName is null
                ? null
                : StoreFactory.KeyValue(graph, materialized!.Settings, storeName, mergeName, keySerde, materialized.ValueSerde),
        };
        graph.Add([left.Node, right.Node], node);
        return new KTable<K, VR>(graph, node, keySerde, materialized?.ValueSerde, sources, table, materialized?.StoreName);
    }

    private sealed class JoinedRowReader(RowReader<K, VL> lefts, RowReader<K, VRight> rights, Joiner<K, VL, VRight, VR> joiner, JoinKind kind)
        : RowReader<K, VR>
    {
        public override void Init(ProcessorContext context)
        {
            lefts.Init(context);
            rights.Init(context);
        }

        public override bool TryGet(K key, out VR value, out long timestamp)
        {
            value = default!;
            timestamp = -1;
            var hasLeft = lefts.TryGet(key, out var left, out var leftTimestamp);
            if (!hasLeft && kind != JoinKind.Outer) return false;
            var hasRight = rights.TryGet(key, out var right, out var rightTimestamp);
            if (!hasRight && (kind == JoinKind.Inner || !hasLeft)) return false;
            value = joiner(key, left, hasLeft, right, hasRight);
            if (!Nullability.IsPresent(value)) return false;
            timestamp = Math.Max(hasLeft ? leftTimestamp : -1, hasRight ? rightTimestamp : -1);
            return true;
        }
    }
}

/// <summary>Both sides of a table join and the node where they meet.</summary>
internal sealed class TableJoinNode<K, VL, VRight, VR> : GraphNode
{
    private readonly string _thisName;
    private readonly string _otherName;
    private readonly KTable<K, VL> _left;
    private readonly KTable<K, VRight> _right;
    private readonly Joiner<K, VL, VRight, VR> _joiner;
    private readonly JoinKind _kind;
    private readonly TableJoin<K, VL, VRight, VR> _table;
    private readonly RowLookup<K, VL> _leftRows;
    private readonly RowLookup<K, VRight> _rightRows;

    public TableJoinNode(
        string name,
        string thisName,
        string otherName,
        KTable<K, VL> left,
        KTable<K, VRight> right,
        Joiner<K, VL, VRight, VR> joiner,
        JoinKind kind,
        TableJoin<K, VL, VRight, VR> table)
        : base(name)
    {
        _thisName = thisName;
        _otherName = otherName;
        _left = left;
        _right = right;
        _joiner = joiner;
        _kind = kind;
        _table = table;

        // Asked for now, because it makes sources keep their rows, and they are written before this node.
        _leftRows = left.Table.View();
        _rightRows = right.Table.View();
    }

    public IStoreBuilder? Store { get; init; }

    public override void WriteTo(Topology topology)
    {
        var keepsLeft = _kind is JoinKind.Left or JoinKind.Outer;
        var keepsRight = _kind is JoinKind.Outer;
        var reversed = Joiners.Reversed(_joiner);
        topology.AddProcessor(
            _thisName,
            () => new TableTableJoin<K, VL, VRight, VR>(_rightRows.Create(), _joiner, keepsLeft, keepsRight, _table.SendsOldValues),
            _left.Name);
        topology.AddProcessor(
            _otherName,
            () => new TableTableJoin<K, VRight, VL, VR>(_leftRows.Create(), reversed, keepsRight, keepsLeft, _table.SendsOldValues),
            _right.Name);
        topology.AddProcessor(Name, () => new TableJoinMerge<K, VR>(_table.StoreName, _table.SendsOldValues), _thisName, _otherName);
        topology.ConnectProcessorAndStateStores(_thisName, [.. _rightRows.StoreNames]);
        topology.ConnectProcessorAndStateStores(_otherName, [.. _leftRows.StoreNames]);
        if (Store is { } store) topology.AddStateStore(store, Name);
    }
}
