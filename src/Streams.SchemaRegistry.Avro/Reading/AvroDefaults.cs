using System.Text;
using System.Text.Json;
using Streams.SchemaRegistry.Avro.Writing;

namespace Streams.SchemaRegistry.Avro.Reading;

/// <summary>Turns the JSON of a default into Avro bytes. Bytes and fixed are text whose characters are the bytes (U+0000 to U+00FF).</summary>
internal static class AvroDefaults
{
    private const int MaxDepth = 100;

    public static byte[] Encode(AvroSchema schema, JsonElement json)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        Write(schema, json, new AvroWriter(buffer), 0);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(AvroSchema schema, JsonElement json, AvroWriter writer, int depth)
    {
        // A record may stand in its own field's default; then it never ends.
        if (depth > MaxDepth) throw new FormatException($"it is nested deeper than {MaxDepth}");
        switch (schema.Kind)
        {
            case AvroKind.Null:
                if (json.ValueKind != JsonValueKind.Null) throw new FormatException("it is not null");
                break;
            case AvroKind.Boolean:
                writer.WriteBoolean(json.GetBoolean());
                break;
            case AvroKind.Int:
                writer.WriteLong(json.GetInt32());
                break;
            case AvroKind.Long:
                writer.WriteLong(json.GetInt64());
                break;
            case AvroKind.Float:
                writer.WriteFloat(json.GetSingle());
                break;
            case AvroKind.Double:
                writer.WriteDouble(json.GetDouble());
                break;
            case AvroKind.String:
                writer.WriteString(Text(json));
                break;
            case AvroKind.Bytes:
                var bytes = Bytes(json);
                writer.WriteLong(bytes.Length);
                writer.WriteRaw(bytes);
                break;
            case AvroKind.Fixed:
                var exact = Bytes(json);
                if (exact.Length != schema.Size) throw new FormatException($"it has {exact.Length} bytes, not {schema.Size}");
                writer.WriteRaw(exact);
                break;
            case AvroKind.Enum:
                var index = schema.Symbols.ToList().IndexOf(Text(json));
                writer.WriteLong(index >= 0 ? index : throw new FormatException($"'{Text(json)}' is not a symbol"));
                break;
            case AvroKind.Array:
                if (json.GetArrayLength() > 0) writer.WriteLong(json.GetArrayLength());
                foreach (var item in json.EnumerateArray()) Write(schema.Items!, item, writer, depth + 1);
                writer.WriteLong(0);
                break;
            case AvroKind.Map:
                var count = json.EnumerateObject().Count();
                if (count > 0) writer.WriteLong(count);
                foreach (var entry in json.EnumerateObject())
                {
                    writer.WriteString(entry.Name);
                    Write(schema.Items!, entry.Value, writer, depth + 1);
                }

                writer.WriteLong(0);
                break;
            case AvroKind.Record:
                foreach (var field in schema.Fields)
                {
                    var value = json.TryGetProperty(field.Name, out var given) ? given : field.Default ?? throw new FormatException($"it has no '{field.Name}'");
                    Write(field.Schema, value, writer, depth + 1);
                }

                break;
            default:
                writer.WriteLong(0);
                Write(schema.Branches[0], json, writer, depth + 1);
                break;
        }
    }

    private static string Text(JsonElement json) => json.GetString() ?? throw new FormatException("it is null");

    private static byte[] Bytes(JsonElement json)
    {
        var text = Text(json);
        return text.All(letter => letter <= 0xff) ? Encoding.Latin1.GetBytes(text) : throw new FormatException("it has a character above U+00FF");
    }
}
