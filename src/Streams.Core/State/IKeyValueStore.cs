using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>Reads of a key-value store. Order is the order of the serialised keys' bytes.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface IReadOnlyKeyValueStore<K, V>
{
    /// <summary>Looks a key up; false when there is no such entry.</summary>
    bool TryGet(K key, [MaybeNullWhen(false)] out V value);

    /// <summary>Entries with <paramref name="from"/> ≤ key ≤ <paramref name="to"/>; an absent bound is open. Dispose the iterator.</summary>
    IKeyValueIterator<K, V> Range(Optional<K> from, Optional<K> to);

    /// <summary>The same entries as <see cref="Range"/>, last first. Dispose the iterator.</summary>
    IKeyValueIterator<K, V> ReverseRange(Optional<K> from, Optional<K> to);

    /// <summary>Every entry. Dispose the iterator.</summary>
    IKeyValueIterator<K, V> All();

    /// <summary>Every entry, last first. Dispose the iterator.</summary>
    IKeyValueIterator<K, V> ReverseAll();

    /// <summary>Entries whose key's bytes begin with those of <paramref name="prefix"/>. Dispose the iterator.</summary>
    IKeyValueIterator<K, V> PrefixScan<TPrefix>(TPrefix prefix, ISerializer<TPrefix> prefixSerializer);

    /// <summary>About how many entries there are.</summary>
    long ApproximateNumEntries { get; }
}

/// <summary>A key-value store of a task.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface IKeyValueStore<K, V> : IStateStore, IReadOnlyKeyValueStore<K, V>
{
    /// <summary>Writes an entry; a <c>null</c> value deletes it.</summary>
    /// <exception cref="ArgumentNullException">The key is <c>null</c>.</exception>
    void Put(K key, V value);

    /// <summary>Writes an entry unless there is one; gives the existing value otherwise.</summary>
    /// <returns>True when written.</returns>
    bool PutIfAbsent(K key, V value, [MaybeNullWhen(true)] out V existing);

    /// <summary>Deletes an entry and gives what it was; false when there was none.</summary>
    bool Delete(K key, [MaybeNullWhen(false)] out V previous);

    /// <summary>Deletes an entry, if there is one.</summary>
    void Delete(K key);
}

/// <summary>A value and the time it is from. What table rows and aggregates keep. Source: KIP-258.</summary>
/// <param name="Value">The value.</param>
/// <param name="Timestamp">Unix milliseconds.</param>
/// <typeparam name="V">Value type.</typeparam>
public readonly record struct ValueAndTimestamp<V>(V Value, long Timestamp);

/// <summary>A key-value store whose entries carry timestamps: 8 bytes big-endian before the value in the store, the record's timestamp in the changelog.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface ITimestampedKeyValueStore<K, V> : IKeyValueStore<K, ValueAndTimestamp<V>>;

/// <summary>Walks entries in order. Dispose it: it may hold native memory.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public interface IKeyValueIterator<K, V> : IDisposable
{
    /// <summary>Goes to the next entry; false at the end. Call it before the first <see cref="Key"/>.</summary>
    bool MoveNext();

    /// <summary>Key of the current entry.</summary>
    K Key { get; }

    /// <summary>Value of the current entry.</summary>
    V Value { get; }
}

/// <summary>Walking a store with <c>foreach</c>.</summary>
public static class KeyValueIteratorExtensions
{
    /// <summary>The remaining entries as a sequence that disposes the iterator at its end.</summary>
    public static IEnumerable<KeyValuePair<K, V>> AsEnumerable<K, V>(this IKeyValueIterator<K, V> iterator)
    {
        ArgumentNullException.ThrowIfNull(iterator);
        using (iterator)
        {
            while (iterator.MoveNext())
                yield return new KeyValuePair<K, V>(iterator.Key, iterator.Value);
        }
    }
}
