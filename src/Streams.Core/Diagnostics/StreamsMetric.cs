using System.Globalization;

namespace Streams.Core;

/// <summary>One measured value at the moment it was asked for. Source: an entry of Kafka's <c>KafkaStreams.metrics()</c>.</summary>
/// <param name="Name">Instrument name, for example <c>kafka.streams.thread.process-total</c>: Kafka's own name after the part that is measured.</param>
/// <param name="Tags">What it was measured of: <c>application-id</c> and, as they apply, <c>thread-id</c>, <c>task-id</c>, <c>processor-node-id</c>, <c>topic-name</c>, <c>reason</c>.</param>
/// <param name="Value">The value; <see cref="double.NaN"/> for an average of nothing.</param>
/// <param name="IsTotal">Whether it only grows while the application runs.</param>
/// <param name="Unit">Unit in UCUM notation: <c>ms</c>, <c>By</c>, <c>{record}</c> …</param>
/// <param name="Description">What it says, in one sentence.</param>
public sealed record StreamsMetric(string Name, IReadOnlyDictionary<string, string> Tags, double Value, bool IsTotal, string Unit, string Description)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name}{{{string.Join(", ", Tags.Select(tag => $"{tag.Key}={tag.Value}"))}}} = {Value.ToString(CultureInfo.InvariantCulture)}";
}
