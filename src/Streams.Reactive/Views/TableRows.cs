using Streams.Core;

namespace Streams.Reactive.Views;

/// <summary>The rows of a table in one task, as they are now.</summary>
internal abstract class TableRows<K, V>
{
    /// <summary>Makes the reader that suits a store.</summary>
    public abstract void Init(ProcessorContext context, string storeName);

    /// <summary>All rows, to be walked while nothing is written.</summary>
    public abstract IEnumerator<Record<K, V>> All();

    /// <summary>One row.</summary>
    public abstract bool TryGet(K key, out Record<K, V> row);
}

/// <summary>Rows in a key-value store.</summary>
internal sealed class KeyValueRows<K, V> : TableRows<K, V>
{
    private ITimestampedKeyValueStore<K, V>? _store;

    public override void Init(ProcessorContext context, string storeName) => _store = context.GetStateStore<ITimestampedKeyValueStore<K, V>>(storeName);

    public override IEnumerator<Record<K, V>> All()
    {
        using var rows = _store!.All();
        while (rows.MoveNext()) yield return new Record<K, V>(rows.Key, rows.Value.Value, rows.Value.Timestamp);
    }

    public override bool TryGet(K key, out Record<K, V> row)
    {
        var found = _store!.TryGet(key, out var value);
        row = found ? new Record<K, V>(key, value.Value, value.Timestamp) : default;
        return found;
    }
}

/// <summary>Rows in a window store or a session store.</summary>
internal sealed class WindowedRows<K, V> : TableRows<Windowed<K>, V>
{
    private ITimestampedWindowStore<K, V>? _windows;
    private ISessionStore<K, V>? _sessions;

    public override void Init(ProcessorContext context, string storeName)
    {
        var store = context.GetStateStore<IStateStore>(storeName);
        _windows = store as ITimestampedWindowStore<K, V>;
        _sessions = store as ISessionStore<K, V>;
        if (_windows is null && _sessions is null)
            throw new TopologyException($"Store '{storeName}' is neither a window store nor a session store, so its table cannot be viewed live.");
    }

    public override IEnumerator<Record<Windowed<K>, V>> All()
    {
        if (_windows is not null)
        {
            using var rows = _windows.All();
            while (rows.MoveNext()) yield return new Record<Windowed<K>, V>(rows.Key, rows.Value.Value, rows.Value.Timestamp);
        }
        else
        {
            using var rows = _sessions!.Fetch(default, default(Optional<K>));
            while (rows.MoveNext()) yield return new Record<Windowed<K>, V>(rows.Key, rows.Value, rows.Key.Window.EndMs);
        }
    }

    public override bool TryGet(Windowed<K> key, out Record<Windowed<K>, V> row)
    {
        if (_windows is not null && _windows.TryFetch(key.Key, key.Window.StartMs, out var value))
        {
            row = new Record<Windowed<K>, V>(key, value.Value, value.Timestamp);
            return true;
        }

        if (_sessions is not null && _sessions.TryFetchSession(key.Key, key.Window.StartMs, key.Window.EndMs, out var session))
        {
            row = new Record<Windowed<K>, V>(key, session, key.Window.EndMs);
            return true;
        }

        row = default;
        return false;
    }
}
