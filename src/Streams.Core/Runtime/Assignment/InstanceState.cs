namespace Streams.Core;

/// <summary>An instance of the application, as it said of itself when it joined. Source: KIP-924's <c>KafkaStreamsState</c>.</summary>
public sealed class InstanceState
{
    private readonly MemberMetadata _metadata;
    private readonly IReadOnlyDictionary<TaskId, long> _ends;

    internal InstanceState(string instanceId, MemberMetadata metadata, IReadOnlyCollection<TaskId> owned, IReadOnlyDictionary<TaskId, long> ends)
    {
        InstanceId = instanceId;
        _metadata = metadata;
        _ends = ends;
        PreviousActiveTasks = owned;
        TasksWithState = [.. metadata.Positions.Keys.Where(ends.ContainsKey).Order()];
    }

    /// <summary>Names it in this rebalance: its member id. After a restart it is another one.</summary>
    public string InstanceId { get; }

    /// <summary>Its process id; of a process that was killed the old instance may still be there beside the new one.</summary>
    public Guid ProcessId => _metadata.ProcessId;

    /// <summary>How many threads it has. 0 while it is closing, or all have been removed: what it is given then is not processed.</summary>
    public int NumProcessingThreads => _metadata.Threads;

    /// <summary>Tasks that it processes now.</summary>
    public IReadOnlyCollection<TaskId> PreviousActiveTasks { get; }

    /// <summary>Tasks of which it has state, active, as a standby or only on disk.</summary>
    public IReadOnlyCollection<TaskId> TasksWithState { get; }

    /// <summary>Its tags. The <c>client.tag.</c> settings.</summary>
    public IReadOnlyDictionary<string, string> ClientTags => _metadata.Tags;

    /// <summary>Its rack; <c>null</c> where it does not say. <c>client.rack</c></summary>
    public string? RackId => _metadata.Tags.GetValueOrDefault(RackTraffic.RackTag);

    /// <summary>Where it can be asked; <see cref="HostInfo.Unavailable"/> where it does not say. <c>application.server</c></summary>
    public HostInfo HostInfo => HostInfo.TryParse(_metadata.ApplicationServer, out var host) ? host : HostInfo.Unavailable;

    /// <summary>How many changelog records its state of a task is behind; <c>null</c> when it has none, nobody knows how far it is, or the task has no state.</summary>
    public long? LagOf(TaskId task)
    {
        if (!_ends.TryGetValue(task, out var end) || !_metadata.Positions.TryGetValue(task, out var position) || position == MemberMetadata.UnknownPosition) return null;
        return position == MemberMetadata.CaughtUp ? 0 : Math.Max(0, end - position);
    }
}
