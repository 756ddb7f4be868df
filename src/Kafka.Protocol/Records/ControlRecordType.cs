namespace Kafka.Protocol.Records;

/// <summary>What a control record says, from its key.</summary>
public enum ControlRecordType
{
    /// <summary>A type that this version does not know; consumers skip it like the others.</summary>
    Unknown = -1,

    /// <summary>The producer's transaction was aborted: its records since the first of the transaction do not count.</summary>
    Abort = 0,

    /// <summary>The producer's transaction was committed.</summary>
    Commit = 1,
}
