using Broker.Lite.Metadata;

namespace Broker.Lite.Logs;

/// <summary>A folder on disk.</summary>
internal sealed class DiskLogDirectory : LogDirectory
{
    /// <summary>End of the name of a folder that is being deleted; what a crash leaves of it is removed at start. Source: Kafka's <c>LocalLog</c>.</summary>
    public const string DeletedSuffix = "-delete";

    private const string TemporarySuffix = ".tmp";

    private readonly string _path;

    public DiskLogDirectory(string path)
    {
        _path = path;
        Directory.CreateDirectory(path);
    }

    public override LogFile Open(string name) => new DiskLogFile(Path.Combine(_path, name));

    public override IReadOnlyList<string> List() => [.. Directory.EnumerateFiles(_path).Select(path => Path.GetFileName(path))];

    public override void Delete(string name) => File.Delete(Path.Combine(_path, name));

    public override bool IsOnDisk => true;

    public override void Rename(string name, string newName) => File.Move(Path.Combine(_path, name), Path.Combine(_path, newName), overwrite: true);

    public override void Sync() => DirectorySync.Flush(_path);

    public override byte[]? TryReadAll(string name, int maxBytes) => TryReadFile(Path.Combine(_path, name), maxBytes);

    public override void Replace(string name, ReadOnlySpan<byte> content) => ReplaceFile(Path.Combine(_path, name), content, flush: false);

    public override void Remove()
    {
        string name = Path.GetFileName(_path);
        string parent = Path.GetDirectoryName(_path) ?? throw new IOException($"{_path} has no parent folder.");
        string renamed = Path.Combine(parent, $"{name}.{Guid.NewGuid():N}{DeletedSuffix}");
        Directory.Move(_path, renamed);
        Directory.Delete(renamed, recursive: true);
    }

    /// <summary>The content of the small file at <paramref name="path"/>; null when it is missing or too large.</summary>
    public static byte[]? TryReadFile(string path, int maxBytes)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length <= maxBytes ? File.ReadAllBytes(path) : null;
    }

    /// <summary>
    /// Replaces the file at <paramref name="path"/> by way of a temporary one beside it, forced to disk before it takes the name; without
    /// <paramref name="flush"/> the replacement survives the end of the process, but not surely that of the machine.
    /// </summary>
    public static void ReplaceFile(string path, ReadOnlySpan<byte> content, bool flush = true)
    {
        string temporary = path + TemporarySuffix;
        using (var handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.Read))
        {
            RandomAccess.Write(handle, content, 0);
            if (flush)
                RandomAccess.FlushToDisk(handle);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
