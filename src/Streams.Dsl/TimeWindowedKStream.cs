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
    private readonly Emission _emission;

    internal TimeWindowedKStream(KGroupedStream<K, V> stream, WindowSpec windows, Emission emission)
    {
        _stream = stream;
        _windows = windows;
        _emission = emission;
    }

    internal KGroupedStream<K, V> Stream => _stream;

    internal WindowSpec Windows => _windows;

    internal Emission Emission => _emission;

    /// <summary>Says when results are given. Default: <see cref="EmitStrategy.OnWindowUpdate"/>.</summary>
    public TimeWindowedKStream<K, V> EmitStrategy(EmitStrategy strategy) => new(_stream, _windows, _emission.With(strategy));

    /// <summary>
    /// Gives one result per window, when it has closed, and closes all that are open when no record has come for so long on the wall clock, though stream time stands
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
    /// </remarks>
    /// <param name="idle">Silence that closes windows: at least 1 ms, in whole milliseconds.</param>
    /// <exception cref="TopologyException">The windows have no end.</exception>
    public TimeWindowedKStream<K, V> CloseAfterIdle(TimeSpan idle) => _windows.HasEnd
        ? new(_stream, _windows, Emission.AfterIdle(idle))
        : throw new TopologyException("A window without end never closes, after however much silence; use TimeWindows, SlidingWindows or SessionWindows.");

    /// <inheritdoc cref="KGroupedStream{K, V}.WithDropped"/>
    public TimeWindowedKStream<K, V> WithDropped(Action<KStream<K, DroppedRecord<V>>> use, Named? named = null) => new(_stream.WithDropped(use, named), _windows, _emission);

    /// <summary>Counts the records of each key and window.</summary>
    public KTable<Windowed<K>, long> Count(Materialized<K, long>? materialized = null, Named? named = null)
    {
        if (_windows.CountUsesNumber && materialized?.StoreName is null) _stream.Graph.NewStoreName(WindowedAggregations.AggregatePrefix);
        return WindowedAggregations.Add(
            _stream, _windows, _emission, WindowedAggregations.AggregatePrefix, new CountAggregation<K, V>(), null, Serdes.Int64, materialized, named);
    }

    /// <summary>Combines the values of each key and window; the first one is the result until the second comes.</summary>
    public KTable<Windowed<K>, V> Reduce(Func<V, V, V> reducer, Materialized<K, V>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(reducer);
        return WindowedAggregations.Add(
            _stream, _windows, _emission, WindowedAggregations.ReducePrefix, new ReduceAggregation<K, V>(reducer), null, _stream.ValueSerde, materialized, named);
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
            _stream, _windows, _emission, WindowedAggregations.AggregatePrefix, new FoldAggregation<K, V, VR>(initializer, aggregator), null, null, materialized, named);
    }
}
