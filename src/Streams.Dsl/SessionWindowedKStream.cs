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
    private readonly Emission _emission;

    internal SessionWindowedKStream(KGroupedStream<K, V> stream, WindowSpec windows, Emission emission)
    {
        _stream = stream;
        _windows = windows;
        _emission = emission;
    }

    internal KGroupedStream<K, V> Stream => _stream;

    internal WindowSpec Windows => _windows;

    internal Emission Emission => _emission;

    /// <summary>Says when results are given. Default: <see cref="EmitStrategy.OnWindowUpdate"/>.</summary>
    public SessionWindowedKStream<K, V> EmitStrategy(EmitStrategy strategy) => new(_stream, _windows, _emission.With(strategy));

    /// <summary>
    /// Gives one result per session, when it has closed, and closes all that are open when no record has come for so long on the wall clock, though stream time stands
    /// still. What has closed stays closed, over restarts too: a record that comes for it afterwards is late, and goes to the side output of <see cref="WithDropped"/>.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Silence is that of the partition, as its task sees it: choose a time well above the pauses of your sources and of your network, because records that wait elsewhere meanwhile come too late.
    /// </para>
    /// <para>
    /// Where records do come, windows close by stream time as with <see cref="Dsl.EmitStrategy.OnWindowClose"/>. Results given because of silence come from a wall-clock
    /// punctuation: their timestamps are still those of the records in them. Kafka Streams has nothing like it (KIP-424 and KIP-539 were not adopted).
    /// </para>
    /// <para>A session that silence has closed is not extended: a record behind its end begins a new one, also within the inactivity gap.</para>
    /// </remarks>
    /// <param name="idle">Silence that closes windows: at least 1 ms, in whole milliseconds.</param>
    public SessionWindowedKStream<K, V> CloseAfterIdle(TimeSpan idle) => new(_stream, _windows, Emission.AfterIdle(idle));

    /// <inheritdoc cref="KGroupedStream{K, V}.WithDropped"/>
    public SessionWindowedKStream<K, V> WithDropped(Action<KStream<K, DroppedRecord<V>>> use, Named? named = null) => new(_stream.WithDropped(use, named), _windows, _emission);

    /// <summary>Counts the records of each key and session.</summary>
    public KTable<Windowed<K>, long> Count(Materialized<K, long>? materialized = null, Named? named = null)
    {
        if (materialized?.StoreName is null) _stream.Graph.NewStoreName(WindowedAggregations.AggregatePrefix);
        return WindowedAggregations.Add(
            _stream,
            _windows,
            _emission,
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
            _emission,
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
            _emission,
            WindowedAggregations.AggregatePrefix,
            new FoldAggregation<K, V, VR>(initializer, aggregator),
            sessionMerger,
            null,
            materialized,
            named);
    }
}
