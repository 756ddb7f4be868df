using Streams.Dsl.Linq;

namespace Streams.Dsl;

/// <summary>
/// What lets streams stand in C# query expressions: <c>from … where … select</c>, several <c>from</c>, <c>let</c>, <c>join</c>, <c>group by</c>. The range
/// variable is the record's value. Each clause is one operator of the fluent form, so names and topics are the same.
/// </summary>
/// <remarks>
/// <c>join … on a equals b</c> gives the stream the key <c>a</c> and repartitions it where needed; the result has that key. With a table, <c>b</c> must
/// be what the table is keyed by, and it is checked for each row that is found. <see cref="RecordKey.Same"/> on both sides keeps the key. Two streams
/// join within a time: <c>join b in others.Within(windows) on …</c>.
/// </remarks>
public static class StreamQueryExtensions
{
    private const string NoOrder =
        "A stream has no end, so its records cannot be ordered as a whole. Records of a partition come in the order of their offsets; for the largest few per group see TopN, for results in windows see Suppress.";

    private const string NeedsWindow = "Two streams meet within a time: write 'join b in others.Within(JoinWindows…) on … equals …'.";

    /// <summary><c>where</c>: as <see cref="KStream{K, V}.Filter(Func{V, bool}, Named)"/>.</summary>
    public static KStream<K, V> Where<K, V>(this KStream<K, V> stream, Func<V, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.Filter(predicate);
    }

    /// <summary><c>select</c> and <c>let</c>: as <see cref="KStream{K, V}.MapValues{VR}(Func{V, VR}, Named)"/>.</summary>
    public static KStream<K, VR> Select<K, V, VR>(this KStream<K, V> stream, Func<V, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.MapValues(selector);
    }

    /// <summary>A further <c>from</c>: as <see cref="KStream{K, V}.FlatMapValues{VR}(Func{V, IEnumerable{VR}}, Named)"/>.</summary>
    public static KStream<K, VR> SelectMany<K, V, VE, VR>(this KStream<K, V> stream, Func<V, IEnumerable<VE>> elements, Func<V, VE, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(elements);
        ArgumentNullException.ThrowIfNull(selector);
        return stream.FlatMapValues(value => elements(value).Select(element => selector(value, element)));
    }

    /// <summary><c>join row in table</c>: gives each record the key and joins it with the table's row; without a row there is no result.</summary>
    public static KStream<KT, VR> Join<K, V, KT, VT, VR>(
        this KStream<K, V> stream, KTable<KT, VT> table, Func<V, KT> key, Func<VT, KT> keyOfRow, Func<V, VT, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(keyOfRow);
        ArgumentNullException.ThrowIfNull(selector);
        return stream.SelectKey((_, value) => key(value)).Join(table, (found, value, row) =>
        {
            QueryKeys.Demand(found, row, keyOfRow);
            return selector(value, row);
        });
    }

