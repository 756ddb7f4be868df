using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>An explicit repartition topic, where the types are inferred. Converts to <see cref="Repartitioned{K, V}"/>. Source: KIP-221.</summary>
public sealed record Repartitioned
{
    private Repartitioned()
    {
    }

    internal string? Name { get; private init; }

    internal int? NumberOfPartitions { get; private init; }

    /// <summary>Names the topic <c>application-name-repartition</c>.</summary>
    public static Repartitioned As(string name) => new() { Name = Named.Checked(name) };

    /// <summary>Gives the topic so many partitions.</summary>
    public static Repartitioned With(int numberOfPartitions) => new Repartitioned().WithNumberOfPartitions(numberOfPartitions);

    /// <summary>Writes with these serdes; <c>null</c> leaves one to be inherited or found by type.</summary>
    public static Repartitioned<K, V> With<K, V>(ISerde<K>? keySerde, ISerde<V>? valueSerde) => new() { KeySerde = keySerde, ValueSerde = valueSerde };

    /// <summary>The same with another number of partitions.</summary>
    public Repartitioned WithNumberOfPartitions(int numberOfPartitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numberOfPartitions, 1);
        return this with { NumberOfPartitions = numberOfPartitions };
    }
}

/// <summary>An explicit repartition topic. Source: KIP-221.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record Repartitioned<K, V>
{
    /// <summary>The topic becomes <c>application-name-repartition</c>. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Serde of the keys. Default: the stream's, else found by type.</summary>
    public ISerde<K>? KeySerde { get; init; }

    /// <summary>Serde of the values. Default: the stream's, else found by type.</summary>
    public ISerde<V>? ValueSerde { get; init; }

    /// <summary>Number of partitions, 1 or more. Default: that of the topics the stream comes from, or of what it is joined with.</summary>
    public int? NumberOfPartitions
    {
        get;
        init
        {
            if (value is { } count) ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
            field = value;
        }
    }

    /// <summary>Chooses the partition. Default: the hash of the serialised key.</summary>
    public StreamPartitioner<K, V>? Partitioner { get; init; }

    /// <summary>The same with another name.</summary>
    public Repartitioned<K, V> WithName(string name) => this with { Name = name };

    /// <summary>The same with another number of partitions.</summary>
    public Repartitioned<K, V> WithNumberOfPartitions(int numberOfPartitions) => this with { NumberOfPartitions = numberOfPartitions };

    /// <summary>The same with another choice of partitions.</summary>
    public Repartitioned<K, V> WithStreamPartitioner(StreamPartitioner<K, V> partitioner) => this with { Partitioner = partitioner };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the properties is the named form.")]
    [return: NotNullIfNotNull(nameof(repartitioned))]
    public static implicit operator Repartitioned<K, V>?(Repartitioned? repartitioned) => repartitioned is null
        ? null
        : new() { Name = repartitioned.Name, NumberOfPartitions = repartitioned.NumberOfPartitions };
}
