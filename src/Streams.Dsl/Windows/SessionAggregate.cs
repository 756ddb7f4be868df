namespace Streams.Dsl.Windows;

/// <summary>
/// Aggregates records in sessions. A record begins a session of its own and takes over every session within the gap: their aggregates are merged, in
/// store order and beginning with what the initializer gives, then the record is added (E-41). Sessions taken over are deleted, and so announced, before the merged one.
/// </summary>
/// <remarks>
/// A record is late when even the merged session has closed (E-43). The time of a result is the session's end. Source: Kafka's
/// <c>KStreamSessionWindowAggregate</c>.
/// </remarks>
internal sealed class SessionAggregate<K, V, VR>(
    string storeName,
    SessionWindows windows,
    Aggregation<K, V, VR> aggregation,
    Func<K, VR, VR, VR> merger,
    Emission emission,
    bool sendsOldValues)
    : WindowProcessor<K, V, VR>(storeName, emission, sendsOldValues)
{
    private readonly List<KeyValuePair<Window, VR>> _merged = [];
    private ISessionStore<K, VR>? _store;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey || !aggregation.CanTake(in record))
        {
            Drop(in record, DropReason.AbsentKeyOrValue, streamTimeMs: StreamTime);
            return;
        }

        var timestamp = record.Timestamp;
        Observe(timestamp);
        var closeTime = CloseTime(StreamTime - WindowTimes.Add(windows.GraceMs, windows.GapMs));
        if (IsTimeToEmitFirst(closeTime)) EmitClosed(in record, closeTime);
        var has = aggregation.TryInitialize(out var aggregate);
        var session = new Window(timestamp, timestamp);
        _merged.Clear();
        using (var sessions = _store!.FindSessions(record.Key, Math.Max(0, timestamp - windows.GapMs), WindowTimes.Add(timestamp, windows.GapMs)))
        {
            while (sessions.MoveNext())
            {
                var other = sessions.Key.Window;
                if (IsClosedForGood(other.EndMs)) continue;
                _merged.Add(new(other, sessions.Value));
                aggregate = has || !aggregation.BeginsEmpty ? merger(record.Key, aggregate, sessions.Value) : sessions.Value;
                has = Nullability.IsPresent(aggregate);
                session = new Window(Math.Min(session.StartMs, other.StartMs), Math.Max(session.EndMs, other.EndMs));
            }
        }

        if (session.EndMs < closeTime) Drop(in record, DropReason.Late, session, StreamTime);
        else Replace(in record, session, aggregate, has);
        if (IsTimeToEmit(closeTime)) EmitClosed(in record, closeTime);
    }

    // Both ends belong to a session, so it has closed from the millisecond after its end on.
    protected override long EmitAll()
    {
        var closeTime = StreamTime < 0 ? LastCloseTime : Math.Max(LastCloseTime, WindowTimes.Add(StreamTime, 1));
        return Math.Max(closeTime, WindowTimes.Add(Emit(default, FirstNotGiven(), long.MaxValue), 1));
    }

    protected override void Init()
    {
        base.Init();
        _store = Context.GetStateStore<ISessionStore<K, VR>>(StoreName);
        if (!EmitsOnClose) ForwardThrough(_store);
    }

    private void Replace(in Record<K, V> record, Window session, VR aggregate, bool has)
    {
        var store = _store!;
        if (session.StartMs != record.Timestamp || session.EndMs != record.Timestamp)
        {
            foreach (var (window, old) in _merged)
            {
                store.Remove(new Windowed<K>(record.Key, window));
                ForwardUpdate(in record, window, default!, false, old, true, window.EndMs);
            }
        }

        aggregate = aggregation.Apply(in record, aggregate, has);
        var key = new Windowed<K>(record.Key, session);
        var refused = Refused;
        if (!Nullability.IsPresent(aggregate)) store.Remove(key);
        else store.Put(key, aggregate);
        ShowIfRefused(in record, session, refused);
        ForwardUpdate(in record, session, aggregate, Nullability.IsPresent(aggregate), default!, false, session.EndMs);
    }

    private void EmitClosed(in Record<K, V> record, long closeTime)
    {
        // Both ends belong to the session, so it has closed when its end is before the close time.
        var to = closeTime - 1;
        if (to < 0) return;
        var from = FirstNotGiven();
        if (from > to) return;
        Emit(in record, from, to);
        Emitted(closeTime);
    }

    private long FirstNotGiven() => HasEmitted ? Math.Max(0, LastCloseTime) : 0;

    private long Emit(in Record<K, V> record, long from, long to)
    {
        var latestEnd = -1L;
        using var sessions = _store!.FindSessions(from, to);
        while (sessions.MoveNext())
        {
            latestEnd = Math.Max(latestEnd, sessions.Key.Window.EndMs);
            ForwardFinal(in record, sessions.Key, sessions.Value, sessions.Key.Window.EndMs);
        }

        return latestEnd;
    }
}
