using System.Diagnostics.CodeAnalysis;

namespace Streams.State.Shared;

/// <summary>View of a session store for several threads.</summary>
internal sealed class SharedSessionStore<K, V>(ISessionStore<K, V> store, StoreGate gate, bool writable) : SharedStore(store, gate, writable), ISessionStore<K, V>
{
    private readonly ISessionStore<K, V> _store = store;
    private readonly StoreGate _gate = gate;

    public bool TryFetchSession(K key, long startMs, long endMs, [MaybeNullWhen(false)] out V value)
    {
        using (_gate.Enter()) return _store.TryFetchSession(key, startMs, endMs, out value);
    }

    public IKeyValueIterator<Windowed<K>, V> FindSessions(K key, long earliestEndMs, long latestStartMs)
    {
        using (_gate.Enter()) return Shared(_store.FindSessions(key, earliestEndMs, latestStartMs));
    }

    public IKeyValueIterator<Windowed<K>, V> BackwardFindSessions(K key, long earliestEndMs, long latestStartMs)
    {
        using (_gate.Enter()) return Shared(_store.BackwardFindSessions(key, earliestEndMs, latestStartMs));
    }

    public IKeyValueIterator<Windowed<K>, V> FindSessions(long earliestEndMs, long latestEndMs)
    {
        using (_gate.Enter()) return Shared(_store.FindSessions(earliestEndMs, latestEndMs));
    }

    public IKeyValueIterator<Windowed<K>, V> Fetch(K key)
    {
        using (_gate.Enter()) return Shared(_store.Fetch(key));
    }

    public IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey)
    {
        using (_gate.Enter()) return Shared(_store.Fetch(fromKey, toKey));
    }

    public void Put(Windowed<K> session, V aggregate)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) _store.Put(session, aggregate);
    }

    public void Remove(Windowed<K> session)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) _store.Remove(session);
    }

    private SharedIterator<Windowed<K>, V> Shared(IKeyValueIterator<Windowed<K>, V> iterator) => new(iterator, _gate);
}
