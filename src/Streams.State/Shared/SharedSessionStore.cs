using System.Diagnostics.CodeAnalysis;

namespace Streams.State.Shared;

/// <summary>View of a session store for several threads.</summary>
internal sealed class SharedSessionStore<K, V>(ISessionStore<K, V> store, Lock gate, bool writable) : SharedStore(store, gate, writable), ISessionStore<K, V>
{
    private readonly ISessionStore<K, V> _store = store;
    private readonly Lock _gate = gate;

    public bool TryFetchSession(K key, long startMs, long endMs, [MaybeNullWhen(false)] out V value)
    {
        lock (_gate) return _store.TryFetchSession(key, startMs, endMs, out value);
    }

    public IKeyValueIterator<Windowed<K>, V> FindSessions(K key, long earliestEndMs, long latestStartMs)
    {
        lock (_gate) return Shared(_store.FindSessions(key, earliestEndMs, latestStartMs));
    }

    public IKeyValueIterator<Windowed<K>, V> BackwardFindSessions(K key, long earliestEndMs, long latestStartMs)
    {
        lock (_gate) return Shared(_store.BackwardFindSessions(key, earliestEndMs, latestStartMs));
    }

    public IKeyValueIterator<Windowed<K>, V> FindSessions(long earliestEndMs, long latestEndMs)
    {
        lock (_gate) return Shared(_store.FindSessions(earliestEndMs, latestEndMs));
    }

    public IKeyValueIterator<Windowed<K>, V> Fetch(K key)
    {
        lock (_gate) return Shared(_store.Fetch(key));
    }

    public IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey)
    {
        lock (_gate) return Shared(_store.Fetch(fromKey, toKey));
    }

    public void Put(Windowed<K> session, V aggregate)
    {
        ThrowIfReadOnly();
        lock (_gate) _store.Put(session, aggregate);
    }

    public void Remove(Windowed<K> session)
    {
        ThrowIfReadOnly();
        lock (_gate) _store.Remove(session);
    }

    private SharedIterator<Windowed<K>, V> Shared(IKeyValueIterator<Windowed<K>, V> iterator) => new(iterator, _gate);
}
