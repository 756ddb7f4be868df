using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Streams.Core;
using Streams.SchemaRegistry.Avro.Mapping;
using Streams.SchemaRegistry.Avro.Reading;
using Streams.SchemaRegistry.Avro.Writing;

namespace Streams.SchemaRegistry.Avro;

/// <summary>Avro serdes in Confluent's framing: <see cref="Generic"/> for records without a C# type, <see cref="Of{T}"/> for C# types.</summary>
/// <remarks>
/// Values are read with the schema they were written with, found by its id, and resolved to the reader's schema by the specification's rules (Apache Avro 1.11, "Schema Resolution"). A
/// schema of plain <c>bytes</c> is written as the bytes themselves, as Confluent's serializer for Java does.
/// </remarks>
public static class AvroSerde
{
    /// <summary>Generic records; each is written with the schema it has.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="options">How it is used.</param>
    /// <param name="readerSchema">What values are resolved to; by default they are read as they were written.</param>
    public static AvroSerde<AvroRecord> Generic(ISchemaRegistry registry, SchemaSerdeOptions options, AvroSchema? readerSchema = null)
    {
        if (readerSchema is not null && readerSchema.Kind != AvroKind.Record) throw new ArgumentException($"A schema of {readerSchema.Label} is not one of a record.", nameof(readerSchema));
        return new(new SchemaIdResolver(registry, options), readerSchema, static record => record.Schema, GenericTargets.Instance, GenericWriter.Instance);
    }

    /// <summary>A C# type: a class, record or struct by its public properties, an enum, a list, a dictionary with text keys, or a simple value.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="options">How it is used.</param>
    /// <param name="schema">The schema to write with and to resolve to; by default <see cref="AvroSchema.Of{T}"/>.</param>
    /// <exception cref="NotSupportedException">No schema is given and none follows from the type.</exception>
    [RequiresUnreferencedCode("Finds the type's properties by reflection; use Generic in trimmed programs.")]
    [RequiresDynamicCode("Finds the type's properties by reflection; use Generic in natively compiled programs.")]
    public static AvroSerde<T> Of<T>(ISchemaRegistry registry, SchemaSerdeOptions options, AvroSchema? schema = null)
    {
        var own = schema ?? AvroSchema.Of<T>();
        return new(new SchemaIdResolver(registry, options), own, _ => own, ReflectedTargets.Instance, ReflectedWriter.Instance);
    }
}

/// <summary>Avro in Confluent's framing. Thread-safe. Made by <see cref="AvroSerde"/>.</summary>
/// <typeparam name="T">Value type.</typeparam>
public sealed class AvroSerde<T> : ISerde<T>
{
    /// <summary>Writers' schemas whose plans are kept; values of further ones are read by plans made each time.</summary>
    private const int MaxPlans = 1000;

    private readonly SchemaIdResolver _ids;
    private readonly AvroSchema? _schema;
    private readonly Func<T, AvroSchema> _schemaOf;
    private readonly ITargets _targets;
    private readonly AvroDatumWriter _writer;
    private readonly Lock _lock = new();
    private volatile Dictionary<int, (ReadPlan Plan, bool IsBare)> _plans = [];
    private volatile Dictionary<AvroSchema, (int Id, AvroSchema Schema)> _written = new(ReferenceEqualityComparer.Instance);

    internal AvroSerde(SchemaIdResolver ids, AvroSchema? schema, Func<T, AvroSchema> schemaOf, ITargets targets, AvroDatumWriter writer)
    {
        _ids = ids;
        _schema = schema;
        _schemaOf = schemaOf;
        _targets = targets;
        _writer = writer;
    }

    /// <summary>The schema values are resolved to; <c>null</c> when they are read as they were written.</summary>
    public AvroSchema? Schema => _schema;

    /// <summary>Finds or registers the serde's schema now, so that the first value does not wait for the registry. Nothing to do for generic records, each of which has its own.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        if (_schema is null) return;
        var (id, schema) = await _ids.ResolveAsync(new RegistrySchema(SchemaType.Avro, _schema.Text), _schema.FullName, cancellationToken).ConfigureAwait(false);
        Remember(_schema, id, schema);
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The value does not fit the schema.</exception>
    /// <exception cref="SchemaRegistryException">The registry refuses the schema or cannot be reached.</exception>
    public void Serialize(T value, IBufferWriter<byte> output)
    {
        var own = _schemaOf(value);
        if (!_written.TryGetValue(own, out var target))
        {
            var (id, schema) = _ids.Resolve(new RegistrySchema(SchemaType.Avro, own.Text), own.FullName);
            target = Remember(own, id, schema);
        }

        WireFormat.WriteHeader(target.Id, output);
        if (IsBare(target.Schema) && value is byte[] or ReadOnlyMemory<byte>)
            output.Write(value is byte[] bytes ? bytes : ((ReadOnlyMemory<byte>)(object)value!).Span);
        else
            _writer.Write(target.Schema, value, output);
    }

