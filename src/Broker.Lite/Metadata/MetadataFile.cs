using System.Text.Json;

namespace Broker.Lite.Metadata;

/// <summary>
/// The broker's own small file, <c>metadata.json</c>, always whole: a change is written beside it, forced to disk and renamed over it.
/// Without a data folder nothing is stored.
/// </summary>
internal sealed class MetadataFile(string? directory)
{
    private const string FileName = "metadata.json";
    private const int Version = 1;

    /// <summary>Reads the document; null if there is none yet.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or of a later version; the message names it.</exception>
    public MetadataDocument? Load()
    {
        if (directory is null)
            return null;
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            return null;
        MetadataDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(File.ReadAllBytes(path), MetadataJsonContext.Default.MetadataDocument);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} cannot be read: {e.Message}", e);
        }

        if (document is null || document.Version != Version)
            throw new InvalidDataException($"{path} has version {document?.Version}, this broker reads version {Version}");
        foreach (var topic in document.Topics)
        {
            if (TopicName.Fault(topic.Name) is { } fault || topic.Partitions < 1)
                throw new InvalidDataException($"{path} has an impossible topic '{topic.Name}' with {topic.Partitions} partitions");
        }

        return document;
    }

    /// <summary>Replaces the document; when this returns, it survives a crash.</summary>
    public void Save(MetadataDocument document)
    {
        if (directory is null)
            return;
        var path = Path.Combine(directory, FileName);
        var temporary = path + ".tmp";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            JsonSerializer.Serialize(stream, document, MetadataJsonContext.Default.MetadataDocument);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        DirectorySync.Flush(directory);
    }
}
