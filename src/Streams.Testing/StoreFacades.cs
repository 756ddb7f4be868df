using System.Diagnostics.CodeAnalysis;
using Streams.Core;

namespace Streams.Testing;

/// <summary>A timestamped key-value store as one of plain values. Writes through it carry the timestamp -1, "not known", as in Kafka's test driver.</summary>
internal sealed class PlainKeyValueStore<K, V>(IKeyValueStore<K, ValueAndTimestamp<V>> inner) : IKeyValueStore<K, V>
{
    private const long NoTimestamp = -1;

    public string Name => inner.Name;

    public bool IsPersistent => inner.IsPersistent;

    public long? ChangelogOffset => inner.ChangelogOffset;

    public long UncommittedBytes => inner.UncommittedBytes;

    public long ApproximateNumEntries => inner.ApproximateNumEntries;

    public bool TryGet(K key, [MaybeNullWhen(false)] out V value)
    {
        var found = inner.TryGet(key, out var row);
        value = row.Value;
        return found;
    }

    public IKeyValueIterator<K, V> Range(Optional<K> from, Optional<K> to) => new Iterator(inner.Range(from, to));

    public IKeyValueIterator<K, V> ReverseRange(Optional<K> from, Optional<K> to) => new Iterator(inner.ReverseRange(from, to));

    public IKeyValueIterator<K, V> All() => new Iterator(inner.All());

    public IKeyValueIterator<K, V> ReverseAll() => new Iterator(inner.ReverseAll());

    public IKeyValueIterator<K, V> PrefixScan<TPrefix>(TPrefix prefix, ISerializer<TPrefix> prefixSerializer) =>
        new Iterator(inner.PrefixScan(prefix, prefixSerializer));

    public void Put(K key, V value)
    {
        if (value is null) inner.Delete(key);
        else inner.Put(key, new ValueAndTimestamp<V>(value, NoTimestamp));
    }

    public bool PutIfAbsent(K key, V value, [MaybeNullWhen(true)] out V existing)
    {
        var written = inner.PutIfAbsent(key, new ValueAndTimestamp<V>(value, NoTimestamp), out var row);
        existing = row.Value;
        return written;
    }

    public bool Delete(K key, [MaybeNullWhen(false)] out V previous)
    {
        var found = inner.Delete(key, out var row);
        previous = row.Value;
        return found;
    }

    public void Delete(K key) => inner.Delete(key);

    public void Init(IStateStoreContext context) => throw OwnedByTask();

    public void Restore(RecordBatch batch, int from, int to) => throw OwnedByTask();

    public void Flush() => throw OwnedByTask();

    public void Commit(long? changelogOffset) => throw OwnedByTask();

    // The task owns the store; giving the view back must not close it.
    public void Dispose()
    {
    }

    private InvalidOperationException OwnedByTask() => new($"Store '{Name}' belongs to its task, which opens, flushes and commits it; a test reads and writes it.");

    private sealed class Iterator(IKeyValueIterator<K, ValueAndTimestamp<V>> rows) : IKeyValueIterator<K, V>
    {
        public K Key => rows.Key;

        public V Value => rows.Value.Value;

        public bool MoveNext() => rows.MoveNext();

        public void Dispose() => rows.Dispose();
    }
}
