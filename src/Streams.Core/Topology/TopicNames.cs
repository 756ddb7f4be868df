using System.Buffers;

namespace Streams.Core;

/// <summary>Kafka's rules for topic names.</summary>
internal static class TopicNames
{
    private const int MaxLength = 249;

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    public static void Validate(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        if (topic.Length is 0 or > MaxLength || topic is "." or ".." || topic.AsSpan().ContainsAnyExcept(_allowed))
        {
            throw new TopologyException(
                $"'{topic}' is not a topic name: 1 to {MaxLength} characters of a-z, A-Z, 0-9, '.', '_' and '-', and neither '.' nor '..'.");
        }
    }
}
