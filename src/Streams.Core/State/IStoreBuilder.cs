namespace Streams.Core;

/// <summary>How a changelog topic is cleaned up, by kind of store.</summary>
public enum ChangelogCleanup
{
    /// <summary>Last value per key: key-value stores.</summary>
    Compact,

    /// <summary>Last value per key, and segments past retention go: window and session stores.</summary>
    CompactAndDelete,

    /// <summary>Last value per key, but not before history retention has passed: versioned stores.</summary>
    CompactWithLag,
}

/// <summary>Describes a store; makes one instance per task.</summary>
public interface IStoreBuilder
{
    /// <summary>Name of the store.</summary>
    string Name { get; }

    /// <summary>Whether writes go to a changelog topic. Default: yes.</summary>
    bool LoggingEnabled { get; }

    /// <summary>Topic settings that the user wants on the changelog, by their Kafka names.</summary>
    IReadOnlyDictionary<string, string> LogConfig { get; }

    /// <summary>How the changelog topic is cleaned up.</summary>
    ChangelogCleanup ChangelogCleanup { get; }

    /// <summary>Retention of a window or session store, history retention of a versioned one; <c>null</c> for key-value stores.</summary>
    TimeSpan? Retention { get; }

    /// <summary>Makes an instance for a task.</summary>
    IStateStore Build();
}

/// <summary>Describes a store of a known type.</summary>
public interface IStoreBuilder<out TStore> : IStoreBuilder
    where TStore : IStateStore
{
    /// <summary>Makes an instance for a task.</summary>
    new TStore Build();
}
