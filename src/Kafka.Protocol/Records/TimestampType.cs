namespace Kafka.Protocol.Records;

/// <summary>What the timestamps of a batch mean: bit 3 of the batch attributes (KIP-32).</summary>
public enum TimestampType
{
    /// <summary>Each record carries the producer's own timestamp.</summary>
    CreateTime = 0,

    /// <summary>The broker's append time, held in the batch's max timestamp, is the timestamp of every record.</summary>
    LogAppendTime = 1,
}
