using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Streams.Core;

/// <summary>
/// Spans for records: one while a record is processed, one when a record is written, joined across topics by the <c>traceparent</c> header. Costs
/// one look per batch while nobody listens to the source <c>Streams</c>.
/// </summary>
/// <remarks>Headers: W3C Trace Context. Attributes: OpenTelemetry's semantic conventions for messaging (<c>messaging.*</c>).</remarks>
internal static class Tracing
{
    public const string SourceName = "Streams";

    private const string TraceParent = "traceparent";
    private const string TraceState = "tracestate";

    private static readonly ActivitySource _source = new(SourceName, typeof(Tracing).Assembly.GetName().Version?.ToString(3));

    /// <summary>Whether anybody listens.</summary>
    public static bool IsOn => _source.HasListeners();

    /// <summary>Begins the span of processing a record, as a child of the one that the record's headers name. <c>null</c> when it is not sampled.</summary>
    public static Activity? StartProcess(TaskContext task)
    {
        var parent = default(ActivityContext);
        if (task.Headers is { } headers && headers.TryGetLast(TraceParent, out var traceParent))
        {
            var state = headers.TryGetLast(TraceState, out var traceState) ? traceState.ValueAsString() : null;

            // A header that is no trace context is somebody else's text: the trace begins here.
            if (!ActivityContext.TryParse(traceParent.ValueAsString(), state, isRemote: true, out parent)) parent = default;
        }

        var activity = _source.StartActivity("process " + task.Topic, ActivityKind.Consumer, parent);
        if (activity is null) return null;
        activity.SetTag("messaging.system", "kafka");
        activity.SetTag("messaging.operation.type", "process");
        activity.SetTag("messaging.destination.name", task.Topic);
        activity.SetTag("messaging.destination.partition.id", task.Partition.ToString(CultureInfo.InvariantCulture));
        activity.SetTag("messaging.kafka.offset", task.Offset);
        activity.SetTag("messaging.consumer.group.name", task.ApplicationId);
        activity.SetTag("kafka.streams.task.id", task.TaskId.ToString());
        return activity;
    }

    /// <summary>Begins the span of writing a record. <c>null</c> when it is not sampled.</summary>
    public static Activity? StartSend(string topic, int partition, string nodeName)
    {
        // Without a record being processed (a punctuator, a cache giving out what it held back) there is nothing that the span could tell about.
        if (Activity.Current is null) return null;
        var activity = _source.StartActivity("send " + topic, ActivityKind.Producer);
        if (activity is null) return null;
        activity.SetTag("messaging.system", "kafka");
        activity.SetTag("messaging.operation.type", "send");
        activity.SetTag("messaging.destination.name", topic);
        activity.SetTag("messaging.destination.partition.id", partition.ToString(CultureInfo.InvariantCulture));
        activity.SetTag("kafka.streams.processor.node.id", nodeName);
        return activity;
    }

    /// <summary>The headers with the current span as what readers of the record continue.</summary>
    public static Headers? Inject(Headers? headers)
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id } current) return headers;
        var others = (headers ?? Headers.Empty).Where(header => header.Key is not (TraceParent or TraceState));
        var added = others.Append(new Header(TraceParent, Encoding.ASCII.GetBytes(id)));
        if (!string.IsNullOrEmpty(current.TraceStateString)) added = added.Append(new Header(TraceState, Encoding.ASCII.GetBytes(current.TraceStateString)));
        return Headers.From(added);
    }
}
