namespace Streams.Core;

/// <summary>Where an application is in its life. Source: Kafka's <c>KafkaStreams.State</c> (KIP-696).</summary>
public enum KafkaStreamsState
{
    /// <summary>Made, not started.</summary>
    Created,

    /// <summary>Waiting for its share of the work, or restoring state.</summary>
    Rebalancing,

    /// <summary>Processing.</summary>
    Running,

    /// <summary>Closing down as asked.</summary>
    PendingShutdown,

    /// <summary>Closed.</summary>
    NotRunning,

    /// <summary>Closing down after an error.</summary>
    PendingError,

    /// <summary>Closed after an error; <see cref="KafkaStreams.Failure"/> has it. Final.</summary>
    Error,
}
