namespace Streams.Dsl.Nodes;

/// <summary>Combines two sides, either of which may be missing where the kind of join allows it.</summary>
internal delegate VR Joiner<in K, in VL, in VRight, out VR>(K key, VL left, bool hasLeft, VRight right, bool hasRight);

/// <summary>Turns users' joiners into <see cref="Joiner{K, VL, VRight, VR}"/>: a missing side becomes <c>null</c>, also where it is a struct.</summary>
internal static class Joiners
{
    public static Joiner<K, VL, VRight, VR> Of<K, VL, VRight, VR>(Func<VL, VRight, VR> joiner)
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (_, left, _, right, _) => joiner(left, right);
    }

    public static Joiner<K, VL, VRight, VR> Of<K, VL, VRight, VR>(Func<K, VL, VRight, VR> joiner)
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (key, left, _, right, _) => joiner(key, left, right);
    }

    public static Joiner<K, VL, VRight, VR> RightStruct<K, VL, VRight, VR>(Func<VL, VRight?, VR> joiner)
        where VRight : struct
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (_, left, _, right, hasRight) => joiner(left, hasRight ? right : null);
    }

    public static Joiner<K, VL, VRight, VR> RightStruct<K, VL, VRight, VR>(Func<K, VL, VRight?, VR> joiner)
        where VRight : struct
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (key, left, _, right, hasRight) => joiner(key, left, hasRight ? right : null);
    }

    public static Joiner<K, VL, VRight, VR> LeftStruct<K, VL, VRight, VR>(Func<VL?, VRight, VR> joiner)
        where VL : struct
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (_, left, hasLeft, right, _) => joiner(hasLeft ? left : null, right);
    }

    public static Joiner<K, VL, VRight, VR> LeftStruct<K, VL, VRight, VR>(Func<K, VL?, VRight, VR> joiner)
        where VL : struct
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (key, left, hasLeft, right, _) => joiner(key, hasLeft ? left : null, right);
    }

    public static Joiner<K, VL, VRight, VR> BothStruct<K, VL, VRight, VR>(Func<VL?, VRight?, VR> joiner)
        where VL : struct
        where VRight : struct
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (_, left, hasLeft, right, hasRight) => joiner(hasLeft ? left : null, hasRight ? right : null);
    }

    public static Joiner<K, VL, VRight, VR> BothStruct<K, VL, VRight, VR>(Func<K, VL?, VRight?, VR> joiner)
        where VL : struct
        where VRight : struct
    {
        ArgumentNullException.ThrowIfNull(joiner);
        return (key, left, hasLeft, right, hasRight) => joiner(key, hasLeft ? left : null, hasRight ? right : null);
    }

    /// <summary>The same joiner, told the sides the other way round.</summary>
    public static Joiner<K, VRight, VL, VR> Reversed<K, VL, VRight, VR>(Joiner<K, VL, VRight, VR> joiner) =>
        (key, right, hasRight, left, hasLeft) => joiner(key, left, hasLeft, right, hasRight);
}
