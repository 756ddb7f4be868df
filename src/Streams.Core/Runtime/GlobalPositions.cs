using System.Text.Json;

namespace Streams.Core;

/// <summary>How far a global store has read the partitions of its topic, beside the store on disk.</summary>
/// <remarks>
/// A store keeps one number with its data; a global store is fed from several partitions. So that one number counts commits, and this file says
/// which offsets each of the last <see cref="KeptCommits"/> commits stands for. It is written before the store commits, so whichever side of the commit a
/// kill falls on, the number found in the store is in the file; several are kept because a store may bring its number to disk a few commits late.
/// A number that is not found costs reading the topic anew, never wrong content. Kafka has one checkpoint file beside all global stores.
/// </remarks>
internal sealed class GlobalPositions
{
    /// <summary>Commits whose offsets are kept.</summary>
    public const int KeptCommits = 64;

    private const int Version = 1;
    private const string FileName = "positions.json";
    private const long MaxFileBytes = 4 << 20;

    private readonly string _topic;
    private readonly Dictionary<long, long[]> _commits;

    private GlobalPositions(string topic, Dictionary<long, long[]> commits)
    {
        _topic = topic;
        _commits = commits;
    }

    /// <summary>Number of the newest commit; 0 before the first.</summary>
    public long Newest => _commits.Count == 0 ? 0 : _commits.Keys.Max();

    /// <summary>Reads the file of a store; empty when there is none, or it is not about this topic or not readable: the store is then read anew.</summary>
    public static GlobalPositions Load(string folder, string topic)
    {
        var path = Path.Combine(folder, FileName);
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaxFileBytes) return new GlobalPositions(topic, []);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != Version || root.GetProperty("topic").GetString() != topic) return new GlobalPositions(topic, []);
            var commits = new Dictionary<long, long[]>();
            foreach (var commit in root.GetProperty("commits").EnumerateArray())
                commits[commit.GetProperty("number").GetInt64()] = [.. commit.GetProperty("offsets").EnumerateArray().Select(offset => offset.GetInt64())];
            return new GlobalPositions(topic, commits);
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Damaged: without it the store's content cannot be placed, which the caller sees as any other disagreement.
            return new GlobalPositions(topic, []);
        }
    }

    /// <summary>Offsets of each partition as of a commit; <c>null</c> when it is not known.</summary>
    public IReadOnlyList<long>? At(long number) => _commits.GetValueOrDefault(number);

    /// <summary>Keeps the offsets of the commit that is about to be made, beside those of the ones before it, and makes the file durable.</summary>
    public void Save(string folder, long number, long[] offsets)
    {
        foreach (var old in _commits.Keys.Where(known => known <= number - KeptCommits || known >= number).ToList()) _commits.Remove(old);
        _commits[number] = offsets;
        var path = Path.Combine(folder, FileName);
        var draft = path + ".tmp";
        using (var stream = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            using (var json = new Utf8JsonWriter(stream))
            {
                json.WriteStartObject();
                json.WriteNumber("version", Version);
                json.WriteString("topic", _topic);
                json.WriteStartArray("commits");
                foreach (var (known, positions) in _commits.OrderBy(commit => commit.Key))
                {
                    json.WriteStartObject();
                    json.WriteNumber("number", known);
                    json.WriteStartArray("offsets");
                    foreach (var offset in positions) json.WriteNumberValue(offset);
                    json.WriteEndArray();
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
    }
}
