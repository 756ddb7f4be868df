using System.Globalization;
using Streams.SchemaRegistry.Http;

namespace Streams.SchemaRegistry;

/// <summary>
/// A client of Confluent's Schema Registry HTTP API, or of anything that speaks it. Thread-safe; one per application is enough.
/// </summary>
/// <remarks>
/// Schemas by id, by version, and ids of registered schemas never change, so they are kept (<see cref="SchemaRegistryConfig.MaxCachedSchemas"/>); everything else is asked anew.
/// Failures that may pass (no connection, no answer in time, status 408, 429 and 5xx) are repeated with growing pauses, at the next address.
/// Source: Schema Registry API reference, version 1.
/// </remarks>
public sealed class SchemaRegistryClient : ISchemaRegistry, IDisposable
{
    private readonly RegistryHttp _http;
    private readonly BoundedCache<(string Subject, RegistrySchema Schema, bool Normalize), int> _ids;
    private readonly BoundedCache<(string Subject, RegistrySchema Schema, bool Normalize), RegisteredSchema> _found;
    private readonly BoundedCache<int, RegistrySchema> _schemas;
    private readonly BoundedCache<(string Subject, int Version), RegisteredSchema> _versions;

    /// <summary>Creates a client; connects to nothing yet.</summary>
    /// <exception cref="Core.ConfigException">The configuration is wrong.</exception>
    public SchemaRegistryClient(SchemaRegistryConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        _http = new RegistryHttp(config);
        _ids = new(config.MaxCachedSchemas);
        _found = new(config.MaxCachedSchemas);
        _schemas = new(config.MaxCachedSchemas);
        _versions = new(config.MaxCachedSchemas);
    }

