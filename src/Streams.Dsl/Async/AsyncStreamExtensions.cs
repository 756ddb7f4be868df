using Streams.Dsl.Async;
using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// Operators that call something outside for each record: a web service, a database. Many calls run at a time; results go on from the task's own
/// thread, in the order that <see cref="AsyncOptions"/> says.
/// </summary>
/// <remarks>
/// <para>
/// A commit waits for the calls under way, so no offset and no transaction passes a record whose call has not ended. After a crash such records are read, and
/// called for, again: what a call does outside should bear being done twice. Kafka Streams has nothing like it.
/// </para>
/// <para>
/// A call runs on the task's thread until its first await; it must not block. It may use any thread after that, but no state store. When it fails for
/// good, the processing exception handler decides. In the test driver delays on the driver's clock end when the test advances it.
/// </para>
/// </remarks>
public static class AsyncStreamExtensions
{
    /// <summary>Gives each record the value that a call gives; <c>null</c> makes it absent. An absent struct stays absent without a call.</summary>
    public static KStream<K, VR> MapValuesAsync<K, V, VR>(
        this KStream<K, V> stream, Func<V, CancellationToken, Task<VR>> mapper, AsyncOptions? options = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        return stream.MapValuesAsync((_, value, cancellationToken) => mapper(value, cancellationToken), options, named);
    }

    /// <summary>Gives each record the value that a call gives, which sees the key; <c>null</c> makes it absent. An absent struct stays absent without a call.</summary>
    public static KStream<K, VR> MapValuesAsync<K, V, VR>(
        this KStream<K, V> stream, Func<K, V, CancellationToken, Task<VR>> mapper, AsyncOptions? options = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(mapper);
        var (node, checkedOptions) = Prepare(stream, "KSTREAM-ASYNC-MAPVALUES-", options, named);
        return Add<K, V, K, VR>(stream, node, () => new AsyncMapValues<K, V, VR>(mapper, checkedOptions), stream.KeySerde, changesKey: false);
    }

    /// <summary>Keeps the records for which a call says true. A record with an absent struct is dropped.</summary>
    public static KStream<K, V> FilterAsync<K, V>(
        this KStream<K, V> stream, Func<K, V, CancellationToken, Task<bool>> predicate, AsyncOptions? options = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(predicate);
        var (node, checkedOptions) = Prepare(stream, "KSTREAM-ASYNC-FILTER-", options, named);
        var graphNode = new ProcessorGraphNode<K, V>(node, () => new AsyncFilter<K, V>(predicate, checkedOptions));
        stream.Graph.Add(stream.Node, graphNode);
        return stream.With(graphNode, stream.RepartitionRequired);
    }

    /// <summary>Makes a call for each record; the stream ends here.</summary>
    public static void ForEachAsync<K, V>(this KStream<K, V> stream, Func<K, V, CancellationToken, Task> action, AsyncOptions? options = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(action);
        var (node, checkedOptions) = Prepare(stream, "KSTREAM-ASYNC-FOREACH-", options, named);
        stream.Graph.Add(stream.Node, new ProcessorGraphNode<K, V>(node, () => new AsyncFilter<K, V>(
            async (key, value, cancellationToken) =>
            {
                await action(key, value, cancellationToken).ConfigureAwait(false);
                return false;
            },
            checkedOptions)));
    }

    /// <summary>
    /// Turns each record into the records that a call gives, in their order: other keys, times and headers, any number of them. Grouping or joining the result
    /// repartitions it.
    /// </summary>
    public static KStream<KOut, VOut> ProcessAsync<K, V, KOut, VOut>(
        this KStream<K, V> stream, Func<Record<K, V>, CancellationToken, Task<IReadOnlyList<Record<KOut, VOut>>>> process, AsyncOptions? options = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(process);
        var (node, checkedOptions) = Prepare(stream, "KSTREAM-ASYNC-PROCESS-", options, named);
        return Add<K, V, KOut, VOut>(stream, node, () => new AsyncProcess<K, V, KOut, VOut>(process, checkedOptions), null, changesKey: true);
    }

    private static (string Node, AsyncOptions Options) Prepare<K, V>(KStream<K, V> stream, string prefix, AsyncOptions? options, Named? named)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var node = stream.Graph.NameOf(named, prefix);
        options ??= new AsyncOptions();
        options.Validate(node);
        return (node, options);
    }

    private static KStream<KOut, VOut> Add<K, V, KOut, VOut>(KStream<K, V> stream, string name, Func<Processor<K, V>> supplier, ISerde<KOut>? keySerde, bool changesKey)
    {
        var node = new ProcessorGraphNode<K, V>(name, supplier) { ChangesKey = changesKey, ChangesValue = true };
        stream.Graph.Add(stream.Node, node);
        return new KStream<KOut, VOut>(stream.Graph, node, keySerde, null, stream.Sources, stream.RepartitionRequired || changesKey);
    }
}
