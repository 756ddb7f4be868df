namespace Streams.Reactive;

/// <summary>When subscribers see a record.</summary>
public enum TapDelivery
{
    /// <summary>
    /// As soon as it has been processed, before the commit. After a failure, what had not been committed is processed, and seen, again; with exactly-once, what has been seen may never
    /// have happened. The default, because it is what is fast.
    /// </summary>
    AsProcessed,

    /// <summary>
    /// After the commit of the task that it went through: what is seen has happened. Each record is seen at most once; those between their commit and the subscriber are lost to it when the process dies, and
    /// so are those of a commit of which it is not known whether it succeeded. Adds up to <c>commit.interval.ms</c> of latency; a full buffer commits early.
    /// </summary>
    AfterCommit,
}
