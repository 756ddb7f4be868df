using System.Diagnostics.CodeAnalysis;
using Streams.Dsl.Dropped;

namespace Streams.Dsl;

/// <summary>A join of a stream with a table, where the types are inferred. Converts to <see cref="Joined{K, V, VO}"/>. Source: Kafka's <c>Joined</c>.</summary>
public sealed record Joined
{
    private Joined()
    {
    }

    internal string? Name { get; private init; }

    internal TimeSpan? GracePeriod { get; private init; }

    /// <summary>Names the join and, if the stream's key has been changed, its repartition topic.</summary>
    public static Joined As(string name) => new() { Name = Named.Checked(name) };

    /// <summary>Serdes of the stream, for its repartition topic; <c>null</c> leaves one to be inherited or found by type.</summary>
    public static Joined<K, V, VO> With<K, V, VO>(ISerde<K>? keySerde, ISerde<V>? valueSerde, ISerde<VO>? otherValueSerde) =>
        new() { KeySerde = keySerde, ValueSerde = valueSerde, OtherValueSerde = otherValueSerde };

    /// <summary>Holds each record back for so long, counted in stream time, so that earlier versions of the row may still come. Source: KIP-923.</summary>
    public static Joined With(TimeSpan gracePeriod) => new Joined().WithGracePeriod(gracePeriod);

    /// <summary>The same with a grace period.</summary>
    public Joined WithGracePeriod(TimeSpan gracePeriod)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gracePeriod, TimeSpan.Zero);
        return this with { GracePeriod = gracePeriod };
    }
}

/// <summary>A join of a stream with a table. Source: Kafka's <c>Joined</c>, KIP-923.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">The stream's value type.</typeparam>
/// <typeparam name="VO">The table's value type.</typeparam>
public sealed record Joined<K, V, VO>
{
    /// <summary>Name of the join and of the stream's repartition topic, if one is needed. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Serde of the keys. Default: the stream's, else found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Serde of the stream's values. Default: the stream's, else found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>Serde of the other side's values; kept for completeness, a table has its own.</summary>
    public ISerde<VO>? OtherValueSerde { get; init; }

    /// <summary>How long records are held back, in stream time, before they are joined. Default: not at all. Needs a versioned table.</summary>
    public TimeSpan? GracePeriod
    {
        get;
        init
        {
            if (value is { } grace) ArgumentOutOfRangeException.ThrowIfLessThan(grace, TimeSpan.Zero);
            field = value;
        }
    }

    internal DroppedOutput<K, V>? Dropped { get; init; }

    /// <summary>
    /// The same with a way of their own for records of the stream that the join leaves out: those without value and, in an inner join, those without key. See
    /// <see cref="KGroupedStream{K, V}.WithDropped"/>.
    /// </summary>
    /// <param name="use">Called with their stream when the join is added.</param>
    /// <param name="named">Name of the node that gives them.</param>
    public Joined<K, V, VO> WithDropped(Action<KStream<K, DroppedRecord<V>>> use, Named? named = null) =>
        this with { Dropped = DroppedOutput<K, V>.Of(use, named) };

    /// <summary>The same with another name.</summary>
    public Joined<K, V, VO> WithName(string name) => this with { Name = name };

    /// <summary>The same with a grace period.</summary>
    public Joined<K, V, VO> WithGracePeriod(TimeSpan gracePeriod) => this with { GracePeriod = gracePeriod };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the properties is the named form.")]
    [return: NotNullIfNotNull(nameof(joined))]
    public static implicit operator Joined<K, V, VO>?(Joined? joined) =>
        joined is null ? null : new() { Name = joined.Name, GracePeriod = joined.GracePeriod };
}
