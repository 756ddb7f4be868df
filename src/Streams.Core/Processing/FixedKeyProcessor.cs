using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>A record whose key cannot be changed, so that what is derived from it stays on its partition. Source: KIP-820.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public readonly struct FixedKeyRecord<K, V>
{
    private readonly Record<K, V> _record;

    internal FixedKeyRecord(in Record<K, V> record) => _record = record;

    /// <summary>The key; meaningful only when <see cref="HasKey"/>.</summary>
    public K Key => _record.Key;

    /// <summary>The value; meaningful only when <see cref="HasValue"/>.</summary>
    public V Value => _record.Value;

    /// <summary>Event time, Unix milliseconds.</summary>
    public long Timestamp => _record.Timestamp;

    /// <summary>The headers, <see cref="Headers.Empty"/> when there are none.</summary>
    public Headers Headers => _record.Headers;

    /// <summary>Whether the record has a key.</summary>
    public bool HasKey => _record.HasKey;

    /// <summary>Whether the record has a value; false for a tombstone.</summary>
    public bool HasValue => _record.HasValue;

    [UnscopedRef]
    internal ref readonly Record<K, V> Inner => ref _record;

    /// <summary>The same record with another value; <c>null</c> makes a tombstone.</summary>
    public FixedKeyRecord<K, TValue> WithValue<TValue>(TValue value) => new(_record.WithValue(value));

    /// <summary>The same record without a value.</summary>
    public FixedKeyRecord<K, TValue> WithoutValue<TValue>() => new(_record.WithoutValue<TValue>());

    /// <summary>The same record at another time (Unix milliseconds).</summary>
    public FixedKeyRecord<K, V> WithTimestamp(long timestamp) => new(_record.WithTimestamp(timestamp));

    /// <summary>The same record with other headers.</summary>
    public FixedKeyRecord<K, V> WithHeaders(Headers headers) => new(_record.WithHeaders(headers));

    /// <inheritdoc/>
    public override string ToString() => _record.ToString();
}

/// <summary>
/// A processor that sees keys but cannot change them, so nothing downstream needs repartitioning because of it. Used with the DSL's
/// <c>ProcessValues</c>. Source: KIP-820 (<c>FixedKeyProcessor</c>).
/// </summary>
/// <remarks>Life cycle as <see cref="Processor"/>: one instance per task, all calls from the task's thread.</remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="VIn">Value type of incoming records.</typeparam>
/// <typeparam name="VOut">Value type of forwarded records.</typeparam>
public abstract class FixedKeyProcessor<K, VIn, VOut>
{
    private IFixedKeyForwarder<K, VOut>? _node;
    private ProcessorContext? _context;

    /// <summary>Metadata, stores, schedules.</summary>
    /// <exception cref="InvalidOperationException">Before <see cref="Init"/>.</exception>
    protected ProcessorContext Context => _context ?? throw new InvalidOperationException(
        "The processor has no context before Init; use it in Init, Process and punctuators only.");

    /// <summary>Handles one record. The reference is valid during the call only.</summary>
    public abstract void Process(in FixedKeyRecord<K, VIn> record);

    /// <summary>Called once before the first record; stores are open. The default does nothing.</summary>
    protected virtual void Init()
    {
    }

    /// <summary>Called once at the end, also after a failure. The default does nothing.</summary>
    protected virtual void Close()
    {
    }

    /// <summary>Sends a record to every child. It comes from an incoming record, so its key is that record's.</summary>
    protected void Forward(in FixedKeyRecord<K, VOut> record)
    {
        var node = _node ?? throw new InvalidOperationException("The processor can forward in Process and punctuators only.");
        node.Forward(in record);
    }

    internal void Attach(IFixedKeyForwarder<K, VOut> node)
    {
        if (_node is not null)
        {
            throw new TopologyException(
                $"The supplier of fixed-key processor {GetType().Name} returned the same instance twice; each task needs its own: write () => new {GetType().Name}(…).");
        }

        _node = node;
    }

    internal void Start(ProcessorContext context)
    {
        _context = context;
        Init();
    }

    internal void Stop() => Close();
}

/// <summary>The node that a fixed-key processor forwards through.</summary>
internal interface IFixedKeyForwarder<K, V>
{
    void Forward(in FixedKeyRecord<K, V> record);
}
