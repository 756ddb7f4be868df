namespace Streams.SchemaRegistry.Avro.Mapping;

/// <summary>What values are made into: generic records, or C# types.</summary>
internal interface ITargets
{
    /// <summary>Type of a list's items.</summary>
    Type ItemOf(Type list);

    /// <summary>Type of a map's values.</summary>
    Type ValueOf(Type map);

    /// <summary>Makes a list from its items.</summary>
    Func<List<object?>, object> List(Type target);

    /// <summary>Makes a map from its entries.</summary>
    Func<Dictionary<string, object?>, object> Map(Type target);

    /// <summary>Makes a value without structure from what the reader's schema has for it (<see cref="int"/>, <see cref="string"/>, a <see cref="byte"/> array …).</summary>
    Func<object, object> Scalar(AvroSchema schema, Type target);

    /// <summary>Makes a value from a symbol.</summary>
    Func<string, object> Symbol(AvroSchema schema, Type target);

    /// <summary>How a record is made.</summary>
    IRecordShape Record(AvroSchema schema, Type target);
}

/// <summary>How a record is made from its fields' values.</summary>
internal interface IRecordShape
{
    /// <summary>Type of a field's values; <c>null</c> for a field that goes nowhere and is skipped.</summary>
    Type? TypeOf(AvroField field);

    /// <summary>Makes the record from values by field position.</summary>
    object Create(object?[] values);
}

/// <summary>Generic records: everything is an object.</summary>
internal sealed class GenericTargets : ITargets
{
    public static GenericTargets Instance { get; } = new();

    public Type ItemOf(Type list) => typeof(object);

    public Type ValueOf(Type map) => typeof(object);

    public Func<List<object?>, object> List(Type target) => items => items;

    public Func<Dictionary<string, object?>, object> Map(Type target) => entries => entries;

    public Func<object, object> Scalar(AvroSchema schema, Type target) => schema.Kind == AvroKind.Fixed ? value => new AvroFixed((byte[])value) : value => value;

    public Func<string, object> Symbol(AvroSchema schema, Type target) => symbol => new AvroEnum(symbol);

    public IRecordShape Record(AvroSchema schema, Type target) => new Shape(schema);

    private sealed class Shape(AvroSchema schema) : IRecordShape
    {
        public Type? TypeOf(AvroField field) => typeof(object);

        public object Create(object?[] values) => new AvroRecord(schema, values);
    }
}
