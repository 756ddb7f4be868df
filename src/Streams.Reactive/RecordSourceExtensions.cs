using Streams.Core;
using Streams.Dsl;
using Streams.Reactive.Sources;

namespace Streams.Reactive;

/// <summary>Reads topics that the application fills itself.</summary>
public static class RecordSourceExtensions
{
    /// <summary>
    /// Writes a source to a topic while the application runs, and reads the topic as a stream. The application fails when the source does; when the source comes to its end, the application goes on.
    /// </summary>
    /// <remarks>
    /// The topic exists, as that of any stream does, and is what makes the records durable, divides them among instances, and lets them be processed exactly once from there on. In the test driver
    /// nothing is written: pipe records into the topic instead.
    /// </remarks>
    /// <param name="builder">The topology's builder.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="source">What is written to it.</param>
    /// <param name="consumed">How it is read; its serdes write it too.</param>
    /// <exception cref="TopologyException">A type has no serde.</exception>
    public static KStream<K, V> Stream<K, V>(this StreamsBuilder builder, string topic, RecordSource<K, V> source, Consumed<K, V>? consumed = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentNullException.ThrowIfNull(source);
        var stream = builder.Stream(topic, consumed);
        var graph = builder.Graph;
        var keySerde = graph.Serde(consumed?.KeySerde, stream.Name, "key", "Consumed.With");
        var valueSerde = graph.Serde(consumed?.ValueSerde, stream.Name, "value", "Consumed.With");
        graph.Accompany(new SourceCompanion<K, V>(source, topic, keySerde, valueSerde));
        return stream;
    }
}
