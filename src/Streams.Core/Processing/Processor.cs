using System.Runtime.CompilerServices;

namespace Streams.Core;

/// <summary>
/// The part of a processor that has no types: its name, its place in the topology and its life cycle. Derive from
/// <see cref="Processor{KIn, VIn, KOut, VOut}"/>, or from <see cref="Processor{KIn, VIn}"/> when nothing is sent on.
/// </summary>
/// <remarks>
/// Life cycle: constructed by its supplier, <see cref="Init"/> once, <c>Process</c> for each record, <see cref="Close"/>. All calls come from the
/// thread that runs the task. Source: KIP-478 (Kafka's <c>processor.api.Processor</c>).
/// </remarks>
public abstract class Processor
{
    private ProcessorContext? _context;

    /// <summary>The node's context: metadata, stores, schedules.</summary>
    /// <exception cref="InvalidOperationException">Before <see cref="Init"/>.</exception>
    protected internal ProcessorContext Context => _context ?? throw new InvalidOperationException(
        "The processor has no context before Init; use it in Init, Process and punctuators only.");

    /// <summary>Name of the node in the topology; empty until wired.</summary>
    public string NodeName { get; private set; } = "";

    /// <summary>Called once before the first record; stores are open. The default does nothing.</summary>
    protected virtual void Init()
    {
    }

    /// <summary>Called once at the end, also after a failure. The default does nothing.</summary>
    protected internal virtual void Close()
    {
    }

    /// <summary>Types of what comes in, for messages about wiring.</summary>
    internal abstract (Type Key, Type Value) InputTypes { get; }

    /// <summary>Makes <paramref name="child"/> a receiver of what this node forwards.</summary>
    internal virtual void Connect(Processor child) => throw new TopologyException(
        $"Node '{NodeName}' ({GetType().Name}) forwards nothing, so it cannot be the parent of '{child.NodeName}'. " +
        "Derive it from Processor<KIn, VIn, KOut, VOut>.");

    internal void Name(string nodeName) => NodeName = nodeName;

    internal virtual void InitNode(ProcessorContext context)
    {
        _context = context;
        Init();
    }
}

/// <summary>A processor as its parents see it: something that takes records of one key and one value type.</summary>
/// <typeparam name="KIn">Key type of incoming records.</typeparam>
/// <typeparam name="VIn">Value type of incoming records.</typeparam>
public abstract class Processor<KIn, VIn> : Processor
{
    /// <summary>Handles one record. The reference is valid during the call only.</summary>
    public abstract void Process(in Record<KIn, VIn> record);

    internal sealed override (Type Key, Type Value) InputTypes => (typeof(KIn), typeof(VIn));
}

/// <summary>A processor that takes records of one type and sends records of another on to its children.</summary>
/// <typeparam name="KIn">Key type of incoming records.</typeparam>
/// <typeparam name="VIn">Value type of incoming records.</typeparam>
/// <typeparam name="KOut">Key type of forwarded records.</typeparam>
/// <typeparam name="VOut">Value type of forwarded records.</typeparam>
public abstract class Processor<KIn, VIn, KOut, VOut> : Processor<KIn, VIn>
{
    private Processor<KOut, VOut>[] _children = [];
    private TaskContext _task = TaskContext.Unwired;
    private IDroppedRecords<KIn, VIn>? _dropped;

    /// <summary>Whether somebody downstream wants the records that this node leaves out.</summary>
    internal bool HasDroppedOutput => _dropped is not null;

    /// <summary>Counts an incoming record that this node leaves out, and sends it to the side output if there is one.</summary>
    /// <param name="record">The record as it came.</param>
    /// <param name="reason">Why, as it is counted.</param>
    /// <param name="window">Window that it would have been in, where there is one.</param>
    /// <param name="streamTimeMs">Time that this node had come to; -1 where it has none of its own.</param>
    internal void Drop(in Record<KIn, VIn> record, DropReason reason, Window? window = null, long streamTimeMs = -1)
    {
        Context.RecordDropped(reason);
        ShowDropped(in record, reason, window, streamTimeMs);
    }

    /// <summary>Sends a record to the side output without counting it: somebody else has, or it is left out on purpose.</summary>
    internal void ShowDropped(in Record<KIn, VIn> record, DropReason reason, Window? window = null, long streamTimeMs = -1)
    {
        if (_dropped is not null) _dropped.Take(in record, reason, window, streamTimeMs, NodeName);
    }