    /// <inheritdoc/>
    /// <exception cref="SchemaRegistryException">The registry does not know the schema or cannot be reached.</exception>
    public T Deserialize(ReadOnlySpan<byte> data)
    {
        var id = WireFormat.ReadHeader(ref data);
        if (!_plans.TryGetValue(id, out var plan)) plan = MakePlan(id);
        try
        {
            if (plan.IsBare)
            {
                // Framed, so that the plan's conversion to the type still applies.
                var framed = new ArrayBufferWriter<byte>(data.Length + 10);
                new AvroWriter(framed).WriteLong(data.Length);
                framed.Write(data);
                data = framed.WrittenSpan;
            }

            var reader = new AvroReader(data);
            var value = plan.Plan.Read(ref reader) ?? throw new SerializationException("The value is null, which a record's value says by being absent.");
            if (reader.Remaining > 0) throw new SerializationException($"{reader.Remaining} byte(s) are left over.");
            return (T)value;
        }
        catch (Exception failure) when (failure is SerializationException or OverflowException or ArgumentOutOfRangeException or InvalidCastException)
        {
            throw new SerializationException($"An Avro value (schema {id}) cannot be read as {_schema?.Label ?? "it was written"}: {failure.Message}", failure);
        }
    }

    private static bool IsBare(AvroSchema schema) => schema is { Kind: AvroKind.Bytes, LogicalType: null };

    private (int Id, AvroSchema Schema) Remember(AvroSchema own, int id, RegistrySchema schema)
    {
        var target = (id, schema.Text == own.Text ? own : ParseRegistered(id, schema));
        lock (_lock)
        {
            if (_written.Count < MaxPlans) _written = new(_written, ReferenceEqualityComparer.Instance) { [own] = target };
        }

        return target;
    }

    private (ReadPlan Plan, bool IsBare) MakePlan(int id)
    {
        // On another thread, so that a caller with a synchronisation context does not wait for itself.
        var (text, references) = Task.Run(() => LoadAsync(id)).GetAwaiter().GetResult();
        (ReadPlan Plan, bool IsBare) plan;
        try
        {
            var writer = AvroSchema.Parse(text, references);
            if (_schema is null && writer.Kind != AvroKind.Record) throw new AvroResolutionException($"it is one of {writer.Label}, not of a record");
            plan = (new ReadPlanner(_targets).Plan(writer, _schema ?? writer, _schema is null ? typeof(object) : typeof(T)), IsBare(writer));
        }
        catch (Exception failure) when (failure is FormatException or AvroResolutionException)
        {
            throw new SerializationException($"Values of schema {id} cannot be read{(_schema is null ? "" : $" as {_schema.Label}")}: {failure.Message}", failure);
        }

        lock (_lock)
        {
            // Readers take no lock, so the table is replaced and never changed.
            if (_plans.Count < MaxPlans) _plans = new(_plans) { [id] = plan };
        }

        return plan;
    }

    private AvroSchema ParseRegistered(int id, RegistrySchema schema)
    {
        try
        {
            return AvroSchema.Parse(schema.Text, Task.Run(() => LoadReferencesAsync(schema)).GetAwaiter().GetResult());
        }
        catch (FormatException failure)
        {
            throw new SerializationException($"Schema {id} is not one to write with: {failure.Message}", failure);
        }
    }

    private async Task<(string Text, IReadOnlyList<string> References)> LoadAsync(int id)
    {
        var schema = await _ids.Registry.GetSchemaAsync(id, CancellationToken.None).ConfigureAwait(false);
        if (schema.Type != SchemaType.Avro) throw new SerializationException($"Schema {id} is one of {schema.Type}, not of Avro.");
        return (schema.Text, await LoadReferencesAsync(schema).ConfigureAwait(false));
    }

    private async Task<IReadOnlyList<string>> LoadReferencesAsync(RegistrySchema schema)
    {
        var texts = new List<string>();
        await new ReferenceLoader(_ids.Registry, texts).LoadAsync(schema.References).ConfigureAwait(false);
        return texts;
    }

    /// <summary>Depth first, each once, so that what is referred to comes before what refers to it. The number is bounded: a registry could name ever new ones.</summary>
    private sealed class ReferenceLoader(ISchemaRegistry registry, List<string> texts)
    {
        private const int MaxReferences = 200;
        private readonly HashSet<(string Subject, int Version)> _seen = [];

        public async Task LoadAsync(IReadOnlyList<SchemaReference> references)
        {
            foreach (var reference in references)
            {
                if (!_seen.Add((reference.Subject, reference.Version))) continue;
                if (_seen.Count > MaxReferences) throw new SerializationException($"A schema refers to more than {MaxReferences} others.");
                var registered = await registry.GetVersionAsync(reference.Subject, reference.Version, CancellationToken.None).ConfigureAwait(false);
                await LoadAsync(registered.Schema.References).ConfigureAwait(false);
                texts.Add(registered.Schema.Text);
            }
        }
    }
}
