using System.Text.RegularExpressions;

namespace Streams.Dsl.Nodes;

/// <summary>A source of a stream, by names or by pattern. Sources of the same topics become one.</summary>
internal abstract class StreamSourceNode(string name, IReadOnlyList<string> topics, Regex? pattern) : GraphNode(name)
{
    public IReadOnlyList<string> Topics { get; } = topics;

    public Regex? Pattern { get; } = pattern;

    /// <summary>Takes over the children of a source that reads the same topics.</summary>
    /// <exception cref="TopologyException">The two read them differently.</exception>
    public abstract void Absorb(StreamSourceNode other);

    protected void TakeChildren(StreamSourceNode other)
    {
        foreach (var child in other.Children.ToArray())
        {
            other.RemoveChild(child);
            AddChild(child);
        }
    }
}

internal sealed class StreamSourceNode<K, V>(string name, IReadOnlyList<string> topics, Regex? pattern, GraphBuilder graph, Consumed<K, V> consumed)
    : StreamSourceNode(name, topics, pattern)
{
    private Consumed<K, V> _consumed = consumed;

    public override void Absorb(StreamSourceNode other)
    {
        var topic = Pattern?.ToString() ?? string.Join(", ", Topics);
        if (other is not StreamSourceNode<K, V> same)
        {
            throw new TopologyException(
                $"Topic '{topic}' is read by '{Name}' as <{TypeNames.Of(typeof(K))}, {TypeNames.Of(typeof(V))}> and by '{other.Name}' with other types; " +
                "a topic is deserialised once: use one Stream call for both, or the same types.");
        }

        var mine = _consumed;
        var theirs = same._consumed;
        if (!Equals(mine.OffsetReset, theirs.OffsetReset)) throw Conflict("offset reset policies", topic, same);
        if (mine.TimestampPolicy != theirs.TimestampPolicy || !Equals(mine.TimestampExtractor, theirs.TimestampExtractor))
            throw Conflict("sources of event time", topic, same);
        if (mine.KeySerde is { } key && theirs.KeySerde is { } otherKey && key != otherKey) throw Conflict("key serdes", topic, same);
        if (mine.ValueSerde is { } value && theirs.ValueSerde is { } otherValue && value != otherValue) throw Conflict("value serdes", topic, same);
        _consumed = mine with { KeySerde = mine.KeySerde ?? theirs.KeySerde, ValueSerde = mine.ValueSerde ?? theirs.ValueSerde };
        TakeChildren(other);
    }

    public override void WriteTo(Topology topology)
    {
        var options = graph.SourceOptions(_consumed, Name);
        if (Pattern is not null) topology.AddSource(Name, options, Pattern);
        else topology.AddSource(Name, options, [.. Topics]);
    }

    private TopologyException Conflict(string what, string topic, StreamSourceNode other) =>
        new($"Topic '{topic}' is read by '{Name}' and '{other.Name}' with different {what}; a topic is read once: give both the same.");
}
