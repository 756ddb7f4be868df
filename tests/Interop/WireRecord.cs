using System.Text.Json;

namespace Interop;

/// <summary>A record as every client can state it: bytes in lower-case hexadecimal, null where the protocol has null.</summary>
internal sealed record WireRecord(string? Key, string? Value, long Timestamp, IReadOnlyList<(string Name, string? Value)> Headers)
{
    public static WireRecord Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new WireRecord(
            root.GetProperty("key").GetString(),
            root.GetProperty("value").GetString(),
            root.GetProperty("timestamp").GetInt64(),
            [.. root.GetProperty("headers").EnumerateArray().Select(header => (header[0].GetString()!, header[1].GetString()))]);
    }

    public string ToJson() => JsonSerializer.Serialize(new
    {
        key = Key,
        value = Value,
        timestamp = Timestamp,
        headers = Headers.Select(header => (string?[])[header.Name, header.Value]),
    });

    public bool Equals(WireRecord? other) =>
        other is not null && Key == other.Key && Value == other.Value && Timestamp == other.Timestamp && Headers.SequenceEqual(other.Headers);

    public override int GetHashCode() => HashCode.Combine(Key, Value, Timestamp, Headers.Count);

    /// <summary>For messages of failed comparisons.</summary>
    public override string ToString() => ToJson();
}
