using System.Diagnostics;

namespace Streams.Core;

/// <summary>
/// One record as processors see it: key, value, timestamp and headers.
/// </summary>
/// <remarks>
/// A missing key or value is a flag, never <c>default</c>: <see cref="HasValue"/> is false for a tombstone even where <typeparamref name="V"/> is a
/// struct such as <see cref="long"/>. For reference types and <see cref="Nullable{T}"/>, "absent" and <c>null</c> are the same thing, so the
/// constructor treats <c>null</c> as absent. The struct is 40 bytes or more: pass it by <c>in</c>. Source: Kafka's <c>processor.api.Record</c> (KIP-478).
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
[DebuggerDisplay("{ToString(),nq}")]
public readonly struct Record<K, V>
{
    private readonly bool _hasKey;
    private readonly bool _hasValue;
    private readonly Headers? _headers;

    /// <summary>Creates a record; a <c>null</c> key or value is an absent one.</summary>
    /// <param name="key">The key, or <c>null</c>.</param>
    /// <param name="value">The value, or <c>null</c>.</param>
    /// <param name="timestamp">Event time, Unix milliseconds.</param>
    /// <param name="headers">Headers; <c>null</c> means none.</param>
    public Record(K key, V value, long timestamp, Headers? headers = null)
        : this(key, Nullability.IsPresent(key), value, Nullability.IsPresent(value), timestamp, headers)
    {
    }

    /// <summary>Creates a record whose key and value are present or absent as told; an absent one's value is ignored.</summary>
    public Record(K key, bool hasKey, V value, bool hasValue, long timestamp, Headers? headers = null)
    {
        Debug.Assert(!hasKey || !Nullability<K>.CanBeNull || key is not null, "a present key is never null");
        Debug.Assert(!hasValue || !Nullability<V>.CanBeNull || value is not null, "a present value is never null");

        // A function that knows only null is handed key and value as they stand here.
        Key = hasKey ? key : default!;
        Value = hasValue ? value : default!;
        Timestamp = timestamp;
        _headers = headers;
        _hasKey = hasKey;
        _hasValue = hasValue;
    }

    /// <summary>The key; meaningful only when <see cref="HasKey"/> (for reference types: <c>null</c> otherwise).</summary>
    public K Key { get; }

    /// <summary>The value; meaningful only when <see cref="HasValue"/> (for reference types: <c>null</c> otherwise).</summary>
    public V Value { get; }

    /// <summary>Event time, Unix milliseconds; never negative past a source.</summary>
    public long Timestamp { get; }

    /// <summary>The headers, <see cref="Headers.Empty"/> when there are none.</summary>
    public Headers Headers => _headers ?? Headers.Empty;

    /// <summary>Whether the record has a key.</summary>
    public bool HasKey => _hasKey;

    /// <summary>Whether the record has a value; false for a tombstone.</summary>
    public bool HasValue => _hasValue;

    /// <summary>The headers field as stored, <c>null</c> meaning none: lets hot paths copy it without touching the empty instance.</summary>
    internal Headers? HeadersOrNull => _headers;

    /// <summary>A record that says its key has no value any more.</summary>
    public static Record<K, V> Tombstone(K key, long timestamp, Headers? headers = null) =>
        new(key, Nullability.IsPresent(key), default!, false, timestamp, headers);

    /// <summary>The same record with another key.</summary>
    public Record<TKey, V> WithKey<TKey>(TKey key) => new(key, Nullability.IsPresent(key), Value, _hasValue, Timestamp, _headers);

    /// <summary>The same record with another value; <c>null</c> makes a tombstone.</summary>
    public Record<K, TValue> WithValue<TValue>(TValue value) => new(Key, _hasKey, value, Nullability.IsPresent(value), Timestamp, _headers);

    /// <summary>The same record without a value.</summary>
    public Record<K, TValue> WithoutValue<TValue>() => new(Key, _hasKey, default!, false, Timestamp, _headers);

    /// <summary>The same record at another time (Unix milliseconds).</summary>
    public Record<K, V> WithTimestamp(long timestamp) => new(Key, _hasKey, Value, _hasValue, timestamp, _headers);

    /// <summary>The same record with other headers.</summary>
    public Record<K, V> WithHeaders(Headers headers) => new(Key, _hasKey, Value, _hasValue, Timestamp, headers);

    /// <inheritdoc/>
    public override string ToString() =>
        $"Record(key={(_hasKey ? Key : "null")}, value={(_hasValue ? Value : "null")}, timestamp={Timestamp}, headers={Headers})";
}
