using System.Collections.Immutable;
using System.Text.Json;
using Broker.Lite.Metadata;
using Broker.Lite.Security.Acls;
using Broker.Lite.Security.Quotas;
using Broker.Lite.Security.Sasl;

namespace Broker.Lite.Security;

/// <summary>
/// The one writer of users, access rules and quotas: <c>security.json</c> beside the broker's metadata, readable by its owner only, always
/// whole. A change is stored first, then published. Changes run on the broker loop; <see cref="View"/> may be read anywhere.
/// </summary>
internal sealed class SecurityStore
{
    private const string FileName = "security.json";
    private const int Version = 1;

    private readonly string? _directory;
    private SecurityView _view;

    private SecurityStore(string? directory, SecurityView view)
    {
        _directory = directory;
        _view = view;
    }

    /// <summary>The current picture.</summary>
    public SecurityView View => Volatile.Read(ref _view);

    /// <summary>Reads the file, if there is one.</summary>
    /// <param name="directory">The data folder; null keeps everything in memory.</param>
    /// <exception cref="InvalidDataException">The file is damaged or of a later version; the message names it.</exception>
    public static SecurityStore Open(string? directory)
    {
        var path = directory is null ? null : Path.Combine(directory, FileName);
        if (path is null || !File.Exists(path))
            return new SecurityStore(directory, SecurityView.Empty);
        try
        {
            var document = JsonSerializer.Deserialize(File.ReadAllBytes(path), SecurityJsonContext.Default.SecurityDocument);
            if (document is null || document.Version != Version)
                throw new InvalidDataException($"{path} has version {document?.Version}, this broker reads version {Version}");
            return new SecurityStore(directory, ViewOf(document, path));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Replaces the picture; when this returns, it survives a crash.</summary>
    /// <exception cref="IOException">It could not be written; nothing changed.</exception>
    public void Change(SecurityView view)
    {
        if (_directory is not null)
            Save(_directory, view);
        Volatile.Write(ref _view, view);
    }

    private static void Save(string directory, SecurityView view)
    {
        var document = new SecurityDocument
        {
            Scram = [.. view.Scram.OrderBy(entry => entry.Key).Select(entry => new ScramUserDocument(
                entry.Key.User, entry.Key.Mechanism, entry.Value.Iterations, entry.Value.Salt, entry.Value.StoredKey, entry.Value.ServerKey))],
            Acls = [.. view.Acls.Rules.OrderBy(rule => rule.ToString(), StringComparer.Ordinal)],
            Quotas = [.. view.Quotas.Entries.Select(entry => new QuotaDocument(entry.Key.ToDocument(), new(entry.Value.ToDictionary(), StringComparer.Ordinal)))],
        };
        var path = Path.Combine(directory, FileName);
        var temporary = path + ".tmp";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(temporary, options))
        {
            JsonSerializer.Serialize(stream, document, SecurityJsonContext.Default.SecurityDocument);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        DirectorySync.Flush(directory);
    }

    private static SecurityView ViewOf(SecurityDocument document, string path)
    {
        var scram = SecurityView.Empty.Scram.ToBuilder();
        foreach (var user in document.Scram)
        {
            if (!ScramMechanism.TryFind(user.Mechanism, out var mechanism) || user.StoredKey.Length != mechanism.HashBytes || user.ServerKey.Length != mechanism.HashBytes)
                throw new InvalidDataException($"{path} cannot be used: the credential of user '{user.User}' is damaged");
            scram[(user.User, mechanism.Name)] = new ScramCredential(user.Salt, user.StoredKey, user.ServerKey, user.Iterations);
        }

        foreach (var rule in document.Acls)
        {
            if (rule.Fault() is { } fault)
                throw new InvalidDataException($"{path} cannot be used: {fault}");
        }

        var quotas = QuotaTable.Empty;
        foreach (var quota in document.Quotas)
        {
            if (QuotaEntity.FromDocument(quota.Entity) is not { } entity || quota.Values.Any(value => QuotaTable.Fault(entity, value.Key, value.Value) is not null))
                throw new InvalidDataException($"{path} cannot be used: a quota is damaged");
            quotas = quotas.With(entity, quota.Values.ToImmutableSortedDictionary(StringComparer.Ordinal));
        }

        return new SecurityView { Scram = scram.ToImmutable(), Acls = new AclTable([.. document.Acls]), Quotas = quotas };
    }
}
