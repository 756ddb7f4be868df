namespace Streams.SchemaRegistry;

/// <summary>Finds, registers and remembers the id that values are written with, by the rules of <see cref="SchemaSerdeOptions"/>. For authors of serdes. Thread-safe.</summary>
public sealed class SchemaIdResolver
{
    private const int MaxRemembered = 1000;

    private readonly ISchemaRegistry _registry;
    private readonly SchemaSerdeOptions _options;
    private readonly Lock _lock = new();
    private volatile Dictionary<RegistrySchema, (int Id, RegistrySchema Schema)> _known = [];

    /// <summary>Creates a resolver.</summary>
    public SchemaIdResolver(ISchemaRegistry registry, SchemaSerdeOptions options)
    {
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(options);
        _registry = registry;
        _options = options;
    }

    /// <summary>The registry.</summary>
    public ISchemaRegistry Registry => _registry;

    /// <summary>
    /// Id to write with, and the schema it stands for: the given one, or the subject's newest. Answered from memory after the first time, up to 1000 different schemas; further ones are
    /// asked of the registry each time.
    /// </summary>
    /// <exception cref="SchemaRegistryException">The registry refuses or cannot be reached.</exception>
    public async ValueTask<(int Id, RegistrySchema Schema)> ResolveAsync(RegistrySchema schema, string? recordName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (_known.TryGetValue(schema, out var known)) return known;
        var subject = _options.Subject.SubjectFor(recordName);
        if (_options.UseLatestVersion)
        {
            var latest = await _registry.GetLatestAsync(subject, cancellationToken).ConfigureAwait(false);
            if (latest.Schema.Type != schema.Type)
                throw new Core.SerializationException($"The newest version of subject '{subject}' is a {latest.Schema.Type} schema; the serde writes {schema.Type}.");
            known = (latest.Id, latest.Schema);
        }
        else
        {
            var id = _options.AutoRegister
                ? await _registry.RegisterAsync(subject, schema, _options.Normalize, cancellationToken).ConfigureAwait(false)
                : (await _registry.FindAsync(subject, schema, _options.Normalize, cancellationToken).ConfigureAwait(false)).Id;
            known = (id, schema);
        }

        lock (_lock)
        {
            // Readers take no lock, so the table is replaced and never changed; schemas are few.
            if (_known.Count < MaxRemembered) _known = new Dictionary<RegistrySchema, (int Id, RegistrySchema Schema)>(_known) { [schema] = known };
        }

        return known;
    }

    /// <summary>The same for serializers, which cannot wait asynchronously: blocks the calling thread for the first value of a schema, at most for the client's time limits.</summary>
    public (int Id, RegistrySchema Schema) Resolve(RegistrySchema schema, string? recordName)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (_known.TryGetValue(schema, out var known)) return known;

        // On another thread, so that a caller with a synchronisation context does not wait for itself.
        return Task.Run(() => ResolveAsync(schema, recordName, CancellationToken.None).AsTask()).GetAwaiter().GetResult();
    }
}
