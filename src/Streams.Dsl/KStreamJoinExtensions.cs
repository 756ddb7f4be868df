using System.Runtime.CompilerServices;
using Streams.Dsl.Joins;
using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// Joins of streams in which a side may be missing. A missing side is <c>null</c> for classes and for structs alike: for a struct the joiner takes its
/// nullable form.
/// </summary>
public static class KStreamJoinExtensions
{
    /// <summary>
    /// Joins each record with the table's row of the same key, or with none; also a record without key is joined with none. Repartitions first if
    /// the key has been changed.
    /// </summary>
    public static KStream<K, VR> LeftJoin<K, V, VT, VR>(
        this KStream<K, V> stream, KTable<K, VT> table, Func<V, VT?, VR> joiner, Joined<K, V, VT>? joined = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamTableJoiner.Join(stream, table, Joiners.Of<K, V, VT, VR>(joiner), isLeft: true, joined);
    }

    /// <summary>
    /// Joins each record with the table's row of the same key, or with none; also a record without key is joined with none. Repartitions first if
    /// the key has been changed.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> LeftJoin<K, V, VT, VR>(
        this KStream<K, V> stream, KTable<K, VT> table, Func<V, VT?, VR> joiner, Joined<K, V, VT>? joined = null)
        where VT : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamTableJoiner.Join(stream, table, Joiners.RightStruct<K, V, VT, VR>(joiner), isLeft: true, joined);
    }

    /// <summary>
    /// Joins each record with the table's row of the same key, seeing the key, or with none; also a record without key is joined with none. Repartitions first if
    /// the key has been changed.
    /// </summary>
    public static KStream<K, VR> LeftJoin<K, V, VT, VR>(
        this KStream<K, V> stream, KTable<K, VT> table, Func<K, V, VT?, VR> joiner, Joined<K, V, VT>? joined = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamTableJoiner.Join(stream, table, Joiners.Of<K, V, VT, VR>(joiner), isLeft: true, joined);
    }

    /// <summary>
    /// Joins each record with the table's row of the same key, seeing the key, or with none; also a record without key is joined with none. Repartitions first if
    /// the key has been changed.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> LeftJoin<K, V, VT, VR>(
        this KStream<K, V> stream, KTable<K, VT> table, Func<K, V, VT?, VR> joiner, Joined<K, V, VT>? joined = null)
        where VT : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamTableJoiner.Join(stream, table, Joiners.RightStruct<K, V, VT, VR>(joiner), isLeft: true, joined);
    }

    /// <summary>Joins each record with the row that the selected key has in a global table, or with none.</summary>
    public static KStream<K, VR> LeftJoin<K, V, KG, VG, VR>(
        this KStream<K, V> stream, GlobalKTable<KG, VG> table, Func<K, V, KG> keySelector, Func<V, VG?, VR> joiner, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamTableJoiner.Join(stream, table, keySelector, Joiners.Of<K, V, VG, VR>(joiner), isLeft: true, named);
    }

    /// <summary>Joins each record with the row that the selected key has in a global table, or with none.</summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> LeftJoin<K, V, KG, VG, VR>(
        this KStream<K, V> stream, GlobalKTable<KG, VG> table, Func<K, V, KG> keySelector, Func<V, VG?, VR> joiner, Named? named = null)
        where VG : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamTableJoiner.Join(stream, table, keySelector, Joiners.RightStruct<K, V, VG, VR>(joiner), isLeft: true, named);
    }

    /// <summary>
    /// Joins every record of this stream with the other's records of equal key within the windows, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    public static KStream<K, VR> LeftJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<V, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.Of<K, V, VO, VR>(joiner), windows, JoinKind.Left, joined);
    }

    /// <summary>
    /// Joins every record of this stream with the other's records of equal key within the windows, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> LeftJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<V, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.RightStruct<K, V, VO, VR>(joiner), windows, JoinKind.Left, joined);
    }

    /// <summary>
    /// Joins every record of this stream with the other's records of equal key within the windows, seeing the key, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    public static KStream<K, VR> LeftJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<K, V, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.Of<K, V, VO, VR>(joiner), windows, JoinKind.Left, joined);
    }

    /// <summary>
    /// Joins every record of this stream with the other's records of equal key within the windows, seeing the key, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> LeftJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<K, V, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.RightStruct<K, V, VO, VR>(joiner), windows, JoinKind.Left, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.Of<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.RightStruct<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where V : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.LeftStruct<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(2)]
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where V : struct
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.BothStruct<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, seeing the key, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<K, V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.Of<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, seeing the key, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<K, V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.RightStruct<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, seeing the key, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(1)]
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<K, V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where V : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.LeftStruct<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }

    /// <summary>
    /// Joins every record of either stream with the other's records of equal key within the windows, seeing the key, or, when its window and the grace period have
    /// passed without any, with none.
    /// </summary>
    [OverloadResolutionPriority(2)]
    public static KStream<K, VR> OuterJoin<K, V, VO, VR>(
        this KStream<K, V> stream, KStream<K, VO> other, Func<K, V?, VO?, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null)
        where V : struct
        where VO : struct
    {
        ArgumentNullException.ThrowIfNull(stream);
        return StreamStreamJoiner.Join(stream, other, Joiners.BothStruct<K, V, VO, VR>(joiner), windows, JoinKind.Outer, joined);
    }
}
