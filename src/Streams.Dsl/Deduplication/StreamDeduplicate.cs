using Streams.Dsl.Nodes;
using Streams.Dsl.Windows;

namespace Streams.Dsl.Deduplication;

/// <summary>
/// Lets a record pass when none with its id has passed less than an interval of event time before or after it. See <see cref="DeduplicateExtensions"/>.
/// </summary>
internal sealed class StreamDeduplicate<K, V, TId>(
    string storeName, RecordKeyMapper<K, V, TId> idOf, ISerializer<TId> idSerializer, long intervalMs, long graceMs) : Processor<K, V, K, V>
{
    // Ids that have passed out of the source record under way: several, when an operator before this one makes many records of one.
    private readonly List<TId> _passedHere = [];
    private IWindowStore<TId, PassedRecord>? _passed;
    private TaskContext? _task;
    private PassedRecord _current = new(-1, "");
    private long _streamTime = -1;

    public override void Process(in Record<K, V> record)
    {
        var timestamp = record.Timestamp;
        if (timestamp > _streamTime)
        {
            _streamTime = timestamp;
            _task!.SetProcessorValue(storeName, timestamp);
        }

        if (!idOf(in record, out var id))
        {
            Forward(in record);
            return;
        }

        if (timestamp < _streamTime - graceMs)
        {
            Drop(in record, DropReason.Late, streamTimeMs: _streamTime);
            return;
        }

        Enter();
        if (IsDuplicate(id, timestamp))
        {
            ShowDropped(in record, DropReason.Duplicate, streamTimeMs: _streamTime);
            return;
        }

        _passed!.Put(id, _current, timestamp);
        if (_task!.HasRecord) _passedHere.Add(id);
        Forward(in record);
    }

    protected override void Init()
    {
        _task = Context.Task;
        _passed = Context.GetStateStore<IWindowStore<TId, PassedRecord>>(storeName);
        if (_task.ProcessorValues.TryGetValue(storeName, out var streamTime)) _streamTime = streamTime;
    }

    private void Enter()
    {
        var task = _task!;
        var current = task.HasRecord ? new PassedRecord(task.Offset, task.Topic) : new PassedRecord(-1, "");
        if (current == _current) return;
        _current = current;
        _passedHere.Clear();
    }

    private bool IsDuplicate(TId id, long timestamp)
    {
        var from = Math.Max(0, timestamp - intervalMs + 1);
        var found = false;
        using var passed = _passed!.Fetch(id, from, WindowTimes.Add(timestamp, intervalMs - 1));
        while (passed.MoveNext())
        {
            // The row that this very record left before a crash: it has to pass again. Unless it is from a moment ago, out of the same source record.
            if (passed.Key == timestamp && _task!.HasRecord && passed.Value == _current && !HasPassedHere(id)) return false;
            found = true;
        }

        return found;
    }

    // By bytes, as the store does: keys need not know how to compare themselves.
    private bool HasPassedHere(TId id)
    {
        if (_passedHere.Count == 0) return false;
        var wanted = new SerdeBuffer(64);
        var other = new SerdeBuffer(64);
        idSerializer.Serialize(id, wanted);
        foreach (var passed in _passedHere)
        {
            other.Clear();
            idSerializer.Serialize(passed, other);
            if (other.WrittenSpan.SequenceEqual(wanted.WrittenSpan)) return true;
        }

        return false;
    }
}
