namespace Streams.Kafka.Producing;

/// <summary>What became of a record that was to be added to a batch.</summary>
internal enum AddOutcome
{
    Added,

    /// <summary>The buffer is full; once something is acknowledged there is room.</summary>
    NoRoom,

    /// <summary>It does not fit into a batch of its own.</summary>
    TooLarge,
}
