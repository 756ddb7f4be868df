using Streams.Dsl.Windows;

namespace Streams.Dsl.Joins;

/// <summary>Keeps each record of one side for as long as the other side may look for it, and sends it on to be joined.</summary>
/// <remarks>Source: Kafka's <c>KStreamJoinWindow</c>.</remarks>
internal sealed class JoinWindow<K, V>(string storeName) : Processor<K, V, K, V>
{
    private IWindowStore<K, V>? _store;

    public override void Process(in Record<K, V> record)
    {
        // Put after it has been joined: a stream joined with itself in one store must not meet itself there.
        Forward(in record);

        // Without key a record can never be somebody's partner; without value neither, but Kafka Streams logs it.
        if (!record.HasKey) return;
        if (!record.HasValue)
        {
            _store!.Delete(record.Key, record.Timestamp);
            return;
        }

        var refused = Refused;
        _store!.Put(record.Key, record.Value, record.Timestamp);

        // It has been joined with what was there, but who comes after it will not find it.
        if (Refused != refused) ShowDropped(in record, DropReason.Expired);
    }

    protected override void Init() => _store = Context.GetStateStore<IWindowStore<K, V>>(storeName);

    private long Refused => Context.Task.Metrics.Dropped(DropReason.Expired);
}

/// <summary>What both sides of a join know together: the time seen on either, and when to look for records that stay alone.</summary>
internal sealed class JoinTime
{
    private long _nextLook = long.MinValue;

    /// <summary>Largest timestamp of either side.</summary>
    public long StreamTime { get; private set; } = -1;

    /// <summary>No record that waits for a partner is older than this.</summary>
    public long EarliestWaiting { get; set; } = long.MaxValue;

    /// <summary>Whether <see cref="EarliestWaiting"/> has been set from the store's content.</summary>
    public bool KnowsStore { get; set; }

    public void Observe(long timestamp)
    {
        if (timestamp > StreamTime) StreamTime = timestamp;
    }

    /// <summary>Whether enough wall-clock time has passed since the last look; a yes uses it up.</summary>
    public bool IsTimeToLook(long now, long intervalMs)
    {
        if (now < _nextLook) return false;
        _nextLook = WindowTimes.Add(Math.Max(0, now), intervalMs);
        return true;
    }
}

/// <summary>
/// One side of a join of two streams: each record is joined with all records of the other side that are in its window. In a left or outer join, a
/// record without partner waits in a store of both sides until its window and the grace period have passed, and is then joined with nothing.
/// </summary>
/// <remarks>
/// <para>
/// Records that wait are looked for when a record at or past stream time comes, at most once per emit interval. A record that is so late that its
/// window has passed already, though not the grace period, is joined with nothing at once, as Kafka Streams 3.9 does (KAFKA-19536): a partner that
/// comes later is joined too.
/// </para>
/// <para>A record without value is dropped and counted; so is one without key, unless this side is kept without partner: it is then joined with nothing (KIP-962).</para>
/// <para>Source: Kafka's <c>KStreamKStreamJoin</c>, KAFKA-10847.</para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="VThis">Value type of the records that come.</typeparam>
/// <typeparam name="VOther">Value type of the other side.</typeparam>
/// <typeparam name="VOut">Value type of the result.</typeparam>
internal abstract class StreamStreamJoin<K, VThis, VOther, VOut>(JoinSideSettings settings) : Processor<K, VThis, K, VOut>
{
    private TaskContext? _task;
    private JoinTime? _time;
    private IWindowStore<K, VOther>? _others;

