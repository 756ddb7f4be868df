using Streams.State.Bytes;
using Streams.State.Shared;

namespace Streams.State.Window;

/// <summary>Window store whose values carry their time. What windowed aggregations use.</summary>
internal sealed class TimestampedWindowStore<K, V>(WindowBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde, bool caching)
    : WindowStore<K, ValueAndTimestamp<V>>(supplier, keySerde, new TimestampedCodec<V>(valueSerde), caching),
        ITimestampedWindowStore<K, V>,
        ICachedStateStore<Windowed<K>, V>,
        IShareableStore
{
    public IStateStore Share(StoreGate gate, bool writable) => new SharedTimestampedWindowStore<K, V>(this, gate, writable);

    public bool SetFlushListener(CacheFlushListener<Windowed<K>, V> listener, bool sendOldValues)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return SetHeldListener(Forward, sendOldValues);

        void Forward(
            ReadOnlySpan<byte> key, ValueAndTimestamp<V> newValue, bool hasNew, ValueAndTimestamp<V> oldValue, bool hasOld, in RecordCoordinates coordinates)
        {
            // An update is from its value's time; a deletion has no value and is from the time of the record that made it.
            var timestamp = hasNew ? newValue.Timestamp : coordinates.Timestamp;
            listener(new Record<Windowed<K>, Change<V>>(ReadHeldKey(key), new Change<V>(newValue.Value, hasNew, oldValue.Value, hasOld), timestamp, coordinates.Headers));
        }
    }
}
