using System.Text.RegularExpressions;

namespace Streams.Core;

/// <summary>A node as written in the topology; each task makes its own <see cref="Processor"/> from it.</summary>
internal abstract class NodeDefinition(string name, IReadOnlyList<string> parents)
{
    public string Name { get; } = name;

    public IReadOnlyList<string> Parents { get; } = parents;

    /// <summary>Names of the stores connected to the node, in the order of connecting.</summary>
    public List<string> Stores { get; } = [];

    public abstract Processor Create(NodeFactory factory);
}

/// <summary>What a node needs of the task that it is made for.</summary>
internal sealed class NodeFactory
{
    /// <summary>Turns the name of an internal topic into the application's own.</summary>
    public required Func<string, string> ResolveTopic { get; init; }

    /// <summary>Where sinks write.</summary>
    public required RecordCollector Collector { get; init; }
}

internal abstract class SourceDefinition(string name, IReadOnlyList<string> topics, Regex? pattern, AutoOffsetReset? reset)
    : NodeDefinition(name, [])
{
    /// <summary>Topics as written; internal ones without the application's prefix.</summary>
    public IReadOnlyList<string> Topics { get; } = topics;

    /// <summary>Instead of <see cref="Topics"/>: every topic that matches.</summary>
    public Regex? Pattern { get; } = pattern;

    public AutoOffsetReset? Reset { get; } = reset;

    public abstract RecordQueue CreateQueue(TopicPartition partition, Processor node, RecordQueueSettings settings);

    /// <summary>Whether two definitions read the same bytes in the same way, so that one node can serve both.</summary>
    public abstract bool ReadsLike(SourceDefinition other);
}

internal sealed class SourceDefinition<K, V>(
    string name,
    IReadOnlyList<string> topics,
    Regex? pattern,
    SourceOptions<K, V> options)
    : SourceDefinition(name, topics, pattern, options.OffsetReset)
{
    public SourceOptions<K, V> Options { get; } = options;

    public override Processor Create(NodeFactory factory) => new SourceNode<K, V>();

    public override RecordQueue CreateQueue(TopicPartition partition, Processor node, RecordQueueSettings settings) =>
        new RecordQueue<K, V>(partition, (SourceNode<K, V>)node, Options, settings);

    public override bool ReadsLike(SourceDefinition other) =>
        other is SourceDefinition<K, V> same && same.Options.AllowAbsentValue == Options.AllowAbsentValue;
}

/// <summary>How a source reads its topics.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record SourceOptions<K, V>
{
    /// <summary>Reads keys.</summary>
    public required IDeserializer<K> KeyDeserializer { get; init; }

    /// <summary>Reads values.</summary>
    public required IDeserializer<V> ValueDeserializer { get; init; }

    /// <summary>Gives records their event time; <c>null</c> uses <see cref="TimestampPolicy"/>.</summary>
    public TimestampExtractor<K, V>? TimestampExtractor { get; init; }

    /// <summary>How the record's own timestamp is used when there is no extractor; <c>null</c> for the application's default.</summary>
    public TimestampPolicy? TimestampPolicy { get; init; }

    /// <summary>Where to start without a committed offset; <c>null</c> for the application's default.</summary>
    public AutoOffsetReset? OffsetReset { get; init; }

    /// <summary>
    /// Whether a null payload is a tombstone also where <typeparamref name="V"/> is a struct. Tables set it; for streams such a payload is a
    /// deserialisation error. Types that can be <c>null</c> always allow it.
    /// </summary>
    public bool AllowAbsentValue { get; init; }
}

internal sealed class ProcessorDefinition(string name, Func<Processor> supplier, IReadOnlyList<string> parents)
    : NodeDefinition(name, parents)
{
    private Processor? _last;

    public override Processor Create(NodeFactory factory)
    {
        var processor = supplier() ?? throw new TopologyException($"The supplier of processor '{Name}' returned null; it must return a new processor.");

        // A shared instance would mix the state of tasks; comparing with the one before finds the usual mistake (a captured variable).
        if (ReferenceEquals(processor, _last) || processor.NodeName.Length > 0)
        {
            throw new TopologyException(
                $"The supplier of processor '{Name}' returned the same instance twice; each task needs its own: write () => new {processor.GetType().Name}(…).");
        }

        _last = processor;
        return processor;
    }
}

internal abstract class SinkDefinition(string name, string? topic, IReadOnlyList<string> parents)
    : NodeDefinition(name, parents)
{
    /// <summary>The topic as written; <c>null</c> when it is chosen per record.</summary>
    public string? Topic { get; } = topic;

    /// <summary>What the description calls a sink whose topic is chosen per record.</summary>
    public abstract string ExtractorName { get; }
}

internal sealed class SinkDefinition<K, V>(string name, string? topic, IReadOnlyList<string> parents, SinkOptions<K, V> options)
    : SinkDefinition(name, topic, parents)
{
    public override string ExtractorName => options.TopicExtractor is { } extractor ? $"{extractor.Method.DeclaringType?.FullName}.{extractor.Method.Name}" : "";

    public override Processor Create(NodeFactory factory) =>
        new SinkNode<K, V>(Topic is null ? null : factory.ResolveTopic(Topic), options, factory.Collector);
}

/// <summary>How a sink writes.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed record SinkOptions<K, V>
{
    /// <summary>Writes keys.</summary>
    public required ISerializer<K> KeySerializer { get; init; }

    /// <summary>Writes values.</summary>
    public required ISerializer<V> ValueSerializer { get; init; }

    /// <summary>Chooses the partition; <c>null</c> hashes the serialised key.</summary>
    public StreamPartitioner<K, V>? Partitioner { get; init; }

    /// <summary>Chooses the topic per record; set when the sink is added without a topic.</summary>
    public TopicNameExtractor<K, V>? TopicExtractor { get; init; }
}