    public override void Process(in Record<K, VThis> record)
    {
        var timestamp = record.Timestamp;
        var time = _time!;
        time.Observe(timestamp);
        if (!record.HasValue || (!record.HasKey && !settings.KeepsThis))
        {
            Drop(in record, DropReason.AbsentKeyOrValue, streamTimeMs: time.StreamTime);
            return;
        }

        if (!record.HasKey)
        {
            ForwardAlone(in record);
            return;
        }

        if (settings.HasOuterStore && timestamp == time.StreamTime) GiveUpWaiting(in record);

        var from = Math.Max(0, WindowTimes.Shift(timestamp, -settings.BeforeMs));
        var to = Math.Max(0, WindowTimes.Shift(timestamp, settings.AfterMs));
        var found = false;
        using (var others = _others!.Fetch(record.Key, from, to))
        {
            while (others.MoveNext())
            {
                found = true;
                var otherTimestamp = others.Key;
                if (settings.HasOuterStore) OtherHasPartner(record.Key, otherTimestamp);
                Forward(new Record<K, VOut>(
                    record.Key, Join(in record, others.Value, hasOther: true), Math.Max(timestamp, otherTimestamp), record.HeadersOrNull));
            }
        }

        if (found || !settings.KeepsThis) return;
        if (to < time.StreamTime)
        {
            ForwardAlone(in record);
            return;
        }

        if (timestamp < time.EarliestWaiting) time.EarliestWaiting = timestamp;
        Wait(in record);
    }

    protected override void Init()
    {
        _task = Context.Task;
        _time = _task.Share(settings.JoinName, static () => new JoinTime());
        _others = Context.GetStateStore<IWindowStore<K, VOther>>(settings.OtherStoreName);
    }

    /// <summary>Combines a record with a partner or with nothing.</summary>
    protected abstract VOut Join(in Record<K, VThis> record, VOther other, bool hasOther);

    /// <summary>Puts a record into the store of those without partner.</summary>
    protected abstract void Wait(in Record<K, VThis> record);

    /// <summary>Takes records of the other side out of the store of those without partner.</summary>
    protected abstract void OtherHasPartner(K key, long timestamp);

    /// <summary>Time of the earliest record that waits; <see cref="long.MaxValue"/> when none does.</summary>
    protected abstract long FirstWaiting();

    /// <summary>Joins with nothing, and takes out of the store, what has waited long enough. Sets <see cref="JoinTime.EarliestWaiting"/>.</summary>
    protected abstract void ForwardExpired(in Record<K, VThis> trigger, JoinTime time);

    /// <summary>Whether a record of a side still has time to find a partner.</summary>
    protected bool IsOpen(bool isLeft, long timestamp, long streamTime) =>
        WindowTimes.Add(Math.Max(0, WindowTimes.Shift(timestamp, isLeft ? settings.LeftAfterMs : settings.RightAfterMs)), settings.GraceMs) >= streamTime;

    private void GiveUpWaiting(in Record<K, VThis> record)
    {
        var time = _time!;
        if (!time.KnowsStore)
        {
            // After a restart records may wait in the restored store that nobody has told the clock of.
            time.KnowsStore = true;
            time.EarliestWaiting = FirstWaiting();
        }

        if (time.EarliestWaiting == long.MaxValue) return;
        if (WindowTimes.Add(Math.Max(0, WindowTimes.Shift(time.EarliestWaiting, settings.AfterMs)), settings.GraceMs) >= time.StreamTime) return;
        if (time.IsTimeToLook(Context.CurrentSystemTimeMs, _task!.EmitIntervalMs)) ForwardExpired(in record, time);
    }

    private void ForwardAlone(in Record<K, VThis> record) =>
        Forward(record.WithValue(Join(in record, default!, hasOther: false)));
}

/// <summary>What a side of a join is told.</summary>
internal sealed record JoinSideSettings
{
    /// <summary>Name of the join within its task.</summary>
    public required string JoinName { get; init; }

    /// <summary>Store of the other side's records.</summary>
    public required string OtherStoreName { get; init; }

    /// <summary>How much earlier a partner may be.</summary>
    public required long BeforeMs { get; init; }

    /// <summary>How much later a partner may be.</summary>
    public required long AfterMs { get; init; }

    public required long GraceMs { get; init; }

    /// <summary>Whether records of this side are in the result without partner.</summary>
    public required bool KeepsThis { get; init; }

    /// <summary>Store of records that wait for a partner; <c>null</c> for inner joins.</summary>
    public required string? OuterStoreName { get; init; }

    public bool HasOuterStore => OuterStoreName is not null;

    /// <summary>How much later a left record's partner may be.</summary>
    public required long LeftAfterMs { get; init; }

    /// <summary>How much later a right record's partner may be.</summary>
    public required long RightAfterMs { get; init; }
}
