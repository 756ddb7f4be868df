using System.Buffers;

namespace Streams.Core;

/// <summary>Kafka's rules for topic names.</summary>
internal static class TopicNames
{
    private const int MaxLength = 249;

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private static readonly string _characters = $"1 to {MaxLength} characters of a-z, A-Z, 0-9, '.', '_' and '-'";

    /// <summary>What makes a name legal, for errors.</summary>
    public static string Rule { get; } = "topic names have " + _characters;

    public static bool IsLegal(string topic) => topic.Length is > 0 and <= MaxLength && topic is not ("." or "..") && !topic.AsSpan().ContainsAnyExcept(_allowed);

    public static void Validate(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        if (!IsLegal(topic))
            throw new TopologyException($"'{topic}' is not a topic name: {_characters}, and neither '.' nor '..'.");
    }
}
