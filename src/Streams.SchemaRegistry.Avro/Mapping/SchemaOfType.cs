using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Streams.SchemaRegistry.Avro.Mapping;

/// <summary>Writes the schema of a C# type.</summary>
[RequiresUnreferencedCode("Finds properties by reflection.")]
[RequiresDynamicCode("Finds properties by reflection.")]
internal sealed class SchemaOfType
{
    private readonly HashSet<string> _defined = new(StringComparer.Ordinal);
    private readonly NullabilityInfoContext _nullability = new();

    public static AvroSchema Derive(Type type)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) new SchemaOfType().Write(type, writer, type.Name);
        return AvroSchema.Parse(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private void Write(Type type, Utf8JsonWriter writer, string where)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            WriteNullable(inner, writer, where);
            return;
        }

        switch (type)
        {
            case var _ when type == typeof(bool): writer.WriteStringValue("boolean"); break;
            case var _ when type == typeof(int) || type == typeof(short) || type == typeof(byte): writer.WriteStringValue("int"); break;
            case var _ when type == typeof(long): writer.WriteStringValue("long"); break;
            case var _ when type == typeof(float): writer.WriteStringValue("float"); break;
            case var _ when type == typeof(double): writer.WriteStringValue("double"); break;
            case var _ when type == typeof(string): writer.WriteStringValue("string"); break;
            case var _ when type == typeof(byte[]) || type == typeof(ReadOnlyMemory<byte>): writer.WriteStringValue("bytes"); break;
            case var _ when type == typeof(Guid): WriteLogical("string", "uuid", writer); break;
            case var _ when type == typeof(DateOnly): WriteLogical("int", "date", writer); break;
            case var _ when type == typeof(TimeOnly): WriteLogical("long", "time-micros", writer); break;
            case var _ when type == typeof(DateTimeOffset): WriteLogical("long", "timestamp-micros", writer); break;
            case { IsEnum: true }: WriteEnum(type, writer); break;
            case var _ when type == typeof(object) || type.IsPrimitive || type == typeof(decimal) || type == typeof(DateTime) || type.IsAbstract && !type.IsInterface:
                throw Unsupported(type, where);
            case var _ when ReflectedTargets.ValueType(type) is { } value: WriteContainer("map", "values", value, writer, where); break;
            case var _ when ReflectedTargets.ItemType(type) is { } item: WriteContainer("array", "items", item, writer, where); break;
            case { IsInterface: true }: throw Unsupported(type, where);
            default: WriteRecord(type, writer, where); break;
        }
    }

    private void WriteNullable(Type inner, Utf8JsonWriter writer, string where)
    {
        writer.WriteStartArray();
        writer.WriteStringValue("null");
        Write(inner, writer, where);
        writer.WriteEndArray();
    }

    private void WriteContainer(string kind, string of, Type item, Utf8JsonWriter writer, string where)
    {
        writer.WriteStartObject();
        writer.WriteString("type", kind);
        writer.WritePropertyName(of);
        Write(item, writer, where);
        writer.WriteEndObject();
    }

    private void WriteEnum(Type type, Utf8JsonWriter writer)
    {
        if (!Define(type, "enum", writer)) return;
        writer.WriteStartArray("symbols");
        foreach (var member in type.GetFields(BindingFlags.Public | BindingFlags.Static)) writer.WriteStringValue(TypeShape.NameOf(member));
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteRecord(Type type, Utf8JsonWriter writer, string where)
    {
        var shape = TypeShape.Of(type);
        if (type.IsGenericType || shape.Properties.Length == 0) throw Unsupported(type, where);
        if (!Define(type, "record", writer)) return;
        writer.WriteStartArray("fields");
        foreach (var property in shape.Properties)
        {
            var at = $"{type.Name}.{property.Name}";
            writer.WriteStartObject();
            writer.WriteString("name", TypeShape.NameOf(property));
            writer.WritePropertyName("type");
            var isNullable = !property.PropertyType.IsValueType && _nullability.Create(property).ReadState == NullabilityState.Nullable;
            if (isNullable)
                WriteNullable(property.PropertyType, writer, at);
            else
                Write(property.PropertyType, writer, at);

            // So that a reader with the field gets along with values written before there was one.
            if (isNullable || Nullable.GetUnderlyingType(property.PropertyType) is not null) writer.WriteNull("default");
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    // A type is written out where it comes first and named from then on.
    private bool Define(Type type, string kind, Utf8JsonWriter writer)
    {
        var name = type.GetCustomAttribute<AvroNameAttribute>()?.Name ?? type.Name;
        var full = name.Contains('.', StringComparison.Ordinal) || type.Namespace is null ? name : $"{type.Namespace}.{name}";
        if (!_defined.Add(full))
        {
            writer.WriteStringValue(full);
            return false;
        }

        writer.WriteStartObject();
        writer.WriteString("type", kind);
        writer.WriteString("name", full);
        return true;
    }

    private static void WriteLogical(string type, string logical, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type", type);
        writer.WriteString("logicalType", logical);
        writer.WriteEndObject();
    }

    private static NotSupportedException Unsupported(Type type, string where) =>
        new($"{where}: no Avro schema follows from the C# type {type.Name}; write the schema by hand and pass it to the serde.");
}
