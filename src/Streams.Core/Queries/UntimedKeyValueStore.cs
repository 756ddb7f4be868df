using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>Shows the values of a store without their timestamps.</summary>
internal sealed class UntimedKeyValueStore<K, V>(IReadOnlyKeyValueStore<K, ValueAndTimestamp<V>> store) : IReadOnlyKeyValueStore<K, V>
{
    public long ApproximateNumEntries => store.ApproximateNumEntries;

    public bool TryGet(K key, [MaybeNullWhen(false)] out V value)
    {
        var found = store.TryGet(key, out var timed);
        value = timed.Value;
        return found;
    }

    public IKeyValueIterator<K, V> Range(Optional<K> from, Optional<K> to) => new UntimedIterator<K, V>(store.Range(from, to));

    public IKeyValueIterator<K, V> ReverseRange(Optional<K> from, Optional<K> to) => new UntimedIterator<K, V>(store.ReverseRange(from, to));

    public IKeyValueIterator<K, V> All() => new UntimedIterator<K, V>(store.All());

    public IKeyValueIterator<K, V> ReverseAll() => new UntimedIterator<K, V>(store.ReverseAll());

    public IKeyValueIterator<K, V> PrefixScan<TPrefix>(TPrefix prefix, ISerializer<TPrefix> prefixSerializer) => new UntimedIterator<K, V>(store.PrefixScan(prefix, prefixSerializer));
}
