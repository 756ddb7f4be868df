using Streams.Dsl.Nodes;
using Streams.Dsl.Windows;

namespace Streams.Dsl.TimeToLive;

/// <summary>
/// Reads rows of a table in which rows expire by event time: one whose time to live is over is not there, although its operator may not have deleted it yet.
/// </summary>
internal sealed class LivingRowReader<K, V>(RowReader<K, V> rows, long timeToLiveMs) : RowReader<K, V>
{
    private TaskContext? _task;

    public static RowLookup<K, V> Of(RowLookup<K, V> rows, TimeToLiveSettings? settings) => settings is not { Basis: TtlBasis.EventTime, Ms: var ms }
        ? rows
        : rows with { Create = () => new LivingRowReader<K, V>(rows.Create(), ms) };

    public override void Init(ProcessorContext context)
    {
        _task = context.Task;
        rows.Init(context);
    }

    public override bool TryGet(K key, out V value, out long timestamp)
    {
        if (rows.TryGet(key, out value, out timestamp) && WindowTimes.Add(timestamp, timeToLiveMs) > _task!.StreamTime) return true;
        value = default!;
        timestamp = -1;
        return false;
    }
}
