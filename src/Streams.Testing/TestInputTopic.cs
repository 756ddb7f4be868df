using Streams.Core;

namespace Streams.Testing;

/// <summary>Pipes records into a topic of the topology under test. Each call returns when everything that the record sets off is done.</summary>
/// <remarks>
/// A record without a time of its own gets the topic's current time, which then moves on by the auto-advance. Source: Kafka's <c>TestInputTopic</c> (KIP-470).
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class TestInputTopic<K, V>
{
    private readonly TopologyTestDriver _driver;
    private readonly ISerializer<K> _keySerializer;
    private readonly ISerializer<V> _valueSerializer;
    private readonly TimeSpan _autoAdvance;
    private DateTimeOffset _now;

    internal TestInputTopic(
        TopologyTestDriver driver, string name, ISerializer<K> keySerializer, ISerializer<V> valueSerializer, DateTimeOffset start, TimeSpan autoAdvance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(autoAdvance, TimeSpan.Zero);
        _driver = driver;
        Name = name;
        _keySerializer = keySerializer;
        _valueSerializer = valueSerializer;
        _now = start;
        _autoAdvance = autoAdvance;
    }

    /// <summary>Name of the topic.</summary>
    public string Name { get; }

    /// <summary>Moves the topic's current time on.</summary>
    public void AdvanceTime(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        _now += by;
    }

    /// <summary>Pipes a record without key.</summary>
    public void PipeInput(V value) => PipeInput(TestRecord<K, V>.Keyless(value));

    /// <summary>Pipes a record without key at a given time.</summary>
    public void PipeInput(V value, DateTimeOffset timestamp) => PipeInput(TestRecord<K, V>.Keyless(value, timestamp.ToUnixTimeMilliseconds()));

    /// <summary>Pipes a record; a <c>null</c> key or value is an absent one.</summary>
    public void PipeInput(K key, V value) => PipeInput(new TestRecord<K, V>(key, value));

    /// <summary>Pipes a record at a given time.</summary>
    public void PipeInput(K key, V value, DateTimeOffset timestamp) => PipeInput(key, value, timestamp.ToUnixTimeMilliseconds());

    /// <summary>Pipes a record at a given time.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timestamp">Unix milliseconds; a negative one is piped as it is, to test what the topology makes of it.</param>
    /// <param name="headers">Headers; <c>null</c> for none.</param>
    public void PipeInput(K key, V value, long timestamp, Headers? headers = null) => PipeInput(new TestRecord<K, V>(key, value, timestamp, headers));

    /// <summary>Pipes a record with headers.</summary>
    public void PipeInput(K key, V value, Headers headers) => PipeInput(new TestRecord<K, V>(key, value, null, headers));

    /// <summary>Pipes a record that deletes a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="timestamp">Unix milliseconds; <c>null</c> for the topic's current time.</param>
    public void PipeTombstone(K key, long? timestamp = null) => PipeInput(TestRecord<K, V>.Tombstone(key, timestamp));

    /// <summary>Pipes a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="partition">Partition; <c>null</c> hashes the serialised key, or 0 where there is none.</param>
    public void PipeInput(TestRecord<K, V> record, int? partition = null)
    {
        ArgumentNullException.ThrowIfNull(record);
        var timestamp = record.Timestamp ?? NextTime();
        var key = record.HasKey ? TestSerializer.Serialize(_keySerializer, record.Key) : null;
        var value = record.HasValue ? TestSerializer.Serialize(_valueSerializer, record.Value) : null;
        _driver.Pipe(Name, partition, key, value, timestamp, record.Headers, _keySerializer as IPartitionKeySerializer);
    }

    /// <summary>Pipes records one after the other.</summary>
    public void PipeRecordList(IEnumerable<TestRecord<K, V>> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        foreach (var record in records) PipeInput(record);
    }

    /// <summary>Pipes values without keys one after the other.</summary>
    public void PipeValueList(IEnumerable<V> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var value in values) PipeInput(value);
    }

    /// <summary>Pipes values without keys, the first at a given time and each further one later by the step.</summary>
    public void PipeValueList(IEnumerable<V> values, DateTimeOffset start, TimeSpan step)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var value in values)
        {
            PipeInput(value, start);
            start += step;
        }
    }

    /// <summary>Pipes keys and values one after the other.</summary>
    public void PipeKeyValueList(IEnumerable<KeyValuePair<K, V>> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        foreach (var (key, value) in records) PipeInput(key, value);
    }

    /// <summary>Pipes keys and values, the first at a given time and each further one later by the step.</summary>
    public void PipeKeyValueList(IEnumerable<KeyValuePair<K, V>> records, DateTimeOffset start, TimeSpan step)
    {
        ArgumentNullException.ThrowIfNull(records);
        foreach (var (key, value) in records)
        {
            PipeInput(key, value, start);
            start += step;
        }
    }

    private long NextTime()
    {
        var time = _now.ToUnixTimeMilliseconds();
        _now += _autoAdvance;
        return time;
    }
}
