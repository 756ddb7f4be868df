using System.Text.Json;

namespace Streams.Core.Tests.Serialization;

/// <summary>Bytes recorded from Kafka's Java serializers and its partitioner.</summary>
internal static class FormatVectors
{
    public static JsonElement Root { get; } = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "vectors", "formats.json"))).RootElement;

    public static IReadOnlyList<JsonElement> Serde(string name) => [.. Root.GetProperty("serdes").GetProperty(name).EnumerateArray()];

    public static byte[] Bytes(JsonElement vector) => vector.GetProperty("bytes").GetBytesFromBase64();
}
