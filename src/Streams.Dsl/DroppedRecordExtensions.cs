using System.Globalization;
using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>What can be done with a side output of dropped records.</summary>
public static class DroppedRecordExtensions
{
    /// <summary>Header with the <see cref="DropReason"/> by name.</summary>
    public const string ReasonHeader = "__streams.dropped.reason";

    /// <summary>Header with the name of the operator.</summary>
    public const string OperatorHeader = "__streams.dropped.operator";

    /// <summary>Header with the operator's stream time, Unix milliseconds as text.</summary>
    public const string StreamTimeHeader = "__streams.dropped.stream-time";

    /// <summary>Header with the start of the window, Unix milliseconds as text.</summary>
    public const string WindowStartHeader = "__streams.dropped.window.start";

    /// <summary>Header with the end of the window, Unix milliseconds as text.</summary>
    public const string WindowEndHeader = "__streams.dropped.window.end";

    /// <summary>Header with the topic that the record was read from.</summary>
    public const string TopicHeader = "__streams.dropped.topic";

    /// <summary>Header with its partition, as text.</summary>
    public const string PartitionHeader = "__streams.dropped.partition";

    /// <summary>Header with its offset, as text.</summary>
    public const string OffsetHeader = "__streams.dropped.offset";

    /// <summary>
    /// The records as they came, with what is known of their fate in headers behind their own: ready for a dead-letter topic that other programs read.
    /// </summary>
    /// <param name="dropped">A side output.</param>
    /// <param name="named">Name of the operator.</param>
    public static KStream<K, V> ToRecords<K, V>(this KStream<K, DroppedRecord<V>> dropped, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(dropped);
        var node = new ProcessorGraphNode<K, DroppedRecord<V>>(dropped.Graph.NameOf(named, "KSTREAM-DROPPED-RECORDS-"), static () => new Restore<K, V>()) { ChangesValue = true };
        dropped.Graph.Add(dropped.Node, node);
        return new KStream<K, V>(dropped.Graph, node, dropped.KeySerde, null, dropped.Sources, dropped.RepartitionRequired);
    }

    private sealed class Restore<K, V> : Processor<K, DroppedRecord<V>, K, V>
    {
        public override void Process(in Record<K, DroppedRecord<V>> record)
        {
            var drop = record.Value;
            var headers = record.Headers
                .Add(ReasonHeader, drop.Reason.ToString())
                .Add(OperatorHeader, drop.Operator)
                .Add(StreamTimeHeader, Text(drop.StreamTimeMs));
            if (drop.Window is { } window) headers = headers.Add(WindowStartHeader, Text(window.StartMs)).Add(WindowEndHeader, Text(window.EndMs));
            if (drop.Origin is { } origin) headers = headers.Add(TopicHeader, origin.Topic).Add(PartitionHeader, Text(origin.Partition)).Add(OffsetHeader, Text(origin.Offset));
            Forward(new Record<K, V>(record.Key, record.HasKey, drop.Value, drop.HasValue, record.Timestamp, headers));
        }

        private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
