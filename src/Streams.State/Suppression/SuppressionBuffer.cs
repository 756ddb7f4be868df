using System.Diagnostics.CodeAnalysis;

namespace Streams.State.Suppression;

/// <summary>
/// Holds back one change per key, in order of the time given with the first, then of key bytes. In memory; the changelog has each key's change as of the last commit.
/// </summary>
/// <remarks>
/// A change of a key that is held replaces old and new value; time and prior value stay those of the first. Unbounded by itself: <c>suppress</c> looks at
/// <see cref="Count"/> and <see cref="SizeBytes"/>. Source: KIP-328, Kafka's <c>InMemoryTimeOrderedKeyValueChangeBuffer</c>.
/// </remarks>
internal sealed class SuppressionBuffer<K, V>(string name, ISerde<K> keySerde, ISerde<V> valueSerde) : ISuppressionBuffer<K, V>
{
    /// <summary>Header of the changelog records: name <c>v</c>, one byte, the version of the format.</summary>
    private const byte FormatVersion = 3;

    private static readonly Headers VersionHeaders = Headers.Empty.Add("v", new byte[] { FormatVersion });

    private readonly SortedSet<HeldChange> _inOrder = new(new HeldChangeOrder());
    private readonly Dictionary<byte[], HeldChange> _byKey = new(new ByteKeyComparer());
    private readonly JavaKeySet _unlogged = new();
    private readonly SerdeBuffer _key = new();
    private readonly SerdeBuffer _value = new();
    private IStateStoreContext? _context;
    private bool _closed;

    public string Name => name;

    public bool IsPersistent => false;

    public long? ChangelogOffset { get; private set; }

    public long UncommittedBytes => 0;

    public int Count => _byKey.Count;

    public long SizeBytes { get; private set; }

    public long MinTime => _inOrder.Min?.Time ?? long.MaxValue;

