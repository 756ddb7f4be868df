using Streams.State.Bytes;
using Streams.State.Shared;

namespace Streams.State.KeyValue;

/// <summary>Key-value store without timestamps.</summary>
internal sealed class PlainKeyValueStore<K, V>(KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde, bool caching)
    : KeyValueStore<K, V>(supplier, keySerde, new PlainCodec<V>(valueSerde), caching), ICachedStateStore<K, V>, IShareableStore
{
    public IStateStore Share(StoreGate gate, bool writable) => new SharedKeyValueStore<K, V>(this, gate, writable);

    public bool SetFlushListener(CacheFlushListener<K, V> listener, bool sendOldValues)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return SetHeldListener(Forward, sendOldValues);

        void Forward(ReadOnlySpan<byte> key, V newValue, bool hasNew, V oldValue, bool hasOld, in RecordCoordinates coordinates) =>
            listener(new Record<K, Change<V>>(ReadKey(key), new Change<V>(newValue, hasNew, oldValue, hasOld), coordinates.Timestamp, coordinates.Headers));
    }
}
