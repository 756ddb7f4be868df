namespace Streams.Dsl.Nodes;

/// <summary>
/// What downstream operators may ask of the operator that makes a table: to send old values too, and to look rows up. Shared by the graph and by
/// the processors of all tasks; settled once the topology is built.
/// </summary>
/// <remarks>Source: Kafka's <c>KTableProcessorSupplier</c>.</remarks>
internal abstract class TableOperator<K, V>
{
    /// <summary>Whether changes carry the row as it was before.</summary>
    public bool SendsOldValues { get; protected set; }

    /// <summary>Store that the rows are kept in; <c>null</c> when they are computed from the parent's.</summary>
    public abstract string? StoreName { get; }

    /// <summary>Whether updates that are older than the row they are of are recognised as such (KIP-914).</summary>
    public virtual bool IsVersioned => false;

    /// <summary>How far back rows can be looked up; <c>null</c> unless the table is versioned.</summary>
    public virtual TimeSpan? HistoryRetention => null;

    /// <summary>Asks for old values.</summary>
    /// <param name="forceMaterialization">Whether a source may start to keep its rows because of it.</param>
    /// <returns>False when they cannot be had without keeping rows.</returns>
    public abstract bool EnableSendingOldValues(bool forceMaterialization);

    /// <summary>Asks for look-ups; a source starts to keep its rows because of it.</summary>
    public abstract RowLookup<K, V> View();
}

/// <summary>How an operator reads rows of another operator's table.</summary>
/// <param name="StoreNames">Stores that the reading processor must be connected to.</param>
/// <param name="Create">Makes a reader for a task.</param>
internal sealed record RowLookup<K, V>(IReadOnlyList<string> StoreNames, Func<RowReader<K, V>> Create)
{
    /// <summary>Reads a timestamped key-value store.</summary>
    public static RowLookup<K, V> OfStore(string storeName) => new([storeName], () => new StoredRowReader<K, V>(storeName));
}

/// <summary>Reads rows of a table in a task. Source: Kafka's <c>KTableValueGetter</c>.</summary>
internal abstract class RowReader<K, V>
{
    /// <summary>Whether <see cref="TryGetAsOf"/> sees old versions.</summary>
    public virtual bool IsVersioned => false;

    public abstract void Init(ProcessorContext context);

    /// <summary>The row now. Where there is none, the value is the default and the timestamp -1: joiners are given both as they are.</summary>
    public abstract bool TryGet(K key, out V value, out long timestamp);

    /// <summary>The row as of a time, where the table keeps versions; otherwise the row now.</summary>
    public virtual bool TryGetAsOf(K key, long asOfTimestamp, out V value, out long timestamp) => TryGet(key, out value, out timestamp);
}

/// <summary>Reads rows out of a versioned store.</summary>
internal sealed class VersionedRowReader<K, V>(string storeName) : RowReader<K, V>
{
    private IVersionedKeyValueStore<K, V>? _store;

    public override bool IsVersioned => true;

    public override void Init(ProcessorContext context) => _store = context.GetStateStore<IVersionedKeyValueStore<K, V>>(storeName);

    public override bool TryGet(K key, out V value, out long timestamp)
    {
        var found = _store!.TryGet(key, out var row);
        value = row.Value;
        timestamp = found ? row.Timestamp : -1;
        return found;
    }

    public override bool TryGetAsOf(K key, long asOfTimestamp, out V value, out long timestamp)
    {
        var found = _store!.TryGet(key, asOfTimestamp, out var row);
        value = row.Value;
        timestamp = found ? row.Timestamp : -1;
        return found;
    }
}

/// <summary>Reads rows out of a timestamped key-value store.</summary>
internal sealed class StoredRowReader<K, V>(string storeName) : RowReader<K, V>
{
    private ITimestampedKeyValueStore<K, V>? _store;

    public override void Init(ProcessorContext context) => _store = context.GetStateStore<ITimestampedKeyValueStore<K, V>>(storeName);

    public override bool TryGet(K key, out V value, out long timestamp)
    {
        if (_store!.TryGet(key, out var row))
        {
            value = row.Value;
            timestamp = row.Timestamp;
            return true;
        }

        value = default!;
        timestamp = -1;
        return false;
    }
}
