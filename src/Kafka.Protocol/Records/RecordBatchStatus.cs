namespace Kafka.Protocol.Records;

/// <summary>What is wrong with the bytes of a batch, if anything.</summary>
public enum RecordBatchStatus
{
    /// <summary>The header is consistent.</summary>
    Valid,

    /// <summary>The bytes end before the batch does.</summary>
    Truncated,

    /// <summary>The batch length is negative, or too small for a header.</summary>
    InvalidLength,

    /// <summary>The record format is not 2.</summary>
    UnsupportedMagic,

    /// <summary>The checksum does not match.</summary>
    CrcMismatch,

    /// <summary>Counts, offsets or the codec number of the header contradict each other.</summary>
    InvalidHeader,
}
