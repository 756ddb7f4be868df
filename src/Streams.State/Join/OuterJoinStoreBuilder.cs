using Streams.State.Bytes;
using Streams.State.RocksDb;

namespace Streams.State.Join;

/// <summary>Describes the store in which records of a left or outer stream-stream join wait for a partner.</summary>
internal sealed class OuterJoinStoreBuilder<K, VL, VRight>(string name, ISerde<K> keySerde, ISerde<VL> leftSerde, ISerde<VRight> rightSerde, bool isPersistent)
    : StoreBuilder<IOuterJoinStore<K, VL, VRight>, OuterJoinStoreBuilder<K, VL, VRight>>(name)
{
    /// <inheritdoc/>
    public override IOuterJoinStore<K, VL, VRight> Build() => new OuterJoinStore<K, VL, VRight>(Name, keySerde, leftSerde, rightSerde, isPersistent);

    internal static IByteEngine? OpenEngine(IStateStoreContext context, string name, bool isPersistent) =>
        isPersistent ? RocksDbEngine.Open(context, name, "outer-join") : null;
}
