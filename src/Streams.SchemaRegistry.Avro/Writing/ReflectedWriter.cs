using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Streams.Core;
using Streams.SchemaRegistry.Avro.Mapping;

namespace Streams.SchemaRegistry.Avro.Writing;

/// <summary>Writes C# objects by their properties.</summary>
[RequiresUnreferencedCode("Finds properties by reflection.")]
[RequiresDynamicCode("Finds properties by reflection.")]
internal sealed class ReflectedWriter : AvroDatumWriter
{
    private readonly ConcurrentDictionary<Enum, string> _symbols = new();

    public static ReflectedWriter Instance { get; } = new();

    protected override object? FieldOf(object record, AvroSchema schema, AvroField field)
    {
        var getter = TypeShape.Of(record.GetType()).GettersFor(schema)[field.Position]
            ?? throw new SerializationException($"{record.GetType().Name} has no property for field '{field.Name}' of {schema.Label}.");
        return getter.Invoke(record);
    }

    protected override bool IsRecord(object value, AvroSchema schema) =>
        value is not (string or ValueType or System.Collections.IEnumerable or AvroEnum or AvroFixed)
        || (value is ValueType && value.GetType() is { IsPrimitive: false, IsEnum: false } type && type != typeof(decimal) && TypeShape.Of(type).Properties.Length > 0 && type.Namespace != "System");

    protected override string RecordName(object value)
    {
        var name = TypeShape.NameOf(value.GetType());
        return name[(name.LastIndexOf('.') + 1)..];
    }

    // Bounded by the members that enums have; a value that is no member is text of its number and found in no schema.
    protected override string SymbolOf(Enum member) => Enum.IsDefined(member.GetType(), member)
        ? _symbols.GetOrAdd(member, static key => TypeShape.NameOf(key.GetType().GetField(key.ToString())!))
        : member.ToString();
}
