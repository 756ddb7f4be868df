using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>A global store, the task that keeps it, and how far it has read its topic. Used by the global thread only, except <see cref="Reader"/>.</summary>
internal sealed class GlobalTask
{
    private readonly StateDirectory _stateDirectory;
    private readonly IReadOnlyList<TopicPartition> _partitions;
    private readonly IReadOnlyDictionary<TopicPartition, long> _ends;
    private readonly StreamTask _task;
    private readonly IStateStore _store;
    private readonly long[] _starts;
    private readonly GlobalPositions? _positions;

    private GlobalTask(
        StateDirectory stateDirectory,
        StreamTask task,
        IStateStore reader,
        IReadOnlyList<TopicPartition> partitions,
        long[] starts,
        IReadOnlyDictionary<TopicPartition, long> ends,
        GlobalPositions? positions)
    {
        _stateDirectory = stateDirectory;
        _task = task;
        _store = task.Stores[0].Store;
        Reader = reader;
        _partitions = partitions;
        _starts = starts;
        _ends = ends;
        _positions = positions;
    }

    public string Name => _store.Name;

    /// <summary>The store as other threads may use it: reads only, each under the store's lock.</summary>
    public IStateStore Reader { get; }

    /// <summary>Where to read on.</summary>
    public IEnumerable<TopicPartitionOffset> Starts => _partitions.Select((partition, index) => new TopicPartitionOffset(partition, _starts[index]));

    /// <summary>Whether everything is in the store that the topic had when the task was opened.</summary>
    public bool IsLoaded
    {
        get
        {
            for (var index = 0; index < _partitions.Count; index++)
            {
                if (PositionOf(index) < _ends[_partitions[index]]) return false;
            }

            return true;
        }
    }

    public bool CommitNeeded => _task.CommitNeeded;

    public bool CommitRequested => _task.CommitRequested;

    public long UncommittedBytes => _task.UncommittedBytes;

    /// <summary>Opens the store where it was left, or empty when that place is not in the topic any more.</summary>
    public static GlobalTask Open(
        Subtopology subtopology,
        TaskEnvironment environment,
        StateDirectory stateDirectory,
        IReadOnlyList<TopicPartition> partitions,
        IReadOnlyDictionary<TopicPartition, long> begins,
        IReadOnlyDictionary<TopicPartition, long> ends,
        ILogger logger)
    {
        var definition = subtopology.Stores[0];
        var topic = partitions[0].Topic;
        IStateStore? reader = null;
        var task = OpenStores();
        try
        {
            var store = task.Stores[0].Store;
            var positions = store.IsPersistent ? GlobalPositions.Load(stateDirectory.ForGlobal(definition.Name), topic) : null;
            var starts = partitions.Select(partition => begins[partition]).ToArray();
            var fault = positions is null ? null : Resume(store, positions, starts);
            if (fault is not null)
            {
                Log.GlobalCorrupted(logger, definition.Name, topic, fault);
                task.Close();
                stateDirectory.WipeGlobal(definition.Name);
                task = OpenStores();
                positions = GlobalPositions.Load(stateDirectory.ForGlobal(definition.Name), topic);
                starts = partitions.Select(partition => begins[partition]).ToArray();
            }

            Log.GlobalLoading(logger, definition.Name, partitions.Select((partition, index) => ends[partition] - starts[index]).Sum(), topic);
            task.Start(new Dictionary<TopicPartition, OffsetCommit>());
            return new GlobalTask(stateDirectory, task, reader!, partitions, starts, ends, positions);
        }
        catch
        {
            task.Close();
            throw;
        }

        StreamTask OpenStores()
        {
            var opened = new StreamTask(new TaskId(subtopology.Id, -1), subtopology, partitions, environment with { Decorate = Guard });
            try
            {
                opened.OpenStores();
                return opened;
            }
            catch
            {
                opened.Close();
                throw;
            }
        }

        IStateStore Guard(IStateStore store)
        {
            // A store of the user's own making is taken as it is: AddGlobalStore says that it has to be safe for several threads.
            if (store is not IShareableStore shareable)
            {
                reader = store;
                return store;
            }

            var gate = new StoreGate();
            reader = shareable.Share(gate, writable: false);
            return shareable.Share(gate, writable: true);
        }

        string? Resume(IStateStore store, GlobalPositions positions, long[] starts)
        {
            if (store.ChangelogOffset is not { } number) return positions.Newest == 0 ? null : "it is empty, but offsets are noted beside it";
            if (positions.At(number) is not { } offsets) return $"it is at commit {number}, whose offsets are not noted";
            for (var index = 0; index < Math.Min(partitions.Count, offsets.Count); index++)
            {
                var (begin, end) = (begins[partitions[index]], ends[partitions[index]]);
                if (offsets[index] < begin || offsets[index] > end) return $"it is at offset {offsets[index]} of {partitions[index]}, which has {begin} to {end}";
                starts[index] = offsets[index];
            }

            return offsets.Count > partitions.Count ? $"the topic had {offsets.Count} partitions and has {partitions.Count}" : null;
        }
    }

    public bool Reads(TopicPartition partition) => _task.Reads(partition);

    /// <summary>Takes a batch over and processes all of it.</summary>
    public void Process(RecordBatch batch)
    {
        _task.Enqueue(batch);
        while (_task.Process(int.MaxValue) > 0)
        {
            if (_task.CommitRequested) Commit();
        }
    }

    public void PunctuateWallClock() => _task.PunctuateWallClock();

    /// <summary>Makes the store durable at the offsets that it now contains.</summary>
    public void Commit()
    {
        _task.PrepareCommit();
        var number = (_positions?.Newest ?? 0) + 1;
        _positions?.Save(_stateDirectory.ForGlobal(Name), number, [.. Enumerable.Range(0, _partitions.Count).Select(PositionOf)]);
        _task.CompleteGlobalCommit(number);
    }

    /// <summary>Ends the task; what was not committed is given up and read again.</summary>
    public void Close() => _task.Close();

    private long PositionOf(int index) => _task.Queue(_partitions[index]).Position ?? _starts[index];
}
