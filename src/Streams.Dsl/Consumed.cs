using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>
/// How a source reads, where the types of its records are inferred: <c>Consumed.As("orders")</c>. Converts to <see cref="Consumed{K, V}"/>.
/// Source: Kafka's <c>Consumed</c>.
/// </summary>
public sealed record Consumed
{
    private Consumed()
    {
    }

    internal string? Name { get; private init; }

    internal AutoOffsetReset? OffsetReset { get; private init; }

    internal TimestampPolicy? TimestampPolicy { get; private init; }

    /// <summary>Names the source's node.</summary>
    public static Consumed As(string name) => new() { Name = Named.Checked(name) };

    /// <summary>Reads with these serdes; <c>null</c> leaves one to be found by type.</summary>
    public static Consumed<K, V> With<K, V>(ISerde<K>? keySerde, ISerde<V>? valueSerde) => new() { KeySerde = keySerde, ValueSerde = valueSerde };

    /// <summary>Starts there when the application has no committed offset.</summary>
    public static Consumed With(AutoOffsetReset offsetReset) => new() { OffsetReset = offsetReset };

    /// <summary>Takes the event time as told.</summary>
    public static Consumed With(TimestampPolicy policy) => new() { TimestampPolicy = policy };

    /// <summary>The same with another start.</summary>
    public Consumed WithOffsetReset(AutoOffsetReset offsetReset) => this with { OffsetReset = offsetReset };

    /// <summary>The same with another event time.</summary>
    public Consumed WithTimestampPolicy(TimestampPolicy policy) => this with { TimestampPolicy = policy };

    /// <summary>The same with another name.</summary>
    public Consumed WithName(string name) => this with { Name = Named.Checked(name) };
}

/// <summary>How a source reads. Source: Kafka's <c>Consumed</c>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record Consumed<K, V>
{
    /// <summary>Name of the source's node. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Reads keys. Default: found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Reads values. Default: found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>Gives records their event time. Default: <see cref="TimestampPolicy"/>.</summary>
    public TimestampExtractor<K, V>? TimestampExtractor { get; init; }

    /// <summary>How the record's own timestamp is used. Default: the application's setting.</summary>
    public TimestampPolicy? TimestampPolicy { get; init; }

    /// <summary>Where to start without a committed offset. Default: the application's setting.</summary>
    public AutoOffsetReset? OffsetReset { get; init; }

    /// <summary>The same with another name.</summary>
    public Consumed<K, V> WithName(string name) => this with { Name = name };

    /// <summary>The same with another key serde.</summary>
    public Consumed<K, V> WithKeySerde(ISerde<K> serde) => this with { KeySerde = serde };

    /// <summary>The same with another value serde.</summary>
    public Consumed<K, V> WithValueSerde(ISerde<V> serde) => this with { ValueSerde = serde };

    /// <summary>The same with another source of event time.</summary>
    public Consumed<K, V> WithTimestampExtractor(TimestampExtractor<K, V> extractor) => this with { TimestampExtractor = extractor };

    /// <summary>The same with another start.</summary>
    public Consumed<K, V> WithOffsetReset(AutoOffsetReset offsetReset) => this with { OffsetReset = offsetReset };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the properties is the named form.")]
    [return: NotNullIfNotNull(nameof(consumed))]
    public static implicit operator Consumed<K, V>?(Consumed? consumed) => consumed is null
        ? null
        : new() { Name = consumed.Name, OffsetReset = consumed.OffsetReset, TimestampPolicy = consumed.TimestampPolicy };
}