    /// <summary>Sends a record to every child, in the order in which they were added; each child is done with it before the next one starts.</summary>
    /// <remarks>
    /// Depth first, as Kafka Streams. An exception of a child goes to the processing exception handler under the child's name; when it says
    /// "continue", this call returns and the record's other children still get it.
    /// </remarks>
    protected void Forward(in Record<KOut, VOut> record)
    {
        var children = _children;
        var task = _task;

        // Stores without timestamps of their own log with the time of the record at this point of the graph, and record caches forward late with its
        // time and headers, so the task has to know both.
        var outerTimestamp = task.Timestamp;
        var outerHeaders = task.Headers;
        Enter(task, in record);
        foreach (var child in children)
            Deliver(child, in record, task);
        Leave(task, outerTimestamp, outerHeaders);
    }

    /// <summary>Sends a record to one child.</summary>
    /// <param name="record">The record.</param>
    /// <param name="childName">Name of the child node.</param>
    /// <exception cref="StreamsException">There is no child of that name.</exception>
    protected void Forward(in Record<KOut, VOut> record, string childName)
    {
        foreach (var child in _children)
        {
            if (child.NodeName != childName) continue;
            var outerTimestamp = _task.Timestamp;
            var outerHeaders = _task.Headers;
            Enter(_task, in record);
            Deliver(child, in record, _task);
            Leave(_task, outerTimestamp, outerHeaders);
            return;
        }

        throw new TopologyException($"Node '{NodeName}' has no child '{childName}'. Its children: " +
            $"{(_children.Length == 0 ? "none" : string.Join(", ", _children.Select(child => child.NodeName)))}.");
    }

    /// <summary>Sends a record to the child at an index that <see cref="ChildIndex"/> gave.</summary>
    internal void Forward(in Record<KOut, VOut> record, int childIndex)
    {
        var task = _task;
        var outerTimestamp = task.Timestamp;
        var outerHeaders = task.Headers;
        Enter(task, in record);
        Deliver(_children[childIndex], in record, task);
        Leave(task, outerTimestamp, outerHeaders);
    }

    /// <summary>Index of a child, so that nodes that choose a child per record look its name up once, in Init.</summary>
    internal int ChildIndex(string childName)
    {
        var index = Array.FindIndex(_children, child => child.NodeName == childName);
        return index >= 0 ? index : throw new TopologyException($"Node '{NodeName}' has no child '{childName}'.");
    }

    internal sealed override void Connect(Processor child)
    {
        if (child is IDroppedRecords<KIn, VIn> dropped)
        {
            // One per operator: the fluent surface adds a single side output, whose stream may have any number of readers.
            _dropped = _dropped is null
                ? dropped
                : throw new TopologyException($"Node '{NodeName}' has two side outputs for dropped records, the second being '{child.NodeName}'; one is enough.");
            return;
        }

        if (child is not Processor<KOut, VOut> typed)
        {
            var (key, value) = child.InputTypes;
            throw new TopologyException(
                $"Node '{NodeName}' forwards <{TypeNames.Of(typeof(KOut))}, {TypeNames.Of(typeof(VOut))}>, but its child '{child.NodeName}' takes " +
                $"<{TypeNames.Of(key)}, {TypeNames.Of(value)}>. Give both the same types, or put a processor between them that converts.");
        }

        _children = [.. _children, typed];
    }

    internal override void InitNode(ProcessorContext context)
    {
        _task = context.Task;
        base.InitNode(context);
    }

    // Headers seldom change between nodes: comparing is cheaper than writing a reference into an object that the collector watches.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Enter(TaskContext task, in Record<KOut, VOut> record)
    {
        task.Timestamp = record.Timestamp;
        if (!ReferenceEquals(task.Headers, record.HeadersOrNull)) task.Headers = record.HeadersOrNull;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Leave(TaskContext task, long timestamp, Headers? headers)
    {
        task.Timestamp = timestamp;
        if (!ReferenceEquals(task.Headers, headers)) task.Headers = headers;
    }

    // One frame per hop: the filter runs before unwinding, so what the task itself must see (fencing, fatal errors, failures that a
    // node further down has already reported) passes through untouched.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Deliver(Processor<KOut, VOut> child, in Record<KOut, VOut> record, TaskContext task)
    {
        try
        {
            child.Process(in record);
        }
        catch (Exception failure) when (task.IsUserFailure(failure))
        {
            task.HandleProcessingFailure(child, record.Timestamp, record.HeadersOrNull, failure);
        }
    }
}
