using System.Collections.Concurrent;

namespace Broker.Lite.Logs;

/// <summary>A folder in memory. It outlives the log that uses it, so a log can be opened again on what an earlier one left.</summary>
internal sealed class MemoryLogDirectory : LogDirectory
{
    private readonly ConcurrentDictionary<string, MemoryLogFile> _files = new(StringComparer.Ordinal);

    public override LogFile Open(string name) => _files.GetOrAdd(name, static _ => new MemoryLogFile());

    public override IReadOnlyList<string> List() => [.. _files.Keys];

    public override void Delete(string name) => _files.TryRemove(name, out _);

    public override bool IsOnDisk => false;

    public override void Rename(string name, string newName)
    {
        if (!_files.TryRemove(name, out MemoryLogFile? file))
            throw new FileNotFoundException($"There is no file {name}.", name);
        _files[newName] = file;
    }

    public override void Sync()
    {
    }

    public override byte[]? TryReadAll(string name, int maxBytes)
    {
        if (!_files.TryGetValue(name, out MemoryLogFile? file) || file.Length > maxBytes)
            return null;
        var content = new byte[file.Length];
        file.Read(0, content);
        return content;
    }

    public override void Replace(string name, ReadOnlySpan<byte> content)
    {
        var file = new MemoryLogFile();
        if (!content.IsEmpty)
            file.Write(0, content);
        _files[name] = file;
    }

    public override void Remove() => _files.Clear();
}
