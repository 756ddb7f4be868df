using System.Diagnostics.CodeAnalysis;

namespace Streams.State.Shared;

/// <summary>View of a versioned store for several threads.</summary>
internal sealed class SharedVersionedStore<K, V>(IVersionedKeyValueStore<K, V> store, StoreGate gate, bool writable)
    : SharedStore(store, gate, writable), IVersionedKeyValueStore<K, V>
{
    private readonly IVersionedKeyValueStore<K, V> _store = store;
    private readonly StoreGate _gate = gate;

    public TimeSpan HistoryRetention => _store.HistoryRetention;

    public long Put(K key, V value, long timestamp)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) return _store.Put(key, value, timestamp);
    }

    public long PutTombstone(K key, long timestamp)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) return _store.PutTombstone(key, timestamp);
    }

    public bool Delete(K key, long timestamp, out VersionedRecord<V> previous)
    {
        ThrowIfReadOnly();
        using (_gate.Enter()) return _store.Delete(key, timestamp, out previous);
    }

    public bool TryGet(K key, [MaybeNullWhen(false)] out VersionedRecord<V> value)
    {
        using (_gate.Enter()) return _store.TryGet(key, out value);
    }

    public bool TryGet(K key, long asOfTimestamp, [MaybeNullWhen(false)] out VersionedRecord<V> value)
    {
        using (_gate.Enter()) return _store.TryGet(key, asOfTimestamp, out value);
    }
}
