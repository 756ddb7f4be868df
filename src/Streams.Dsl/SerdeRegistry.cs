using System.Diagnostics.CodeAnalysis;

namespace Streams.Dsl;

/// <summary>
/// Serdes by type, asked for where an operator was given none and cannot inherit one; the built-in serdes of <see cref="Serdes"/> come after it.
/// </summary>
/// <remarks>Fill it before the topology is written. Not safe for several threads.</remarks>
public sealed class SerdeRegistry
{
    private readonly Dictionary<Type, object> _serdes = [];
    private readonly IServiceProvider? _services;

    /// <summary>Creates an empty registry.</summary>
    public SerdeRegistry()
    {
    }

    /// <summary>Creates a registry that also finds serdes among services: those registered as <c>ISerde&lt;T&gt;</c>.</summary>
    /// <param name="services">Asked after what was added here, before the built-in serdes.</param>
    public SerdeRegistry(IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(services);
        _services = services;
    }

    /// <summary>Sets the serde of a type, in place of one set before.</summary>
    /// <returns>The registry, so that calls can be chained.</returns>
    public SerdeRegistry Add<T>(ISerde<T> serde)
    {
        ArgumentNullException.ThrowIfNull(serde);
        _serdes[typeof(T)] = serde;
        return this;
    }

    /// <summary>The serde set for a type, else the built-in one; false when there is neither.</summary>
    public bool TryGet<T>([NotNullWhen(true)] out ISerde<T>? serde)
    {
        if (_serdes.TryGetValue(typeof(T), out var found))
        {
            serde = (ISerde<T>)found;
            return true;
        }

        serde = (ISerde<T>?)_services?.GetService(typeof(ISerde<T>));
        if (serde is not null) return true;
        return Serdes.TryGetBuiltIn(out serde);
    }
}
