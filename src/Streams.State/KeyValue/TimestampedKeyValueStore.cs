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
    public IStateStore Share(Lock gate, bool writable) => new SharedTimestampedKeyValueStore<K, V>(this, gate, writable);

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
