using System.Runtime.CompilerServices;
using Streams.Dsl.Joins;
using Streams.Dsl.Joins.ForeignKey;
using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// Joins of tables in which a side may be missing. A missing side is <c>null</c> for classes and for structs alike: for a struct the joiner takes its
/// nullable form.
/// </summary>
public static class KTableJoinExtensions
{
    /// <summary>Every row of this table with the other's row of equal key, or with none. Both must have the same number of partitions.</summary>
    public static KTable<K, VR> LeftJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<V, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.Of<K, V, VO, VR>(joiner), JoinKind.Left, materialized, named);
    }

    /// <summary>Every row of this table with the other's row of equal key, or with none. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> LeftJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<V, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.RightStruct<K, V, VO, VR>(joiner), JoinKind.Left, materialized, named);
    }

    /// <summary>Every row of this table with the other's row of equal key, or with none, seeing the key. Both must have the same number of partitions.</summary>
    public static KTable<K, VR> LeftJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<K, V, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.Of<K, V, VO, VR>(joiner), JoinKind.Left, materialized, named);
    }

    /// <summary>Every row of this table with the other's row of equal key, or with none, seeing the key. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> LeftJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<K, V, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.RightStruct<K, V, VO, VR>(joiner), JoinKind.Left, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none. Both must have the same number of partitions.</summary>
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.Of<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.RightStruct<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where V : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.LeftStruct<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(2)]
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where V : struct
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.BothStruct<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none, seeing the key. Both must have the same number of partitions.</summary>
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<K, V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.Of<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none, seeing the key. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<K, V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.RightStruct<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none, seeing the key. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<K, V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where V : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.LeftStruct<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>Every row of either table with the other's row of equal key, or with none, seeing the key. Both must have the same number of partitions.</summary>
    [OverloadResolutionPriority(2)]
    public static KTable<K, VR> OuterJoin<K, V, VO, VR>(
        this KTable<K, V> table, KTable<K, VO> other, Func<K, V?, VO?, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null)
        where V : struct
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        return TableJoin<K, V, VO, VR>.Add(table, other, Joiners.BothStruct<K, V, VO, VR>(joiner), JoinKind.Outer, materialized, named);
    }

    /// <summary>
    /// Every row of this table combined with the row of the other table whose key it names, or with none. Source: KIP-213.
    /// </summary>
    public static KTable<K, VR> LeftJoin<K, V, KO, VO, VR>(
        this KTable<K, V> table,
        KTable<KO, VO> other,
        Func<V, KO> foreignKeyExtractor,
        Func<V, VO?, VR> joiner,
        TableJoined<K, KO>? joined = null,
        Materialized<K, VR>? materialized = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(foreignKeyExtractor);
        return ForeignKeyJoiner.Join(table, other, (_, value) => foreignKeyExtractor(value), Joiners.Of<K, V, VO, VR>(joiner), isLeft: true, joined, materialized);
    }

    /// <summary>
    /// Every row of this table combined with the row of the other table whose key it names, or with none. Source: KIP-213.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> LeftJoin<K, V, KO, VO, VR>(
        this KTable<K, V> table,
        KTable<KO, VO> other,
        Func<V, KO> foreignKeyExtractor,
        Func<V, VO?, VR> joiner,
        TableJoined<K, KO>? joined = null,
        Materialized<K, VR>? materialized = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(foreignKeyExtractor);
        return ForeignKeyJoiner.Join(table, other, (_, value) => foreignKeyExtractor(value), Joiners.RightStruct<K, V, VO, VR>(joiner), isLeft: true, joined, materialized);
    }

    /// <summary>
    /// Every row of this table combined with the row of the other table whose key it names by key and value, or with none. Source: KIP-213.
    /// </summary>
    public static KTable<K, VR> LeftJoin<K, V, KO, VO, VR>(
        this KTable<K, V> table,
        KTable<KO, VO> other,
        Func<K, V, KO> foreignKeyExtractor,
        Func<V, VO?, VR> joiner,
        TableJoined<K, KO>? joined = null,
        Materialized<K, VR>? materialized = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(foreignKeyExtractor);
        return ForeignKeyJoiner.Join(table, other, foreignKeyExtractor, Joiners.Of<K, V, VO, VR>(joiner), isLeft: true, joined, materialized);
    }

    /// <summary>
    /// Every row of this table combined with the row of the other table whose key it names by key and value, or with none. Source: KIP-213.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KTable<K, VR> LeftJoin<K, V, KO, VO, VR>(
        this KTable<K, V> table,
        KTable<KO, VO> other,
        Func<K, V, KO> foreignKeyExtractor,
        Func<V, VO?, VR> joiner,
        TableJoined<K, KO>? joined = null,
        Materialized<K, VR>? materialized = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(foreignKeyExtractor);
        return ForeignKeyJoiner.Join(table, other, foreignKeyExtractor, Joiners.RightStruct<K, V, VO, VR>(joiner), isLeft: true, joined, materialized);
    }
}
