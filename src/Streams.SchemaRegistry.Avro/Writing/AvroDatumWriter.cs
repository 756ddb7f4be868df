using System.Buffers;
using System.Collections;
using System.Globalization;
using Streams.Core;
using Streams.SchemaRegistry.Avro.Mapping;

namespace Streams.SchemaRegistry.Avro.Writing;

/// <summary>Writes values as a schema says, and says which field does not fit.</summary>
internal abstract class AvroDatumWriter
{
    /// <summary>Deepest nesting that is written: an object that contains itself would never end.</summary>
    private const int MaxDepth = 200;

    public void Write(AvroSchema schema, object? value, IBufferWriter<byte> output) => Write(schema, value, new AvroWriter(output), 0);

    /// <summary>A field's value of something that is not an <see cref="AvroRecord"/>.</summary>
    protected abstract object? FieldOf(object record, AvroSchema schema, AvroField field);

    /// <summary>Whether an object that is not an <see cref="AvroRecord"/> can be a record of the schema.</summary>
    protected abstract bool IsRecord(object value, AvroSchema schema);

    /// <summary>Name, without namespace, of the record that such an object is.</summary>
    protected abstract string RecordName(object value);

    private void Write(AvroSchema schema, object? value, AvroWriter writer, int depth)
    {
        if (depth > MaxDepth) throw new SerializationException($"A value is nested deeper than {MaxDepth}; does it contain itself?");
        if (schema.Kind == AvroKind.Union)
        {
            var branch = BranchOf(schema, value);
            writer.WriteLong(branch);
            Write(schema.Branches[branch], value, writer, depth + 1);
            return;
        }

        if (schema.Kind == AvroKind.Null)
        {
            if (value is not null) throw Unfit(schema, value);
            return;
        }

        if (value is null) throw new SerializationException($"null cannot be written as {schema.Label}.");
        switch (schema.Kind)
        {
            case AvroKind.Record:
                WriteRecord(schema, value, writer, depth);
                break;
            case AvroKind.Array:
                WriteArray(schema, value, writer, depth);
                break;
            case AvroKind.Map:
                WriteMap(schema, value, writer, depth);
                break;
            case AvroKind.Enum:
                writer.WriteLong(SymbolIndex(schema, value));
                break;
            default:
                WriteScalar(schema, value, writer);
                break;
        }
    }

    private static void WriteScalar(AvroSchema schema, object value, AvroWriter writer)
    {
        switch (schema.Kind)
        {
            case AvroKind.Boolean when value is bool flag:
                writer.WriteBoolean(flag);
                break;
            case AvroKind.Int:
                writer.WriteLong(value switch
                {
                    int number => number,
                    short number => number,
                    byte number => number,
                    DateOnly date when schema.LogicalType == "date" => LogicalValues.Days(date),
                    TimeOnly time when schema.LogicalType == "time-millis" => (int)(time.Ticks / TimeSpan.TicksPerMillisecond),
                    _ => throw Unfit(schema, value),
                });
                break;
            case AvroKind.Long:
                writer.WriteLong(value switch
                {
                    long number => number,
                    int number => number,
                    short number => number,
                    byte number => number,
                    TimeOnly or DateTimeOffset or DateTime => LogicalValues.ToLong(schema, value),
                    _ => throw Unfit(schema, value),
                });
                break;
            case AvroKind.Float when value is float number:
                writer.WriteFloat(number);
                break;
            case AvroKind.Double when value is double or float:
                writer.WriteDouble(Convert.ToDouble(value, CultureInfo.InvariantCulture));
                break;
            case AvroKind.String when value is string text:
                writer.WriteString(text);
                break;
            case AvroKind.String when value is Guid guid:
                writer.WriteString(guid.ToString());
                break;
            case AvroKind.Bytes or AvroKind.Fixed:
                var bytes = Bytes(schema, value);
                if (schema.Kind == AvroKind.Bytes)
                    writer.WriteLong(bytes.Length);
                else if (bytes.Length != schema.Size)
                    throw new SerializationException($"{bytes.Length} bytes cannot be written as {schema.Label}, which has {schema.Size}.");
                writer.WriteRaw(bytes);
                break;
            default:
                throw Unfit(schema, value);
        }
    }

    private void WriteRecord(AvroSchema schema, object value, AvroWriter writer, int depth)
    {
        var generic = value as AvroRecord;
        if (generic is null ? !IsRecord(value, schema) : generic.Schema.Name != schema.Name) throw Unfit(schema, value);
        foreach (var field in schema.Fields)
        {
            object? part;
            if (generic is null)
                part = FieldOf(value, schema, field);
            else if (ReferenceEquals(generic.Schema, schema))
                part = generic[field.Position];
            else
                part = generic.Schema.Field(field.Name) is { } own ? generic[own.Position] : throw new SerializationException($"The record of {generic.Schema.Label} has no field '{field.Name}', which the schema to write with has.");
            try
            {
                Write(field.Schema, part, writer, depth + 1);
            }
            catch (SerializationException failure) when (depth < 20)
            {
                throw new SerializationException($"Field '{field.Name}' of {schema.Label}: {failure.Message}", failure);
            }
        }
    }

    private void WriteArray(AvroSchema schema, object value, AvroWriter writer, int depth)
    {
        if (value is not IEnumerable items || !IsList(value)) throw Unfit(schema, value);

        // Counted by looking, as the block says first how many there are; a lazy sequence could differ from one time to the next.
        var list = value as ICollection ?? items.Cast<object?>().ToList();
        if (list.Count > 0) writer.WriteLong(list.Count);
        foreach (var item in list) Write(schema.Items!, item, writer, depth + 1);
        writer.WriteLong(0);
    }

