using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>Reads of a session store. Both ends of a session belong to it; times are Unix milliseconds.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Aggregate type.</typeparam>
public interface IReadOnlySessionStore<K, V>
{
    /// <summary>The aggregate of exactly one session; false when there is none.</summary>
    bool TryFetchSession(K key, long startMs, long endMs, [MaybeNullWhen(false)] out V value);

    /// <summary>Sessions of a key that end at or after the one time and start at or before the other, in order of their end. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> FindSessions(K key, long earliestEndMs, long latestStartMs);

    /// <summary>The same, in the opposite order. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> BackwardFindSessions(K key, long earliestEndMs, long latestStartMs);

    /// <summary>Sessions of all keys that end in the range. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> FindSessions(long earliestEndMs, long latestEndMs);

    /// <summary>Every session of a key. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> Fetch(K key);

    /// <summary>Every session of the keys between two keys, open where absent. Dispose the iterator.</summary>
    IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey);
}

/// <summary>Aggregates by key and session, kept for the retention time. Source: Kafka's <c>SessionStore</c>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Aggregate type.</typeparam>
public interface ISessionStore<K, V> : IStateStore, IReadOnlySessionStore<K, V>
{
    /// <summary>Writes a session's aggregate; a <c>null</c> one deletes it.</summary>
    void Put(Windowed<K> session, V aggregate);

    /// <summary>Deletes a session.</summary>
    void Remove(Windowed<K> session);
}
