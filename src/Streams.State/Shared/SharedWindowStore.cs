using System.Diagnostics.CodeAnalysis;

namespace Streams.State.Shared;

/// <summary>View of a window store for several threads.</summary>
internal class SharedWindowStore<K, T>(IWindowStore<K, T> store, StoreGate gate, bool writable) : SharedStore(store, gate, writable), IWindowStore<K, T>
{
    private readonly IWindowStore<K, T> _store = store;
    private readonly StoreGate _gate = gate;

    public bool TryFetch(K key, long windowStartMs, [MaybeNullWhen(false)] out T value)
    {
        using (_gate.Enter()) return _store.TryFetch(key, windowStartMs, out value);
    }

    public IKeyValueIterator<long, T> Fetch(K key, long fromMs, long toMs)
    {
        using (_gate.Enter()) return Shared(_store.Fetch(key, fromMs, toMs));
    }

    public IKeyValueIterator<long, T> BackwardFetch(K key, long fromMs, long toMs)
    {
        using (_gate.Enter()) return Shared(_store.BackwardFetch(key, fromMs, toMs));
    }

    public IKeyValueIterator<Windowed<K>, T> Fetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs)
    {
        using (_gate.Enter()) return Shared(_store.Fetch(fromKey, toKey, fromMs, toMs));
    }

    public IKeyValueIterator<Windowed<K>, T> BackwardFetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs)
    {
        using (_gate.Enter()) return Shared(_store.BackwardFetch(fromKey, toKey, fromMs, toMs));
    }

    public IKeyValueIterator<Windowed<K>, T> FetchAll(long fromMs, long toMs)
    {
        using (_gate.Enter()) return Shared(_store.FetchAll(fromMs, toMs));
    }

    public IKeyValueIterator<Windowed<K>, T> BackwardFetchAll(long fromMs, long toMs)
    {
        using (_gate.Enter()) return Shared(_store.BackwardFetchAll(fromMs, toMs));
    }

    public IKeyValueIterator<Windowed<K>, T> All()
    {
        using (_gate.Enter()) return Shared(_store.All());
    }

    public IKeyValueIterator<Windowed<K>, T> BackwardAll()
    {
        using (_gate.Enter()) return Shared(_store.BackwardAll());
    }

    public void Put(K key, T value, long windowStartMs)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) _store.Put(key, value, windowStartMs);
    }

    public void Delete(K key, long windowStartMs)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) _store.Delete(key, windowStartMs);
    }

    private SharedIterator<TKey, T> Shared<TKey>(IKeyValueIterator<TKey, T> iterator) => new(iterator, _gate);
}
