namespace Streams.Kafka.Producing;

/// <summary>What a thread waits for.</summary>
internal enum Awaited
{
    /// <summary>That there is room for so many bytes more.</summary>
    Room,

    /// <summary>That everything is acknowledged or given up.</summary>
    Empty,

    /// <summary>That nothing is on its way, also after trouble.</summary>
    Quiet,
}
