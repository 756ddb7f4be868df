using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>Reads of a window store. Times are the starts of windows, Unix milliseconds, inclusive at both ends (E-27).</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface IReadOnlyWindowStore<K, V>
{
    /// <summary>The value of a key in the window that starts at the given time; false when there is none.</summary>
    bool TryFetch(K key, long windowStartMs, [MaybeNullWhen(false)] out V value);

    /// <summary>Windows of a key that start in the range, earliest first; the iterator's key is the start. Dispose it.</summary>
    IKeyValueIterator<long, V> Fetch(K key, long fromMs, long toMs);

    /// <summary>The same, latest first. Dispose the iterator.</summary>
    IKeyValueIterator<long, V> BackwardFetch(K key, long fromMs, long toMs);

    /// <summary>Windows of keys between two keys (open where absent) that start in the range. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs);

    /// <summary>The same, in the opposite order. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> BackwardFetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs);

    /// <summary>Windows of all keys that start in the range. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> FetchAll(long fromMs, long toMs);

    /// <summary>The same, in the opposite order. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> BackwardFetchAll(long fromMs, long toMs);

    /// <summary>Every entry. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> All();

    /// <summary>Every entry, in the opposite order. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> BackwardAll();
}

/// <summary>
/// Values by key and window start, kept for the retention time. With duplicates retained, puts of the same key and time are kept side by side (joins).
/// </summary>
/// <remarks>A put older than stream time minus retention is left out and counted as dropped. Source: Kafka's <c>WindowStore</c>.</remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface IWindowStore<K, V> : IStateStore, IReadOnlyWindowStore<K, V>
{
    /// <summary>Writes a key's value in the window that starts at the given time; a <c>null</c> value deletes it.</summary>
    void Put(K key, V value, long windowStartMs);

    /// <summary>Deletes a key's value in the window that starts at the given time. In a store with duplicates it does nothing, as Kafka's.</summary>
    void Delete(K key, long windowStartMs);
}

/// <summary>A window store whose values carry timestamps.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface ITimestampedWindowStore<K, V> : IWindowStore<K, ValueAndTimestamp<V>>;
