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
        if (FaultOf(document) is { } fault)
            throw new InvalidDataException($"{path} cannot be used: {fault}");
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

    /// <summary>Whatever would fail later, with the logs already open; the file may have been edited by hand.</summary>
    private static string? FaultOf(MetadataDocument document)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var ids = new HashSet<Guid>();
        foreach (var topic in document.Topics)
        {
            if (topic is null)
                return "a topic is null";
            var fault = TopicName.Fault(topic.Name)
                ?? (topic.Partitions < 1 ? $"topic {topic.Name} has {topic.Partitions} partitions" : null)
                ?? (names.Add(topic.Name) && ids.Add(topic.Id) ? null : $"topic {topic.Name} or its id is there twice")
                ?? FaultOf(TopicConfigKeys.All, topic.Configs);
            if (fault is not null)
                return fault;
        }

        foreach (var (group, configs) in document.GroupConfigs)
        {
            if (configs is null || group.Length == 0 || FaultOf(GroupConfigKeys.All, configs) is not null)
                return $"the settings of group '{group}' are wrong";
        }

        return FaultOf(BrokerConfigKeys.All, document.BrokerConfigs);
    }

    private static string? FaultOf(IReadOnlyDictionary<string, ConfigKey> keys, SortedDictionary<string, string> values) =>
        ConfigRules.Faults(keys, values.Select(entry => KeyValuePair.Create(entry.Key, (string?)entry.Value))).FirstOrDefault();
}
