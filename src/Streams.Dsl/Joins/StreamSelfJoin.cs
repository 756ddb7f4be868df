using Streams.Dsl.Nodes;
using Streams.Dsl.Windows;

namespace Streams.Dsl.Joins;

/// <summary>A stream joined with itself, from one window store: each pair both ways round, each record with itself once, in the order of the ordinary join.</summary>
/// <remarks>The window's processor puts a record into the store after this one has seen it. Source: KIP-862, Kafka's <c>KStreamKStreamSelfJoin</c>.</remarks>
internal sealed class StreamSelfJoin<K, V, VOut>(string storeName, JoinWindows windows, Joiner<K, V, V, VOut> joiner) : Processor<K, V, K, VOut>
{
    private readonly long _retentionMs = WindowTimes.Add(WindowTimes.Add(windows.BeforeMs, windows.AfterMs), windows.GraceMs);
    private IWindowStore<K, V>? _store;
    private long _streamTime = -1;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey || !record.HasValue)
        {
            Context.RecordDropped(DropReason.AbsentKeyOrValue);
            return;
        }

        // A record that is too late for the store of a join with two would not find itself there, so it is not joined with itself here either.
        if (record.Timestamp > _streamTime) _streamTime = record.Timestamp;
        var joinedWithItself = record.Timestamp <= _streamTime - _retentionMs + 1;
        using (var others = Fetch(in record, windows.BeforeMs, windows.AfterMs))
        {
            while (others.MoveNext()) Forward(Joined(in record, record.Value, others.Value, others.Key));
        }

        using (var others = Fetch(in record, windows.AfterMs, windows.BeforeMs))
        {
            while (others.MoveNext())
            {
                // Results come in the order of their times, so the pair with itself goes before the first later record.
                if (!joinedWithItself && others.Key > record.Timestamp)
                {
                    joinedWithItself = true;
                    Forward(Joined(in record, record.Value, record.Value, record.Timestamp));
                }

                Forward(Joined(in record, others.Value, record.Value, others.Key));
            }
        }

        if (!joinedWithItself) Forward(Joined(in record, record.Value, record.Value, record.Timestamp));
    }

    protected override void Init() => _store = Context.GetStateStore<IWindowStore<K, V>>(storeName);

    private IKeyValueIterator<long, V> Fetch(in Record<K, V> record, long beforeMs, long afterMs)
    {
        var from = Math.Max(0, WindowTimes.Shift(record.Timestamp, -beforeMs));
        var to = Math.Max(0, WindowTimes.Shift(record.Timestamp, afterMs));
        return _store!.Fetch(record.Key, from, to);
    }

    private Record<K, VOut> Joined(in Record<K, V> record, V left, V right, long otherTimestamp) => new(
        record.Key, joiner(record.Key, left, true, right, true), Math.Max(record.Timestamp, otherTimestamp), record.HeadersOrNull);
}
