using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Streams.SchemaRegistry.Avro.Schemas;

/// <summary>Writes a schema as JSON: a named type where it comes first, its name from then on.</summary>
internal static class AvroSchemaText
{
    public static string Of(AvroSchema schema)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(schema, writer, new HashSet<string>(StringComparer.Ordinal));
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Write(AvroSchema schema, Utf8JsonWriter writer, HashSet<string> defined)
    {
        if (schema.Kind == AvroKind.Union)
        {
            writer.WriteStartArray();
            foreach (var branch in schema.Branches) Write(branch, writer, defined);
            writer.WriteEndArray();
            return;
        }

        var kind = AvroSchemaParser.NameOf(schema.Kind);
        if (schema.FullName is null && schema.Items is null && schema.LogicalType is null)
        {
            writer.WriteStringValue(kind);
            return;
        }

        if (schema.FullName is not null && !defined.Add(schema.FullName))
        {
            writer.WriteStringValue(schema.FullName);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("type", kind);
        if (schema.FullName is not null) writer.WriteString("name", schema.FullName);
        if (schema.LogicalType is not null) writer.WriteString("logicalType", schema.LogicalType);
        if (schema.Precision > 0)
        {
            writer.WriteNumber("precision", schema.Precision);
            writer.WriteNumber("scale", schema.Scale);
        }

        WriteTexts("aliases", schema.Aliases, writer);
        WriteBody(schema, writer, defined);
        writer.WriteEndObject();
    }

    private static void WriteBody(AvroSchema schema, Utf8JsonWriter writer, HashSet<string> defined)
    {
        switch (schema.Kind)
        {
            case AvroKind.Array or AvroKind.Map:
                writer.WritePropertyName(schema.Kind == AvroKind.Array ? "items" : "values");
                Write(schema.Items!, writer, defined);
                break;
            case AvroKind.Fixed:
                writer.WriteNumber("size", schema.Size);
                break;
            case AvroKind.Enum:
                writer.WriteStartArray("symbols");
                foreach (var symbol in schema.Symbols) writer.WriteStringValue(symbol);
                writer.WriteEndArray();
                if (schema.DefaultSymbol is not null) writer.WriteString("default", schema.DefaultSymbol);
                break;
            case AvroKind.Record:
                writer.WriteStartArray("fields");
                foreach (var field in schema.Fields)
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", field.Name);
                    writer.WritePropertyName("type");
                    Write(field.Schema, writer, defined);
                    if (field.Default is { } value)
                    {
                        writer.WritePropertyName("default");
                        value.WriteTo(writer);
                    }

                    WriteTexts("aliases", field.Aliases, writer);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                break;
            default:
                break;
        }
    }

    private static void WriteTexts(string name, IReadOnlyList<string> texts, Utf8JsonWriter writer)
    {
        if (texts.Count == 0) return;
        writer.WriteStartArray(name);
        foreach (var text in texts) writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}
