namespace Streams.Core;

/// <summary>Something to ask of each partition of a store, answered as of one moment. Source: KIP-796's <c>Query</c>.</summary>
/// <typeparam name="TResult">Type of the answer.</typeparam>
public abstract class StoreQuery<TResult>
{
    private protected StoreQuery()
    {
    }

    /// <summary>Asks one partition's store, inside its gate; false when the store is of another kind.</summary>
    internal abstract bool TryAsk(IStateStore store, out TResult result);
}

/// <summary>Makes queries. What they give is complete when they return: nothing of it is read later.</summary>
/// <remarks>
/// A query keeps its task from processing while it reads, so everything that may be long has a limit. Source: KIP-796, 805, 806, 960, 992.
/// </remarks>
public static class StoreQuery
{
    /// <summary>Entries that a query gives at most unless it says otherwise.</summary>
    public const int DefaultLimit = 10_000;

    /// <summary>
    /// Any reads at all, as of one moment. Disposes iterators itself; what it returns must not be one. Keep it short: the partition's task waits for it.
    /// </summary>
    public static StoreQuery<TResult> Of<TStore, TResult>(QueryableStoreType<TStore> storeType, Func<TStore, TResult> read)
        where TStore : class
    {
        ArgumentNullException.ThrowIfNull(storeType);
        ArgumentNullException.ThrowIfNull(read);
        return new Reading<TStore, TResult>(storeType, read);
    }

    /// <summary>The value of a key; absent when there is none.</summary>
    public static StoreQuery<Optional<V>> Key<K, V>(K key) =>
        Of(QueryableStoreTypes.KeyValueStore<K, V>(), store => store.TryGet(key, out var value) ? new Optional<V>(value) : default);

    /// <summary>Entries between two keys, open where absent, in the order of their bytes.</summary>
    public static StoreQuery<IReadOnlyList<KeyValuePair<K, V>>> Range<K, V>(Optional<K> from = default, Optional<K> to = default, bool descending = false, int limit = DefaultLimit) =>
        Of(QueryableStoreTypes.KeyValueStore<K, V>(), Taking<IReadOnlyKeyValueStore<K, V>, K, V>(limit, store => descending ? store.ReverseRange(from, to) : store.Range(from, to)));

    /// <summary>Windows of a key that start in the range (Unix milliseconds, both inclusive), earliest first.</summary>
    public static StoreQuery<IReadOnlyList<KeyValuePair<long, V>>> Windows<K, V>(K key, long fromMs, long toMs, int limit = DefaultLimit) =>
        Of(QueryableStoreTypes.WindowStore<K, V>(), Taking<IReadOnlyWindowStore<K, V>, long, V>(limit, store => store.Fetch(key, fromMs, toMs)));

    /// <summary>Windows of all keys that start in the range (Unix milliseconds, both inclusive).</summary>
    public static StoreQuery<IReadOnlyList<KeyValuePair<Windowed<K>, V>>> AllWindows<K, V>(long fromMs, long toMs, int limit = DefaultLimit) =>
        Of(QueryableStoreTypes.WindowStore<K, V>(), Taking<IReadOnlyWindowStore<K, V>, Windowed<K>, V>(limit, store => store.FetchAll(fromMs, toMs)));

    /// <summary>Every session of a key.</summary>
    public static StoreQuery<IReadOnlyList<KeyValuePair<Windowed<K>, V>>> Sessions<K, V>(K key, int limit = DefaultLimit) =>
        Of(QueryableStoreTypes.SessionStore<K, V>(), Taking<IReadOnlySessionStore<K, V>, Windowed<K>, V>(limit, store => store.Fetch(key)));

    /// <summary>The version of a key that holds at a time (Unix milliseconds), or the latest; absent when there is none.</summary>
    public static StoreQuery<Optional<VersionedRecord<V>>> Version<K, V>(K key, long? asOfTimestamp = null) =>
        Of(QueryableStoreTypes.VersionedKeyValueStore<K, V>(), store =>
            (asOfTimestamp is { } time ? store.TryGet(key, time, out var version) : store.TryGet(key, out version)) ? new Optional<VersionedRecord<V>>(version) : default);

    private static Func<TStore, IReadOnlyList<KeyValuePair<K, V>>> Taking<TStore, K, V>(int limit, Func<TStore, IKeyValueIterator<K, V>> walk)
    {
        // Where the query is made: asked of a store, it would be a failure of the store's.
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return store =>
        {
            using var iterator = walk(store);
            var entries = new List<KeyValuePair<K, V>>();
            while (entries.Count < limit && iterator.MoveNext()) entries.Add(new KeyValuePair<K, V>(iterator.Key, iterator.Value));
            return entries;
        };
    }

    private sealed class Reading<TStore, TResult>(QueryableStoreType<TStore> storeType, Func<TStore, TResult> read) : StoreQuery<TResult>
        where TStore : class
    {
        internal override bool TryAsk(IStateStore store, out TResult result)
        {
            if (storeType.View(store) is { } view)
            {
                result = read(view);
                return true;
            }

            result = default!;
            return false;
        }
    }
}
