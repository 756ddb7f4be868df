using Streams.Dsl.TimeToLive;

namespace Streams.Dsl.Nodes;

/// <summary>A processor that sends changes of a table on: at once, or as its store's record cache lets them go.</summary>
internal abstract class TableProcessor<KIn, VIn, K, V>(bool sendsOldValues) : Processor<KIn, VIn, K, Change<V>>
{
    private bool _cached;

    /// <summary>Whether somebody downstream wants the row as it was before.</summary>
    protected bool SendsOldValues { get; } = sendsOldValues;

    /// <summary>Deletes rows whose time to live is over; <c>null</c> when rows live until they are deleted.</summary>
    protected RowExpiry<K, V>? Expiry { get; private set; }

    /// <summary>Opens the rows, with their store's cache and their time to live. Call it from Init.</summary>
    protected RowStore<K, V> OpenRows(string storeName, RowLife<K>? life)
    {
        var rows = RowStore<K, V>.Open(Context, storeName);
        ForwardThrough(rows.Store);
        if (life is not null) Expiry = new RowExpiry<K, V>(life, rows, Context, OnExpired);
        return rows;
    }

    /// <summary>Lets the store's cache forward, if it has one. Call it from Init.</summary>
    protected void ForwardThrough(IStateStore store) =>
        _cached = store is ICachedStateStore<K, V> cached && cached.SetFlushListener(OnFlush, SendsOldValues);

    /// <summary>Sends a stored change on, unless the cache will do it.</summary>
    protected void ForwardStored(in Record<K, Change<V>> record)
    {
        if (!_cached) Forward(in record);
    }

    private void OnExpired(K key, V row, long timestamp) =>
        ForwardStored(new Record<K, Change<V>>(key, true, new Change<V>(default!, false, row, SendsOldValues), true, timestamp));

    private void OnFlush(in Record<K, Change<V>> record) => Forward(in record);
}
