namespace Streams.Core.Tests.Support;

/// <summary>A store that is only described: for what is decided before any is made.</summary>
internal sealed class DescribedStore(string name) : IStoreBuilder
{
    public string Name { get; } = name;

    public bool LoggingEnabled { get; init; } = true;

    public IReadOnlyDictionary<string, string> LogConfig { get; init; } = new Dictionary<string, string>();

    public ChangelogCleanup ChangelogCleanup { get; init; }

    public TimeSpan? Retention { get; init; }

    public IStateStore Build() => throw new NotSupportedException();
}
