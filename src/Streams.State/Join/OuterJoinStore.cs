using System.Buffers;
using System.Buffers.Binary;
using Streams.State.Bytes;

namespace Streams.State.Join;

/// <summary>
/// What waits for a partner in a left or outer stream-stream join. Key: 8 bytes big-endian time, 1 byte side (0 right, 1 left), the user's key. Value: 1 byte that says
/// that lengths follow (1), 4 bytes count, then for each record 4 bytes length, 1 byte side and the value. Logged as stored.
/// </summary>
/// <remarks>Source: Kafka's <c>TimestampedKeyAndJoinSideSerde</c>, <c>LeftOrRightValueSerde</c>, <c>ListValueStore</c> and <c>ListSerializer</c>.</remarks>
internal sealed class OuterJoinStore<K, VL, VRight>(string name, ISerde<K> keySerde, ISerde<VL> leftSerde, ISerde<VRight> rightSerde, bool isPersistent)
    : IOuterJoinStore<K, VL, VRight>
{
    private const byte RightSide = 0;
    private const byte LeftSide = 1;
    private const byte VariableSize = 1;
    private const int KeyPrefixBytes = sizeof(long) + 1;
    private const int ListPrefixBytes = 1 + sizeof(int);

    private readonly SerdeBuffer _key = new();
    private readonly SerdeBuffer _value = new();
    private TableStore<ReadOnlyMemory<byte>>? _store;

    // No record is earlier: walks begin here, and not at what was deleted long ago.
    private long _earliestTime;

    public string Name => name;

    public bool IsPersistent => isPersistent;

    public long? ChangelogOffset => Store.ChangelogOffset;

    public long UncommittedBytes => Store.UncommittedBytes;

    public void Init(IStateStoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_store is not null) throw new InvalidOperationException($"Store '{name}' is open already.");
        var engine = OuterJoinStoreBuilder<K, VL, VRight>.OpenEngine(context, name, isPersistent);
        _store = new TableStore<ReadOnlyMemory<byte>>(name, new PlainCodec<ReadOnlyMemory<byte>>(Serdes.Memory), context, engine, caching: false);
    }

    public void PutLeft(K key, long timestamp, VL value)
    {
        var id = Begin(key, timestamp, LeftSide, out var hash);
        BeginValue(id, LeftSide, out var at);
        leftSerde.Serialize(value, _value);
        Put(id, hash, timestamp, at);
    }

    public void PutRight(K key, long timestamp, VRight value)
    {
        var id = Begin(key, timestamp, RightSide, out var hash);
        BeginValue(id, RightSide, out var at);
        rightSerde.Serialize(value, _value);
        Put(id, hash, timestamp, at);
    }

    public void RemoveIfPresent(bool isLeft, K key, long timestamp)
    {
        // Before the first that waits there is nothing to remove.
        if (timestamp < _earliestTime) return;
        var id = Begin(key, timestamp, isLeft ? LeftSide : RightSide, out var hash);
        if (Store.Has(id)) Store.Delete(id, hash, _key.WrittenSpan);
    }

    public void Delete(bool isLeft, K key, long timestamp)
    {
        var id = Begin(key, timestamp, isLeft ? LeftSide : RightSide, out var hash);
        Store.Delete(id, hash, _key.WrittenSpan);
    }

    public IOuterJoinIterator<K, VL, VRight> All()
    {
        Span<byte> lower = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(lower, _earliestTime);
        Store.ThrowIfClosed();
        var cursor = new TableCursor<ReadOnlyMemory<byte>>(Store);
        cursor.Start(lower, true, default, false, upperInclusive: false, reverse: false);
        return new Iterator(this, cursor);
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var store = Store;
        store.BeginRestore();
        for (var i = from; i < to; i++)
        {
            ref readonly var slice = ref batch[i];
            if (!slice.HasKey) throw new StateStoreException($"Changelog record {batch.Partition} offset {slice.Offset} of store '{name}' has no key.");
            CheckKey(batch.Key(i));
            store.Restore(batch.Key(i), batch.Value(i), slice.HasValue, slice.Timestamp, slice.Offset);
        }

        _earliestTime = 0;
    }

    public void Flush() => Store.Flush();

    public void Commit(long? changelogOffset) => Store.Commit(changelogOffset);

    public void Dispose() => _store?.Dispose();

    private TableStore<ReadOnlyMemory<byte>> Store => _store ?? throw new InvalidOperationException($"Store '{name}' is used before Init.");

    private int Begin(K key, long timestamp, byte side, out uint hash)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfNegative(timestamp);
        var store = Store;
        store.BeginOperation();
        _key.Clear();
        var prefix = _key.GetSpan(KeyPrefixBytes);
        BinaryPrimitives.WriteInt64BigEndian(prefix, timestamp);
        prefix[sizeof(long)] = side;
        _key.Advance(KeyPrefixBytes);
        keySerde.Serialize(key, _key);
        return store.Load(_key.WrittenSpan, out hash);
    }

    /// <summary>Begins the list with the records that wait already; the new one's length is filled in when it is known.</summary>
    private void BeginValue(int id, byte side, out int at)
    {
        _value.Clear();
        if (Store.Has(id))
        {
            var waiting = Store.ValueOf(id).Span;
            var count = ListCount(waiting);
            _value.Write(waiting);
            _value.Patch(1, checked(count + 1));
        }
        else
        {
            var list = _value.GetSpan(ListPrefixBytes);
            list[0] = VariableSize;
            BinaryPrimitives.WriteInt32BigEndian(list[1..], 1);
            _value.Advance(ListPrefixBytes);
        }

        at = _value.WrittenCount;
        _value.GetSpan(sizeof(int) + 1)[sizeof(int)] = side;
        _value.Advance(sizeof(int) + 1);
    }

    private void Put(int id, uint hash, long timestamp, int at)
    {
        _value.Patch(at, _value.WrittenCount - at - sizeof(int));
        Store.Put(id, hash, _key.WrittenSpan, _value.WrittenMemory);
        _earliestTime = Math.Min(_earliestTime, timestamp);
    }

    private int ListCount(ReadOnlySpan<byte> list)
    {
        if (list.Length < ListPrefixBytes || list[0] != VariableSize) throw Malformed();
        var count = BinaryPrimitives.ReadInt32BigEndian(list[1..]);
        return count >= 0 ? count : throw Malformed();
    }

    private void CheckKey(ReadOnlySpan<byte> key)
    {
        if (key.Length < KeyPrefixBytes || key[sizeof(long)] > LeftSide || BinaryPrimitives.ReadInt64BigEndian(key) < 0)
            throw new StateStoreException($"Store '{name}' has a key of {key.Length} bytes that does not begin with time and side; it was written by something else.");
    }

    private StateStoreException Malformed() => new($"Store '{name}' has an entry that is no list of records; it was written by something else.");

    private K ReadKey(ReadOnlySpan<byte> stored) => keySerde.Deserialize(stored[KeyPrefixBytes..]);

    private VL ReadLeft(ReadOnlyMemory<byte> record) => leftSerde.Deserialize(record.Span);

    private VRight ReadRight(ReadOnlyMemory<byte> record) => rightSerde.Deserialize(record.Span);

    private sealed class Iterator(OuterJoinStore<K, VL, VRight> store, TableCursor<ReadOnlyMemory<byte>> cursor) : IOuterJoinIterator<K, VL, VRight>
    {
        private ReadOnlyMemory<byte> _list;
        private ReadOnlyMemory<byte> _record;
        private int _left;
        private bool _isFirst = true;
        private bool _onRecord;

        public K Key => store.ReadKey(Entry);

        public long Timestamp => BinaryPrimitives.ReadInt64BigEndian(Entry);

        public bool IsLeft => Entry[sizeof(long)] == LeftSide;

        public VL Left => IsLeft ? store.ReadLeft(_record) : throw new InvalidOperationException("The record is of the right side.");

        public VRight Right => IsLeft ? throw new InvalidOperationException("The record is of the left side.") : store.ReadRight(_record);

        private ReadOnlySpan<byte> Entry => _onRecord ? cursor.Key : throw new InvalidOperationException("The iterator is not on an entry: call MoveNext first, and only read while it returns true.");

        public bool MoveNext()
        {
            _onRecord = false;
            while (_left == 0)
            {
                var moved = cursor.MoveNext();

                // What the walk found first is the earliest there is, until somebody puts an earlier one.
                if (_isFirst) store._earliestTime = moved ? BinaryPrimitives.ReadInt64BigEndian(cursor.Key) : long.MaxValue;
                _isFirst = false;
                if (!moved) return false;
                store.CheckKey(cursor.Key);
                _list = cursor.Value;
                _left = store.ListCount(_list.Span);
                _list = _list[ListPrefixBytes..];
            }

            _left--;
            _record = TakeRecord();
            return _onRecord = true;
        }

        public void Dispose() => cursor.Dispose();

        private ReadOnlyMemory<byte> TakeRecord()
        {
            if (_list.Length < sizeof(int)) throw store.Malformed();
            var length = BinaryPrimitives.ReadInt32BigEndian(_list.Span);
            _list = _list[sizeof(int)..];
            if (length < 1 || length > _list.Length) throw store.Malformed();
            var record = _list[1..length];
            _list = _list[length..];
            return record;
        }
    }
}
