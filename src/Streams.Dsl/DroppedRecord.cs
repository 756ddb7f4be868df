namespace Streams.Dsl;

/// <summary>
/// A record that an operator left out, and why. The value of a side output: the record keeps the key, time and headers that it came with.
/// Kafka Streams counts such records and says so in the log; it does not hand them out.
/// </summary>
/// <typeparam name="V">Type of the record's value.</typeparam>
public sealed record DroppedRecord<V>
{
    /// <summary>Why it was left out.</summary>
    public required DropReason Reason { get; init; }

    /// <summary>Name of the operator that left it out, as in the topology's description.</summary>
    public required string Operator { get; init; }

    /// <summary>The value that it came with; meaningful only when <see cref="HasValue"/> (for reference types: <c>null</c> otherwise).</summary>
    public required V Value { get; init; }

    /// <summary>Whether it came with a value.</summary>
    public required bool HasValue { get; init; }

    /// <summary>
    /// The window that it came too late for. A record that is in several windows is left out of each by itself: one dropped record per window. <c>null</c> where no
    /// window has to do with it.
    /// </summary>
    public Window? Window { get; init; }

    /// <summary>Stream time as the operator saw it, Unix milliseconds: the task's where the operator has none of its own; -1 before the first record.</summary>
    public required long StreamTimeMs { get; init; }

    /// <summary>Where the record was read that led to this one; <c>null</c> when it came out of a punctuator.</summary>
    public RecordMetadata? Origin { get; init; }
}
