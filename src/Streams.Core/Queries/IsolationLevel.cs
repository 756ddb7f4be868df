namespace Streams.Core;

/// <summary>
/// What may be seen before it is committed: of stores by queries, <c>default.interactive.query.isolation.level</c> (KIP-892), and of input topics, Kafka's <c>isolation.level</c>.
/// </summary>
public enum IsolationLevel
{
    /// <summary>Whatever is written, also what a failure may still take back.</summary>
    ReadUncommitted,

    /// <summary>Only what is committed. A query waits for the task's next commit, which it asks for, if there is anything uncommitted.</summary>
    ReadCommitted,
}
