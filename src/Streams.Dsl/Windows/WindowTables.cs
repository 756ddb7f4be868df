using Streams.Dsl.Nodes;

namespace Streams.Dsl.Windows;

/// <summary>The table of an aggregation in time or sliding windows.</summary>
internal sealed class WindowTable<K, V>(string storeName) : TableOperator<Windowed<K>, V>
{
    public override string StoreName => storeName;

    public override bool EnableSendingOldValues(bool forceMaterialization) => SendsOldValues = true;

    public override RowLookup<Windowed<K>, V> View() => new([storeName], () => new WindowRowReader<K, V>(storeName));
}

/// <summary>The table of an aggregation in sessions.</summary>
internal sealed class SessionTable<K, V>(string storeName) : TableOperator<Windowed<K>, V>
{
    public override string StoreName => storeName;

    public override bool EnableSendingOldValues(bool forceMaterialization) => SendsOldValues = true;

    public override RowLookup<Windowed<K>, V> View() => new([storeName], () => new SessionRowReader<K, V>(storeName));
}

internal sealed class WindowRowReader<K, V>(string storeName) : RowReader<Windowed<K>, V>
{
    private ITimestampedWindowStore<K, V>? _store;

    public override void Init(ProcessorContext context) => _store = context.GetStateStore<ITimestampedWindowStore<K, V>>(storeName);

    public override bool TryGet(Windowed<K> key, out V value, out long timestamp)
    {
        var found = _store!.TryFetch(key.Key, key.Window.StartMs, out var row);
        value = row.Value;
        timestamp = found ? row.Timestamp : -1;
        return found;
    }
}

internal sealed class SessionRowReader<K, V>(string storeName) : RowReader<Windowed<K>, V>
{
    private ISessionStore<K, V>? _store;

    public override void Init(ProcessorContext context) => _store = context.GetStateStore<ISessionStore<K, V>>(storeName);

    public override bool TryGet(Windowed<K> key, out V value, out long timestamp)
    {
        var found = _store!.TryFetchSession(key.Key, key.Window.StartMs, key.Window.EndMs, out value!);
        timestamp = found ? key.Window.EndMs : -1;
        return found;
    }
}
