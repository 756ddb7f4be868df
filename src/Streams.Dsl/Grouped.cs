using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>How a stream or table is grouped, where the types are inferred. Converts to <see cref="Grouped{K, V}"/>. Source: KIP-372.</summary>
public sealed record Grouped
{
    private Grouped(string name) => Name = name;

    internal string Name { get; }

    /// <summary>Names the grouping: the repartition topic, if one is needed, becomes <c>application-name-repartition</c>.</summary>
    public static Grouped As(string name) => new(Named.As(name).Name);

    /// <summary>Groups with these serdes; <c>null</c> leaves one to be inherited or found by type.</summary>
    public static Grouped<K, V> With<K, V>(ISerde<K>? keySerde, ISerde<V>? valueSerde) => new() { KeySerde = keySerde, ValueSerde = valueSerde };

    /// <summary>Groups with this name and these serdes.</summary>
    public static Grouped<K, V> With<K, V>(string name, ISerde<K>? keySerde, ISerde<V>? valueSerde) =>
        new() { Name = name, KeySerde = keySerde, ValueSerde = valueSerde };
}

/// <summary>How a stream or table is grouped: name of the repartition topic and its serdes. Source: KIP-372.</summary>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record Grouped<K, V>
{
    /// <summary>Name of the repartition topic and of the operator that selects the key. Default: generated from the store's name.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Serde of the group's keys. Default: inherited when the key is not changed, else found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Serde of the values. Default: inherited, else found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>The same with another name.</summary>
    public Grouped<K, V> WithName(string name) => this with { Name = name };

    /// <summary>The same with another key serde.</summary>
    public Grouped<K, V> WithKeySerde(ISerde<K> serde) => this with { KeySerde = serde };

    /// <summary>The same with another value serde.</summary>
    public Grouped<K, V> WithValueSerde(ISerde<V> serde) => this with { ValueSerde = serde };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the property is the named form.")]
    [return: NotNullIfNotNull(nameof(grouped))]
    public static implicit operator Grouped<K, V>?(Grouped? grouped) => grouped is null ? null : new() { Name = grouped.Name };
}