    /// <summary><c>join row in table.OrNone()</c>: as a join, but a record without a row has the result of <c>null</c>.</summary>
    public static KStream<KT, VR> Join<K, V, KT, VT, VR>(
        this KStream<K, V> stream, OptionalTable<KT, VT> table, Func<V, KT> key, Func<VT, KT> keyOfRow, Func<V, VT?, VR> selector)
        where VT : class
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(keyOfRow);
        ArgumentNullException.ThrowIfNull(selector);
        return stream.SelectKey((_, value) => key(value)).LeftJoin(table.Table, (KT found, V value, VT? row) =>
        {
            if (row is not null) QueryKeys.Demand(found, row, keyOfRow);
            return selector(value, row);
        });
    }

    /// <summary><c>join row in table</c> on <see cref="RecordKey.Same"/>: no record gets another key.</summary>
    public static KStream<K, VR> Join<K, V, VT, VR>(
        this KStream<K, V> stream, KTable<K, VT> table, Func<V, RecordKey> key, Func<VT, RecordKey> keyOfRow, Func<V, VT, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.Join(table, selector);
    }

    /// <summary><c>join row in table.OrNone()</c> on <see cref="RecordKey.Same"/>: no record gets another key, and one without a row has the result of <c>null</c>.</summary>
    public static KStream<K, VR> Join<K, V, VT, VR>(
        this KStream<K, V> stream, OptionalTable<K, VT> table, Func<V, RecordKey> key, Func<VT, RecordKey> keyOfRow, Func<V, VT?, VR> selector)
        where VT : class
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(table);
        return stream.LeftJoin(table.Table, selector);
    }

    /// <summary><c>join row in globalTable</c>: each record with the row that it names. The stream keeps its key.</summary>
    public static KStream<K, VR> Join<K, V, KG, VG, VR>(
        this KStream<K, V> stream, GlobalKTable<KG, VG> table, Func<V, KG> key, Func<VG, KG> keyOfRow, Func<V, VG, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(keyOfRow);
        ArgumentNullException.ThrowIfNull(selector);
        return stream.Join(table, (_, value) => key(value), (value, row) =>
        {
            QueryKeys.Demand(key(value), row, keyOfRow);
            return selector(value, row);
        });
    }

    /// <summary><c>join b in others.Within(windows)</c>: pairs of records whose keys are equal and whose times are close enough. Both get the key.</summary>
    public static KStream<KJ, VR> Join<K, V, KO, VO, KJ, VR>(
        this KStream<K, V> stream, StreamWithin<KO, VO> other, Func<V, KJ> key, Func<VO, KJ> otherKey, Func<V, VO, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(otherKey);
        return stream.SelectKey((_, value) => key(value)).Join(other.Stream.SelectKey((_, value) => otherKey(value)), selector, other.Windows);
    }

    /// <summary><c>join b in others.Within(windows)</c> on <see cref="RecordKey.Same"/>: both streams keep their keys.</summary>
    public static KStream<K, VR> Join<K, V, VO, VR>(
        this KStream<K, V> stream, StreamWithin<K, VO> other, Func<V, RecordKey> key, Func<VO, RecordKey> otherKey, Func<V, VO, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(other);
        return stream.Join(other.Stream, selector, other.Windows);
    }

    /// <summary>The time within which this stream's records meet those of another stream in a query's <c>join</c>.</summary>
    public static StreamWithin<K, V> Within<K, V>(this KStream<K, V> stream, JoinWindows windows)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(windows);
        return new StreamWithin<K, V>(stream, windows);
    }

    /// <summary><c>group v by key</c>: as <see cref="KStream{K, V}.GroupBy{KR}(Func{K, V, KR}, Grouped{KR, V})"/>.</summary>
    public static KGroupedStream<KR, V> GroupBy<K, V, KR>(this KStream<K, V> stream, Func<V, KR> key)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        return stream.GroupBy((_, value) => key(value));
    }

    /// <summary><c>group element by key</c>: as <see cref="KStream{K, V}.Map{KR, VR}"/> and then <see cref="KStream{K, V}.GroupByKey"/>.</summary>
    public static KGroupedStream<KR, VE> GroupBy<K, V, KR, VE>(this KStream<K, V> stream, Func<V, KR> key, Func<V, VE> element)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(element);
        return stream.Map((_, value) => KeyValuePair.Create(key(value), element(value))).GroupByKey();
    }

    /// <summary><c>group … into g select g.Count()</c>: the range variable is the grouped stream, with windows and aggregations.</summary>
    public static TResult Select<K, V, TResult>(this KGroupedStream<K, V> group, Func<KGroupedStream<K, V>, TResult> selector)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(selector);
        return selector(group);
    }

    /// <summary>Does not compile: <c>join</c> of two streams without a time.</summary>
    [Obsolete(NeedsWindow, error: true)]
    public static KStream<KJ, VR> Join<K, V, KO, VO, KJ, VR>(
        this KStream<K, V> stream, KStream<KO, VO> other, Func<V, KJ> key, Func<VO, KJ> otherKey, Func<V, VO, VR> selector) => throw new NotSupportedException(NeedsWindow);

    /// <summary>Does not compile: <c>orderby</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KStream<K, V> OrderBy<K, V, T>(this KStream<K, V> stream, Func<V, T> key) => throw new NotSupportedException(NoOrder);

    /// <summary>Does not compile: <c>orderby … descending</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KStream<K, V> OrderByDescending<K, V, T>(this KStream<K, V> stream, Func<V, T> key) => throw new NotSupportedException(NoOrder);

    /// <summary>Does not compile: a second key of <c>orderby</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KStream<K, V> ThenBy<K, V, T>(this KStream<K, V> stream, Func<V, T> key) => throw new NotSupportedException(NoOrder);

    /// <summary>Does not compile: a second key of <c>orderby</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KStream<K, V> ThenByDescending<K, V, T>(this KStream<K, V> stream, Func<V, T> key) => throw new NotSupportedException(NoOrder);
}
