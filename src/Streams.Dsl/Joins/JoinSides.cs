using Streams.Dsl.Nodes;

namespace Streams.Dsl.Joins;

/// <summary>The left side of a stream-stream join.</summary>
internal sealed class LeftJoinSide<K, VL, VRight, VOut>(JoinSideSettings settings, Joiner<K, VL, VRight, VOut> joiner)
    : StreamStreamJoin<K, VL, VRight, VOut>(settings)
{
    private readonly string? _outerStoreName = settings.OuterStoreName;
    private IOuterJoinStore<K, VL, VRight>? _waiting;

    protected override void Init()
    {
        base.Init();
        if (_outerStoreName is not null) _waiting = Context.GetStateStore<IOuterJoinStore<K, VL, VRight>>(_outerStoreName);
    }

    protected override VOut Join(in Record<K, VL> record, VRight other, bool hasOther) => joiner(record.Key, record.Value, true, other, hasOther);

    protected override void Wait(in Record<K, VL> record) => _waiting!.PutLeft(record.Key, record.Timestamp, record.Value);

    protected override void OtherHasPartner(K key, long timestamp) => _waiting!.RemoveIfPresent(isLeft: false, key, timestamp);

    protected override long FirstWaiting() => WaitingRecords<K, VL, VRight, VOut>.First(_waiting!);

    protected override void ForwardExpired(in Record<K, VL> trigger, JoinTime time)
    {
        using var expired = new WaitingRecords<K, VL, VRight, VOut>(_waiting!, joiner, time, IsOpen, trigger.HeadersOrNull);
        while (expired.TryTakeNext(out var result)) Forward(in result);
    }
}

/// <summary>The right side of a stream-stream join.</summary>
internal sealed class RightJoinSide<K, VL, VRight, VOut>(JoinSideSettings settings, Joiner<K, VL, VRight, VOut> joiner)
    : StreamStreamJoin<K, VRight, VL, VOut>(settings)
{
    private readonly string? _outerStoreName = settings.OuterStoreName;
    private IOuterJoinStore<K, VL, VRight>? _waiting;

    protected override void Init()
    {
        base.Init();
        if (_outerStoreName is not null) _waiting = Context.GetStateStore<IOuterJoinStore<K, VL, VRight>>(_outerStoreName);
    }

    protected override VOut Join(in Record<K, VRight> record, VL other, bool hasOther) => joiner(record.Key, other, hasOther, record.Value, true);

    protected override void Wait(in Record<K, VRight> record) => _waiting!.PutRight(record.Key, record.Timestamp, record.Value);

    protected override void OtherHasPartner(K key, long timestamp) => _waiting!.RemoveIfPresent(isLeft: true, key, timestamp);

    protected override long FirstWaiting() => WaitingRecords<K, VL, VRight, VOut>.First(_waiting!);

    protected override void ForwardExpired(in Record<K, VRight> trigger, JoinTime time)
    {
        using var expired = new WaitingRecords<K, VL, VRight, VOut>(_waiting!, joiner, time, IsOpen, trigger.HeadersOrNull);
        while (expired.TryTakeNext(out var result)) Forward(in result);
    }
}

/// <summary>
/// Walks the records that wait for a partner, in order of time, and gives those that have waited long enough, joined with nothing. Each is deleted
/// once the results of its key and time have been given: a failure in between gives them again rather than never.
/// </summary>
internal sealed class WaitingRecords<K, VL, VRight, VOut> : IDisposable
{
    private readonly IOuterJoinStore<K, VL, VRight> _store;
    private readonly Joiner<K, VL, VRight, VOut> _joiner;
    private readonly JoinTime _time;
    private readonly Func<bool, long, long, bool> _isOpen;
    private readonly Headers? _headers;
    private readonly IOuterJoinIterator<K, VL, VRight> _records;
    private (K Key, long Timestamp, bool IsLeft)? _given;
    private bool _leftIsOpen;
    private bool _rightIsOpen;

    public WaitingRecords(
        IOuterJoinStore<K, VL, VRight> store,
        Joiner<K, VL, VRight, VOut> joiner,
        JoinTime time,
        Func<bool, long, long, bool> isOpen,
        Headers? headers)
    {
        _store = store;
        _joiner = joiner;
        _time = time;
        _isOpen = isOpen;
        _headers = headers;
        _records = store.All();
        time.EarliestWaiting = long.MaxValue;
    }

    public static long First(IOuterJoinStore<K, VL, VRight> store)
    {
        using var records = store.All();
        return records.MoveNext() ? records.Timestamp : long.MaxValue;
    }

    public bool TryTakeNext(out Record<K, VOut> result)
    {
        while (_records.MoveNext())
        {
            var timestamp = _records.Timestamp;
            var isLeft = _records.IsLeft;
            _time.EarliestWaiting = timestamp;

            // The sides may have windows of different length, so one being open says nothing about the other.
            if (_leftIsOpen && _rightIsOpen) break;
            if (_isOpen(isLeft, timestamp, _time.StreamTime))
            {
                if (isLeft) _leftIsOpen = true;
                else _rightIsOpen = true;
                continue;
            }

            var key = _records.Key;
            var value = isLeft ? _joiner(key, _records.Left, true, default!, false) : _joiner(key, default!, false, _records.Right, true);
            DeleteGiven(key, timestamp, isLeft);
            _given = (key, timestamp, isLeft);
            result = new Record<K, VOut>(key, value, timestamp, _headers);
            return true;
        }

        if (_given is { } last) _store.Delete(last.IsLeft, last.Key, last.Timestamp);
        _given = null;
        result = default;
        return false;
    }

    public void Dispose() => _records.Dispose();

    private void DeleteGiven(K key, long timestamp, bool isLeft)
    {
        if (_given is not { } given) return;
        if (given.Timestamp == timestamp && given.IsLeft == isLeft && EqualityComparer<K>.Default.Equals(given.Key, key)) return;
        _store.Delete(given.IsLeft, given.Key, given.Timestamp);
    }
}
