using System.Buffers.Binary;
using Streams.Dsl.Nodes;

namespace Streams.Dsl.Top;

/// <summary>
/// Keeps the rows of each group sorted by score, and the first of them as the group's result. A change costs a look-up or two and a walk over the first rows;
/// the rest of the group is not touched.
/// </summary>
/// <remarks>
/// Key of a row among the entries: length of the group's key (4 bytes), the group's key, its score with the largest first (8 bytes), the value. Numbers
/// are big-endian. Value: how many rows of the group are equal, since what tells rows apart, their keys, is not known behind a grouping. The order of the bytes
/// is the tie-break, the same on every instance and after every restore.
/// </remarks>
internal sealed class TableTop<K, V>(
    string storeName, string entriesName, int count, Func<V, long> score, ISerde<K> keySerde, ISerde<V> valueSerde, bool sendsOldValues)
    : TableProcessor<K, Change<V>, K, IReadOnlyList<V>>(sendsOldValues)
{
    private readonly SerdeBuffer _entry = new();
    private readonly SerdeBuffer _prefix = new();
    private readonly List<V> _top = [];
    private RowStore<K, IReadOnlyList<V>>? _store;
    private IKeyValueStore<byte[], int>? _entries;

    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        var removed = change.HasOld ? EntryOf(record.Key, change.OldValue) : null;
        var added = change.HasNew ? EntryOf(record.Key, change.NewValue) : null;
        if (removed is not null && added is not null && removed.AsSpan().SequenceEqual(added)) return;

        // One that is not there: its change has been processed before, and undone by nobody, since at-least-once processing reads it again after a crash.
        if (removed is not null && !TryTake(removed)) removed = null;
        if (added is not null) _entries!.Put(added, _entries.TryGet(added, out var equal) ? equal + 1 : 1);
        if (removed is null && added is null) return;

        var last = ReadTop(record.Key);
        if (!IsWithin(removed, last) && !IsWithin(added, last)) return;
        var has = _top.Count > 0;
        IReadOnlyList<V> top = _top.ToArray();
        var hadOld = _store!.TryGet(record.Key, out var old);
        var timestamp = hadOld ? Math.Max(record.Timestamp, old.Timestamp) : record.Timestamp;
        _store.Replace(record.Key, top, has, timestamp);
        ForwardStored(new Record<K, Change<IReadOnlyList<V>>>(
            record.Key, true, new Change<IReadOnlyList<V>>(has ? top : default!, has, old.Value, SendsOldValues && hadOld), true, timestamp, record.HeadersOrNull));
    }

    protected override void Init()
    {
        _store = RowStore<K, IReadOnlyList<V>>.Open(Context, storeName);
        _entries = Context.GetStateStore<IKeyValueStore<byte[], int>>(entriesName);
        ForwardThrough(_store.Store);
    }

    private bool TryTake(byte[] entry)
    {
        if (!_entries!.TryGet(entry, out var equal)) return false;
        if (equal > 1) _entries.Put(entry, equal - 1);
        else _entries.Delete(entry);
        return true;
    }

    // What comes before the last of the first rows, or where they are not even enough, was or is among them.
    private static bool IsWithin(byte[]? entry, byte[]? last) => entry is not null && (last is null || entry.AsSpan().SequenceCompareTo(last) <= 0);

    /// <summary>Reads the first rows of a group.</summary>
    /// <returns>The entry of the last; <c>null</c> when the group has fewer.</returns>
    private byte[]? ReadTop(K group)
    {
        _top.Clear();
        _prefix.Clear();
        WriteGroup(_prefix, group);
        using var entries = _entries!.PrefixScan(_prefix.WrittenSpan.ToArray(), Serdes.ByteArray);
        while (entries.MoveNext())
        {
            var value = valueSerde.Deserialize(entries.Key.AsSpan(_prefix.WrittenCount + sizeof(long)));
            for (var equal = entries.Value; equal > 0 && _top.Count < count; equal--) _top.Add(value);
            if (_top.Count == count) return entries.Key;
        }

        return null;
    }

    private byte[] EntryOf(K group, V value)
    {
        _entry.Clear();
        WriteGroup(_entry, group);

        // Unsigned order puts the largest first when every bit but the sign is turned round.
        BinaryPrimitives.WriteInt64BigEndian(_entry.GetSpan(sizeof(long)), score(value) ^ long.MaxValue);
        _entry.Advance(sizeof(long));
        valueSerde.Serialize(value, _entry);
        return _entry.WrittenSpan.ToArray();
    }

    private void WriteGroup(SerdeBuffer output, K group)
    {
        output.GetSpan(sizeof(int));
        output.Advance(sizeof(int));
        keySerde.Serialize(group, output);
        output.Patch(0, output.WrittenCount - sizeof(int));
    }
}
