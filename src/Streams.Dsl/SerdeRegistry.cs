using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Streams.Dsl;

/// <summary>
/// Serdes by type, asked for where an operator was given none and cannot inherit one; the built-in serdes of <see cref="Serdes"/> come after it.
/// </summary>
/// <remarks>Fill it before the topology is written. Not safe for several threads.</remarks>
public sealed class SerdeRegistry
{
    private readonly Dictionary<Type, object> _serdes = [];
    private readonly List<JsonSerializerContext> _json = [];
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

    /// <summary>
    /// Lets every type that a source-generated context describes be written as JSON (<see cref="Serdes.Json{T}(JsonTypeInfo{T})"/>), unless it has a serde of its
    /// own here or is a built-in one. Of several contexts the first that knows a type counts.
    /// </summary>
    /// <returns>The registry, so that calls can be chained.</returns>
    public SerdeRegistry AddJson(JsonSerializerContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _json.Add(context);
        return this;
    }

    /// <summary>The serde set for a type, else the built-in one, else JSON where a context knows the type; false when there is none.</summary>
    public bool TryGet<T>([NotNullWhen(true)] out ISerde<T>? serde)
    {
        if (_serdes.TryGetValue(typeof(T), out var found))
        {
            serde = (ISerde<T>)found;
            return true;
        }

        serde = (ISerde<T>?)_services?.GetService(typeof(ISerde<T>));
        if (serde is not null) return true;
        if (Serdes.TryGetBuiltIn(out serde)) return true;
        foreach (var context in _json)
        {
            if (context.GetTypeInfo(typeof(T)) is not JsonTypeInfo<T> type) continue;
            serde = Serdes.Json(type);
            return true;
        }

        return false;
    }

    /// <summary>The same, for callers that have the type only at run time.</summary>
    internal object? Find<T>() => TryGet<T>(out var serde) ? serde : null;
}
