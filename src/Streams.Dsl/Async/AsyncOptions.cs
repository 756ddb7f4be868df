namespace Streams.Dsl;

/// <summary>In which order results of asynchronous calls go on.</summary>
public enum AsyncOrder
{
    /// <summary>Records of one key are called for one after another and go on in their order; different keys overtake each other. The default.</summary>
    Key,

    /// <summary>Calls run at the same time, results go on in the order of the records. One slow call holds all later results back.</summary>
    Partition,

    /// <summary>Results go on as they come.</summary>
    None,
}

/// <summary>How an operator makes asynchronous calls. Limits are per operator and task.</summary>
public sealed record AsyncOptions
{
    /// <summary>Calls that run at the same time (default 64, 1 to 10,000).</summary>
    public int MaxConcurrency { get; init; } = 64;

    /// <summary>
    /// Records that may be held: running, waiting for another of their key, or done and waiting for their turn. When it is reached, the task stops reading. Default:
    /// 0, for eight times <see cref="MaxConcurrency"/>.
    /// </summary>
    public int MaxPending { get; init; }

    /// <summary>Order of the results (default: per key).</summary>
    public AsyncOrder Order { get; init; } = AsyncOrder.Key;

    /// <summary>
    /// How long one call may take (default 10 s; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for ever). Then its token is cancelled and it has failed, whether it heeds the
    /// token or not. A commit waits for calls: with exactly-once keep it, times the retries, below the transaction time-out.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a failed call is made again (default 0).</summary>
    public int MaxRetries { get; init; }

    /// <summary>Time before the first retry; doubled for each further one, up to 10 s (default 100 ms).</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Which failures are worth a retry (default: all).</summary>
    public Func<Exception, bool> IsRetriable { get; init; } = static _ => true;

    internal int EffectiveMaxPending => MaxPending == 0 ? 8 * MaxConcurrency : MaxPending;

    internal void Validate(string node)
    {
        if (MaxConcurrency is < 1 or > 10_000) throw new TopologyException($"'{node}': AsyncOptions.MaxConcurrency is {MaxConcurrency}; 1 to 10,000 are allowed.");
        if (MaxPending != 0 && MaxPending < MaxConcurrency) throw new TopologyException($"'{node}': AsyncOptions.MaxPending is {MaxPending}; at least MaxConcurrency ({MaxConcurrency}) is allowed, or 0.");
        if (Timeout <= TimeSpan.Zero && Timeout != System.Threading.Timeout.InfiniteTimeSpan) throw new TopologyException($"'{node}': AsyncOptions.Timeout is {Timeout}; it must be positive or infinite.");
        if (MaxRetries < 0) throw new TopologyException($"'{node}': AsyncOptions.MaxRetries is {MaxRetries}; it must not be negative.");
        if (RetryDelay < TimeSpan.Zero) throw new TopologyException($"'{node}': AsyncOptions.RetryDelay is {RetryDelay}; it must not be negative.");
        ArgumentNullException.ThrowIfNull(IsRetriable);
    }
}
