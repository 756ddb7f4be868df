using System.Buffers;
using System.Text.Json;

namespace Streams.Hosting.AspNetCore.Reading;

/// <summary>JSON as bytes.</summary>
internal static class JsonText
{
    /// <summary>One object.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }
}
