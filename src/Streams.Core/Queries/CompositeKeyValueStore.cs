using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>The key-value stores of several partitions as one. A key is in one of them only, so the first that has it answers.</summary>
internal sealed class CompositeKeyValueStore<K, V>(Func<IReadOnlyList<IReadOnlyKeyValueStore<K, V>>> stores) : IReadOnlyKeyValueStore<K, V>
{
    public long ApproximateNumEntries
    {
        get
        {
            var sum = 0L;
            foreach (var store in stores()) sum = long.MaxValue - sum < store.ApproximateNumEntries ? long.MaxValue : sum + store.ApproximateNumEntries;
            return sum;
        }
    }

    public bool TryGet(K key, [MaybeNullWhen(false)] out V value)
    {
        foreach (var store in stores())
        {
            if (store.TryGet(key, out value)) return true;
        }

        value = default;
        return false;
    }

    public IKeyValueIterator<K, V> Range(Optional<K> from, Optional<K> to) => Walk(store => store.Range(from, to));

    public IKeyValueIterator<K, V> ReverseRange(Optional<K> from, Optional<K> to) => Walk(store => store.ReverseRange(from, to));

    public IKeyValueIterator<K, V> All() => Walk(static store => store.All());

    public IKeyValueIterator<K, V> ReverseAll() => Walk(static store => store.ReverseAll());

    public IKeyValueIterator<K, V> PrefixScan<TPrefix>(TPrefix prefix, ISerializer<TPrefix> prefixSerializer) => Walk(store => store.PrefixScan(prefix, prefixSerializer));

    private CompositeIterator<IReadOnlyKeyValueStore<K, V>, K, V> Walk(Func<IReadOnlyKeyValueStore<K, V>, IKeyValueIterator<K, V>> open) => new(stores(), open);
}
