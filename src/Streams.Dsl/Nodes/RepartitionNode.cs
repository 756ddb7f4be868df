using System.Text.RegularExpressions;

namespace Streams.Dsl.Nodes;

/// <summary>The four names of a repartition step.</summary>
/// <param name="Topic">Internal topic, without the application's prefix.</param>
/// <param name="Filter">Node that drops records without key.</param>
/// <param name="Sink">Node that writes the topic.</param>
/// <param name="Source">Node that reads it.</param>
internal sealed partial record RepartitionNames(string Topic, string Filter, string Sink, string Source)
{
    private const string Suffix = "-repartition";

    /// <summary>Whether the user named the topic, so that it does not move when operators are added.</summary>
    public required bool IsExplicit { get; init; }

    /// <summary>
    /// Reserves the names. Three numbers are always used up, in this order, although a topic with a name of its own lends it to its nodes.
    /// Source: Kafka's <c>KStreamImpl.createRepartitionedSource</c>.
    /// </summary>
    public static RepartitionNames Reserve(GraphBuilder graph, string prefix)
    {
        var sink = graph.NewProcessorName("KSTREAM-SINK-");
        var filter = graph.NewProcessorName("KSTREAM-FILTER-");
        var source = graph.NewProcessorName("KSTREAM-SOURCE-");
        var topic = prefix.EndsWith(Suffix, StringComparison.Ordinal) ? prefix : prefix + Suffix;
        return GeneratedPrefix().IsMatch(prefix)
            ? new RepartitionNames(topic, filter, sink, source) { IsExplicit = false }
            : new RepartitionNames(topic, topic + "-filter", topic + "-sink", topic + "-source") { IsExplicit = true };
    }

    [GeneratedRegex("^KSTREAM.*-[0-9]{10}$", RegexOptions.CultureInvariant)]
    private static partial Regex GeneratedPrefix();
}

/// <summary>Sends a stream through an internal topic, so that records with equal keys meet in one task.</summary>
internal abstract class RepartitionNode(RepartitionNames names) : GraphNode(names.Source)
{
    public RepartitionNames Names { get; } = names;

    /// <summary>Whether the optimiser may merge it with others behind the same key change; false for an explicit one.</summary>
    public required bool IsOptimizable { get; init; }

    /// <summary>Whether records without key are left out; set at build time, because it depends on what is downstream.</summary>
    public bool DropsNullKeys { get; set; }

    /// <summary>A node of the same types under other names, for the optimiser.</summary>
    public abstract RepartitionNode Renamed(GraphBuilder graph, RepartitionNames names);
}

internal sealed class RepartitionNode<K, V>(RepartitionNames names, ISerde<K> keySerde, ISerde<V> valueSerde) : RepartitionNode(names)
{
    public int? PartitionCount { get; init; }

    public StreamPartitioner<K, V>? Partitioner { get; init; }

    public override RepartitionNode Renamed(GraphBuilder graph, RepartitionNames names) =>
        new RepartitionNode<K, V>(names, keySerde, valueSerde) { IsOptimizable = IsOptimizable, PartitionCount = PartitionCount, Partitioner = Partitioner };

    public override void WriteTo(Topology topology)
    {
        topology.AddInternalTopic(Names.Topic, PartitionCount);
        topology.AddProcessor<K, V>(Names.Filter, DropsNullKeys ? () => new StreamNullKeyFilter<K, V>() : () => new PassThrough<K, V>(), ParentNames());
        topology.AddSink(
            Names.Sink,
            Names.Topic,
            new SinkOptions<K, V> { KeySerializer = keySerde, ValueSerializer = valueSerde, Partitioner = Partitioner },
            Names.Filter);

        // Tombstones of tables and records for relaxed joins travel through these topics too, whatever the types.
        topology.AddSource(
            Names.Source,
            new SourceOptions<K, V>
            {
                KeyDeserializer = keySerde,
                ValueDeserializer = valueSerde,
                TimestampPolicy = TimestampPolicy.FailOnInvalid,
                AllowAbsentValue = true,
            },
            Names.Topic);
    }
}

/// <summary>Leaves out records without key: there is no partition where they would meet others.</summary>
internal sealed class StreamNullKeyFilter<K, V> : Processor<K, V, K, V>
{
    public override void Process(in Record<K, V> record)
    {
        if (record.HasKey) Forward(in record);
    }
}
