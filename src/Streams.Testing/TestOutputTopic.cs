using Streams.Core;

namespace Streams.Testing;

/// <summary>Reads what the topology under test wrote to a topic, in the order in which it was written. What was read is gone.</summary>
/// <remarks>Source: Kafka's <c>TestOutputTopic</c> (KIP-470).</remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class TestOutputTopic<K, V>
{
    private readonly TopologyTestDriver _driver;
    private readonly IDeserializer<K> _keyDeserializer;
    private readonly IDeserializer<V> _valueDeserializer;

    internal TestOutputTopic(TopologyTestDriver driver, string name, IDeserializer<K> keyDeserializer, IDeserializer<V> valueDeserializer)
    {
        _driver = driver;
        Name = name;
        _keyDeserializer = keyDeserializer;
        _valueDeserializer = valueDeserializer;
    }

    /// <summary>Name of the topic.</summary>
    public string Name { get; }

    /// <summary>Whether nothing is left to read.</summary>
    public bool IsEmpty => QueueSize == 0;

    /// <summary>Number of records left to read.</summary>
    public int QueueSize => _driver.Outputs(Name).Count;

    /// <summary>Reads a record and gives its value, <c>null</c> for a tombstone.</summary>
    /// <exception cref="InvalidOperationException">Nothing is left; or the record is a tombstone and <typeparamref name="V"/> cannot be null.</exception>
    public V ReadValue() => ValueOf(ReadRecord());

    /// <summary>Reads a record and gives key and value, <c>null</c> where absent.</summary>
    /// <exception cref="InvalidOperationException">Nothing is left; or key or value are absent and their type cannot be null.</exception>
    public KeyValuePair<K, V> ReadKeyValue()
    {
        var record = ReadRecord();
        return new KeyValuePair<K, V>(KeyOf(record), ValueOf(record));
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="InvalidOperationException">Nothing is left.</exception>
    public TestRecord<K, V> ReadRecord()
    {
        if (!_driver.Outputs(Name).TryDequeue(out var captured))
        {
            throw new InvalidOperationException(
                $"Nothing is left to read from topic '{Name}'. The topology has written to: {TopologyTestDriver.List(_driver.ProducedTopicNames)}.");
        }

        return Decode(captured);
    }

    /// <summary>Reads everything that is left.</summary>
    public IReadOnlyList<TestRecord<K, V>> ReadRecordsToList()
    {
        var records = new List<TestRecord<K, V>>();
        while (_driver.Outputs(Name).TryDequeue(out var captured)) records.Add(Decode(captured));
        return records;
    }

    /// <summary>Reads everything that is left and gives the values.</summary>
    public IReadOnlyList<V> ReadValuesToList() => [.. ReadRecordsToList().Select(ValueOf)];

    /// <summary>Reads everything that is left and gives keys and values.</summary>
    public IReadOnlyList<KeyValuePair<K, V>> ReadKeyValuesToList() =>
        [.. ReadRecordsToList().Select(record => new KeyValuePair<K, V>(KeyOf(record), ValueOf(record)))];

    /// <summary>
    /// Reads everything that is left and keeps the last value of each key: the topic seen as a table. A tombstone leaves a <c>null</c> where
    /// <typeparamref name="V"/> can be null, and no entry where it cannot.
    /// </summary>
    /// <exception cref="InvalidOperationException">A record has no key.</exception>
    public IReadOnlyDictionary<K, V> ReadKeyValuesToMap()
    {
#pragma warning disable CS8714 // K may be a nullable type for reading keyless records; the keys put into the map are checked to be present.
        var map = new Dictionary<K, V>();
#pragma warning restore CS8714
        foreach (var record in ReadRecordsToList())
        {
            if (!record.HasKey) throw new InvalidOperationException($"A record of topic '{Name}' has no key, so it is not part of a table: {record}.");
            if (record.HasValue || default(V) is null) map[record.Key] = record.Value;
            else map.Remove(record.Key);
        }

        return map;
    }

    private TestRecord<K, V> Decode(CapturedRecord captured)
    {
        var key = captured.Key is null ? default! : _keyDeserializer.Deserialize(captured.Key);
        var value = captured.Value is null ? default! : _valueDeserializer.Deserialize(captured.Value);
        return new TestRecord<K, V>(key, captured.Key is not null, value, captured.Value is not null, captured.Timestamp == OutgoingRecord.TimeOfWriting ? null : captured.Timestamp, captured.Headers);
    }

    private K KeyOf(TestRecord<K, V> record) => record.HasKey || default(K) is null
        ? record.Key
        : throw new InvalidOperationException($"A record of topic '{Name}' has no key, which {typeof(K).Name} cannot show; use ReadRecord or a nullable type.");

    private V ValueOf(TestRecord<K, V> record) => record.HasValue || default(V) is null
        ? record.Value
        : throw new InvalidOperationException($"A record of topic '{Name}' has no value, which {typeof(V).Name} cannot show; use ReadRecord or a nullable type.");
}
