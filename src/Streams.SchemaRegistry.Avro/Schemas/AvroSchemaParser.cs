using System.Text.Json;

namespace Streams.SchemaRegistry.Avro.Schemas;

/// <summary>Reads schema texts; named types of earlier texts are known to later ones. Nesting is bounded by the JSON reader (64).</summary>
internal sealed class AvroSchemaParser
{
    private readonly Dictionary<string, AvroSchema> _named = new(StringComparer.Ordinal);

    public AvroSchema Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);

            // Defaults outlive the document.
            var root = document.RootElement.Clone();
            var schema = Read(root, "", "the schema");

            // A schema that is only a name is the named type itself, whose text is its own already.
            if (!schema.HasText) schema.Text = Minified(root);
            return schema;
        }
        catch (JsonException failure)
        {
            // People write "string" without the quotes of JSON.
            if (PrimitiveKind(json.Trim()) is { } kind) return new AvroSchema(kind) { Text = $"\"{json.Trim()}\"" };
            throw new FormatException($"An Avro schema is not JSON: {failure.Message}", failure);
        }
    }

    public static string NameOf(AvroKind kind) => kind switch
    {
        AvroKind.Null => "null",
        AvroKind.Boolean => "boolean",
        AvroKind.Int => "int",
        AvroKind.Long => "long",
        AvroKind.Float => "float",
        AvroKind.Double => "double",
        AvroKind.Bytes => "bytes",
        AvroKind.String => "string",
        AvroKind.Record => "record",
        AvroKind.Enum => "enum",
        AvroKind.Array => "array",
        AvroKind.Map => "map",
        AvroKind.Union => "union",
        _ => "fixed",
    };

    private AvroSchema Read(JsonElement element, string space, string where) => element.ValueKind switch
    {
        JsonValueKind.String => Named(element.GetString()!, space, where),
        JsonValueKind.Array => Union(element, space, where),
        JsonValueKind.Object => Complex(element, space, where),
        _ => throw new FormatException($"{where} is {element.ValueKind}; a type is a name, an object or an array."),
    };

    private AvroSchema Named(string name, string space, string where)
    {
        if (PrimitiveKind(name) is { } kind) return new AvroSchema(kind);
        var full = name.Contains('.', StringComparison.Ordinal) || space.Length == 0 ? name : $"{space}.{name}";
        return _named.TryGetValue(full, out var schema) || _named.TryGetValue(name, out schema)
            ? schema
            : throw new FormatException($"{where} names the type '{full}', which is not defined before.");
    }

    private AvroSchema Union(JsonElement element, string space, string where)
    {
        var branches = new List<AvroSchema>();
        foreach (var entry in element.EnumerateArray())
        {
            var branch = Read(entry, space, $"branch {branches.Count} of {where}");
            if (branch.Kind == AvroKind.Union) throw new FormatException($"{where} is a union directly in a union.");
            if (branches.Any(other => other.Kind == branch.Kind && other.FullName == branch.FullName))
                throw new FormatException($"{where} is a union with two branches of type {branch.Label}.");
            branches.Add(branch);
        }

        return branches.Count > 0 ? new AvroSchema(AvroKind.Union) { Branches = branches } : throw new FormatException($"{where} is a union without branches.");
    }

    private AvroSchema Complex(JsonElement element, string space, string where)
    {
        if (!element.TryGetProperty("type", out var type)) throw new FormatException($"{where} has no \"type\".");
        if (type.ValueKind != JsonValueKind.String) return Read(type, space, where);
        var name = type.GetString()!;
        AvroSchema schema;
        switch (name)
        {
            case "record" or "error":
                schema = Record(element, space, where);
                break;
            case "enum":
                schema = Enum(element, space, where);
                break;
            case "fixed":
                schema = Fixed(element, space, where);
                break;
            case "array":
                schema = new AvroSchema(AvroKind.Array) { Items = Read(Required(element, "items", where), space, $"items of {where}") };
                break;
            case "map":
                schema = new AvroSchema(AvroKind.Map) { Items = Read(Required(element, "values", where), space, $"values of {where}") };
                break;
            default:
                schema = Named(name, space, where);
                if (schema.FullName is not null) return schema;
                break;
        }

        if (element.TryGetProperty("logicalType", out var logical) && logical.ValueKind == JsonValueKind.String) Refine(schema, logical.GetString()!, element);
        return schema;
    }

    private AvroSchema Record(JsonElement element, string space, string where)
    {
        var schema = Define(AvroKind.Record, element, space, where, out var inner);
        var list = Required(element, "fields", where);
        if (list.ValueKind != JsonValueKind.Array) throw new FormatException($"\"fields\" of {schema.FullName} is not an array.");
        var fields = new List<AvroField>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object) throw new FormatException($"Field {fields.Count} of {schema.FullName} is not an object.");
            var name = Text(entry, "name", $"field {fields.Count} of {schema.FullName}");
            CheckName(name, $"field {fields.Count} of {schema.FullName}");
            if (!names.Add(name)) throw new FormatException($"{schema.FullName} has two fields '{name}'.");
            var at = $"field '{name}' of {schema.FullName}";
            var type = Read(Required(entry, "type", at), inner, at);
            fields.Add(new AvroField(name, fields.Count, type, entry.TryGetProperty("default", out var value) ? value : null, Texts(entry, "aliases", at)));
        }

        schema.Fields = fields;
        return schema;
    }

    private AvroSchema Enum(JsonElement element, string space, string where)
    {
        var schema = Define(AvroKind.Enum, element, space, where, out _);
        schema.Symbols = Texts(element, "symbols", schema.FullName!);
        if (schema.Symbols.Count != schema.Symbols.Distinct(StringComparer.Ordinal).Count()) throw new FormatException($"{schema.FullName} has a symbol twice.");
        foreach (var symbol in schema.Symbols) CheckName(symbol, $"a symbol of {schema.FullName}");
        if (!element.TryGetProperty("default", out _)) return schema;
        schema.DefaultSymbol = Text(element, "default", schema.FullName!);
        if (!schema.Symbols.Contains(schema.DefaultSymbol, StringComparer.Ordinal)) throw new FormatException($"The default '{schema.DefaultSymbol}' of {schema.FullName} is not one of its symbols.");
        return schema;
    }

    private AvroSchema Fixed(JsonElement element, string space, string where)
    {
        var schema = Define(AvroKind.Fixed, element, space, where, out _);
        if (!TryNumber(Required(element, "size", where), out var size) || size < 0) throw new FormatException($"\"size\" of {schema.FullName} is not a number of bytes.");
        schema.Size = size;
        return schema;
    }

    private AvroSchema Define(AvroKind kind, JsonElement element, string space, string where, out string inner)
    {
        var name = Text(element, "name", where);
        var own = element.TryGetProperty("namespace", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : space;
        var full = name.Contains('.', StringComparison.Ordinal) || own.Length == 0 ? name : $"{own}.{name}";
        foreach (var part in full.Split('.')) CheckName(part, where);
        inner = full.Contains('.', StringComparison.Ordinal) ? full[..full.LastIndexOf('.')] : "";
        var ofAliases = inner;
        var schema = new AvroSchema(kind, full)
        {
            Aliases = [.. Texts(element, "aliases", full).Select(alias => alias.Contains('.', StringComparison.Ordinal) || ofAliases.Length == 0 ? alias : $"{ofAliases}.{alias}")],
        };
        if (PrimitiveKind(full) is not null || !_named.TryAdd(full, schema)) throw new FormatException($"{where} defines '{full}', which is defined already.");
        return schema;
    }

    // What does not fit is ignored, as the specification asks: the value is then one of its kind, without the meaning.
    private static void Refine(AvroSchema schema, string logical, JsonElement element)
    {
        var fits = (logical, schema.Kind) switch
        {
            ("date" or "time-millis", AvroKind.Int) => true,
            ("time-micros" or "timestamp-millis" or "timestamp-micros" or "timestamp-nanos", AvroKind.Long) => true,
            ("local-timestamp-millis" or "local-timestamp-micros" or "local-timestamp-nanos", AvroKind.Long) => true,
            ("uuid", AvroKind.String) => true,
            ("uuid", AvroKind.Fixed) => schema.Size == 16,
            ("decimal", AvroKind.Bytes or AvroKind.Fixed) => true,
            _ => false,
        };
        if (!fits) return;
        if (logical == "decimal")
        {
            var scale = 0;
            if (!element.TryGetProperty("precision", out var precision) || !TryNumber(precision, out var digits) || digits < 1) return;
            if (element.TryGetProperty("scale", out var given) && (!TryNumber(given, out scale) || scale < 0 || scale > digits)) return;
            schema.Precision = digits;
            schema.Scale = scale;
        }

        schema.LogicalType = logical;
    }

    private static AvroKind? PrimitiveKind(string name) => name switch
    {
        "null" => AvroKind.Null,
        "boolean" => AvroKind.Boolean,
        "int" => AvroKind.Int,
        "long" => AvroKind.Long,
        "float" => AvroKind.Float,
        "double" => AvroKind.Double,
        "bytes" => AvroKind.Bytes,
        "string" => AvroKind.String,
        _ => null,
    };

    private static bool TryNumber(JsonElement element, out int number)
    {
        number = 0;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out number);
    }

    private static JsonElement Required(JsonElement element, string name, string where) =>
        element.TryGetProperty(name, out var value) ? value : throw new FormatException($"{where} has no \"{name}\".");

    private static string Text(JsonElement element, string name, string where)
    {
        var value = Required(element, name, where);
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"\"{name}\" of {where} is not text.");
    }

    private static List<string> Texts(JsonElement element, string name, string where)
    {
        var texts = new List<string>();
        if (!element.TryGetProperty(name, out var list)) return texts;
        if (list.ValueKind != JsonValueKind.Array) throw new FormatException($"\"{name}\" of {where} is not an array.");
        foreach (var entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.String) throw new FormatException($"\"{name}\" of {where} has an entry that is not text.");
            texts.Add(entry.GetString()!);
        }

        return texts;
    }

    private static void CheckName(string name, string where)
    {
        var good = name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');
        if (!good) throw new FormatException($"{where} has the name '{name}'; names are ASCII letters, digits and '_', and do not start with a digit.");
    }

    private static string Minified(JsonElement root)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) root.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
