using Streams.State.KeyValue;
using Streams.State.Window;

namespace Streams.Dsl.Windows;

/// <summary>Windows that begin at fixed times.</summary>
/// <param name="SizeMs">Size; <see cref="long.MaxValue"/> for a window without end.</param>
/// <param name="AdvanceMs">From start to start.</param>
/// <param name="GraceMs">Grace period.</param>
/// <param name="StartMs">Where the only window begins, if it has no end.</param>
internal readonly record struct FixedWindows(long SizeMs, long AdvanceMs, long GraceMs, long StartMs)
{
    public static FixedWindows Of(TimeWindows windows) => new(windows.SizeMs, windows.AdvanceMs, windows.GraceMs, 0);

    public static FixedWindows Of(UnlimitedWindows windows) => new(long.MaxValue, long.MaxValue, 0, windows.StartMs);

    public bool IsUnlimited => SizeMs == long.MaxValue;

    /// <summary>Start of the first window that a time is in; none begins before 0.</summary>
    public long FirstStart(long timestamp)
    {
        if (IsUnlimited) return StartMs;
        var earliest = timestamp - SizeMs + AdvanceMs;
        return earliest <= 0 ? 0 : earliest / AdvanceMs * AdvanceMs;
    }

    public long End(long start) => IsUnlimited ? long.MaxValue : WindowTimes.Add(start, SizeMs);
}

/// <summary>
/// Aggregates records in tumbling, hopping or unlimited windows. A record counts in each window that it is in and that has not closed; for each of
/// the others it is counted as dropped (E-23).
/// </summary>
/// <remarks>Source: Kafka's <c>KStreamWindowAggregate</c>.</remarks>
internal sealed class TimeWindowAggregate<K, V, VR>(
    string storeName,
    FixedWindows windows,
    Aggregation<K, V, VR> aggregation,
    Emission emission,
    bool sendsOldValues)
    : WindowProcessor<K, V, VR>(storeName, emission, sendsOldValues)
{
    private ITimestampedWindowStore<K, VR>? _store;
    private TimestampedWindowStore<K, VR>? _own;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey || !aggregation.CanTake(in record))
        {
            Drop(in record, DropReason.AbsentKeyOrValue, streamTimeMs: StreamTime);
            return;
        }

        Observe(record.Timestamp);
        var closeTime = CloseTime(StreamTime - windows.GraceMs);
        if (IsTimeToEmitFirst(closeTime)) EmitClosed(in record, closeTime);
        for (var start = windows.FirstStart(record.Timestamp); start <= record.Timestamp; start += windows.AdvanceMs)
        {
            var end = windows.End(start);
            if (end > closeTime) Update(in record, new Window(start, end));
            else Drop(in record, DropReason.Late, new Window(start, end), StreamTime);
            if (windows.IsUnlimited || windows.AdvanceMs > long.MaxValue - start) break;
        }

        if (IsTimeToEmit(closeTime)) EmitClosed(in record, closeTime);
    }

    protected override long EmitAll()
    {
        var closeTime = StreamTime < 0 ? LastCloseTime : Math.Max(LastCloseTime, windows.End(StreamTime / windows.AdvanceMs * windows.AdvanceMs));
        return Math.Max(closeTime, Emit(default, FirstNotGiven(), long.MaxValue));
    }

    protected override void Init()
    {
        base.Init();
        _store = Context.GetStateStore<ITimestampedWindowStore<K, VR>>(StoreName);
        _own = _store as TimestampedWindowStore<K, VR>;
        if (!EmitsOnClose) ForwardThrough(_store);
    }

    private void Update(in Record<K, V> record, Window window)
    {
        var store = _store!;
        var timestamp = record.Timestamp;
        VR old;
        StoreSlot slot = default;
        var hasOld = _own is { } own ? own.TryFetch(record.Key, window.StartMs, out var row, out slot) : store.TryFetch(record.Key, window.StartMs, out row);
        if (hasOld)
        {
            old = row.Value;
            timestamp = Math.Max(timestamp, row.Timestamp);
        }
        else
        {
            hasOld = aggregation.TryInitialize(out old);
        }

        var aggregate = aggregation.Apply(in record, old, hasOld);
        var refused = Refused;
        if (!Nullability.IsPresent(aggregate)) store.Delete(record.Key, window.StartMs);
        else if (_own is not null) _own.Put(in slot, record.Key, new ValueAndTimestamp<VR>(aggregate, timestamp), window.StartMs);
        else store.Put(record.Key, new ValueAndTimestamp<VR>(aggregate, timestamp), window.StartMs);
        ShowIfRefused(in record, window, refused);
        ForwardUpdate(in record, window, aggregate, Nullability.IsPresent(aggregate), old, hasOld, timestamp);
    }

    private void EmitClosed(in Record<K, V> record, long closeTime)
    {
        // A window has closed when its end is not after the close time; what had closed at the last look has been given then.
        if (windows.IsUnlimited || closeTime < windows.SizeMs) return;
        Emit(in record, FirstNotGiven(), closeTime - windows.SizeMs);
        Emitted(closeTime);
    }

    private long FirstNotGiven() => HasEmitted ? Math.Max(0, LastCloseTime - windows.SizeMs + 1) : 0;

    private long Emit(in Record<K, V> record, long from, long to)
    {
        var latestEnd = -1L;
        using var rows = _store!.FetchAll(from, to);
        while (rows.MoveNext())
        {
            // The store knows where windows begin; where they end is ours to say.
            var key = rows.Key;
            var end = windows.End(key.Window.StartMs);
            latestEnd = Math.Max(latestEnd, end);
            ForwardFinal(in record, new Windowed<K>(key.Key, new Window(key.Window.StartMs, end)), rows.Value.Value, rows.Value.Timestamp);
        }

        return latestEnd;
    }
}
