namespace Streams.Dsl.Linq;

/// <summary>Holds queries to what they say: after <c>equals</c> stands the key of the table.</summary>
internal static class QueryKeys
{
    /// <summary>Demands that the row found under a key has it where the query says. A table is looked up by its key, whatever the query names.</summary>
    /// <exception cref="InvalidOperationException">It has another one.</exception>
    public static void Demand<K, V>(K key, V row, Func<V, K> keyOfRow)
    {
        var named = keyOfRow(row);
        if (EqualityComparer<K>.Default.Equals(key, named)) return;
        throw new InvalidOperationException(
            $"A join of a query found a row of the table under the key '{key}', but what the query names after 'equals' is '{named}' in that row. Rows are " +
            $"found by the table's key ({TypeNames.Of(typeof(K))}): name the property that holds it, or group the table by the one you named.");
    }
}
