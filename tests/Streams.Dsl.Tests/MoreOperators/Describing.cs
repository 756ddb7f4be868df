namespace Streams.Dsl.Tests.MoreOperators;

internal static class Describing
{
    /// <summary>Dropped records to the topic "dropped", as text: value, reason, window, stream time, operator, place of origin.</summary>
    public static void ToTopic<K, V>(this KStream<K, DroppedRecord<V>> dropped) => dropped
        .MapValues(drop => $"{(drop.HasValue ? drop.Value : "-")},{drop.Reason},{(drop.Window is { } window ? window.ToString() : "-")},{drop.StreamTimeMs},{drop.Operator}," +
            (drop.Origin is { } origin ? $"{origin.Topic}-{origin.Partition}:{origin.Offset}" : "-"))
        .To("dropped");
}
