using System.Buffers;
using System.Text.Json;

namespace Streams.SchemaRegistry.Http;

/// <summary>The registry's bodies. Readers throw <see cref="JsonException"/>, <see cref="KeyNotFoundException"/>, <see cref="InvalidOperationException"/> or <see cref="FormatException"/> on what is not one.</summary>
internal static class RegistryJson
{
    public static byte[] WriteSchema(RegistrySchema schema)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteString("schema", schema.Text);

        // Registries before 5.5 know Avro only and refuse the field.
        if (schema.Type != SchemaType.Avro) writer.WriteString("schemaType", TypeName(schema.Type));
        if (schema.References.Count > 0)
        {
            writer.WriteStartArray("references");
            foreach (var reference in schema.References)
            {
                writer.WriteStartObject();
                writer.WriteString("name", reference.Name);
                writer.WriteString("subject", reference.Subject);
                writer.WriteNumber("version", reference.Version);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] WriteCompatibility(SchemaCompatibility compatibility)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteString("compatibility", CompatibilityName(compatibility));
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static RegistrySchema ReadSchema(JsonElement answer)
    {
        var type = answer.TryGetProperty("schemaType", out var name) ? ReadType(name.GetString()) : SchemaType.Avro;
        var references = new List<SchemaReference>();
        if (answer.TryGetProperty("references", out var array) && array.ValueKind == JsonValueKind.Array)
        {
            foreach (var entry in array.EnumerateArray())
                references.Add(new SchemaReference(Text(entry, "name"), Text(entry, "subject"), entry.GetProperty("version").GetInt32()));
        }

        return new RegistrySchema(type, Text(answer, "schema"), references);
    }

    public static RegisteredSchema ReadRegistered(JsonElement answer) =>
        new(Text(answer, "subject"), answer.GetProperty("version").GetInt32(), answer.GetProperty("id").GetInt32(), ReadSchema(answer));

    public static IReadOnlyList<string> ReadStrings(JsonElement answer) =>
        [.. answer.EnumerateArray().Select(entry => entry.GetString() ?? throw new JsonException("The list has a null."))];

    public static IReadOnlyList<int> ReadNumbers(JsonElement answer) => [.. answer.EnumerateArray().Select(entry => entry.GetInt32())];

    public static SchemaCompatibility ReadCompatibility(JsonElement level)
    {
        var text = level.GetString();
        foreach (var candidate in Enum.GetValues<SchemaCompatibility>())
        {
            if (string.Equals(CompatibilityName(candidate), text, StringComparison.Ordinal)) return candidate;
        }

        throw new JsonException($"'{text}' is not a compatibility.");
    }

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new JsonException($"'{name}' is null.");

    private static string TypeName(SchemaType type) => type switch
    {
        SchemaType.Avro => "AVRO",
        SchemaType.Protobuf => "PROTOBUF",
        SchemaType.Json => "JSON",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a schema type."),
    };

    private static SchemaType ReadType(string? name) => name switch
    {
        null or "AVRO" => SchemaType.Avro,
        "PROTOBUF" => SchemaType.Protobuf,
        "JSON" => SchemaType.Json,
        _ => throw new JsonException($"'{name}' is not a schema type this client knows."),
    };

    private static string CompatibilityName(SchemaCompatibility compatibility) => compatibility switch
    {
        SchemaCompatibility.None => "NONE",
        SchemaCompatibility.Backward => "BACKWARD",
        SchemaCompatibility.BackwardTransitive => "BACKWARD_TRANSITIVE",
        SchemaCompatibility.Forward => "FORWARD",
        SchemaCompatibility.ForwardTransitive => "FORWARD_TRANSITIVE",
        SchemaCompatibility.Full => "FULL",
        SchemaCompatibility.FullTransitive => "FULL_TRANSITIVE",
        _ => throw new ArgumentOutOfRangeException(nameof(compatibility), compatibility, "Not a compatibility."),
    };
}
