namespace Streams.Core;

/// <summary>Why a record was left out. The tag <c>reason</c> of <c>dropped-records-total</c>; Kafka Streams has the total only.</summary>
public enum DropReason
{
    /// <summary>The processor that dropped it did not say.</summary>
    Unspecified,

    /// <summary>Its key or value is absent, and the operator needs it.</summary>
    AbsentKeyOrValue,

    /// <summary>It came after its window and the grace period had passed.</summary>
    Late,

    /// <summary>It is older than what the store keeps.</summary>
    Expired,

    /// <summary>It would change a row of which a newer version is known.</summary>
    Outdated,

    /// <summary>It has no usable timestamp, and the policy says skip.</summary>
    InvalidTimestamp,

    /// <summary>It could not be deserialised, and the handler said continue.</summary>
    Deserialization,

    /// <summary>User code failed on it, and the handler said continue.</summary>
    Processing,

    /// <summary>It could not be serialised or written, and the handler said continue.</summary>
    Production,

    /// <summary>Its key is absent. In side outputs only: counted as <see cref="AbsentKeyOrValue"/>.</summary>
    AbsentKey,

    /// <summary>Its value is absent. In side outputs only: counted as <see cref="AbsentKeyOrValue"/>.</summary>
    AbsentValue,

    /// <summary>The same has been seen before. In side outputs only: a duplicate is left out on purpose, and nothing is lost with it.</summary>
    Duplicate,
}
