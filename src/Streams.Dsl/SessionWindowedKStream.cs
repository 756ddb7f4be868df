using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// A grouped stream in sessions, waiting to be aggregated per key and session. When a record joins sessions together, their deletions are sent before
/// the merged result. Source: Kafka's <c>SessionWindowedKStream</c>.
/// </summary>
/// <remarks>A record without value is aggregated all the same; see <see cref="TimeWindowedKStream{K, V}"/>.</remarks>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class SessionWindowedKStream<K, V>
{
    private readonly KGroupedStream<K, V> _stream;
    private readonly WindowSpec _windows;
    private readonly EmitStrategy _emit;

    internal SessionWindowedKStream(KGroupedStream<K, V> stream, WindowSpec windows, EmitStrategy emit)
    {
        _stream = stream;
        _windows = windows;
        _emit = emit;
    }

    /// <summary>Says when results are given. Default: <see cref="EmitStrategy.OnWindowUpdate"/>.</summary>
    public SessionWindowedKStream<K, V> EmitStrategy(EmitStrategy strategy) => new(_stream, _windows, strategy);

    /// <summary>Counts the records of each key and session.</summary>
    public KTable<Windowed<K>, long> Count(Materialized<K, long>? materialized = null, Named? named = null)
    {
        if (materialized?.StoreName is null) _stream.Graph.NewStoreName(WindowedAggregations.AggregatePrefix);
        return WindowedAggregations.Add(
            _stream,
            _windows,
            _emit,
            WindowedAggregations.AggregatePrefix,
            new CountAggregation<K, V>(),
            static (_, one, other) => one + other,
            Serdes.Int64,
            materialized,
            named);
    }

    /// <summary>Combines the values of each key and session, and the results of sessions that are joined together.</summary>
    public KTable<Windowed<K>, V> Reduce(Func<V, V, V> reducer, Materialized<K, V>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(reducer);
        return WindowedAggregations.Add(
            _stream,
            _windows,
            _emit,
            WindowedAggregations.ReducePrefix,
            new ReduceAggregation<K, V>(reducer),
            (_, one, other) => reducer(one, other),
            _stream.ValueSerde,
            materialized,
            named);
    }

    /// <summary>Folds the values of each key and session into an aggregate.</summary>
    /// <param name="initializer">Gives the aggregate that merging begins with.</param>
    /// <param name="aggregator">Gives the new aggregate for key, value and old aggregate.</param>
    /// <param name="sessionMerger">Gives the aggregate of two sessions that are joined together.</param>
    /// <param name="materialized">How the table is kept; its retention is at least gap plus grace.</param>
    /// <param name="named">Name of the operator.</param>
    public KTable<Windowed<K>, VR> Aggregate<VR>(
        Func<VR> initializer,
        Func<K, V, VR, VR> aggregator,
        Func<K, VR, VR, VR> sessionMerger,
        Materialized<K, VR>? materialized = null,
        Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        ArgumentNullException.ThrowIfNull(aggregator);
        ArgumentNullException.ThrowIfNull(sessionMerger);
        return WindowedAggregations.Add(
            _stream,
            _windows,
            _emit,
            WindowedAggregations.AggregatePrefix,
            new FoldAggregation<K, V, VR>(initializer, aggregator),
            sessionMerger,
            null,
            materialized,
            named);
    }
}
