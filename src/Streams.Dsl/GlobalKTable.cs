using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// A table that every instance keeps in full, from all partitions of its topic, so that streams can be joined with it by any key. It is not
/// synchronised in time with the streams: a look-up sees what has been loaded. Source: KIP-99.
/// </summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class GlobalKTable<K, V>
{
    internal GlobalKTable(GraphBuilder graph, string storeName, bool isQueryable)
    {
        Graph = graph;
        StoreName = storeName;
        QueryableStoreName = isQueryable ? storeName : null;
    }

    /// <summary>Name of the store to query; <c>null</c> when it was not named.</summary>
    public string? QueryableStoreName { get; }

    internal GraphBuilder Graph { get; }

    internal string StoreName { get; }
}
