using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>Several grouped streams in time or sliding windows, aggregated into one table. Source: Kafka's <c>TimeWindowedCogroupedKStream</c>.</summary>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="VR">Type of the aggregate.</typeparam>
public sealed class TimeWindowedCogroupedKStream<K, VR>
{
    private readonly CogroupedKStream<K, VR> _streams;
    private readonly WindowSpec _windows;

    internal TimeWindowedCogroupedKStream(CogroupedKStream<K, VR> streams, WindowSpec windows)
    {
        _streams = streams;
        _windows = windows;
    }

    /// <summary>Folds the values of all streams into one aggregate per key and window.</summary>
    /// <param name="initializer">Gives the aggregate of a window that has none.</param>
    /// <param name="materialized">How the table is kept; its retention is at least window size plus grace.</param>
    /// <param name="named">Prefix of the operators' names.</param>
    public KTable<Windowed<K>, VR> Aggregate(Func<VR> initializer, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        return _streams.AggregateWindows(initializer, null, _windows, materialized, named);
    }
}

/// <summary>Several grouped streams in sessions, aggregated into one table. Source: Kafka's <c>SessionWindowedCogroupedKStream</c>.</summary>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="VR">Type of the aggregate.</typeparam>
public sealed class SessionWindowedCogroupedKStream<K, VR>
{
    private readonly CogroupedKStream<K, VR> _streams;
    private readonly WindowSpec _windows;

    internal SessionWindowedCogroupedKStream(CogroupedKStream<K, VR> streams, WindowSpec windows)
    {
        _streams = streams;
        _windows = windows;
    }

    /// <summary>Folds the values of all streams into one aggregate per key and session.</summary>
    /// <param name="initializer">Gives the aggregate that merging begins with.</param>
    /// <param name="sessionMerger">Gives the aggregate of two sessions that are joined together.</param>
    /// <param name="materialized">How the table is kept; its retention is at least gap plus grace.</param>
    /// <param name="named">Prefix of the operators' names.</param>
    public KTable<Windowed<K>, VR> Aggregate(
        Func<VR> initializer, Func<K, VR, VR, VR> sessionMerger, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        ArgumentNullException.ThrowIfNull(sessionMerger);
        return _streams.AggregateWindows(initializer, sessionMerger, _windows, materialized, named);
    }
}
