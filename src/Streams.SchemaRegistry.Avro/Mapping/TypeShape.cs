using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Streams.SchemaRegistry.Avro.Mapping;

/// <summary>The public properties of a C# type and how it is made: by its constructor without parameters and setters, or by its longest constructor, whose parameters are named as properties.</summary>
[RequiresUnreferencedCode("Finds properties by reflection.")]
[RequiresDynamicCode("Finds properties by reflection.")]
internal sealed class TypeShape
{
    private static readonly ConcurrentDictionary<Type, TypeShape> _known = new();

    private readonly ConcurrentDictionary<AvroSchema, MethodInvoker?[]> _gettersBySchema = new();

    private TypeShape(Type type)
    {
        Type = type;
        Properties = [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanRead && property.GetIndexParameters().Length == 0 && property.Name != "EqualityContract")];
        var constructors = type.GetConstructors();
        Constructor = constructors.FirstOrDefault(constructor => constructor.GetParameters().Length == 0)
            ?? constructors.Where(constructor => constructor.GetParameters().All(parameter => Find(parameter.Name!) is not null)).MaxBy(constructor => constructor.GetParameters().Length);
    }

    public Type Type { get; }

    public PropertyInfo[] Properties { get; }

    /// <summary><c>null</c> for structs without one, which need none, and for types that cannot be made.</summary>
    public ConstructorInfo? Constructor { get; }

    public static TypeShape Of(Type type) => _known.GetOrAdd(type, static key => new TypeShape(key));

    public static string NameOf(MemberInfo member) => member.GetCustomAttribute<AvroNameAttribute>()?.Name ?? member.Name;

    /// <summary>The property for a field or parameter: by its Avro name, then by its C# name in any case.</summary>
    public PropertyInfo? Find(string name) =>
        Array.Find(Properties, property => string.Equals(NameOf(property), name, StringComparison.Ordinal))
        ?? Array.Find(Properties, property => string.Equals(property.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Readers of the properties for a record's fields, by position; <c>null</c> where there is no property.</summary>
    public MethodInvoker?[] GettersFor(AvroSchema schema) => _gettersBySchema.GetOrAdd(
        schema, static (record, shape) => [.. record.Fields.Select(field => shape.Find(field.Name)?.GetMethod is { } getter ? MethodInvoker.Create(getter) : null)], this);
}
