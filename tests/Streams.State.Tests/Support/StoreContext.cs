using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core;

namespace Streams.State.Tests.Support;

/// <summary>A task as a store sees it.</summary>
internal sealed class StoreContext : IRuntimeStoreContext
{
    public StoreContext(string directory = "", bool logging = true, StateMemory? memory = null)
    {
        TaskDirectory = directory;
        Memory = memory ?? new StateMemory();
        Log = new RecordingChangelog();
        Changelog = logging ? Log : null;
    }

    public string ApplicationId => "app";

    public TaskId TaskId => new(0, 0);

    public string TaskDirectory { get; }

    public IChangelog? Changelog { get; }

    public RecordingChangelog Log { get; init; }

    public long Timestamp => Coordinates.Timestamp;

    public RecordCoordinates Coordinates { get; set; } = new("in", 0, 0, 0, true);

    public StateMemory Memory { get; }

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public Dictionary<string, string> RocksDbOptions { get; init; } = [];

    public int Dropped { get; private set; }

    public void RecordDropped() => Dropped++;

    public IReadOnlyDictionary<string, string> RocksDbOptionsOf(string store) => RocksDbOptions;

    public StoreContext At(long timestamp, long offset = 0)
    {
        Coordinates = new RecordCoordinates("in", 0, offset, timestamp, true);
        return this;
    }
}
