using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>The window stores of several partitions as one.</summary>
internal sealed class CompositeWindowStore<K, V>(Func<IReadOnlyList<IReadOnlyWindowStore<K, V>>> stores) : IReadOnlyWindowStore<K, V>
{
    public bool TryFetch(K key, long windowStartMs, [MaybeNullWhen(false)] out V value)
    {
        foreach (var store in stores())
        {
            if (store.TryFetch(key, windowStartMs, out value)) return true;
        }

        value = default;
        return false;
    }

    public IKeyValueIterator<long, V> Fetch(K key, long fromMs, long toMs) => Walk(store => store.Fetch(key, fromMs, toMs));

    public IKeyValueIterator<long, V> BackwardFetch(K key, long fromMs, long toMs) => Walk(store => store.BackwardFetch(key, fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs) => Walk(store => store.Fetch(fromKey, toKey, fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> BackwardFetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs) => Walk(store => store.BackwardFetch(fromKey, toKey, fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> FetchAll(long fromMs, long toMs) => Walk(store => store.FetchAll(fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> BackwardFetchAll(long fromMs, long toMs) => Walk(store => store.BackwardFetchAll(fromMs, toMs));

    public IKeyValueIterator<Windowed<K>, V> All() => Walk(store => store.All());

    public IKeyValueIterator<Windowed<K>, V> BackwardAll() => Walk(store => store.BackwardAll());

    private CompositeIterator<IReadOnlyWindowStore<K, V>, TKey, V> Walk<TKey>(Func<IReadOnlyWindowStore<K, V>, IKeyValueIterator<TKey, V>> open) => new(stores(), open);
}
