using Streams.Core;

namespace Streams.Reactive;

/// <summary>What a <see cref="ViewChange{K, V}"/> tells.</summary>
public enum ViewChangeKind
{
    /// <summary>A row of the table as it was when the view of its partition began.</summary>
    Row,

    /// <summary>All rows of a partition have been told; what follows of it are updates. Comes for empty partitions too.</summary>
    Ready,

    /// <summary>A row is new or has changed, or, in a record without value, has been deleted.</summary>
    Update,

    /// <summary>
    /// The partition has left this instance, or what had not been committed of it has been given up: what was told of its rows holds no more. If it comes back, its rows are told anew.
    /// </summary>
    Lost,
}

/// <summary>One piece of news of a live view.</summary>
/// <param name="Kind">What it tells.</param>
/// <param name="Partition">Partition of the table.</param>
/// <param name="Record">
/// Key, value and time of the row; without key and value for <see cref="ViewChangeKind.Ready"/> and <see cref="ViewChangeKind.Lost"/>. The time of a <see cref="ViewChangeKind.Row"/> is that in the store;
/// the rows of session windows have the end of their window.
/// </param>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public readonly record struct ViewChange<K, V>(ViewChangeKind Kind, int Partition, Record<K, V> Record);
