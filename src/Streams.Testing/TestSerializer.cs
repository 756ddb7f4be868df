using System.Buffers;
using Streams.Core;

namespace Streams.Testing;

/// <summary>Serdes as the test topics use them.</summary>
internal static class TestSerializer
{
    public static byte[] Serialize<T>(ISerializer<T> serializer, T value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        serializer.Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    public static ISerde<T> BuiltIn<T>(string topic, string part) => Serdes.TryGetBuiltIn<T>(out var serde)
        ? serde
        : throw new ArgumentException($"There is no built-in serde for the {part}s of topic '{topic}' ({typeof(T).Name}); pass one.");
}
