using Streams.Dsl.Nodes;

namespace Streams.Dsl.Joins;

/// <summary>The window of one side of a stream-stream join; written by the join, which knows the stores.</summary>
internal sealed class JoinWindowNode<K, V>(string name, string storeName) : GraphNode(name)
{
    public override void WriteTo(Topology topology) => topology.AddProcessor(Name, () => new JoinWindow<K, V>(storeName), ParentNames());
}

/// <summary>Both sides of a stream-stream join and the node where their results meet.</summary>
internal abstract class StreamStreamJoinNode(string name) : GraphNode(name)
{
    public required GraphNode LeftWindow { get; init; }

    public required GraphNode RightWindow { get; init; }

    public required JoinKind Kind { get; init; }

    /// <summary>Whether somebody wants the records that a side leaves out: then there have to be sides.</summary>
    public bool HasSideOutputs { get; init; }

    /// <summary>Whether both sides are one stream, so that one store serves both; set by the optimiser.</summary>
    public bool IsSelfJoin { get; set; }
}

internal sealed class StreamStreamJoinNode<K, VL, VRight, VOut>(string name) : StreamStreamJoinNode(name)
{
    public required string LeftName { get; init; }

    public required string RightName { get; init; }

    public required IStoreBuilder LeftStore { get; init; }

    public required IStoreBuilder RightStore { get; init; }

    /// <summary>Store of records that wait for a partner; <c>null</c> for inner joins.</summary>
    public required IStoreBuilder? OuterStore { get; init; }

    public required JoinWindows Windows { get; init; }

    public required Joiner<K, VL, VRight, VOut> Joiner { get; init; }

    public override void WriteTo(Topology topology)
    {
        if (IsSelfJoin)
        {
            // Both sides have one type, or they could not come from one stream.
            var joiner = (Joiner<K, VL, VL, VOut>)(object)Joiner;
            topology.AddProcessor(Name, () => new StreamSelfJoin<K, VL, VOut>(LeftStore.Name, Windows, joiner), LeftWindow.Name);
            topology.AddStateStore(LeftStore, LeftWindow.Name, Name);
            return;
        }

        var left = Settings(RightStore.Name, Windows.BeforeMs, Windows.AfterMs, keepsThis: Kind is JoinKind.Left or JoinKind.Outer);
        var right = Settings(LeftStore.Name, Windows.AfterMs, Windows.BeforeMs, keepsThis: Kind is JoinKind.Outer);
        topology.AddProcessor(LeftName, () => new LeftJoinSide<K, VL, VRight, VOut>(left, Joiner), LeftWindow.Name);
        topology.AddProcessor(RightName, () => new RightJoinSide<K, VL, VRight, VOut>(right, Joiner), RightWindow.Name);
        topology.AddProcessor(Name, static () => new PassThrough<K, VOut>(), LeftName, RightName);
        topology.AddStateStore(LeftStore, LeftWindow.Name, RightName);
        topology.AddStateStore(RightStore, RightWindow.Name, LeftName);
        if (OuterStore is { } outer) topology.AddStateStore(outer, LeftName, RightName);
    }

    private JoinSideSettings Settings(string otherStore, long beforeMs, long afterMs, bool keepsThis) => new()
    {
        JoinName = Name,
        OtherStoreName = otherStore,
        BeforeMs = beforeMs,
        AfterMs = afterMs,
        GraceMs = Windows.GraceMs,
        KeepsThis = keepsThis,
        OuterStoreName = OuterStore?.Name,
        LeftAfterMs = Windows.AfterMs,
        RightAfterMs = Windows.BeforeMs,
    };
}
