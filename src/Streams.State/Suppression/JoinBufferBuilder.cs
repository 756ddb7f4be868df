using Streams.State.Bytes;
using Streams.State.RocksDb;

namespace Streams.State.Suppression;

/// <summary>Describes the buffer in which a stream-table join with a grace period holds records back.</summary>
internal sealed class JoinBufferBuilder<K, V>(string name, ISerde<K> keySerde, ISerde<V> valueSerde, bool isPersistent = true)
    : StoreBuilder<ITimeOrderedBuffer<K, V>, JoinBufferBuilder<K, V>>(name)
{
    /// <inheritdoc/>
    public override ITimeOrderedBuffer<K, V> Build() => new JoinBuffer<K, V>(Name, keySerde, valueSerde, isPersistent);

    internal static IByteEngine OpenEngine(IStateStoreContext context, string name) => RocksDbEngine.Open(context, name, "join-buffer");
}
