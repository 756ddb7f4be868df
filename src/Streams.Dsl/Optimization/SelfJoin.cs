using Streams.Dsl.Joins;
using Streams.Dsl.Nodes;

namespace Streams.Dsl.Optimization;

/// <summary>Lets a stream that is inner-joined with itself keep one window store instead of two. Source: KIP-862.</summary>
internal static class SelfJoin
{
    public static void Apply(GraphBuilder graph)
    {
        foreach (var join in graph.Nodes.OfType<StreamStreamJoinNode>())
        {
            // One parent: both sides are the same node's records. A left or outer join gives a record without key too, of which one store knows nothing.
            if (join.Parents.Count != 1 || join.Kind != JoinKind.Inner || join.HasSideOutputs) continue;
            join.Parents[0].RemoveChild(join.RightWindow);
            join.IsSelfJoin = true;
        }
    }
}
