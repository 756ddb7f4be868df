using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>
/// Where the threads of an instance leave tasks for each other during an assignment, so that moving a task from one to another closes no store. Safe from several
/// threads.
/// </summary>
/// <param name="wanted">Tasks that the instance has, active or as standbys, on whichever thread.</param>
internal sealed class TaskHandover(IReadOnlySet<TaskId> wanted)
{
    private readonly ConcurrentDictionary<TaskId, StreamTask> _tasks = new();

    /// <summary>Whether some thread will come for the task.</summary>
    public bool Wants(TaskId task) => wanted.Contains(task);

    /// <summary>Leaves a task. Nobody else touches it until it is taken.</summary>
    public void Leave(StreamTask task) => _tasks.TryAdd(task.Id, task);

    /// <summary>Takes a task, if it was left.</summary>
    public bool TryTake(TaskId id, [NotNullWhen(true)] out StreamTask? task) => _tasks.TryRemove(id, out task);

    /// <summary>Takes what nobody came for.</summary>
    public IEnumerable<StreamTask> TakeRest()
    {
        foreach (var id in _tasks.Keys)
        {
            if (TryTake(id, out var task)) yield return task;
        }
    }
}
