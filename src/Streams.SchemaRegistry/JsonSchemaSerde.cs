using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Streams.Core;

namespace Streams.SchemaRegistry;

/// <summary>JSON by System.Text.Json in Confluent's framing, with a JSON Schema made from the type. Thread-safe.</summary>
/// <remarks>
/// The schema comes from <see cref="JsonSchemaExporter"/>, titled with the type's full name, which is also the record name for subjects. Values are not validated against it: the
/// serializer writes what the type says. A reader takes any framed JSON that the type can be read from, whatever its id, and asks the registry for nothing.
/// Source: Confluent's <c>KafkaJsonSchemaSerializer</c>.
/// </remarks>
/// <typeparam name="T">Value type.</typeparam>
public sealed class JsonSchemaSerde<T> : ISerde<T>
{
    private const int Unknown = -1;

    private readonly JsonTypeInfo<T> _type;
    private readonly SchemaIdResolver _ids;
    private readonly RegistrySchema _schema;
    private volatile int _id = Unknown;

    /// <summary>Creates a serde with metadata of the JSON source generator, which trimming and native compilation keep.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="options">How it is used.</param>
    /// <param name="type">The type's JSON metadata.</param>
    public JsonSchemaSerde(ISchemaRegistry registry, SchemaSerdeOptions options, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        _ids = new SchemaIdResolver(registry, options);
        _type = type;
        _schema = new RegistrySchema(SchemaType.Json, SchemaOf(type));
    }

    /// <summary>Creates a serde with metadata found by reflection.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="options">How it is used.</param>
    /// <param name="json">JSON settings; camel-case names by default (<see cref="JsonSerializerDefaults.Web"/>).</param>
    [RequiresUnreferencedCode("Finds the type's properties by reflection; pass metadata of the JSON source generator to trim.")]
    [RequiresDynamicCode("Finds the type's properties by reflection; pass metadata of the JSON source generator to compile natively.")]
    public JsonSchemaSerde(ISchemaRegistry registry, SchemaSerdeOptions options, JsonSerializerOptions? json = null)
        : this(registry, options, Reflected(json))
    {
    }

    /// <summary>The schema values are written with, unless the newest version is to be used.</summary>
    public RegistrySchema Schema => _schema;

    /// <summary>Finds or registers the schema now, so that the first value does not wait for the registry.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken = default) =>
        _id = (await _ids.ResolveAsync(_schema, typeof(T).FullName, cancellationToken).ConfigureAwait(false)).Id;

    /// <inheritdoc/>
    public void Serialize(T value, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var id = _id;
        if (id == Unknown) _id = id = _ids.Resolve(_schema, typeof(T).FullName).Id;
        WireFormat.WriteHeader(id, output);
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        JsonSerializer.Serialize(writer, value, _type);
    }

    /// <inheritdoc/>
    public T Deserialize(ReadOnlySpan<byte> data)
    {
        var id = WireFormat.ReadHeader(ref data);
        try
        {
            return JsonSerializer.Deserialize(data, _type)
                ?? throw new SerializationException($"The JSON of a {typeof(T).Name} (schema {id}) is null.");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new SerializationException($"The JSON (schema {id}) is not a {typeof(T).Name}: {failure.Message}", failure);
        }
    }

    private static string SchemaOf(JsonTypeInfo<T> type)
    {
        var schema = type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
        if (schema is not JsonObject body) return schema.ToJsonString();
        var titled = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = typeof(T).FullName,
        };
        foreach (var (name, part) in body) titled[name] = part?.DeepClone();
        return titled.ToJsonString();
    }

    [RequiresUnreferencedCode("Finds the type's properties by reflection.")]
    [RequiresDynamicCode("Finds the type's properties by reflection.")]
    private static JsonTypeInfo<T> Reflected(JsonSerializerOptions? json)
    {
        var options = json ?? new JsonSerializerOptions(JsonSerializerDefaults.Web);
        options.MakeReadOnly(populateMissingResolver: true);
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }
}
