using Streams.State.Bytes;
using Streams.State.Shared;

namespace Streams.State.Window;

/// <summary>Window store without timestamps: what stream-stream joins keep their records in.</summary>
internal sealed class PlainWindowStore<K, V>(WindowBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde, bool caching)
    : WindowStore<K, V>(supplier, keySerde, new PlainCodec<V>(valueSerde), caching), ICachedStateStore<Windowed<K>, V>, IShareableStore
{
    public IStateStore Share(StoreGate gate, bool writable) => new SharedWindowStore<K, V>(this, gate, writable);

    public bool SetFlushListener(CacheFlushListener<Windowed<K>, V> listener, bool sendOldValues)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return SetHeldListener(Forward, sendOldValues);

        void Forward(ReadOnlySpan<byte> key, V newValue, bool hasNew, V oldValue, bool hasOld, in RecordCoordinates coordinates) =>
            listener(new Record<Windowed<K>, Change<V>>(ReadHeldKey(key), new Change<V>(newValue, hasNew, oldValue, hasOld), coordinates.Timestamp, coordinates.Headers));
    }
}
