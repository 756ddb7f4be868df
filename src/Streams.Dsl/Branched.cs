using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>The name of a branch, where its types are inferred. Converts to <see cref="Branched{K, V}"/>. Source: KIP-418.</summary>
public sealed record Branched
{
    private Branched(string name) => Name = name;

    internal string Name { get; }

    /// <summary>Names the branch; its key in the result is the split's name followed by this one.</summary>
    public static Branched As(string name) => new(Named.As(name).Name);

    /// <summary>Gives the branch's stream to a function; what it returns stands in the result, unless it is <c>null</c>.</summary>
    public static Branched<K, V> WithFunction<K, V>(Func<KStream<K, V>, KStream<K, V>?> chain, string? name = null) => new() { Chain = chain, Name = name };

    /// <summary>Gives the branch's stream to an action; the branch is not in the result.</summary>
    public static Branched<K, V> WithConsumer<K, V>(Action<KStream<K, V>> chain, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return new()
        {
            Name = name,
            Chain = stream =>
            {
                chain(stream);
                return null;
            },
        };
    }
}

/// <summary>What becomes of a branch. Source: KIP-418.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record Branched<K, V>
{
    /// <summary>Name of the branch. Default: its number from 1, "0" for the default branch.</summary>
    public string? Name
    {
        get;
        init => field = Named.Checked(value);
    }

    /// <summary>Continues the branch; <c>null</c> leaves its stream in the result.</summary>
    public Func<KStream<K, V>, KStream<K, V>?>? Chain { get; init; }

    /// <summary>Takes over what was said without types.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Setting the property is the named form.")]
    [return: NotNullIfNotNull(nameof(branched))]
    public static implicit operator Branched<K, V>?(Branched? branched) => branched is null ? null : new() { Name = branched.Name };
}
