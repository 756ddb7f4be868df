namespace Streams.Core;

/// <summary>Takes what a record cache held back: the last change of a key since the last flush.</summary>
public delegate void CacheFlushListener<K, V>(in Record<K, Change<V>> record);

/// <summary>A store that may have a record cache in front, which forwards only the last change per key and commit.</summary>
/// <remarks>Source: KIP-63 and Kafka's <c>CachedStateStore</c>.</remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type, without timestamp.</typeparam>
public interface ICachedStateStore<K, V>
{
    /// <summary>Asks to be told of changes as they leave the cache.</summary>
    /// <param name="listener">Called for each change, in the order in which keys were last written, with the coordinates of that write set.</param>
    /// <param name="sendOldValues">Whether the value before is needed too.</param>
    /// <returns>False when the store has no cache: then the caller forwards each change itself.</returns>
    bool SetFlushListener(CacheFlushListener<K, V> listener, bool sendOldValues);
}
