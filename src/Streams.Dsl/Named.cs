using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>The name of an operator, instead of a generated one. A plain string converts to it. Source: KIP-307.</summary>
/// <remarks>
/// Names are 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', and neither "." nor "..", because internal topics are named after operators.
/// </remarks>
public sealed record Named
{
    private const int MaxLength = 249;

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private Named(string name) => Name = name;

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>Names an operator.</summary>
    /// <exception cref="TopologyException">The text is not a name.</exception>
    public static Named As(string name)
    {
        Validate(name);
        return new Named(name);
    }

    /// <summary>Names an operator; <c>null</c> leaves it to be generated.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "As is the named form.")]
    [return: NotNullIfNotNull(nameof(name))]
    public static implicit operator Named?(string? name) => name is null ? null : As(name);

    internal static void Validate(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > MaxLength || name is "." or ".." || name.AsSpan().ContainsAnyExcept(_allowed))
        {
            throw new TopologyException(
                $"'{name}' cannot be a name: use 1 to {MaxLength} characters of a-z, A-Z, 0-9, '.', '_' and '-', and neither '.' nor '..'.");
        }
    }

    internal static string? Checked(string? name)
    {
        if (name is not null) Validate(name);
        return name;
    }
}
