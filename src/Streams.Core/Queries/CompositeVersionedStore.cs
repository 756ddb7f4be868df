using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>The versioned stores of several partitions as one.</summary>
internal sealed class CompositeVersionedStore<K, V>(Func<IReadOnlyList<IReadOnlyVersionedKeyValueStore<K, V>>> stores) : IReadOnlyVersionedKeyValueStore<K, V>
{
    public TimeSpan HistoryRetention => stores()[0].HistoryRetention;

    public bool TryGet(K key, [MaybeNullWhen(false)] out VersionedRecord<V> value)
    {
        foreach (var store in stores())
        {
            if (store.TryGet(key, out value)) return true;
        }

        value = default;
        return false;
    }

    public bool TryGet(K key, long asOfTimestamp, [MaybeNullWhen(false)] out VersionedRecord<V> value)
    {
        foreach (var store in stores())
        {
            if (store.TryGet(key, asOfTimestamp, out value)) return true;
        }

        value = default;
        return false;
    }
}
