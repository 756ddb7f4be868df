using Streams.Core;

namespace Streams.SchemaRegistry;

/// <summary>Which subject of the registry a serde's schemas are versions of.</summary>
/// <remarks>
/// A serde here is not told which topic it writes to, so the strategies that need the topic are given it. A serde of a topic's values can serve that topic only; one with
/// <see cref="Record"/> serves any topic, store and changelog. Readers do not need it: records carry the schema's id. Source: Confluent's <c>SubjectNameStrategy</c>.
/// </remarks>
public sealed class SubjectNameStrategy
{
    private readonly Func<string?, string> _name;

    private SubjectNameStrategy(Func<string?, string> name) => _name = name;

    /// <summary>The full name of the record type, so that a type has one history in all topics. Confluent: <c>RecordNameStrategy</c>.</summary>
    public static SubjectNameStrategy Record { get; } = new(Required);

    /// <summary><c>topic-key</c>, for the keys of one topic. Confluent: <c>TopicNameStrategy</c>, the default there.</summary>
    public static SubjectNameStrategy TopicKey(string topic) => Topic(topic, "-key");

    /// <summary><c>topic-value</c>, for the values of one topic. Confluent: <c>TopicNameStrategy</c>, the default there.</summary>
    public static SubjectNameStrategy TopicValue(string topic) => Topic(topic, "-value");

    /// <summary><c>topic-record</c>, so that a topic can carry several types. Confluent: <c>TopicRecordNameStrategy</c>.</summary>
    public static SubjectNameStrategy TopicRecord(string topic)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        return new(record => $"{topic}-{Required(record)}");
    }

    /// <summary>A subject of any name.</summary>
    public static SubjectNameStrategy Fixed(string subject)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        return new(_ => subject);
    }

    /// <summary>The subject for a record type.</summary>
    /// <param name="recordName">Full name of the type; <c>null</c> when the schema has none.</param>
    /// <exception cref="SerializationException">The strategy needs a name and there is none.</exception>
    public string SubjectFor(string? recordName) => _name(recordName);

    private static SubjectNameStrategy Topic(string topic, string suffix)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        return Fixed(topic + suffix);
    }

    private static string Required(string? recordName) => string.IsNullOrEmpty(recordName)
        ? throw new SerializationException("The subject is to be named after the record type, but the schema has no name; use a strategy that names the topic.")
        : recordName;
}
