namespace Streams.Core;

/// <summary>Gives a record its event time. Returns Unix milliseconds; a negative one drops the record (counted as dropped).</summary>
/// <param name="record">The record; its <see cref="Record{K, V}.Timestamp"/> is the one on the topic.</param>
/// <param name="partitionTime">Largest timestamp seen on the partition so far; -1 at first.</param>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public delegate long TimestampExtractor<K, V>(in Record<K, V> record, long partitionTime);

/// <summary>The extractors that do not look into the record. Source: Kafka's <c>TimestampExtractor</c> implementations.</summary>
public enum TimestampPolicy
{
    /// <summary>The record's own timestamp; a negative one stops the thread with an error. The default.</summary>
    FailOnInvalid,

    /// <summary>The record's own timestamp; a record with a negative one is dropped and counted.</summary>
    SkipOnInvalid,

    /// <summary>The record's own timestamp, or the partition's time where that is negative.</summary>
    UsePartitionTimeOnInvalid,

    /// <summary>The wall clock at the time of processing.</summary>
    WallClock,
}
