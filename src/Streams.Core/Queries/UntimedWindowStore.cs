using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>Shows the values of a window store without their timestamps.</summary>
internal sealed class UntimedWindowStore<K, V>(IReadOnlyWindowStore<K, ValueAndTimestamp<V>> store) : IReadOnlyWindowStore<K, V>
{
    public bool TryFetch(K key, long windowStartMs, [MaybeNullWhen(false)] out V value)
    {
        var found = store.TryFetch(key, windowStartMs, out var timed);
        value = timed.Value;
        return found;
    }

    public IKeyValueIterator<long, V> Fetch(K key, long fromMs, long toMs) => new UntimedIterator<long, V>(store.Fetch(key, fromMs, toMs));

    public IKeyValueIterator<long, V> BackwardFetch(K key, long fromMs, long toMs) => new UntimedIterator<long, V>(store.BackwardFetch(key, fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs) => new UntimedIterator<Windowed<K>, V>(store.Fetch(fromKey, toKey, fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> BackwardFetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs) => new UntimedIterator<Windowed<K>, V>(store.BackwardFetch(fromKey, toKey, fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> FetchAll(long fromMs, long toMs) => new UntimedIterator<Windowed<K>, V>(store.FetchAll(fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> BackwardFetchAll(long fromMs, long toMs) => new UntimedIterator<Windowed<K>, V>(store.BackwardFetchAll(fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> All() => new UntimedIterator<Windowed<K>, V>(store.All());

    public IKeyValueIterator<Windowed<K>, V> BackwardAll() => new UntimedIterator<Windowed<K>, V>(store.BackwardAll());
}
