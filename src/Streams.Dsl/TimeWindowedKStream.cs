using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// A grouped stream in tumbling, hopping, sliding or unlimited windows, waiting to be aggregated per key and window. Records without key are dropped
/// and counted, as are those that come after their window has closed. Source: Kafka's <c>TimeWindowedKStream</c>.
/// </summary>
/// <remarks>
/// A record without value is aggregated all the same, as in Kafka Streams: it is counted, and functions get <c>null</c>. Where the value is a struct, it
/// is dropped unless it is only counted. Sliding windows always drop it.
/// </remarks>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class TimeWindowedKStream<K, V>
{
    private readonly KGroupedStream<K, V> _stream;
    private readonly WindowSpec _windows;
    private readonly EmitStrategy _emit;

    internal TimeWindowedKStream(KGroupedStream<K, V> stream, WindowSpec windows, EmitStrategy emit)
    {
        _stream = stream;
        _windows = windows;
        _emit = emit;
    }

    /// <summary>Says when results are given. Default: <see cref="EmitStrategy.OnWindowUpdate"/>.</summary>
    public TimeWindowedKStream<K, V> EmitStrategy(EmitStrategy strategy) => new(_stream, _windows, strategy);

    /// <summary>Counts the records of each key and window.</summary>
    public KTable<Windowed<K>, long> Count(Materialized<K, long>? materialized = null, Named? named = null)
    {
        if (_windows.CountUsesNumber && materialized?.StoreName is null) _stream.Graph.NewStoreName(WindowedAggregations.AggregatePrefix);
        return WindowedAggregations.Add(
            _stream, _windows, _emit, WindowedAggregations.AggregatePrefix, new CountAggregation<K, V>(), null, Serdes.Int64, materialized, named);
    }

    /// <summary>Combines the values of each key and window; the first one is the result until the second comes.</summary>
    public KTable<Windowed<K>, V> Reduce(Func<V, V, V> reducer, Materialized<K, V>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(reducer);
        return WindowedAggregations.Add(
            _stream, _windows, _emit, WindowedAggregations.ReducePrefix, new ReduceAggregation<K, V>(reducer), null, _stream.ValueSerde, materialized, named);
    }

    /// <summary>Folds the values of each key and window into an aggregate.</summary>
    /// <param name="initializer">Gives the aggregate of a window that has none.</param>
    /// <param name="aggregator">Gives the new aggregate for key, value and old aggregate.</param>
    /// <param name="materialized">How the table is kept; its retention is at least window size plus grace.</param>
    /// <param name="named">Name of the operator.</param>
    public KTable<Windowed<K>, VR> Aggregate<VR>(
        Func<VR> initializer, Func<K, V, VR, VR> aggregator, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        ArgumentNullException.ThrowIfNull(aggregator);
        return WindowedAggregations.Add(
            _stream, _windows, _emit, WindowedAggregations.AggregatePrefix, new FoldAggregation<K, V, VR>(initializer, aggregator), null, null, materialized, named);
    }
}
