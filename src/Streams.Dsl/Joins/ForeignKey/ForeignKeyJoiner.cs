using Streams.Dsl.Nodes;
using Streams.State;

namespace Streams.Dsl.Joins.ForeignKey;

/// <summary>
/// Adds a foreign-key join to the graph: left rows subscribe to right rows through one internal topic, and get answers through another.
/// </summary>
/// <remarks>
/// The subscription topic is partitioned like the right table, the answer topic like the left one. Names and their numbers are reserved in Kafka
/// Streams' order. Source: KIP-213, Kafka's <c>KTableImpl.doJoinOnForeignKey</c>.
/// </remarks>
internal static class ForeignKeyJoiner
{
    private const string Prefix = "KTABLE-FK-JOIN-";
    private const string ProcessorPrefix = Prefix + "SUBSCRIPTION-PROCESSOR-";
    private const string OutputPrefix = Prefix + "OUTPUT-";

    public static KTable<K, VR> Join<K, V, KO, VO, VR>(
        KTable<K, V> left,
        KTable<KO, VO> right,
        Func<K, V, KO> extractor,
        Joiner<K, V, VO, VR> joiner,
        bool isLeft,
        TableJoined<K, KO>? joined,
        Materialized<K, VR>? materialized)
    {
        ArgumentNullException.ThrowIfNull(right);
        ArgumentNullException.ThrowIfNull(extractor);
        left.ThrowIfForeign(right.Graph);
        var graph = left.Graph;
        Named? named = joined?.Name;

        // Old rows say which subscription to end.
        right.Table.EnableSendingOldValues(forceMaterialization: true);
        left.Table.EnableSendingOldValues(forceMaterialization: true);

        var subscriptionTopic = graph.NameOf(named, "-subscription-registration", Prefix + "SUBSCRIPTION-REGISTRATION-") + "-topic";
        var sendName = graph.NameOf(named, "-subscription-registration-processor", Prefix + "SUBSCRIPTION-REGISTRATION-");
        var sinkName = graph.NameOf(named, "-subscription-registration-sink", "KTABLE-SINK-");
        var sourceName = graph.NameOf(named, "-subscription-registration-source", "KTABLE-SOURCE-");
        var storeName = graph.NameOf(named, "-subscription-store", Prefix + "SUBSCRIPTION-STATE-STORE-");
        var receiveName = graph.NameOf(named, "-subscription-receive", ProcessorPrefix);
        var answerName = graph.NameOf(named, "-subscription-join-foreign", ProcessorPrefix);
        var foreignName = graph.NameOf(named, "-foreign-join-subscription", ProcessorPrefix);
        var responseTopic = graph.NameOf(named, "-subscription-response", Prefix + "SUBSCRIPTION-RESPONSE-") + "-topic";
        var responseSinkName = graph.NameOf(named, "-subscription-response-sink", "KTABLE-SINK-");
        var responseSourceName = graph.NameOf(named, "-subscription-response-source", "KTABLE-SOURCE-");
        var resolverName = graph.NameOf(named, "-subscription-response-resolver", Prefix + "SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-");
        var resultName = graph.NameOf(named, "-result", OutputPrefix);
        var resultStoreName = materialized?.StoreName ?? graph.NewStoreName(OutputPrefix);

        var keySerde = graph.Serde(left.KeySerde, sendName, "key", "Consumed.With or Materialized.With of this table");
        var valueSerde = graph.Serde(left.ValueSerde, sendName, "value", "Consumed.With or Materialized.With of this table");
        var foreignKeySerde = graph.Serde(right.KeySerde, sendName, "foreign key", "Consumed.With or Materialized.With of the other table");
        var foreignValueSerde = graph.Serde(right.ValueSerde, answerName, "value", "Consumed.With or Materialized.With of the other table");
        var subscriptionSerde = new SubscriptionSerde<K>(keySerde);
        var responseSerde = new SubscriptionResponseSerde<VO>(foreignValueSerde);
        var combinedSerde = new CombinedKeySerde<KO, K>(foreignKeySerde, keySerde);
        var dropsOutdated = left.Table.IsVersioned;

        var send = new ProcessorGraphNode<K, Change<V>>(
            sendName, () => new SubscriptionSend<K, V, KO>(extractor, valueSerde, foreignKeySerde, isLeft, dropsOutdated));
        graph.Add(left.Node, send);
        var otherPartitioner = joined?.OtherPartitioner;
        var subscriptions = new InternalTopicNode<KO, Subscription<K>>(sourceName, sinkName, subscriptionTopic, foreignKeySerde, subscriptionSerde)
        {
            Partitioner = otherPartitioner is null ? null : (string topic, in Record<KO, Subscription<K>> record, int count) => otherPartitioner(topic, record.Key, count),
        };
        graph.Add(send, subscriptions);
        graph.Copartition(KStream<K, V>.Union(right.Sources, KStream<K, V>.Single(sourceName)));

        var store = Stores.TimestampedKeyValueStoreBuilder(SubscriptionStore(graph, storeName), combinedSerde, subscriptionSerde);
        var receive = new ProcessorGraphNode<KO, Subscription<K>>(receiveName, () => new SubscriptionReceive<KO, K>(storeName)) { Stores = [store] };
        graph.Add(subscriptions, receive);
        var foreignRows = right.Table.View();
        var answer = new ProcessorGraphNode<CombinedKey<KO, K>, Subscription<K>>(answerName, () => new SubscriptionAnswer<KO, VO, K>(foreignRows.Create()))
        {
            ConnectedStores = () => foreignRows.StoreNames,
        };
        graph.Add(receive, answer);
        var foreign = new ProcessorGraphNode<KO, Change<VO>>(foreignName, () => new ForeignRowChanged<KO, VO, K>(storeName, combinedSerde.Prefix))
        {
            ConnectedStores = () => [storeName],
        };
        graph.Add(right.Node, foreign);

        var partitioner = joined?.Partitioner;
        var responses = new InternalTopicNode<K, SubscriptionResponse<VO>>(responseSourceName, responseSinkName, responseTopic, keySerde, responseSerde)
        {
            // The answer goes to the partition that the row came from, whatever put it there.
            Partitioner = (string topic, in Record<K, SubscriptionResponse<VO>> record, int count) => partitioner is null
                ? record.Value.PrimaryPartition
                : partitioner(topic, record.Key, count),
        };
        graph.Add([answer, foreign], responses);
        var resultSources = KStream<K, V>.Union(left.Sources, KStream<K, V>.Single(responseSourceName));
        graph.Copartition(resultSources);

        var rows = left.Table.View();
        var resolver = new ProcessorGraphNode<K, SubscriptionResponse<VO>>(
            resolverName, () => new ResponseJoin<K, V, VO, VR>(rows.Create(), valueSerde, joiner, isLeft))
        {
            ConnectedStores = () => rows.StoreNames,
        };
        graph.Add(responses, resolver);

        var settings = materialized?.Settings ?? new StoreSettings();
        var resultKeySerde = materialized?.KeySerde ?? keySerde;
        var resultValueSerde = materialized?.ValueSerde;
        StoreFactory.RefuseTimeToLive(settings, resultName);
        var table = new TableSource<K, VR>(resultStoreName, materialized?.StoreName is not null);
        var result = new ProcessorGraphNode<K, VR>(resultName, table.CreateProcessor)
        {
            Store = () => table.StoreName is null
                ? null
                : StoreFactory.KeyValue(graph, settings, resultStoreName, resultName, resultKeySerde, resultValueSerde),
        };
        graph.Add(resolver, result);
        return new KTable<K, VR>(graph, result, resultKeySerde, resultValueSerde, resultSources, table, materialized?.StoreName);
    }

    private static KeyValueBytesStoreSupplier SubscriptionStore(GraphBuilder graph, string name) => graph.Options.DefaultStoreType == StoreType.InMemory
        ? Stores.InMemoryKeyValueStore(name)
        : Stores.PersistentTimestampedKeyValueStore(name);
}
