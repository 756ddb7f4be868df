using Streams.Dsl.TimeToLive;

namespace Streams.Dsl.Nodes;

/// <summary>An operator whose rows are in a key-value store from the start: aggregations, and tables whose result is materialised.</summary>
internal sealed class KeyValueTable<K, V>(string storeName, TimeToLiveSettings? timeToLive = null) : TableOperator<K, V>
{
    public override string StoreName => storeName;

    public override bool EnableSendingOldValues(bool forceMaterialization) => SendsOldValues = true;

    public override RowLookup<K, V> View() => LivingRowReader<K, V>.Of(RowLookup<K, V>.OfStore(storeName), timeToLive);
}
