using Streams.Dsl.Nodes;

namespace Streams.Dsl.Joins;

/// <summary>Adds joins of two streams to the graph.</summary>
internal static class StreamStreamJoiner
{
    private const string OuterThisPrefix = "KSTREAM-OUTERTHIS-";
    private const string JoinThisPrefix = "KSTREAM-JOINTHIS-";
    private const string OuterOtherPrefix = "KSTREAM-OUTEROTHER-";
    private const string JoinOtherPrefix = "KSTREAM-JOINOTHER-";

    public static KStream<K, VOut> Join<K, VL, VRight, VOut>(
        KStream<K, VL> left,
        KStream<K, VRight> right,
        Joiner<K, VL, VRight, VOut> joiner,
        JoinWindows windows,
        JoinKind kind,
        StreamJoined<K, VL, VRight>? joined)
    {
        ArgumentNullException.ThrowIfNull(right);
        ArgumentNullException.ThrowIfNull(windows);
        left.ThrowIfForeign(right.Graph);
        joined ??= new StreamJoined<K, VL, VRight>();
        var graph = left.Graph;
        left = left.RepartitionedForJoin(joined.Name is null ? null : joined.Name + "-left", joined.KeySerde, joined.ValueSerde);
        right = right.RepartitionedForJoin(joined.Name is null ? null : joined.Name + "-right", joined.KeySerde, joined.OtherValueSerde);
        var sources = KStream<K, VL>.Union(left.Sources, right.Sources);
        graph.Copartition(sources);

        var keepsLeft = kind is JoinKind.Left or JoinKind.Outer;
        var keepsRight = kind is JoinKind.Outer;
        Named? named = joined.Name;
        var leftWindowName = graph.NameOf(named, "-this-windowed", "KSTREAM-WINDOWED-");
        var rightWindowName = graph.NameOf(named, "-other-windowed", "KSTREAM-WINDOWED-");
        var leftSuffix = keepsRight ? "-outer-this-join" : "-this-join";
        var rightSuffix = keepsLeft ? "-outer-other-join" : "-other-join";
        var leftPrefix = keepsRight ? OuterThisPrefix : JoinThisPrefix;
        var leftGenerated = graph.NewProcessorName(leftPrefix);
        var rightGenerated = graph.NewProcessorName(keepsLeft ? OuterOtherPrefix : JoinOtherPrefix);
        var leftName = named is null ? leftGenerated : named.Name + leftSuffix;
        var rightName = named is null ? rightGenerated : named.Name + rightSuffix;
        var mergeName = graph.NameOf(named, "-merge", "KSTREAM-MERGE-");

        if (joined.ThisStoreSupplier is { } one && joined.OtherStoreSupplier is { } two && one.Name == two.Name)
            throw new TopologyException($"Both sides of join '{mergeName}' are to be kept in store '{one.Name}'; give their suppliers different names.");
        var leftStoreName = joined.ThisStoreSupplier?.Name ?? (joined.StoreName is null ? leftGenerated : joined.StoreName + leftSuffix) + "-store";
        var rightStoreName = joined.OtherStoreSupplier?.Name ?? (joined.StoreName is null ? rightGenerated : joined.StoreName + rightSuffix) + "-store";
        var outerStoreName = (joined.StoreName is null
            ? string.Concat("KSTREAM-OUTERSHARED-", leftGenerated.AsSpan(leftPrefix.Length))
            : joined.StoreName + (keepsRight ? "-outer-shared-join" : "-left-shared-join")) + "-store";
        var settings = new StoreSettings { Type = joined.StoreType, Logging = joined.LoggingEnabled, LogConfig = joined.LogConfig, Caching = false };

        // What waits for a partner is kept where this stream's window is.
        var outerSettings = joined.ThisStoreSupplier is { } supplier ? settings with { Type = supplier.IsPersistent ? StoreType.RocksDb : StoreType.InMemory } : settings;
        var keySerde = graph.Serde(joined.KeySerde ?? left.KeySerde ?? right.KeySerde, mergeName, "key", "StreamJoined.With");
        var leftSerde = graph.Serde(joined.ValueSerde ?? left.ValueSerde, leftName, "value", "StreamJoined.With");
        var rightSerde = graph.Serde(joined.OtherValueSerde ?? right.ValueSerde, rightName, "value", "StreamJoined.With");

        var leftWindow = new JoinWindowNode<K, VL>(leftWindowName, leftStoreName);
        var rightWindow = new JoinWindowNode<K, VRight>(rightWindowName, rightStoreName);
        graph.Add(left.Node, leftWindow);
        graph.Add(right.Node, rightWindow);
        var node = new StreamStreamJoinNode<K, VL, VRight, VOut>(mergeName)
        {
            LeftWindow = leftWindow,
            RightWindow = rightWindow,
            LeftName = leftName,
            RightName = rightName,
            LeftStore = StoreFactory.JoinWindow(graph, settings, joined.ThisStoreSupplier, leftStoreName, keySerde, leftSerde, windows),
            RightStore = StoreFactory.JoinWindow(graph, settings, joined.OtherStoreSupplier, rightStoreName, keySerde, rightSerde, windows),
            OuterStore = keepsLeft ? StoreFactory.OuterJoin(graph, outerSettings, outerStoreName, keySerde, leftSerde, rightSerde) : null,
            Windows = windows,
            Kind = kind,
            Joiner = joiner,
            AcceptsNullKeys = keepsLeft || joined.Dropped is not null || joined.OtherDropped is not null,
            HasSideOutputs = joined.Dropped is not null || joined.OtherDropped is not null,
        };
        graph.Add([left.Node, right.Node], node);
        joined.Dropped?.AddTo(graph, node, keySerde, sources, parentNames: () => [leftWindowName, leftName]);
        joined.OtherDropped?.AddTo(graph, node, keySerde, sources, parentNames: () => [rightWindowName, rightName]);
        return new KStream<K, VOut>(graph, node, joined.KeySerde ?? left.KeySerde, null, sources, repartitionRequired: false);
    }
}
