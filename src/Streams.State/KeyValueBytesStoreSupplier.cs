using Streams.State.Bytes;
using Streams.State.RocksDb;

namespace Streams.State;

/// <summary>Which key-value store to use and under which name. Made by <see cref="Stores"/>. Source: Kafka's <c>KeyValueBytesStoreSupplier</c>.</summary>
public sealed class KeyValueBytesStoreSupplier
{
    internal KeyValueBytesStoreSupplier(string name, bool isPersistent, bool isTimestamped, int? maxEntries)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        IsPersistent = isPersistent;
        IsTimestamped = isTimestamped;
        MaxEntries = maxEntries;
    }

    /// <summary>Name of the store.</summary>
    public string Name { get; }

    /// <summary>Whether the content outlives the process.</summary>
    public bool IsPersistent { get; }

    /// <summary>Whether entries on disk carry timestamps; in memory either kind does.</summary>
    public bool IsTimestamped { get; }

    /// <summary>Number of entries past which the least recently used goes; <c>null</c> keeps all.</summary>
    public int? MaxEntries { get; }

    /// <summary>What keeps the content of a store that outlives the process; RocksDB unless a test has something else.</summary>
    internal Func<IStateStoreContext, string, string, IByteEngine> Engine { get; init; } = RocksDbEngine.Open;

    internal IByteEngine? OpenEngine(IStateStoreContext context, string kind) => IsPersistent ? Engine(context, Name, kind) : null;
}
