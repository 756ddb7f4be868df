namespace Streams.Core;

/// <summary>
/// An update of a table's row: what it is now and, where somebody downstream asked for it, what it was. The value that tables send through
/// the topology.
/// </summary>
/// <remarks>Absent sides are flags, never <c>default</c>. Source: Kafka's <c>Change</c>.</remarks>
/// <typeparam name="V">The table's value type.</typeparam>
public readonly struct Change<V>
{
    /// <summary>Creates a change; a <c>null</c> side is an absent one.</summary>
    public Change(V newValue, V oldValue, bool isLatest = true)
        : this(newValue, Nullability.IsPresent(newValue), oldValue, Nullability.IsPresent(oldValue), isLatest)
    {
    }

    /// <summary>Creates a change whose sides are present or absent as told; what is given for an absent one is ignored.</summary>
    public Change(V newValue, bool hasNew, V oldValue, bool hasOld, bool isLatest = true)
    {
        // A mapper or joiner that knows only null is handed the side as it stands here.
        NewValue = hasNew ? newValue : default!;
        OldValue = hasOld ? oldValue : default!;
        HasNew = hasNew;
        HasOld = hasOld;
        IsLatest = isLatest;
    }

    /// <summary>The row now; meaningful only when <see cref="HasNew"/> (for reference types: <c>null</c> otherwise).</summary>
    public V NewValue { get; }

    /// <summary>The row before; meaningful only when <see cref="HasOld"/> (for reference types: <c>null</c> otherwise).</summary>
    public V OldValue { get; }

    /// <summary>Whether the row exists after the update; false for a deletion.</summary>
    public bool HasNew { get; }

    /// <summary>Whether the row existed before and its old value was asked for.</summary>
    public bool HasOld { get; }

    /// <summary>False only when a versioned table took an update that is older than the row it already has.</summary>
    public bool IsLatest { get; }

    /// <inheritdoc/>
    public override string ToString() => $"({(HasNew ? NewValue : "null")} <- {(HasOld ? OldValue : "null")})";
}
