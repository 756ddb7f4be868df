using System.Buffers.Binary;
using Streams.State.Bytes;
using Streams.State.Shared;

namespace Streams.State.KeyValue;

/// <summary>Key-value store whose values carry their time. What tables and aggregations use.</summary>
internal sealed class TimestampedKeyValueStore<K, V>(KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde, bool caching)
    : KeyValueStore<K, ValueAndTimestamp<V>>(supplier, keySerde, new TimestampedCodec<V>(valueSerde), caching),
        ITimestampedKeyValueStore<K, V>,
        ICachedStateStore<K, V>,
        IShareableStore
{
    /// <summary>Time of an entry that memory has, and where it is, for a write of the same key right after.</summary>
    public bool TryPeekTimestamp(K key, out long timestamp, out StoreSlot slot)
    {
        timestamp = 0;
        var id = Peek(key, out slot, out var store);
        if (id < 0) return false;
        timestamp = store.KeepsTyped ? store.ValueOf(id).Timestamp : BinaryPrimitives.ReadInt64BigEndian(store.Table.ValueOf(id));
        return true;
    }

    public IStateStore Share(StoreGate gate, bool writable) => new SharedTimestampedKeyValueStore<K, V>(this, gate, writable);

    public bool SetFlushListener(CacheFlushListener<K, V> listener, bool sendOldValues)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return SetHeldListener(Forward, sendOldValues);

        void Forward(
            ReadOnlySpan<byte> key, ValueAndTimestamp<V> newValue, bool hasNew, ValueAndTimestamp<V> oldValue, bool hasOld, in RecordCoordinates coordinates)
        {
            // An update is from its value's time; a deletion has no value and is from the time of the record that made it.
            var timestamp = hasNew ? newValue.Timestamp : coordinates.Timestamp;
            listener(new Record<K, Change<V>>(ReadKey(key), new Change<V>(newValue.Value, hasNew, oldValue.Value, hasOld), timestamp, coordinates.Headers));
        }
    }
}
