using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Streams.Dsl.Serialization;

/// <summary>
/// Finds serdes for types that are made of others: tuples, records, and the anonymous types behind <c>let</c> and <c>join</c> in a query.
/// </summary>
internal static class ComponentSerdes
{
    /// <summary>Makes a serde when the type is a tuple, a record or anonymous, and each of its parts has a serde or is such a type itself.</summary>
    public static bool TryMake<T>(SerdeRegistry registry, [NotNullWhen(true)] out ISerde<T>? serde)
    {
        serde = null;

        // Serdes of types that are found at run time need generic code made at run time; without that, the caller's error says which serde to register.
        if (!RuntimeFeature.IsDynamicCodeSupported) return false;
        serde = (ISerde<T>?)new Composition(registry).Compose(typeof(T));
        return serde is not null;
    }

    [RequiresDynamicCode("Makes generic types for the parts.")]
    private sealed class Composition(SerdeRegistry registry)
    {
        private const string Trimming =
            "Where trimming has removed a constructor or property, the type does not look like a record any more, no serde is made, and the error at " +
            "build time names the type and says where to register one.";

        private readonly HashSet<Type> _open = [];

        [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = Trimming)]
        [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Trimming)]
        [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = Trimming)]
        public object? Compose(Type type)
        {
            // A record that contains itself would have no end.
            if (!_open.Add(type)) return null;
            try
            {
                var (constructor, parts) = PartsOf(type);
                if (constructor is null || parts is null) return null;
                var components = new List<Component>(parts.Count);
                foreach (var part in parts)
                {
                    if (CodecOf(part.Type) is not { } codec) return null;
                    components.Add(new Component(part.Name, !part.Type.IsValueType || Nullable.GetUnderlyingType(part.Type) is not null, part.Get, codec));
                }

                return Activator.CreateInstance(typeof(ComponentSerde<>).MakeGenericType(type), constructor, components);
            }
            finally
            {
                _open.Remove(type);
            }
        }

        private ComponentCodec? CodecOf(Type type)
        {
            var inner = Nullable.GetUnderlyingType(type) ?? type;
            var serde = Registered(inner) ?? Compose(inner);
            return serde is null ? null : (ComponentCodec)Activator.CreateInstance(typeof(ComponentCodec<>).MakeGenericType(inner), serde)!;
        }

        [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "SerdeRegistry.Find has no requirements of its type argument.")]
        private object? Registered(Type type) =>
            typeof(SerdeRegistry).GetMethod(nameof(SerdeRegistry.Find), BindingFlags.Instance | BindingFlags.NonPublic)!.MakeGenericMethod(type).Invoke(registry, null);

        [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Trimming)]
        private static (ConstructorInfo? Constructor, IReadOnlyList<(string Name, Type Type, Func<object, object?> Get)>? Parts) PartsOf(Type type)
        {
            if (type.IsGenericType && type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal))
            {
                // Eight and more nest the rest in a tuple of its own, which is a part like any other.
                var fields = type.GetFields(BindingFlags.Public | BindingFlags.Instance);
                return (type.GetConstructor(type.GetGenericArguments()), [.. fields.Select(field => (field.Name, field.FieldType, (Func<object, object?>)field.GetValue))]);
            }

            if (type.IsAbstract || type.IsPrimitive || type.IsEnum || type == typeof(string) || !(IsAnonymous(type) || IsEquatable(type))) return default;
            var constructors = type.GetConstructors();
            if (constructors is not [var constructor]) return default;
            var parameters = constructor.GetParameters();
            if (parameters.Length == 0) return default;
            var parts = new List<(string, Type, Func<object, object?>)>(parameters.Length);
            foreach (var parameter in parameters)
            {
                var property = type.GetProperty(parameter.Name!, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
                if (property is null || property.PropertyType != parameter.ParameterType || !property.CanRead) return default;
                parts.Add((property.Name, property.PropertyType, property.GetValue));
            }

            // Something with more to it than its constructor says would lose it on the way.
            if (type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Any(property => property.CanWrite && parts.TrueForAll(part => part.Item1 != property.Name))) return default;
            return (constructor, parts);
        }

        [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = Trimming)]
        private static bool IsEquatable(Type type) => type.GetInterfaces().Contains(typeof(IEquatable<>).MakeGenericType(type));

        private static bool IsAnonymous(Type type) =>
            type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && type.Name.Contains("AnonymousType", StringComparison.Ordinal);
    }
}
