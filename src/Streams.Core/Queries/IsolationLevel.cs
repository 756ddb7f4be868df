namespace Streams.Core;

/// <summary>What a query may see. Source: <c>default.interactive.query.isolation.level</c> (KIP-892).</summary>
public enum IsolationLevel
{
    /// <summary>Whatever the task has written, also what a failure may still take back. The default.</summary>
    ReadUncommitted,

    /// <summary>Only what is committed. The query waits for the task's next commit, which it asks for, if there is anything uncommitted.</summary>
    ReadCommitted,
}
