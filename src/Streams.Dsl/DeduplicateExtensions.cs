using Streams.Dsl.Deduplication;
using Streams.Dsl.Nodes;
using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>Leaving out records that have been there before. Kafka Streams has no such operator; KIP-655 proposes one.</summary>
/// <remarks>
/// <para>
/// The first to arrive passes, at once and unchanged. Another with the same key (and id) is a duplicate when its time is less than the interval away from
/// that of a record that passed, before or after it. A duplicate does not prolong the interval: a record that comes an interval after the one that passed
/// passes again.
/// </para>
/// <para>
/// Out of order: records up to the grace period older than stream time, as this operator sees it and remembers it over restarts, are judged exactly; older ones are
/// dropped as late and counted. What has passed is kept for interval + grace in a window store, one row per record that passed.
/// </para>
/// <para>
/// A record that is read again after a crash, because its offset had not been committed, passes again although its id is stored: without that, at-least-once
/// processing could lose it. With exactly-once nothing is read again.
/// </para>
/// </remarks>
public static class DeduplicateExtensions
{
    private const string Prefix = "KSTREAM-DEDUPLICATE-";

    /// <summary>
    /// Lets one record per key pass in each interval. A record without key passes: there is nothing to compare. Repartitions first if the key has been changed.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="interval">How far apart, in event time, records are not duplicates any more; at least 1 ms, in whole milliseconds.</param>
    /// <param name="deduplicated">Names, serdes, grace period and side output.</param>
    public static KStream<K, V> Deduplicate<K, V>(this KStream<K, V> stream, TimeSpan interval, Deduplicated<K, V>? deduplicated = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Add(stream, interval, deduplicated, OwnKey, static (_, _, keySerde) => keySerde);

        static bool OwnKey(in Record<K, V> record, out K id)
        {
            id = record.Key;
            return record.HasKey;
        }
    }

    /// <summary>
    /// Lets one record per key and id pass in each interval. A record whose id is <c>null</c>, or that has no key, passes: there is nothing to compare. Repartitions
    /// first if the key has been changed.
    /// </summary>
    /// <remarks>
    /// Equal ids under different keys are not duplicates, since they may be in different partitions. Where they should be, make the id the key first:
    /// <c>stream.SelectKey(id).Deduplicate(interval)</c>.
    /// </remarks>
    /// <param name="stream">The stream.</param>
    /// <param name="idSelector">Gives a record's id; <c>null</c> for none. Not called for an absent struct, which has no id.</param>
    /// <param name="interval">How far apart, in event time, records are not duplicates any more; at least 1 ms, in whole milliseconds.</param>
    /// <param name="deduplicated">Names, serdes, grace period and side output.</param>
    /// <param name="idSerde">Serde of the ids; it must give equal bytes for equal ids. Default: found by type.</param>
    public static KStream<K, V> Deduplicate<K, V, TId>(
        this KStream<K, V> stream, Func<K, V, TId> idSelector, TimeSpan interval, Deduplicated<K, V>? deduplicated = null, ISerde<TId>? idSerde = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(idSelector);
        return Add<K, V, KeyAndId<K, TId>>(
            stream,
            interval,
            deduplicated,
            KeyAndId,
            (graph, node, keySerde) => new KeyAndIdSerde<K, TId>(keySerde, graph.Serde(idSerde, node, "id", "the idSerde parameter of Deduplicate")));

        bool KeyAndId(in Record<K, V> record, out KeyAndId<K, TId> id)
        {
            id = default;
            if (!record.HasKey || !Absent.CanShowValue(in record)) return false;
            var selected = idSelector(record.Key, record.Value);
            id = new KeyAndId<K, TId>(record.Key, selected);
            return Nullability.IsPresent(selected);
        }
    }

    private static KStream<K, V> Add<K, V, TId>(
        KStream<K, V> stream, TimeSpan interval, Deduplicated<K, V>? options, RecordKeyMapper<K, V, TId> idOf, Func<GraphBuilder, string, ISerde<K>, ISerde<TId>> serde)
    {
        options ??= new Deduplicated<K, V>();
        var intervalMs = WindowTimes.Positive(interval, nameof(interval));
        var graceMs = options.GracePeriod is { } grace ? WindowTimes.NotNegative(grace, nameof(options)) : intervalMs;
        var graph = stream.Graph;
        var name = graph.NameOf(options.Name, Prefix);
        var storeName = options.Name is null ? graph.NewStoreName(Prefix) : options.Name + "-store";
        stream = stream.RepartitionedForJoin(options.Name, options.KeySerde, options.ValueSerde);
        var keySerde = graph.Serde(options.KeySerde ?? stream.KeySerde, name, "key", "Deduplicated.KeySerde");
        var idSerde = serde(graph, name, keySerde);
        var settings = new StoreSettings { Type = options.StoreType, Logging = options.LoggingEnabled, LogConfig = options.LogConfig };
        var store = StoreFactory.Passed(graph, settings, storeName, idSerde, intervalMs, WindowTimes.Add(intervalMs, graceMs));
        var node = new ProcessorGraphNode<K, V>(name, () => new StreamDeduplicate<K, V, TId>(storeName, idOf, idSerde, intervalMs, graceMs))
        {
            Stores = [store],
            AcceptsNullKeys = true,
        };
        graph.Add(stream.Node, node);
        options.Dropped?.AddTo(graph, node, keySerde, stream.Sources);
        return new KStream<K, V>(graph, node, options.KeySerde ?? stream.KeySerde, options.ValueSerde ?? stream.ValueSerde, stream.Sources, repartitionRequired: false);
    }
}
