using System.Text;

namespace Broker.Lite.Logs;

/// <summary>
/// The file <c>partition.metadata</c> with the topic's id, in Kafka's format: "version: 0" and "topic_id: " with the 16 bytes, big-endian, in URL-safe base64
/// without padding.
/// </summary>
internal static class PartitionMetadataFile
{
    public const string FileName = "partition.metadata";

    private const string TopicIdKey = "topic_id:";
    private const int MaxFileBytes = 4 * 1024;

    public static void Write(LogDirectory directory, Guid topicId) =>
        directory.Replace(FileName, Encoding.UTF8.GetBytes($"version: 0\n{TopicIdKey} {Format(topicId)}\n"));

    /// <summary>The topic's id; <see cref="Guid.Empty"/> when the file is missing or not readable.</summary>
    public static Guid Read(LogDirectory directory)
    {
        byte[]? content = directory.TryReadAll(FileName, MaxFileBytes);
        if (content is null)
            return Guid.Empty;
        foreach (string line in Encoding.UTF8.GetString(content).Split('\n'))
        {
            if (line.StartsWith(TopicIdKey, StringComparison.Ordinal))
                return Parse(line[TopicIdKey.Length..].Trim());
        }

        return Guid.Empty;
    }

    private static string Format(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }

    private static Guid Parse(string text)
    {
        Span<byte> bytes = stackalloc byte[16];
        return System.Buffers.Text.Base64Url.IsValid(text, out int length)
            && length == 16
            && System.Buffers.Text.Base64Url.TryDecodeFromChars(text, bytes, out int written)
            && written == 16
                ? new Guid(bytes, bigEndian: true)
                : Guid.Empty;
    }
}
