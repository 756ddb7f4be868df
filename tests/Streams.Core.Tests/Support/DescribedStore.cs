namespace Streams.Core.Tests.Support;

/// <summary>A store that is only described: for what is decided before any is made.</summary>
internal sealed class DescribedStore(string name) : IStoreBuilder
{
    public string Name { get; } = name;

    public bool LoggingEnabled { get; init; } = true;

    public IReadOnlyDictionary<string, string> LogConfig { get; init; } = new Dictionary<string, string>();

    public ChangelogCleanup ChangelogCleanup { get; init; }

    public TimeSpan? Retention { get; init; }

    /// <summary>Makes the store; nothing is made unless a test says how.</summary>
    public Func<IStateStore> Make { get; init; } = static () => throw new NotSupportedException();

    public IStateStore Build() => Make();
}