    public void Init(IStateStoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_context is not null) throw new InvalidOperationException($"Store '{name}' is open already.");
        _context = context;
    }

    public void Put(long time, in Record<K, Change<V>> record, RecordCoordinates coordinates)
    {
        if (!record.HasKey) throw new ArgumentException($"Buffer '{name}' holds changes of keys, and a record has none.", nameof(record));
        ThrowIfNotOpen();
        SerialiseKey(record.Key);
        var change = record.Value;

        // Serialising comes first: when user code throws there, nothing has changed.
        _value.Clear();
        if (change.HasOld) valueSerde.Serialize(change.OldValue, _value);
        var oldLength = _value.WrittenCount;
        if (change.HasNew) valueSerde.Serialize(change.NewValue, _value);
        var old = _value.WrittenSpan[..oldLength];
        var @new = _value.WrittenSpan[oldLength..];

        var held = Hold(time, _key.WrittenSpan, out var isFirst);
        if (isFirst) held.Prior.Set(old, change.HasOld);
        held.Old.Set(old, change.HasOld);
        held.New.Set(@new, change.HasNew);
        held.Coordinates = coordinates;
        held.Timestamp = record.Timestamp;
        held.Headers = record.Headers.Count == 0 ? null : record.Headers;
        SizeBytes += held.SizeBytes;
        if (_context!.Changelog is not null) _unlogged.Add(held.Key);
    }

    public bool TryTakeFirst(long latestTime, out Record<K, Change<V>> record, out RecordCoordinates coordinates)
    {
        ThrowIfNotOpen();
        var first = _inOrder.Min;
        if (first is null || first.Time > latestTime)
        {
            record = default;
            coordinates = default;
            return false;
        }

        var (newValue, oldValue) = (Read(in first.New), Read(in first.Old));
        var change = new Change<V>(newValue, first.New.IsPresent, oldValue, first.Old.IsPresent);
        record = new Record<K, Change<V>>(keySerde.Deserialize(first.Key), true, change, true, first.Timestamp, first.Headers);
        coordinates = first.Coordinates;
        Remove(first);
        if (_context!.Changelog is not null) _unlogged.Add(first.Key);
        return true;
    }

    public bool TryGetPrior(K key, [MaybeNullWhen(false)] out V value, out bool hasValue, out long timestamp)
    {
        ThrowIfNotOpen();
        SerialiseKey(key);

        // Of the prior value only the bytes are known, not its time.
        timestamp = -1;
        if (!_byKey.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(_key.WrittenSpan, out var held))
        {
            value = default;
            hasValue = false;
            return false;
        }

        hasValue = held.Prior.IsPresent;
        value = Read(in held.Prior)!;
        return true;
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ThrowIfNotOpen();
        for (var i = from; i < to; i++)
        {
            ref readonly var slice = ref batch[i];
            if (!slice.HasKey) throw new StateStoreException($"Changelog record {batch.Partition} offset {slice.Offset} of store '{name}' has no key.");
            if (slice.HasValue) RestoreChange(batch, i);
            else if (_byKey.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(batch.Key(i), out var held)) Remove(held);
        }
    }

    /// <summary>Logs what changed since the last commit: the change of each key that is held, a tombstone for each that no longer is.</summary>
    public void Flush()
    {
        ThrowIfNotOpen();
        if (_context!.Changelog is not { } changelog) return;
        foreach (var key in _unlogged.InOrder())
        {
            if (!_byKey.TryGetValue(key, out var held))
            {
                changelog.Append(key, default, hasValue: false, OutgoingRecord.TimeOfWriting);
                continue;
            }

            _value.Clear();
            BufferedRecordFormat.WriteContext(_value, held.Coordinates, held.Headers);
            BufferedRecordFormat.WritePart(_value, held.Prior.Span, held.Prior.IsPresent);
            if (held.Old.IsPresent && held.Old.HasSameBytes(in held.Prior)) BufferedRecordFormat.WriteSameAsPrior(_value);
            else BufferedRecordFormat.WritePart(_value, held.Old.Span, held.Old.IsPresent);
            BufferedRecordFormat.WritePart(_value, held.New.Span, held.New.IsPresent);
            BufferedRecordFormat.WriteInt64(_value, held.Time);
            changelog.Append(key, _value.WrittenSpan, hasValue: true, OutgoingRecord.TimeOfWriting, VersionHeaders);
        }

        _unlogged.Clear();
    }

    public void Commit(long? changelogOffset)
    {
        ThrowIfNotOpen();
        if (_unlogged.Count > 0)
            throw new InvalidOperationException($"Store '{name}' has {_unlogged.Count} changes that are not logged; Flush comes before the producer and before Commit.");
        ChangelogOffset = changelogOffset;
    }

    public void Dispose() => _closed = true;

    private void RestoreChange(RecordBatch batch, int index)
    {
        var offset = batch[index].Offset;
        if (batch.Headers(index) is not { } headers || !headers.TryGetLast("v", out var version) || version.Value is not { Length: 1 } bytes || bytes.Span[0] != FormatVersion)
        {
            throw new StateStoreException(
                $"Changelog record {batch.Partition} offset {offset} of store '{name}' is not of format {FormatVersion}, which Kafka Streams writes since 2.5.1. Let the "
                + "application that wrote it drain its buffer, or reset the topic.");
        }

        BufferedRecordParts parts;
        try
        {
            parts = BufferedRecordFormat.Read(batch.Value(index));
        }
        catch (SerializationException failure)
        {
            throw new StateStoreException($"Changelog record {batch.Partition} offset {offset} of store '{name}' cannot be read: {failure.Message}", failure);
        }

        var held = Hold(parts.Time, batch.Key(index), out _);
        held.Prior.Set(parts.Prior, parts.HasPrior);
        held.Old.Set(parts.Old, parts.HasOld);
        held.New.Set(parts.New, parts.HasNew);
        held.Coordinates = parts.Coordinates;
        held.Timestamp = parts.Coordinates.Timestamp;
        held.Headers = parts.Headers;
        SizeBytes += held.SizeBytes;
    }

    /// <summary>The held change of a key, taken out of the size until the caller has filled it in.</summary>
    private HeldChange Hold(long time, ReadOnlySpan<byte> key, out bool isFirst)
    {
        isFirst = !_byKey.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var held);
        if (held is not null)
        {
            SizeBytes -= held.SizeBytes;
            return held;
        }

        held = new HeldChange(key.ToArray(), time);
        _byKey.Add(held.Key, held);
        _inOrder.Add(held);
        return held;
    }

    private void Remove(HeldChange held)
    {
        _inOrder.Remove(held);
        _byKey.Remove(held.Key);
        SizeBytes -= held.SizeBytes;
    }

    private V Read(in ByteSlot slot) => slot.IsPresent ? valueSerde.Deserialize(slot.Span) : default!;

    private void SerialiseKey(K key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _key.Clear();
        keySerde.Serialize(key, _key);
    }

    private void ThrowIfNotOpen()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (_context is null) throw new InvalidOperationException($"Store '{name}' is used before Init.");
    }
}
