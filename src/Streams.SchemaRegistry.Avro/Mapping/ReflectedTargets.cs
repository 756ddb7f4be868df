using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Streams.Core;
using Streams.SchemaRegistry.Avro.Reading;

namespace Streams.SchemaRegistry.Avro.Mapping;

/// <summary>C# types, found by reflection when a plan is made; a property of type <see cref="object"/> takes generic values.</summary>
[RequiresUnreferencedCode("Finds properties by reflection.")]
[RequiresDynamicCode("Makes lists and dictionaries of types known at run time only.")]
internal sealed class ReflectedTargets : ITargets
{
    public static ReflectedTargets Instance { get; } = new();

    public Type ItemOf(Type list) => list == typeof(object) ? typeof(object) : ItemType(list) ?? throw Unfit("an array", list);

    public Type ValueOf(Type map) => map == typeof(object) ? typeof(object) : ValueType(map) ?? throw Unfit("a map", map);

    public Func<List<object?>, object> List(Type target)
    {
        if (target == typeof(object)) return items => items;
        var item = ItemType(target) ?? throw Unfit("an array", target);
        if (target.IsArray)
        {
            return items =>
            {
                var array = Array.CreateInstance(item, items.Count);
                for (var index = 0; index < items.Count; index++) array.SetValue(NotNull(items[index], item), index);
                return array;
            };
        }

        var made = typeof(List<>).MakeGenericType(item);
        if (!target.IsAssignableFrom(made)) throw Unfit("an array", target);
        return items =>
        {
            var list = (IList)Activator.CreateInstance(made, items.Count)!;
            foreach (var value in items) list.Add(NotNull(value, item));
            return list;
        };
    }

    public Func<Dictionary<string, object?>, object> Map(Type target)
    {
        if (target == typeof(object)) return entries => entries;
        var value = ValueType(target) ?? throw Unfit("a map", target);
        var made = typeof(Dictionary<,>).MakeGenericType(typeof(string), value);
        if (!target.IsAssignableFrom(made)) throw Unfit("a map", target);
        return entries =>
        {
            var map = (IDictionary)Activator.CreateInstance(made, entries.Count)!;
            foreach (var (key, entry) in entries) map.Add(key, NotNull(entry, value));
            return map;
        };
    }

    public Func<object, object> Scalar(AvroSchema schema, Type target)
    {
        var type = Nullable.GetUnderlyingType(target) ?? target;
        if (type == typeof(object)) return GenericTargets.Instance.Scalar(schema, type);
        Func<object, object>? convert = schema.Kind switch
        {
            AvroKind.Null => value => value,
            AvroKind.Boolean when type == typeof(bool) => value => value,
            AvroKind.Int when type == typeof(int) => value => value,
            AvroKind.Int when type == typeof(long) => value => (long)(int)value,
            AvroKind.Int when type == typeof(short) => value => checked((short)(int)value),
            AvroKind.Int when type == typeof(byte) => value => checked((byte)(int)value),
            AvroKind.Int when LogicalValues.FromInt(schema, type, 0) is not null => value => LogicalValues.FromInt(schema, type, (int)value)!,
            AvroKind.Long when type == typeof(long) => value => value,
            AvroKind.Long when LogicalValues.FromLong(schema, type, 0) is not null => value => LogicalValues.FromLong(schema, type, (long)value)!,
            AvroKind.Float when type == typeof(float) => value => value,
            AvroKind.Float when type == typeof(double) => value => (double)(float)value,
            AvroKind.Double when type == typeof(double) => value => value,
            AvroKind.String when type == typeof(string) => value => value,
            AvroKind.String when type == typeof(Guid) => value => Guid.TryParse((string)value, out var guid) ? guid : throw new SerializationException($"'{value}' is not a UUID."),
            AvroKind.Bytes or AvroKind.Fixed when type == typeof(byte[]) => value => value,
            AvroKind.Bytes or AvroKind.Fixed when type == typeof(ReadOnlyMemory<byte>) => value => (ReadOnlyMemory<byte>)(byte[])value,
            AvroKind.Bytes or AvroKind.Fixed when type == typeof(decimal) && schema.LogicalType == "decimal" => value => LogicalValues.ToDecimal((byte[])value, schema.Scale),
            AvroKind.Fixed when type == typeof(Guid) && schema.LogicalType == "uuid" => value => LogicalValues.ToGuid((byte[])value),
            AvroKind.Fixed when type == typeof(AvroFixed) => value => new AvroFixed((byte[])value),
            _ => null,
        };
        return convert ?? throw Unfit(schema.LogicalType is null ? schema.Label : $"{schema.Label} ({schema.LogicalType})", target);
    }

    public Func<string, object> Symbol(AvroSchema schema, Type target)
    {
        var type = Nullable.GetUnderlyingType(target) ?? target;
        if (type == typeof(string)) return symbol => symbol;
        if (type == typeof(object) || type == typeof(AvroEnum)) return symbol => new AvroEnum(symbol);
        if (!type.IsEnum) throw Unfit(schema.Label, target);
        return symbol =>
        {
            var member = type.GetFields(BindingFlags.Public | BindingFlags.Static).FirstOrDefault(field => TypeShape.NameOf(field) == symbol)
                ?? type.GetFields(BindingFlags.Public | BindingFlags.Static).FirstOrDefault(field => string.Equals(field.Name, symbol, StringComparison.OrdinalIgnoreCase));
            return member?.GetValue(null) ?? throw new AvroResolutionException($"{type.Name} has no member for symbol '{symbol}' of {schema.Label}");
        };
    }

