using Streams.Dsl.Nodes;
using Streams.Dsl.Top;
using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>The values with the highest scores of each group, as a table of lists, highest first. Kafka Streams has no such operator.</summary>
/// <remarks>
/// For the lowest instead, rank by the negated score. A score is a whole number or a <see cref="double"/>, in which NaN is the lowest; rank by several things by making
/// one number of them.
/// </remarks>
public static class TopExtensions
{
    private const string StreamPrefix = "KSTREAM-TOP-";
    private const string TablePrefix = "KTABLE-TOP-";

    /// <summary>The highest values of each key that have ever come. Of equal scores the one that came first is before, and stays when there is room for one only.</summary>
    /// <remarks>
    /// Nothing ever leaves but for something higher: where an entry's score may fall or the entry may go, group a table instead. State: the list of each key. A
    /// record without key or value is dropped and counted.
    /// </remarks>
    /// <param name="stream">The grouped stream.</param>
    /// <param name="count">How many: 1 to 10,000.</param>
    /// <param name="score">Gives a value's score; the same value must always have the same.</param>
    /// <param name="materialized">How the result is kept. Its value serde is a list's; by default one of the values' own serde.</param>
    /// <param name="named">Name of the operator.</param>
    public static KTable<K, IReadOnlyList<V>> TopN<K, V>(
        this KGroupedStream<K, V> stream, int count, Func<V, long> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(score);
        Score.Checked(count);
        return stream.Aggregate(
            StreamPrefix,
            materialized,
            ListSerde(stream.Graph, stream.ValueSerde, materialized, named),
            named,
            (storeName, sendsOldValues, life) => new StreamTop<K, V>(storeName, count, score, sendsOldValues, life));
    }

    /// <inheritdoc cref="TopN{K, V}(KGroupedStream{K, V}, int, Func{V, long}, Materialized{K, IReadOnlyList{V}}?, Named?)"/>
    public static KTable<K, IReadOnlyList<V>> TopN<K, V>(
        this KGroupedStream<K, V> stream, int count, Func<V, double> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(score);
        return stream.TopN(count, value => Score.Of(score(value)), materialized, named);
    }

    /// <summary>
    /// The highest rows of each group as they are now: a row whose score falls, or that is deleted or moves to another group, makes room for the next. Of
    /// equal scores the one whose value has the smaller bytes is before, on every instance and after every restore.
    /// </summary>
    /// <remarks>
    /// <para>
    /// State: one entry per row of the table, sorted, in a store beside the result's, <c>store-entries</c>; a change reads the first rows only, however large its group. The
    /// result is sent when something in it may have changed.
    /// </para>
    /// <para>
    /// A row that leaves is found by its bytes, so the value's serializer must give equal bytes for equal values, as in a foreign-key join. With at-least-once processing
    /// a change that is read again after a crash is counted again, as in every aggregation of a table.
    /// </para>
    /// </remarks>
    /// <param name="table">The grouped table.</param>
    /// <param name="count">How many: 1 to 10,000.</param>
    /// <param name="score">Gives a value's score; the same value must always have the same.</param>
    /// <param name="materialized">How the result is kept. Its value serde is a list's; by default one of the values' own serde.</param>
    /// <param name="named">Name of the operator.</param>
    public static KTable<K, IReadOnlyList<V>> TopN<K, V>(
        this KGroupedTable<K, V> table, int count, Func<V, long> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(score);
        Score.Checked(count);
        var who = Who(materialized, named);
        var graph = table.Graph;
        var keySerde = graph.Serde(materialized?.KeySerde ?? table.KeySerde, who, "key", "Grouped.With");
        var valueSerde = graph.Serde(table.ValueSerde, who, "value", "Grouped.With");
        return table.Aggregate(
            TablePrefix,
            materialized,
            Serdes.List(valueSerde),
            named,
            (storeName, sendsOldValues) => new TableTop<K, V>(storeName, Entries(storeName), count, score, keySerde, valueSerde, sendsOldValues),
            (settings, storeName) => [StoreFactory.TopEntries(graph, settings, Entries(storeName))]);

        static string Entries(string storeName) => storeName + "-entries";
    }

