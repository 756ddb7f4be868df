using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>A value that may be absent, also where <typeparamref name="T"/> is a struct. A <c>null</c> converts to an absent one.</summary>
public readonly struct Optional<T>
{
    private readonly T _value;

    /// <summary>Wraps a value; <c>null</c> gives an absent one.</summary>
    public Optional(T value)
    {
        _value = value;
        HasValue = Nullability.IsPresent(value);
    }

    /// <summary>Whether there is a value.</summary>
    public bool HasValue { get; }

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public T Value => HasValue ? _value : throw new InvalidOperationException("The optional value is absent; test HasValue first.");

    /// <summary>Gives the value if there is one.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value)
    {
        value = _value;
        return HasValue;
    }

    /// <summary>The value, or the given one when absent.</summary>
    public T GetValueOrDefault(T fallback) => HasValue ? _value : fallback;

    /// <summary>Wraps a value.</summary>
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "The constructor is the named form.")]
    public static implicit operator Optional<T>(T value) => new(value);

    /// <inheritdoc/>
    public override string ToString() => HasValue ? _value!.ToString() ?? "" : "absent";
}
