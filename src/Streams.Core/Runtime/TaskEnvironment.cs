using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Streams.Core;

/// <summary>What a task gets from the thread, or the test driver, that runs it.</summary>
internal sealed record TaskEnvironment
{
    public required string ApplicationId { get; init; }

    public required RecordCollector Collector { get; init; }

    public required TimeProvider Time { get; init; }

    public required ErrorPolicy Errors { get; init; }

    public required StateMemory Memory { get; init; }

    /// <summary>Folder of a task; made and locked by whoever answers.</summary>
    public required Func<TaskId, string> TaskDirectory { get; init; }

    /// <summary>The application's log.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>What the settings say about RocksDB for a store.</summary>
    public Func<string, IReadOnlyDictionary<string, string>> RocksDbOptionsOf { get; init; } = static _ => new Dictionary<string, string>();

    public TimestampPolicy TimestampPolicy { get; init; } = TimestampPolicy.FailOnInvalid;

    /// <summary>Least wall-clock time between two looks for results whose window has closed.</summary>
    public TimeSpan EmitInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Ends the thread's wait for records; from any thread.</summary>
    public Action Wake { get; init; } = static () => { };

    /// <summary>Whether a task may wait for asynchronous calls; the test driver's may not.</summary>
    public bool WaitsForAsyncCalls { get; init; } = true;

    /// <summary>Thread that runs the task, for the tags of its metrics.</summary>
    public string ThreadName { get; init; } = "";

    /// <summary>Where tasks show what they count; <c>null</c> for nowhere.</summary>
    public StreamsMetrics? Metrics { get; init; }

    /// <summary>Stores that every instance keeps in full, readable by all processors.</summary>
    public IReadOnlyDictionary<string, IStateStore> GlobalStores { get; init; } = new Dictionary<string, IStateStore>();

    /// <summary>Puts something in front of a store before it is opened: the lock of a global store. Nothing by default.</summary>
    public Func<IStateStore, IStateStore> Decorate { get; init; } = static store => store;

    /// <summary>How long to wait for partitions that have nothing buffered: negative never, 0 while the broker has more, positive that much longer. Source: KIP-695.</summary>
    public TimeSpan MaxTaskIdle { get; init; }

    /// <summary>End offset of an input partition as last heard from the broker; <c>null</c> when not known.</summary>
    public Func<TopicPartition, long?> EndOffset { get; init; } = static _ => null;

    /// <summary>Whether the thread is to end, so that what is cancelled is cancelled because of that.</summary>
    public Func<bool> IsClosing { get; init; } = static () => false;
}
