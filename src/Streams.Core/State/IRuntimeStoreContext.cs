using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>What the library's own stores get of the application that runs them, beside what every store gets.</summary>
internal interface IRuntimeStoreContext : IStateStoreContext
{
    /// <summary>The application's log.</summary>
    ILogger Logger { get; }

    /// <summary>What the settings say about RocksDB for a store, by RocksDB's names.</summary>
    IReadOnlyDictionary<string, string> RocksDbOptionsOf(string store);
}
