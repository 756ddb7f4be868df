namespace Streams.Dsl.Windows;

/// <summary>
/// Aggregates records in sliding windows. A record at time t makes the window that ends with it, [t - d, t]; and where there are records after it or
/// a record before it, the windows that begin right behind a record, [s + 1, s + 1 + d]. Only windows whose content differs from their neighbours'
/// exist; records before d share the window [0, d].
/// </summary>
/// <remarks>
/// <para>
/// Each stored aggregate carries the time of the latest record in its window, which is how windows know their content. For one record, the
/// windows of its key that it can touch are walked from the latest to the earliest; each that holds it is updated, and up to three new ones are
/// made: behind the previous record, ending with this record, and behind this record.
/// </para>
/// <para>Source: KIP-450, Kafka's <c>KStreamSlidingWindowAggregate</c>.</para>
/// </remarks>
internal sealed class SlidingWindowAggregate<K, V, VR>(
    string storeName,
    SlidingWindows windows,
    Aggregation<K, V, VR> aggregation,
    Emission emission,
    bool sendsOldValues)
    : WindowProcessor<K, V, VR>(storeName, emission, sendsOldValues)
{
    private readonly long _difference = windows.TimeDifferenceMs;
    private readonly HashSet<long> _starts = [];
    private ITimestampedWindowStore<K, VR>? _store;

    public override void Process(in Record<K, V> record)
    {
        // Unlike other windows, these skip records without value, as Kafka Streams does (E-03).
        if (!record.HasKey || !record.HasValue)
        {
            Drop(in record, DropReason.AbsentKeyOrValue, streamTimeMs: StreamTime);
            return;
        }

        Observe(record.Timestamp);
        var closeTime = CloseTime(StreamTime - windows.GraceMs);
        if (WindowTimes.Add(record.Timestamp, _difference) < closeTime)
        {
            Drop(in record, DropReason.Late, new Window(Math.Max(0, record.Timestamp - _difference), record.Timestamp), StreamTime);
            return;
        }

        if (IsTimeToEmitFirst(closeTime)) EmitClosed(in record, closeTime);
        if (record.Timestamp < _difference) ProcessEarly(in record, closeTime);
        else ProcessUsual(in record, closeTime);
        if (IsTimeToEmit(closeTime)) EmitClosed(in record, closeTime);
    }

    // Both ends belong to a window, so it has closed from the millisecond after its end on.
    protected override long EmitAll()
    {
        var closeTime = StreamTime < 0 ? LastCloseTime : Math.Max(LastCloseTime, WindowTimes.Add(StreamTime, 1));
        return Math.Max(closeTime, WindowTimes.Add(Emit(default, FirstNotGiven(), long.MaxValue), 1));
    }

    protected override void Init()
    {
        base.Init();
        _store = Context.GetStateStore<ITimestampedWindowStore<K, VR>>(StoreName);
        if (!EmitsOnClose) ForwardThrough(_store);
    }

    private void ProcessUsual(in Record<K, V> record, long closeTime)
    {
        var timestamp = record.Timestamp;
        var leftAggregate = default(ValueAndTimestamp<VR>);
        var rightAggregate = default(ValueAndTimestamp<VR>);
        var hasRightAggregate = false;
        var leftExists = false;
        var rightExists = false;
        var previousTimestamp = -1L;
        _starts.Clear();

        using (var rows = _store!.BackwardFetch(record.Key, Math.Max(0, timestamp - _difference - _difference), WindowTimes.Add(timestamp, 1)))
        {
            while (rows.MoveNext())
            {
                var start = rows.Key;
                var row = rows.Value;
                var end = WindowTimes.Add(start, _difference);
                _starts.Add(start);
                if (start > timestamp)
                {
                    // The window right behind this record; it does not hold the record.
                    rightExists = true;
                }
                else if (end > timestamp)
                {
                    // Holds this record and reaches beyond it. The latest such window has exactly the records after this one, if any.
                    if (!hasRightAggregate) rightAggregate = row;
                    hasRightAggregate = true;
                    Update(in record, new Window(start, end), row, hasRow: true, closeTime);
                }
                else if (end == timestamp)
                {
                    leftExists = true;
                    Update(in record, new Window(start, end), row, hasRow: true, closeTime);
                    if (row.Timestamp < timestamp) previousTimestamp = row.Timestamp;
                    else return; // A record of the same time made every window that this one would.
                }
                else
                {
                    leftAggregate = row;
                    previousTimestamp = row.Timestamp;
                    break;
                }
            }
        }

        if (previousTimestamp >= 0)
        {
            var start = previousTimestamp + 1;
            if (!_starts.Contains(start) && WindowTimes.Add(start, _difference) >= timestamp) CreateBehindPrevious(in record, start, closeTime);
        }

        if (!leftExists)
        {
            var previousIsInside = previousTimestamp >= 0 && timestamp - _difference <= previousTimestamp;
            var window = new Window(timestamp - _difference, timestamp);
            if (previousIsInside) Update(in record, window, new ValueAndTimestamp<VR>(leftAggregate.Value, timestamp), hasRow: true, closeTime);
            else Initialize(in record, window, closeTime);
        }

        if (!rightExists && hasRightAggregate && rightAggregate.Timestamp > timestamp) CreateBehind(in record, rightAggregate);
    }

    // Windows never begin before 0: the records before the time difference share the window [0, d].
    private void ProcessEarly(in Record<K, V> record, long closeTime)
    {
        var timestamp = record.Timestamp;
        var combined = default(ValueAndTimestamp<VR>);
        var hasCombined = false;
        var rightAggregate = default(ValueAndTimestamp<VR>);
        var hasRightAggregate = false;
        var rightExists = false;
        var previousTimestamp = -1L;
        _starts.Clear();

        using (var rows = _store!.Fetch(record.Key, 0, timestamp + 1))
        {
            while (rows.MoveNext())
            {
                var start = rows.Key;
                var row = rows.Value;
                _starts.Add(start);
                if (start == 0)
                {
                    combined = row;
                    hasCombined = true;

                    // When the latest record is not before this one, the windows behind earlier records exist already.
                    if (row.Timestamp < timestamp) previousTimestamp = row.Timestamp;
                }
                else if (start <= timestamp)
                {
                    rightAggregate = row;
                    hasRightAggregate = true;
                    Update(in record, new Window(start, WindowTimes.Add(start, _difference)), row, hasRow: true, closeTime);
                }
                else
                {
                    rightExists = true;
                }
            }
        }

        // Without a window between this record and later ones, the shared window has exactly the later ones.
        if (!hasRightAggregate && hasCombined && combined.Timestamp > timestamp)
        {
            rightAggregate = combined;
            hasRightAggregate = true;
        }

        if (!rightExists && hasRightAggregate && rightAggregate.Timestamp > timestamp) CreateBehind(in record, rightAggregate);
        if (previousTimestamp >= 0 && !_starts.Contains(previousTimestamp + 1)) CreateBehindPrevious(in record, previousTimestamp + 1, closeTime);

        var shared = new Window(0, _difference);
        if (hasCombined) Update(in record, shared, combined, hasRow: true, closeTime);
        else Initialize(in record, shared, closeTime);
    }

    private void CreateBehindPrevious(in Record<K, V> record, long start, long closeTime) =>
        Initialize(in record, new Window(start, WindowTimes.Add(start, _difference)), closeTime);

    // The new window has the records after this one, which the aggregate of an existing window has too; nothing is added.
    private void CreateBehind(in Record<K, V> record, ValueAndTimestamp<VR> aggregate)
    {
        var window = new Window(record.Timestamp + 1, WindowTimes.Add(record.Timestamp + 1, _difference));
        _store!.Put(record.Key, aggregate, window.StartMs);
        ForwardUpdate(in record, window, aggregate.Value, true, default!, false, aggregate.Timestamp);
    }

    private void Initialize(in Record<K, V> record, Window window, long closeTime)
    {
        var has = aggregation.TryInitialize(out var initial);
        Update(in record, window, new ValueAndTimestamp<VR>(initial, record.Timestamp), has, closeTime);
    }

    private void Update(in Record<K, V> record, Window window, ValueAndTimestamp<VR> row, bool hasRow, long closeTime)
    {
        if (window.EndMs < closeTime)
        {
            Drop(in record, DropReason.Late, window, StreamTime);
            return;
        }

        var aggregate = aggregation.Apply(in record, row.Value, hasRow);
        var timestamp = hasRow ? Math.Max(record.Timestamp, row.Timestamp) : record.Timestamp;
        var refused = Refused;
        if (!Nullability.IsPresent(aggregate)) _store!.Delete(record.Key, window.StartMs);
        else _store!.Put(record.Key, new ValueAndTimestamp<VR>(aggregate, timestamp), window.StartMs);
        ShowIfRefused(in record, window, refused);
        ForwardUpdate(in record, window, aggregate, Nullability.IsPresent(aggregate), row.Value, hasRow, timestamp);
    }

    private void EmitClosed(in Record<K, V> record, long closeTime)
    {
        // Both ends belong to the window, so it has closed when its end is before the close time.
        if (closeTime <= _difference) return;
        var to = closeTime - _difference - 1;
        var from = FirstNotGiven();
        if (from > to) return;
        Emit(in record, from, to);
        Emitted(closeTime);
    }

    private long FirstNotGiven() => HasEmitted ? Math.Max(0, LastCloseTime - _difference) : 0;

    private long Emit(in Record<K, V> record, long from, long to)
    {
        var latestEnd = -1L;
        using var rows = _store!.FetchAll(from, to);
        while (rows.MoveNext())
        {
            var start = rows.Key.Window.StartMs;
            var window = new Window(start, WindowTimes.Add(start, _difference));
            latestEnd = Math.Max(latestEnd, window.EndMs);
            ForwardFinal(in record, new Windowed<K>(rows.Key.Key, window), rows.Value.Value, rows.Value.Timestamp);
        }

        return latestEnd;
    }
}