    /// <inheritdoc/>
    public ValueTask<int> RegisterAsync(string subject, RegistrySchema schema, bool normalize = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        ArgumentNullException.ThrowIfNull(schema);
        return _ids.GetAsync((subject, schema, normalize), RequestIdAsync, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<RegisteredSchema> FindAsync(string subject, RegistrySchema schema, bool normalize = false, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        ArgumentNullException.ThrowIfNull(schema);
        return _found.GetAsync((subject, schema, normalize), RequestFindAsync, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<RegistrySchema> GetSchemaAsync(int id, CancellationToken cancellationToken = default) =>
        _schemas.GetAsync(
            id,
            key => _http.SendAsync(HttpMethod.Get, $"schemas/ids/{Number(key)}", $"schema {Number(key)}", body: null, RegistryJson.ReadSchema, CancellationToken.None),
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RegisteredSchema> GetVersionAsync(string subject, int version, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        ArgumentOutOfRangeException.ThrowIfLessThan(version, 1);
        return _versions.GetAsync((subject, version), key => RequestVersionAsync(key.Subject, Number(key.Version), CancellationToken.None), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<RegisteredSchema> GetLatestAsync(string subject, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        var latest = await RequestVersionAsync(subject, "latest", cancellationToken).ConfigureAwait(false);
        _schemas.Put(latest.Id, latest.Schema);
        return latest;
    }

    /// <summary>All subjects.</summary>
    public Task<IReadOnlyList<string>> GetSubjectsAsync(CancellationToken cancellationToken = default) =>
        _http.SendAsync(HttpMethod.Get, "subjects", "the list of subjects", body: null, RegistryJson.ReadStrings, cancellationToken);

    /// <summary>Version numbers of a subject, ascending.</summary>
    public Task<IReadOnlyList<int>> GetVersionsAsync(string subject, CancellationToken cancellationToken = default) =>
        _http.SendAsync(HttpMethod.Get, $"{Path(subject)}/versions", $"versions of subject '{subject}'", body: null, RegistryJson.ReadNumbers, cancellationToken);

    /// <summary>Whether a schema could become the next version of a subject.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="version">The version to compare with; <c>null</c> for the latest.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<bool> IsCompatibleAsync(string subject, RegistrySchema schema, int? version = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return _http.SendAsync(
            HttpMethod.Post,
            $"compatibility/{Path(subject)}/versions/{(version is { } number ? Number(number) : "latest")}",
            $"compatibility with subject '{subject}'",
            RegistryJson.WriteSchema(schema),
            static answer => answer.GetProperty("is_compatible").GetBoolean(),
            cancellationToken);
    }

    /// <summary>The rule for new versions of a subject.</summary>
    /// <param name="subject">The subject; <c>null</c> for the registry's general rule. A subject without a rule of its own has the general one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<SchemaCompatibility> GetCompatibilityAsync(string? subject = null, CancellationToken cancellationToken = default) =>
        _http.SendAsync(
            HttpMethod.Get,
            subject is null ? "config" : $"config/{Escaped(subject)}?defaultToGlobal=true",
            subject is null ? "the general compatibility" : $"compatibility of subject '{subject}'",
            body: null,
            static answer => RegistryJson.ReadCompatibility(answer.GetProperty("compatibilityLevel")),
            cancellationToken);

    /// <summary>Sets the rule for new versions of a subject.</summary>
    /// <param name="subject">The subject; <c>null</c> for the registry's general rule.</param>
    /// <param name="compatibility">The rule.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task SetCompatibilityAsync(string? subject, SchemaCompatibility compatibility, CancellationToken cancellationToken = default) =>
        _http.SendAsync(
            HttpMethod.Put,
            subject is null ? "config" : $"config/{Escaped(subject)}",
            subject is null ? "the general compatibility" : $"compatibility of subject '{subject}'",
            RegistryJson.WriteCompatibility(compatibility),
            static answer => RegistryJson.ReadCompatibility(answer.GetProperty("compatibility")),
            cancellationToken);

    /// <summary>Deletes a subject and returns the versions it had. Ids stay known to the registry unless it is told to forget them.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="permanent">Whether to forget the schemas too; the subject must have been deleted without before.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<IReadOnlyList<int>> DeleteSubjectAsync(string subject, bool permanent = false, CancellationToken cancellationToken = default) =>
        _http.SendAsync(
            HttpMethod.Delete, Path(subject) + (permanent ? "?permanent=true" : ""), $"deletion of subject '{subject}'", body: null, RegistryJson.ReadNumbers, cancellationToken);

    /// <summary>Closes connections.</summary>
    public void Dispose() => _http.Dispose();

    private async Task<int> RequestIdAsync((string Subject, RegistrySchema Schema, bool Normalize) key)
    {
        var id = await _http.SendAsync(
            HttpMethod.Post,
            $"{Path(key.Subject)}/versions{Query(key.Normalize)}",
            $"registration under subject '{key.Subject}'",
            RegistryJson.WriteSchema(key.Schema),
            static answer => answer.GetProperty("id").GetInt32(),
            CancellationToken.None).ConfigureAwait(false);
        _schemas.Put(id, key.Schema);
        return id;
    }

    private Task<RegisteredSchema> RequestFindAsync((string Subject, RegistrySchema Schema, bool Normalize) key) => _http.SendAsync(
        HttpMethod.Post, Path(key.Subject) + Query(key.Normalize), $"a schema in subject '{key.Subject}'", RegistryJson.WriteSchema(key.Schema), RegistryJson.ReadRegistered, CancellationToken.None);

    private static string Query(bool normalize) => normalize ? "?normalize=true" : "";

    private Task<RegisteredSchema> RequestVersionAsync(string subject, string version, CancellationToken cancellationToken) =>
        _http.SendAsync(HttpMethod.Get, $"{Path(subject)}/versions/{version}", $"version {version} of subject '{subject}'", body: null, RegistryJson.ReadRegistered, cancellationToken);

    private static string Path(string subject)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        return $"subjects/{Escaped(subject)}";
    }

    // Uri would take '.' and '..' for folders, even escaped ones.
    private static string Escaped(string subject) => subject is "." or ".."
        ? throw new ArgumentException($"'{subject}' cannot be a subject: no URL can name it.", nameof(subject))
        : Uri.EscapeDataString(subject);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
