namespace Streams.Dsl;

/// <summary>When a windowed aggregation gives its results. Source: KIP-825.</summary>
public enum EmitStrategy
{
    /// <summary>At every update (or once per commit and key when the record cache is on). The default.</summary>
    OnWindowUpdate,

    /// <summary>
    /// Once, when the window has closed: its end and the grace period have passed in stream time. Looked for when a record comes, and at most once a
    /// second of wall-clock time.
    /// </summary>
    OnWindowClose,
}