    public IRecordShape Record(AvroSchema schema, Type target)
    {
        var type = Nullable.GetUnderlyingType(target) ?? target;
        if (type == typeof(object) || type == typeof(AvroRecord)) return GenericTargets.Instance.Record(schema, type);
        if (type.IsPrimitive || type == typeof(string) || typeof(IEnumerable).IsAssignableFrom(type)) throw Unfit(schema.Label, target);
        return new Shape(schema, TypeShape.Of(type));
    }

    /// <summary>Item type of arrays and of whatever is an <see cref="IEnumerable{T}"/> but no text, bytes or map.</summary>
    internal static Type? ItemType(Type list)
    {
        if (list == typeof(string) || list == typeof(byte[]) || ValueType(list) is not null) return null;
        if (list.IsArray) return list.GetElementType();
        return Implemented(list, typeof(IEnumerable<>))?.GetGenericArguments()[0];
    }

    /// <summary>Value type of dictionaries whose keys are text.</summary>
    internal static Type? ValueType(Type map)
    {
        var implemented = Implemented(map, typeof(IReadOnlyDictionary<,>)) ?? Implemented(map, typeof(IDictionary<,>));
        return implemented?.GetGenericArguments() is [var key, var value] && key == typeof(string) ? value : null;
    }

    private static Type? Implemented(Type type, Type definition) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == definition
            ? type
            : type.GetInterfaces().FirstOrDefault(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == definition);

    private static object? NotNull(object? value, Type type) => value is null && type.IsValueType && Nullable.GetUnderlyingType(type) is null
        ? throw new SerializationException($"An Avro value is null where a {type.Name} is wanted.")
        : value;

    private static AvroResolutionException Unfit(string what, Type type) => new($"{what} cannot be read as a C# {type.Name}");

    [RequiresUnreferencedCode("Finds properties by reflection.")]
    [RequiresDynamicCode("Finds properties by reflection.")]
    private sealed class Shape : IRecordShape
    {
        private readonly AvroSchema _schema;
        private readonly TypeShape _type;
        private readonly PropertyInfo?[] _properties;
        private readonly ConstructorInvoker? _constructor;
        private readonly (int Field, ParameterInfo Parameter)[] _parameters = [];
        private readonly (int Field, MethodInvoker Setter)[] _setters;

        public Shape(AvroSchema schema, TypeShape type)
        {
            _schema = schema;
            _type = type;
            if (type.Constructor is null && !type.Type.IsValueType)
                throw new AvroResolutionException($"{type.Type.Name} has neither a public constructor without parameters nor one whose parameters are its properties");
            if (type.Constructor is not null) _constructor = ConstructorInvoker.Create(type.Constructor);
            _properties = [.. schema.Fields.Select(field => type.Find(field.Name))];
            if (type.Constructor?.GetParameters() is { Length: > 0 } parameters)
                _parameters = [.. parameters.Select(parameter => (Array.FindIndex(_properties, property => property is not null && property == type.Find(parameter.Name!)), parameter))];
            foreach (var (field, parameter) in _parameters)
            {
                if (field < 0 && !parameter.HasDefaultValue)
                    throw new AvroResolutionException($"{schema.Label} has no field for the parameter '{parameter.Name}' of {type.Type.Name}");
            }

            _setters = [.. _properties.Select((property, index) => (Field: index, property))
                .Where(entry => entry.property?.SetMethod is { IsPublic: true } && !_parameters.Any(parameter => parameter.Field == entry.Field))
                .Select(entry => (entry.Field, MethodInvoker.Create(entry.property!.SetMethod!)))];
            var reached = _parameters.Select(entry => entry.Field).Concat(_setters.Select(entry => entry.Field)).ToHashSet();
            for (var index = 0; index < _properties.Length; index++)
            {
                // What can only be got, such as a computed property, is written but not read.
                if (!reached.Contains(index)) _properties[index] = null;
            }
        }

        public Type? TypeOf(AvroField field) => _properties[field.Position]?.PropertyType;

        public object Create(object?[] values)
        {
            object made;
            if (_constructor is null)
            {
                made = Activator.CreateInstance(_type.Type)!;
            }
            else
            {
                var arguments = new object?[_parameters.Length];
                for (var index = 0; index < arguments.Length; index++)
                {
                    var (field, parameter) = _parameters[index];
                    arguments[index] = field < 0 ? parameter.DefaultValue : Checked(values[field], field);
                }

                made = _constructor.Invoke(arguments.AsSpan());
            }

            foreach (var (field, setter) in _setters) setter.Invoke(made, Checked(values[field], field));
            return made;
        }

        private object? Checked(object? value, int field) => value is null && _properties[field]!.PropertyType is { IsValueType: true } type && Nullable.GetUnderlyingType(type) is null
            ? throw new SerializationException($"Field '{_schema.Fields[field].Name}' of {_schema.Label} is null; {_type.Type.Name}.{_properties[field]!.Name} cannot be.")
            : value;
    }
}