    private void WriteMap(AvroSchema schema, object value, AvroWriter writer, int depth)
    {
        switch (value)
        {
            case IDictionary map:
                if (map.Count > 0) writer.WriteLong(map.Count);
                foreach (DictionaryEntry entry in map)
                {
                    writer.WriteString(entry.Key as string ?? throw Unfit(schema, value));
                    Write(schema.Items!, entry.Value, writer, depth + 1);
                }

                break;
            case IReadOnlyDictionary<string, object?> map:
                if (map.Count > 0) writer.WriteLong(map.Count);
                foreach (var (key, entry) in map)
                {
                    writer.WriteString(key);
                    Write(schema.Items!, entry, writer, depth + 1);
                }

                break;
            default:
                throw Unfit(schema, value);
        }

        writer.WriteLong(0);
    }

    private int BranchOf(AvroSchema union, object? value)
    {
        for (var index = 0; index < union.Branches.Count; index++)
        {
            if (Fits(union.Branches[index], value, exactly: true)) return index;
        }

        for (var index = 0; index < union.Branches.Count; index++)
        {
            if (!Fits(union.Branches[index], value, exactly: false)) continue;

            // Of several records, one that only looks like it would be a guess.
            if (union.Branches[index].Kind == AvroKind.Record && union.Branches.Count(branch => branch.Kind == AvroKind.Record) > 1) break;
            return index;
        }

        throw new SerializationException($"{(value is null ? "null" : $"A {value.GetType().Name}")} fits no branch of the union of {string.Join(", ", union.Branches.Select(branch => branch.Label))}.");
    }

    private bool Fits(AvroSchema schema, object? value, bool exactly) => schema.Kind switch
    {
        AvroKind.Null => value is null,
        AvroKind.Boolean => value is bool,
        AvroKind.Int => value is int or short or byte || (value is DateOnly && schema.LogicalType == "date") || (value is TimeOnly && schema.LogicalType == "time-millis"),
        AvroKind.Long => value is long || (!exactly && value is int or short or byte) || (value is DateTimeOffset or DateTime && schema.LogicalType is not (null or "time-micros")) || (value is TimeOnly && schema.LogicalType == "time-micros"),
        AvroKind.Float => value is float,
        AvroKind.Double => value is double || (!exactly && value is float),
        AvroKind.String => value is string || (value is Guid && (!exactly || schema.LogicalType == "uuid")),
        AvroKind.Bytes => value is byte[] or ReadOnlyMemory<byte> || (value is decimal && schema.LogicalType == "decimal"),
        AvroKind.Fixed => value is AvroFixed fixedBytes ? fixedBytes.Bytes.Length == schema.Size : (value is decimal && schema.LogicalType == "decimal") || (value is Guid && schema.LogicalType == "uuid") || (!exactly && value is byte[] bytes && bytes.Length == schema.Size),
        AvroKind.Enum => value is AvroEnum symbol ? schema.Symbols.Contains(symbol.Symbol, StringComparer.Ordinal) : value is Enum || (!exactly && value is string text && schema.Symbols.Contains(text, StringComparer.Ordinal)),
        AvroKind.Array => value is not null && IsList(value),
        AvroKind.Map => value is IDictionary or IReadOnlyDictionary<string, object?>,
        AvroKind.Record => value is AvroRecord record
            ? exactly ? record.Schema.FullName == schema.FullName : record.Schema.Name == schema.Name
            : value is not null && IsRecord(value, schema) && (!exactly || RecordName(value) == schema.Name),
        _ => false,
    };

    private static bool IsList(object value) => value is IEnumerable and not (string or byte[] or IDictionary or IReadOnlyDictionary<string, object?>);

    private static byte[] Bytes(AvroSchema schema, object value) => value switch
    {
        byte[] bytes => bytes,
        AvroFixed bytes => bytes.Bytes.ToArray(),
        ReadOnlyMemory<byte> bytes => bytes.ToArray(),
        decimal number when schema.LogicalType == "decimal" => LogicalValues.FromDecimal(number, schema),
        Guid guid when schema.LogicalType == "uuid" => LogicalValues.FromGuid(guid),
        _ => throw Unfit(schema, value),
    };

    private int SymbolIndex(AvroSchema schema, object value)
    {
        var symbol = value switch
        {
            AvroEnum generic => generic.Symbol,
            string text => text,
            Enum member => SymbolOf(member),
            _ => throw Unfit(schema, value),
        };
        for (var index = 0; index < schema.Symbols.Count; index++)
        {
            if (string.Equals(schema.Symbols[index], symbol, StringComparison.Ordinal)) return index;
        }

        for (var index = 0; index < schema.Symbols.Count; index++)
        {
            if (value is Enum && string.Equals(schema.Symbols[index], symbol, StringComparison.OrdinalIgnoreCase)) return index;
        }

        throw new SerializationException($"'{symbol}' is not a symbol of {schema.Label}.");
    }

    /// <summary>Avro name of an enum's member.</summary>
    protected virtual string SymbolOf(Enum member) => member.ToString();

    private static SerializationException Unfit(AvroSchema schema, object value) => new($"A {value.GetType().Name} cannot be written as {schema.Label}.");
}

/// <summary>Writes <see cref="AvroRecord"/>s.</summary>
internal sealed class GenericWriter : AvroDatumWriter
{
    public static GenericWriter Instance { get; } = new();

    protected override object? FieldOf(object record, AvroSchema schema, AvroField field) => throw new SerializationException($"A {record.GetType().Name} cannot be written as {schema.Label}.");

    protected override bool IsRecord(object value, AvroSchema schema) => false;

    protected override string RecordName(object value) => value.GetType().Name;
}
