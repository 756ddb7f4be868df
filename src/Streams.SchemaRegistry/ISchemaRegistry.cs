namespace Streams.SchemaRegistry;

/// <summary>What serdes and tools ask of a schema registry. Thread-safe. Implemented by <see cref="SchemaRegistryClient"/>; another implementation may keep schemas in a file.</summary>
/// <remarks>Every call throws <see cref="SchemaRegistryException"/> when the registry refuses it or does not answer in time.</remarks>
public interface ISchemaRegistry
{
    /// <summary>Registers a schema under a subject, or finds that it is there already, and returns its id.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="normalize">Whether the registry compares schemas by meaning rather than text.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<int> RegisterAsync(string subject, RegistrySchema schema, bool normalize, CancellationToken cancellationToken);

    /// <summary>A schema's version and id in a subject; registers nothing.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="normalize">Whether the registry compares schemas by meaning rather than text.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<RegisteredSchema> FindAsync(string subject, RegistrySchema schema, bool normalize, CancellationToken cancellationToken);

    /// <summary>The schema with an id.</summary>
    ValueTask<RegistrySchema> GetSchemaAsync(int id, CancellationToken cancellationToken);

    /// <summary>A version of a subject.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="version">The version, from 1.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<RegisteredSchema> GetVersionAsync(string subject, int version, CancellationToken cancellationToken);

    /// <summary>The newest version of a subject; asked anew each time.</summary>
    ValueTask<RegisteredSchema> GetLatestAsync(string subject, CancellationToken cancellationToken);
}
