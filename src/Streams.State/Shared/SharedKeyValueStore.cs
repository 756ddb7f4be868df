using System.Diagnostics.CodeAnalysis;

namespace Streams.State.Shared;

/// <summary>View of a key-value store for several threads.</summary>
internal class SharedKeyValueStore<K, T>(IKeyValueStore<K, T> store, StoreGate gate, bool writable) : SharedStore(store, gate, writable), IKeyValueStore<K, T>
{
    private readonly IKeyValueStore<K, T> _store = store;
    private readonly StoreGate _gate = gate;

    public long ApproximateNumEntries
    {
        get
        {
            using (_gate.Enter()) return _store.ApproximateNumEntries;
        }
    }

    public bool TryGet(K key, [MaybeNullWhen(false)] out T value)
    {
        using (_gate.Enter()) return _store.TryGet(key, out value);
    }

    public IKeyValueIterator<K, T> Range(Optional<K> from, Optional<K> to)
    {
        using (_gate.Enter()) return Shared(_store.Range(from, to));
    }

    public IKeyValueIterator<K, T> ReverseRange(Optional<K> from, Optional<K> to)
    {
        using (_gate.Enter()) return Shared(_store.ReverseRange(from, to));
    }

    public IKeyValueIterator<K, T> All()
    {
        using (_gate.Enter()) return Shared(_store.All());
    }

    public IKeyValueIterator<K, T> ReverseAll()
    {
        using (_gate.Enter()) return Shared(_store.ReverseAll());
    }

    public IKeyValueIterator<K, T> PrefixScan<TPrefix>(TPrefix prefix, ISerializer<TPrefix> prefixSerializer)
    {
        using (_gate.Enter()) return Shared(_store.PrefixScan(prefix, prefixSerializer));
    }

    public void Put(K key, T value)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) _store.Put(key, value);
    }

    public bool PutIfAbsent(K key, T value, [MaybeNullWhen(true)] out T existing)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) return _store.PutIfAbsent(key, value, out existing);
    }

    public bool Delete(K key, [MaybeNullWhen(false)] out T previous)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) return _store.Delete(key, out previous);
    }

    public void Delete(K key)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) _store.Delete(key);
    }

    private SharedIterator<K, T> Shared(IKeyValueIterator<K, T> iterator) => new(iterator, _gate);
}
