namespace Streams.State;

/// <summary>What all descriptions of stores have in common: caching, logging, and the changelog's settings.</summary>
/// <typeparam name="TStore">Type of the store.</typeparam>
/// <typeparam name="TSelf">The builder itself, so that calls chain.</typeparam>
public abstract class StoreBuilder<TStore, TSelf> : IStoreBuilder<TStore>
    where TStore : IStateStore
    where TSelf : StoreBuilder<TStore, TSelf>
{
    private Dictionary<string, string> _logConfig = [];

    private protected StoreBuilder(string name) => Name = name;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool LoggingEnabled { get; private set; } = true;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> LogConfig => _logConfig;

    /// <inheritdoc/>
    public virtual ChangelogCleanup ChangelogCleanup => ChangelogCleanup.Compact;

    /// <inheritdoc/>
    public virtual TimeSpan? Retention => null;

    /// <summary>Whether a record cache stands in front. Default: no, as for stores that are added to a topology by hand.</summary>
    public bool CachingEnabled { get; private set; }

    /// <summary>Puts a record cache in front: only the last write per key and commit is logged and forwarded. Its size is <see cref="StateMemory.RecordCacheBytes"/>.</summary>
    public virtual TSelf WithCachingEnabled()
    {
        CachingEnabled = true;
        return (TSelf)this;
    }

    /// <summary>Logs and forwards every write at once.</summary>
    public TSelf WithCachingDisabled()
    {
        CachingEnabled = false;
        return (TSelf)this;
    }

    /// <summary>Logs writes to a changelog topic.</summary>
    /// <param name="config">Settings of the topic by their Kafka names; they go before the defaults.</param>
    public TSelf WithLoggingEnabled(IReadOnlyDictionary<string, string> config)
    {
        ArgumentNullException.ThrowIfNull(config);
        LoggingEnabled = true;
        _logConfig = new Dictionary<string, string>(config);
        return (TSelf)this;
    }

    /// <summary>Logs nothing: what is lost with the machine, or moves to another instance, is not restored.</summary>
    public TSelf WithLoggingDisabled()
    {
        LoggingEnabled = false;
        _logConfig = [];
        return (TSelf)this;
    }

    /// <inheritdoc/>
    public abstract TStore Build();

    IStateStore IStoreBuilder.Build() => Build();
}
