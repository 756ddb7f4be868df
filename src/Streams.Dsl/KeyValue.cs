namespace Streams.Dsl;

/// <summary>Makes pairs without naming their types. Source: Kafka's <c>KeyValue.pair</c>.</summary>
public static class KeyValue
{
    /// <summary>A key with a value.</summary>
    public static KeyValuePair<K, V> Pair<K, V>(K key, V value) => new(key, value);
}
