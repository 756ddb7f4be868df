namespace Streams.Reactive;

/// <summary>What happens when a subscriber's buffer is full.</summary>
public enum TapOverflow
{
    /// <summary>
    /// Nothing is lost: the tasks that feed the tap take no more records until half of the buffer is free. The default. The slowest subscriber sets the pace, and one that
    /// has stopped for good holds the topology up for good; the instance stays in its group meanwhile, and its other tasks go on.
    /// </summary>
    Wait,

    /// <summary>The oldest records of the buffer give way, and are counted: for screens, which want what is new.</summary>
    DropOldest,

    /// <summary>What comes is left out, and counted, while the buffer is full.</summary>
    DropNewest,
}
