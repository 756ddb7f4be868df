using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>The session stores of several partitions as one.</summary>
internal sealed class CompositeSessionStore<K, V>(Func<IReadOnlyList<IReadOnlySessionStore<K, V>>> stores) : IReadOnlySessionStore<K, V>
{
    public bool TryFetchSession(K key, long startMs, long endMs, [MaybeNullWhen(false)] out V value)
    {
        foreach (var store in stores())
        {
            if (store.TryFetchSession(key, startMs, endMs, out value)) return true;
        }

        value = default;
        return false;
    }

    public IKeyValueIterator<Windowed<K>, V> FindSessions(K key, long earliestEndMs, long latestStartMs) => Walk(store => store.FindSessions(key, earliestEndMs, latestStartMs));

    public IKeyValueIterator<Windowed<K>, V> BackwardFindSessions(K key, long earliestEndMs, long latestStartMs) => Walk(store => store.BackwardFindSessions(key, earliestEndMs, latestStartMs));

    public IKeyValueIterator<Windowed<K>, V> FindSessions(long earliestEndMs, long latestEndMs) => Walk(store => store.FindSessions(earliestEndMs, latestEndMs));

    public IKeyValueIterator<Windowed<K>, V> Fetch(K key) => Walk(store => store.Fetch(key));

    public IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey) => Walk(store => store.Fetch(fromKey, toKey));

    private CompositeIterator<IReadOnlySessionStore<K, V>, Windowed<K>, V> Walk(Func<IReadOnlySessionStore<K, V>, IKeyValueIterator<Windowed<K>, V>> open) => new(stores(), open);
}
