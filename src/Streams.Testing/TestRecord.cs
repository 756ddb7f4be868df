using Streams.Core;

namespace Streams.Testing;

/// <summary>A record as a test writes it or reads it: compared by content, headers included.</summary>
/// <remarks>Source: Kafka's <c>TestRecord</c> (KIP-470).</remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class TestRecord<K, V> : IEquatable<TestRecord<K, V>>
{
    /// <summary>Creates a record; a <c>null</c> key or value is an absent one.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timestamp">Unix milliseconds; <c>null</c> takes the input topic's current time.</param>
    /// <param name="headers">Headers; <c>null</c> for none.</param>
    public TestRecord(K key, V value, long? timestamp = null, Headers? headers = null)
        : this(key, key is not null, value, value is not null, timestamp, headers)
    {
    }

    internal TestRecord(K key, bool hasKey, V value, bool hasValue, long? timestamp, Headers? headers)
    {
        Key = key;
        HasKey = hasKey;
        Value = value;
        HasValue = hasValue;
        Timestamp = timestamp;
        Headers = headers ?? Headers.Empty;
    }

    /// <summary>The key; meaningful only when <see cref="HasKey"/>.</summary>
    public K Key { get; }

    /// <summary>Whether there is a key.</summary>
    public bool HasKey { get; }

    /// <summary>The value; meaningful only when <see cref="HasValue"/>.</summary>
    public V Value { get; }

    /// <summary>Whether there is a value; false for a tombstone.</summary>
    public bool HasValue { get; }

    /// <summary>Unix milliseconds; <c>null</c> on a changelog record that leaves its time to the producer.</summary>
    public long? Timestamp { get; }

    /// <summary>The headers.</summary>
    public Headers Headers { get; }

    /// <summary>A record that says its key has no value any more; works for structs too.</summary>
    public static TestRecord<K, V> Tombstone(K key, long? timestamp = null, Headers? headers = null) =>
        new(key, key is not null, default!, false, timestamp, headers);

    /// <summary>A record without a key; works for structs too.</summary>
    public static TestRecord<K, V> Keyless(V value, long? timestamp = null, Headers? headers = null) =>
        new(default!, false, value, value is not null, timestamp, headers);

    /// <inheritdoc/>
    public bool Equals(TestRecord<K, V>? other) =>
        other is not null
        && HasKey == other.HasKey && (!HasKey || EqualityComparer<K>.Default.Equals(Key, other.Key))
        && HasValue == other.HasValue && (!HasValue || EqualityComparer<V>.Default.Equals(Value, other.Value))
        && Timestamp == other.Timestamp
        && Headers.Select(Content).SequenceEqual(other.Headers.Select(Content));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TestRecord<K, V>);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(HasKey ? Key : default, HasValue ? Value : default, Timestamp, Headers.Count);

    /// <inheritdoc/>
    public override string ToString() =>
        $"TestRecord(key={(HasKey ? Key : "null")}, value={(HasValue ? Value : "null")}, timestamp={Timestamp}, headers={Headers})";

    private static (string, string?) Content(Header header) => (header.Key, header.Value is { } value ? Convert.ToHexString(value.Span) : null);
}
