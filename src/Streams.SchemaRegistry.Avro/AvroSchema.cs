using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Streams.SchemaRegistry.Avro.Mapping;
using Streams.SchemaRegistry.Avro.Schemas;

namespace Streams.SchemaRegistry.Avro;

/// <summary>What kind of values a schema describes.</summary>
public enum AvroKind
{
    /// <summary>Nothing; no bytes.</summary>
    Null,

    /// <summary>One byte.</summary>
    Boolean,

    /// <summary>32 bits, zigzag varint.</summary>
    Int,

    /// <summary>64 bits, zigzag varint.</summary>
    Long,

    /// <summary>4 bytes, little-endian.</summary>
    Float,

    /// <summary>8 bytes, little-endian.</summary>
    Double,

    /// <summary>Length and bytes.</summary>
    Bytes,

    /// <summary>Length and UTF-8.</summary>
    String,

    /// <summary>Fields, one after the other.</summary>
    Record,

    /// <summary>Index of a symbol.</summary>
    Enum,

    /// <summary>Blocks of items.</summary>
    Array,

    /// <summary>Blocks of keys and values.</summary>
    Map,

    /// <summary>Index of a branch, and its value.</summary>
    Union,

    /// <summary>A fixed number of bytes.</summary>
    Fixed,
}

/// <summary>An Avro schema. Immutable; may contain itself. Source: Apache Avro 1.11 specification.</summary>
public sealed class AvroSchema
{
    private string? _text;

    internal AvroSchema(AvroKind kind, string? fullName = null)
    {
        Kind = kind;
        FullName = fullName;
    }

    /// <summary>What it describes.</summary>
    public AvroKind Kind { get; }

    /// <summary>Namespace and name of a record, enum or fixed; <c>null</c> for others.</summary>
    public string? FullName { get; }

    /// <summary>Name without namespace; <c>null</c> where there is no name.</summary>
    public string? Name => FullName?[(FullName.LastIndexOf('.') + 1)..];

    /// <summary>Other full names that a reader accepts for this type.</summary>
    public IReadOnlyList<string> Aliases { get; internal set; } = [];

    /// <summary>Fields of a record, in order.</summary>
    public IReadOnlyList<AvroField> Fields { get; internal set; } = [];

    /// <summary>Symbols of an enum, in order.</summary>
    public IReadOnlyList<string> Symbols { get; internal set; } = [];

    /// <summary>Symbol a reader takes for one that it does not know; <c>null</c> when that is an error.</summary>
    public string? DefaultSymbol { get; internal set; }

    /// <summary>Item type of an array, value type of a map; <c>null</c> for others.</summary>
    public AvroSchema? Items { get; internal set; }

    /// <summary>Branches of a union, in order.</summary>
    public IReadOnlyList<AvroSchema> Branches { get; internal set; } = [];

    /// <summary>Bytes of a fixed.</summary>
    public int Size { get; internal set; }

    /// <summary>Meaning of the value beyond its kind, such as <c>timestamp-millis</c>; <c>null</c> for none. One that is unknown or does not fit the kind has no effect.</summary>
    public string? LogicalType { get; internal set; }

    /// <summary>Digits of a <c>decimal</c>; 0 for others.</summary>
    public int Precision { get; internal set; }

    /// <summary>Digits after the point of a <c>decimal</c>.</summary>
    public int Scale { get; internal set; }

    /// <summary>What it was read from, without white space; a part of a schema is written anew, without what has no effect on values (such as <c>doc</c>).</summary>
    internal string Text
    {
        get => _text ??= AvroSchemaText.Of(this);
        set => _text = value;
    }

    /// <summary>Whether it was read from a text of its own.</summary>
    internal bool HasText => _text is not null;

    /// <summary>Reads a schema.</summary>
    /// <exception cref="FormatException">The text is not JSON or not a schema; the message says where.</exception>
    public static AvroSchema Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Parse(json, []);
    }

    /// <summary>Reads a schema that names types of others.</summary>
    /// <param name="json">The schema.</param>
    /// <param name="references">Texts of the schemas it refers to; one that refers to another comes after it.</param>
    /// <exception cref="FormatException">A text is not a schema; the message says where.</exception>
    public static AvroSchema Parse(string json, IReadOnlyList<string> references)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(references);
        var parser = new AvroSchemaParser();
        foreach (var reference in references) parser.Parse(reference);
        return parser.Parse(json);
    }

    /// <summary>
    /// The schema of a C# type: records for classes and structs with public properties, enums, arrays for lists, maps for dictionaries with text keys, unions with null for
    /// nullable types. Logical types: <see cref="Guid"/> is <c>uuid</c> (text), <see cref="DateOnly"/> <c>date</c>, <see cref="TimeOnly"/> <c>time-micros</c>, <see cref="DateTimeOffset"/>
    /// <c>timestamp-micros</c>. Names are the properties', or what <see cref="AvroNameAttribute"/> says.
    /// </summary>
    /// <exception cref="NotSupportedException">A property's type has no counterpart (a <see cref="decimal"/> has no scale): write the schema by hand.</exception>
    [RequiresUnreferencedCode("Finds the type's properties by reflection.")]
    [RequiresDynamicCode("Finds the type's properties by reflection.")]
    public static AvroSchema Of<T>() => SchemaOfType.Derive(typeof(T));

    /// <summary>The field with a name; <c>null</c> when the record has none.</summary>
    public AvroField? Field(string name)
    {
        foreach (var field in Fields)
        {
            if (string.Equals(field.Name, name, StringComparison.Ordinal)) return field;
        }

        return null;
    }

    /// <summary>The schema's JSON, without white space.</summary>
    public override string ToString() => Text;

    /// <summary>Name for messages: the full name, or the kind in Avro's words.</summary>
    internal string Label => FullName ?? AvroSchemaParser.NameOf(Kind);
}

/// <summary>A field of a record.</summary>
public sealed class AvroField
{
    internal AvroField(string name, int position, AvroSchema schema, JsonElement? defaultValue, IReadOnlyList<string> aliases)
    {
        Name = name;
        Position = position;
        Schema = schema;
        Default = defaultValue;
        Aliases = aliases;
    }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Position in the record, from 0.</summary>
    public int Position { get; }

    /// <summary>Type of its values.</summary>
    public AvroSchema Schema { get; }

    /// <summary>What a reader takes when the writer had no such field, as JSON; <c>null</c> when there must be one.</summary>
    public JsonElement? Default { get; }

    /// <summary>Other names that a reader accepts for this field.</summary>
    public IReadOnlyList<string> Aliases { get; }
}
