using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>
/// Records held back until stream time has passed theirs, in order of time and then of arrival, each with the coordinates of its source record.
/// </summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type; <c>Change&lt;V&gt;</c> in <c>suppress</c>.</typeparam>
internal interface ITimeOrderedBuffer<K, V> : IStateStore
{
    /// <summary>Number of records held.</summary>
    int Count { get; }

    /// <summary>About how many bytes they take.</summary>
    long SizeBytes { get; }

    /// <summary>Time of the first record; <see cref="long.MaxValue"/> when there is none.</summary>
    long MinTime { get; }

    /// <summary>
    /// Holds a record back. In <c>suppress</c>, one of the same key replaces the one held, whose time and prior value it keeps.
    /// </summary>
    /// <param name="time">What it is ordered by.</param>
    /// <param name="record">The record.</param>
    /// <param name="coordinates">Where its source record came from.</param>
    void Put(long time, in Record<K, V> record, RecordCoordinates coordinates);

    /// <summary>Takes the first record out if its time is not after the given one.</summary>
    bool TryTakeFirst(long latestTime, out Record<K, V> record, out RecordCoordinates coordinates);
}

/// <summary>The buffer of <c>suppress</c>: one change per key. Source: Kafka's <c>InMemoryTimeOrderedKeyValueChangeBuffer</c>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type of the table.</typeparam>
internal interface ISuppressionBuffer<K, V> : ITimeOrderedBuffer<K, Change<V>>
{
    /// <summary>Whether a change of the key is held, and what the row was before it, as downstream still sees it.</summary>
    bool TryGetPrior(K key, [MaybeNullWhen(false)] out V value, out bool hasValue, out long timestamp);
}
