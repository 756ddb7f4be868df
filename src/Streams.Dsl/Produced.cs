using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>How a sink writes, where the types are inferred. Converts to <see cref="Produced{K, V}"/>. Source: Kafka's <c>Produced</c>.</summary>
public sealed record Produced
{
    private Produced(string name) => Name = name;

    internal string Name { get; }

    /// <summary>Names the sink's node.</summary>
    public static Produced As(string name) => new(Named.As(name).Name);

    /// <summary>Writes with these serdes; <c>null</c> leaves one to be inherited or found by type.</summary>
    public static Produced<K, V> With<K, V>(ISerde<K>? keySerde, ISerde<V>? valueSerde) => new() { KeySerde = keySerde, ValueSerde = valueSerde };

    /// <summary>Writes to the partitions that the function chooses.</summary>
    public static Produced<K, V> With<K, V>(StreamPartitioner<K, V> partitioner) => new() { Partitioner = partitioner };
}

/// <summary>How a sink writes. Source: Kafka's <c>Produced</c>.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record Produced<K, V>
{
    /// <summary>Name of the sink's node. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Writes keys. Default: the stream's, else found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Writes values. Default: the stream's, else found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>Chooses the partition. Default: the hash of the serialised key, of a windowed key's inner key.</summary>
    public StreamPartitioner<K, V>? Partitioner { get; init; }

    /// <summary>The same with another name.</summary>
    public Produced<K, V> WithName(string name) => this with { Name = name };

    /// <summary>The same with another key serde.</summary>
    public Produced<K, V> WithKeySerde(ISerde<K> serde) => this with { KeySerde = serde };

    /// <summary>The same with another value serde.</summary>
    public Produced<K, V> WithValueSerde(ISerde<V> serde) => this with { ValueSerde = serde };

    /// <summary>The same with another choice of partitions.</summary>
    public Produced<K, V> WithStreamPartitioner(StreamPartitioner<K, V> partitioner) => this with { Partitioner = partitioner };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the property is the named form.")]
    [return: NotNullIfNotNull(nameof(produced))]
    public static implicit operator Produced<K, V>?(Produced? produced) => produced is null ? null : new() { Name = produced.Name };
}