    /// <inheritdoc cref="TopN{K, V}(KGroupedTable{K, V}, int, Func{V, long}, Materialized{K, IReadOnlyList{V}}?, Named?)"/>
    public static KTable<K, IReadOnlyList<V>> TopN<K, V>(
        this KGroupedTable<K, V> table, int count, Func<V, double> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(score);
        return table.TopN(count, value => Score.Of(score(value)), materialized, named);
    }

    /// <summary>The highest values of each key and window. Of equal scores the one that came first is before.</summary>
    /// <remarks>State: the list of each key and window. A record without value has no score: it is dropped and counted.</remarks>
    /// <param name="stream">The grouped stream in its windows.</param>
    /// <param name="count">How many: 1 to 10,000.</param>
    /// <param name="score">Gives a value's score; the same value must always have the same.</param>
    /// <param name="materialized">How the result is kept. Its value serde is a list's; by default one of the values' own serde.</param>
    /// <param name="named">Name of the operator.</param>
    public static KTable<Windowed<K>, IReadOnlyList<V>> TopN<K, V>(
        this TimeWindowedKStream<K, V> stream, int count, Func<V, long> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(score);
        Score.Checked(count);
        var grouped = stream.Stream;
        return WindowedAggregations.Add(
            grouped,
            stream.Windows,
            stream.Emission,
            StreamPrefix,
            new TopAggregation<K, V>(count, score),
            null,
            ListSerde(grouped.Graph, grouped.ValueSerde, materialized, named),
            materialized,
            named);
    }

    /// <inheritdoc cref="TopN{K, V}(TimeWindowedKStream{K, V}, int, Func{V, long}, Materialized{K, IReadOnlyList{V}}?, Named?)"/>
    public static KTable<Windowed<K>, IReadOnlyList<V>> TopN<K, V>(
        this TimeWindowedKStream<K, V> stream, int count, Func<V, double> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(score);
        return stream.TopN(count, value => Score.Of(score(value)), materialized, named);
    }

    /// <summary>The highest values of each key and session. Of equal scores the one of the earlier session is before, then the one that came first.</summary>
    /// <remarks>State: the list of each key and session. A record without value has no score: it is dropped and counted.</remarks>
    /// <param name="stream">The grouped stream in its sessions.</param>
    /// <param name="count">How many: 1 to 10,000.</param>
    /// <param name="score">Gives a value's score; the same value must always have the same.</param>
    /// <param name="materialized">How the result is kept. Its value serde is a list's; by default one of the values' own serde.</param>
    /// <param name="named">Name of the operator.</param>
    public static KTable<Windowed<K>, IReadOnlyList<V>> TopN<K, V>(
        this SessionWindowedKStream<K, V> stream, int count, Func<V, long> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(score);
        Score.Checked(count);
        var grouped = stream.Stream;
        return WindowedAggregations.Add(
            grouped,
            stream.Windows,
            stream.Emission,
            StreamPrefix,
            new TopAggregation<K, V>(count, score),
            (_, one, other) => TopList.Merge(one, other, count, score),
            ListSerde(grouped.Graph, grouped.ValueSerde, materialized, named),
            materialized,
            named);
    }

    /// <inheritdoc cref="TopN{K, V}(SessionWindowedKStream{K, V}, int, Func{V, long}, Materialized{K, IReadOnlyList{V}}?, Named?)"/>
    public static KTable<Windowed<K>, IReadOnlyList<V>> TopN<K, V>(
        this SessionWindowedKStream<K, V> stream, int count, Func<V, double> score, Materialized<K, IReadOnlyList<V>>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(score);
        return stream.TopN(count, value => Score.Of(score(value)), materialized, named);
    }

    private static ISerde<IReadOnlyList<V>>? ListSerde<K, V>(GraphBuilder graph, ISerde<V>? valueSerde, Materialized<K, IReadOnlyList<V>>? materialized, Named? named) =>
        materialized?.ValueSerde is null ? Serdes.List(graph.Serde(valueSerde, Who(materialized, named), "value", "Grouped.With")) : null;

    private static string Who<K, V>(Materialized<K, IReadOnlyList<V>>? materialized, Named? named) => named?.Name ?? materialized?.StoreName ?? nameof(TopN);
}
