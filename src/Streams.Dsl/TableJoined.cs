using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>A foreign-key join, where the types are inferred. Converts to <see cref="TableJoined{K, KO}"/>. Source: KIP-775.</summary>
public sealed record TableJoined
{
    private TableJoined(string name) => Name = name;

    internal string Name { get; }

    /// <summary>Names the join, its two internal topics and its store.</summary>
    public static TableJoined As(string name) => new(Named.As(name).Name);
}

/// <summary>A foreign-key join: its name, and how both tables are partitioned where that is not by the hash of their keys. Source: KIP-775.</summary>
/// <typeparam name="K">Key type of this table.</typeparam>
/// <typeparam name="KO">Key type of the other table.</typeparam>
public sealed record TableJoined<K, KO>
{
    /// <summary>Name of the join, its internal topics and its store. Default: generated.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Gives the partition that a key of this table is in: 0 to count - 1. Default: the one that the row came from.</summary>
    public Func<string, K, int, int?>? Partitioner { get; init; }

    /// <summary>Gives the partition that a key of the other table is in. Default: by the hash of the serialised key.</summary>
    public Func<string, KO, int, int?>? OtherPartitioner { get; init; }

    /// <summary>The same with another name.</summary>
    public TableJoined<K, KO> WithName(string name) => this with { Name = name };

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the property is the named form.")]
    [return: NotNullIfNotNull(nameof(joined))]
    public static implicit operator TableJoined<K, KO>?(TableJoined? joined) => joined is null ? null : new() { Name = joined.Name };
}
