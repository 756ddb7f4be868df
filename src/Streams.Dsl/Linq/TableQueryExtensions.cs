using Streams.Dsl.Linq;

namespace Streams.Dsl;

/// <summary>
/// What lets tables stand in C# query expressions. The range variable is the row's value; each clause is one operator of the fluent form.
/// </summary>
/// <remarks>
/// <c>join b in others on a.BId equals b.Id</c> joins by foreign key: <c>b.Id</c> must be what the other table is keyed by, and it is checked for each row
/// that is found. Tables with the same key join on <see cref="RecordKey.Same"/>.
/// </remarks>
public static class TableQueryExtensions
{
    private const string NoOrder =
        "A table changes for ever, so its rows cannot be ordered as a whole. For the largest few per group see TopN; a store is read in the order of its keys by queries.";

    /// <summary><c>where</c>: as <see cref="KTable{K, V}.Filter(Func{K, V, bool}, Materialized{K, V}, Named)"/>.</summary>
    public static KTable<K, V> Where<K, V>(this KTable<K, V> table, Func<V, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(predicate);
        return table.Filter((_, value) => predicate(value));
    }

    /// <summary><c>select</c> and <c>let</c>: as <see cref="KTable{K, V}.MapValues{VR}(Func{V, VR}, Materialized{K, VR}, Named)"/>.</summary>
    public static KTable<K, VR> Select<K, V, VR>(this KTable<K, V> table, Func<V, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(table);
        return table.MapValues(selector);
    }

    /// <summary><c>join b in others on a.BId equals b.Id</c>: by foreign key.</summary>
    public static KTable<K, VR> Join<K, V, KO, VO, VR>(
        this KTable<K, V> table, KTable<KO, VO> other, Func<V, KO> key, Func<VO, KO> keyOfRow, Func<V, VO, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(keyOfRow);
        ArgumentNullException.ThrowIfNull(selector);
        return table.Join(other, (_, value) => key(value), (value, row) =>
        {
            QueryKeys.Demand(key(value), row, keyOfRow);
            return selector(value, row);
        });
    }

    /// <summary><c>join b in others.OrNone() on a.BId equals b.Id</c>: by foreign key; a row without another has the result of <c>null</c>.</summary>
    public static KTable<K, VR> Join<K, V, KO, VO, VR>(
        this KTable<K, V> table, OptionalTable<KO, VO> other, Func<V, KO> key, Func<VO, KO> keyOfRow, Func<V, VO?, VR> selector)
        where VO : class
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(keyOfRow);
        ArgumentNullException.ThrowIfNull(selector);
        return table.LeftJoin(other.Table, (_, value) => key(value), (V value, VO? row) =>
        {
            if (row is not null) QueryKeys.Demand(key(value), row, keyOfRow);
            return selector(value, row);
        });
    }

    /// <summary><c>join b in others</c> on <see cref="RecordKey.Same"/>: rows with equal keys.</summary>
    public static KTable<K, VR> Join<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<V, RecordKey> key, Func<VO, RecordKey> keyOfRow, Func<V, VO, VR> selector)
    {
        ArgumentNullException.ThrowIfNull(table);
        return table.Join(other, selector);
    }

    /// <summary><c>join b in others.OrNone()</c> on <see cref="RecordKey.Same"/>: rows with equal keys; one without another has the result of <c>null</c>.</summary>
    public static KTable<K, VR> Join<K, V, VO, VR>(
        this KTable<K, V> table, OptionalTable<K, VO> other, Func<V, RecordKey> key, Func<VO, RecordKey> keyOfRow, Func<V, VO?, VR> selector)
        where VO : class
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(other);
        return table.LeftJoin(other.Table, selector);
    }

    /// <summary>Makes a query's <c>join</c> with this table keep what has no row in it, with <c>null</c> in the row's place (a left join).</summary>
    public static OptionalTable<K, V> OrNone<K, V>(this KTable<K, V> table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return new OptionalTable<K, V>(table);
    }

    /// <summary><c>group row by key</c>: as <see cref="KTable{K, V}.GroupBy{KR, VR}"/>.</summary>
    public static KGroupedTable<KR, V> GroupBy<K, V, KR>(this KTable<K, V> table, Func<V, KR> key) => table.GroupBy(key, static value => value);

    /// <summary><c>group element by key</c>: as <see cref="KTable{K, V}.GroupBy{KR, VR}"/>.</summary>
    public static KGroupedTable<KR, VE> GroupBy<K, V, KR, VE>(this KTable<K, V> table, Func<V, KR> key, Func<V, VE> element)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(element);
        return table.GroupBy((_, value) => KeyValuePair.Create(key(value), element(value)));
    }

    /// <summary><c>group … into g select g.Count()</c>: the range variable is the grouped table.</summary>
    public static TResult Select<K, V, TResult>(this KGroupedTable<K, V> group, Func<KGroupedTable<K, V>, TResult> selector)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(selector);
        return selector(group);
    }

    /// <summary>Does not compile: <c>orderby</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KTable<K, V> OrderBy<K, V, T>(this KTable<K, V> table, Func<V, T> key) => throw new NotSupportedException(NoOrder);

    /// <summary>Does not compile: <c>orderby … descending</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KTable<K, V> OrderByDescending<K, V, T>(this KTable<K, V> table, Func<V, T> key) => throw new NotSupportedException(NoOrder);

    /// <summary>Does not compile: a second key of <c>orderby</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KTable<K, V> ThenBy<K, V, T>(this KTable<K, V> table, Func<V, T> key) => throw new NotSupportedException(NoOrder);

    /// <summary>Does not compile: a second key of <c>orderby</c>.</summary>
    [Obsolete(NoOrder, error: true)]
    public static KTable<K, V> ThenByDescending<K, V, T>(this KTable<K, V> table, Func<V, T> key) => throw new NotSupportedException(NoOrder);
}
