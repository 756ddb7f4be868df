using System.Globalization;

namespace Kafka.Protocol.Tests.Messages;

/// <summary>The table in <c>schema.txt</c>: an account of the messages' layout that does not know the message classes.</summary>
internal static class Schema
{
    private static readonly Lazy<Dictionary<string, SchemaMessage>> _all = new(Parse);

    public static IReadOnlyDictionary<string, SchemaMessage> All => _all.Value;

    public static SchemaVersions ParseVersions(string text) => text switch
    {
        "none" => new SchemaVersions(int.MaxValue, int.MaxValue),
        _ when text.EndsWith('+') => new SchemaVersions(Int(text[..^1]), int.MaxValue),
        _ when text.Contains('-', StringComparison.Ordinal) => new SchemaVersions(Int(text.Split('-')[0]), Int(text.Split('-')[1])),
        _ => new SchemaVersions(Int(text), Int(text)),
    };

    private static Dictionary<string, SchemaMessage> Parse()
    {
        using var stream = typeof(Schema).Assembly.GetManifestResourceStream("schema.txt")!;
        using var reader = new StreamReader(stream);
        var messages = new Dictionary<string, SchemaMessage>(StringComparer.Ordinal);
        var open = new List<List<SchemaField>>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var depth = (line.Length - line.TrimStart(' ').Length) / 2;
            var words = line.Trim().Split(' ');
            if (depth == 0)
            {
                var message = new SchemaMessage(words[0], ParseVersions(words[1]), ParseVersions(words[2]), []);
                messages.Add(message.Name, message);
                open = [message.Fields];
                continue;
            }

            var options = words.Skip(3).ToDictionary(w => w.Split('=')[0], w => w[(w.IndexOf('=', StringComparison.Ordinal) + 1)..], StringComparer.Ordinal);
            var field = new SchemaField(
                words[0],
                words[1].Replace("[]", string.Empty, StringComparison.Ordinal),
                words[1].StartsWith("[]", StringComparison.Ordinal),
                ParseVersions(words[2]),
                options.TryGetValue("null", out var nullable) ? ParseVersions(nullable) : ParseVersions("none"),
                options.TryGetValue("tag", out var tag) ? Int(tag) : null,
                options.GetValueOrDefault("default"),
                options.ContainsKey("ignorable"),
                []);
            open[depth - 1].Add(field);
            open.RemoveRange(depth, open.Count - depth);
            open.Add(field.Fields);
        }

        return messages;
    }

    private static int Int(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

internal readonly record struct SchemaVersions(int Min, int Max)
{
    public bool Contains(int version) => version >= Min && version <= Max;
}

internal sealed record SchemaMessage(string Name, SchemaVersions Versions, SchemaVersions Flexible, List<SchemaField> Fields);

internal sealed record SchemaField(
    string Name,
    string Type,
    bool IsArray,
    SchemaVersions Versions,
    SchemaVersions Nullable,
    int? Tag,
    string? Default,
    bool Ignorable,
    List<SchemaField> Fields)
{
    public bool IsStruct => char.IsUpper(Type[0]);

    public override string ToString() => $"{Name} {(IsArray ? "[]" : string.Empty)}{Type}";
}
