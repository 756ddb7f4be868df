using System.Diagnostics;
using System.Diagnostics.Metrics;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Testing.Tests;

/// <summary>Listeners see the whole process, and a trace header in other tests' records would surprise them: these run alone.</summary>
[CollectionDefinition("Telemetry", DisableParallelization = true)]
public sealed class TelemetryCollection;

/// <summary>Metrics and traces of a topology under the driver.</summary>
[Collection("Telemetry")]
public sealed class TelemetryTests
{
    [Fact]
    public void Metrics_tell_what_was_read_processed_and_written()
    {
        using var driver = new TopologyTestDriver(UpperCase(), new StreamsConfig { ApplicationId = "app" });
        var input = driver.CreateInputTopic<string, string>("in");
        for (var index = 0; index < 3; index++) input.PipeInput("k", "abc");

        Assert.Equal(3, Value(driver.Metrics, "kafka.streams.topic.records-consumed-total", ("topic-name", "in")));
        Assert.Equal(3, Value(driver.Metrics, "kafka.streams.topic.records-produced-total", ("topic-name", "out")));
        Assert.Equal(3 * 4, Value(driver.Metrics, "kafka.streams.topic.bytes-produced-total", ("topic-name", "out")));
        Assert.Equal(3, Value(driver.Metrics, "kafka.streams.task.process-total", ("task-id", "0_0")));
        Assert.All(driver.Metrics, metric => Assert.Equal("app", metric.Tags["application-id"]));
    }

    [Fact]
    public void End_to_end_latency_is_the_age_of_records_at_sources_and_sinks()
    {
        using var driver = new TopologyTestDriver(UpperCase());
        var input = driver.CreateInputTopic<string, string>("in");
        driver.AdvanceWallClockTime(TimeSpan.FromHours(1));
        var now = driver.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        input.PipeInput("k", "v", now - 10);
        input.PipeInput("k", "v", now - 30);

        foreach (var node in (string[])["KSTREAM-SOURCE-0000000000", "KSTREAM-SINK-0000000002"])
        {
            Assert.Equal(10, Value(driver.Metrics, "kafka.streams.node.record-e2e-latency-min", ("processor-node-id", node)));
            Assert.Equal(20, Value(driver.Metrics, "kafka.streams.node.record-e2e-latency-avg", ("processor-node-id", node)));
            Assert.Equal(30, Value(driver.Metrics, "kafka.streams.node.record-e2e-latency-max", ("processor-node-id", node)));
        }
    }

    [Fact]
    public void Dropped_records_are_counted_by_reason()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMilliseconds(10))).Count()
            .ToStream((window, _) => window.Key).To("out");
        using var driver = new TopologyTestDriver(builder.Build(), new StreamsConfig { ApplicationId = "app" });
        var input = driver.CreateInputTopic<string, string>("in");
        input.PipeInput("k", "v", 100);
        input.PipeInput("k", "late", 5);
        input.PipeInput(null!, "no key", 101);

        Assert.Equal(1, driver.DroppedRecordsBecause(DropReason.Late));
        Assert.Equal(1, driver.DroppedRecordsBecause(DropReason.AbsentKeyOrValue));
        Assert.Equal(2, driver.DroppedRecords);
        Assert.Equal(driver.DroppedRecords, Enum.GetValues<DropReason>().Sum(driver.DroppedRecordsBecause));
        Assert.Equal(1, Value(driver.Metrics, "kafka.streams.task.dropped-records-total", ("reason", "Late")));
    }

    [Fact]
    public void Meter_shows_the_same_values_to_a_listener()
    {
        using var driver = new TopologyTestDriver(UpperCase(), new StreamsConfig { ApplicationId = "meter-app" });
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "abc");
        var seen = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, each) =>
        {
            // Other tests of this process have meters of the same name.
            if (instrument.Meter.Name == "Streams" && instrument.Meter.Tags!.Contains(new("application-id", "meter-app"))) each.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => seen[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal(1, seen["kafka.streams.topic.records-consumed-total"]);
        Assert.Equal(0, seen["kafka.streams.task.dropped-records-total"]);
    }

    [Fact]
    public void One_record_through_a_repartition_topic_makes_one_trace()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").GroupBy((_, value) => value).Count().ToStream().To("out");
        using var traces = new Traces();
        using var driver = new TopologyTestDriver(builder.Build(), new StreamsConfig { ApplicationId = "traced", StateStoreCacheMaxBytes = 0 }, new() { PartitionsPerTopic = 3 });
        var parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        driver.CreateInputTopic<string, string>("in").PipeInput(new TestRecord<string, string>("k", "v", 5, Headers.Empty.Add("traceparent", parent)));

        var spans = traces.Of("0af7651916cd43dd8448eb211c80319c");
        Assert.Equal(
            ["process in", "send traced-KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition", "process traced-KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition", "send out"],
            spans.Select(span => span.DisplayName));
        Assert.Equal("b7ad6b7169203331", spans[0].ParentSpanId.ToString());
        for (var index = 1; index < spans.Count; index++) Assert.Equal(spans[index - 1].SpanId, spans[index].ParentSpanId);
        Assert.Equal("in", spans[0].GetTagItem("messaging.destination.name"));

        var written = driver.CreateOutputTopic<string, long>("out").ReadRecord();
        Assert.True(written.Headers.TryGetLast("traceparent", out var header));
        Assert.Contains(spans[^1].SpanId.ToString(), header.ValueAsString(), StringComparison.Ordinal);
        Assert.Single(written.Headers, each => each.Key == "traceparent");
    }

    [Fact]
    public void Trace_header_that_is_none_begins_a_new_trace()
    {
        using var traces = new Traces();
        using var driver = new TopologyTestDriver(UpperCase(), new StreamsConfig { ApplicationId = "broken-header" });
        driver.CreateInputTopic<string, string>("in").PipeInput(new TestRecord<string, string>("k", "v", 5, Headers.Empty.Add("traceparent", "not a trace")));
        Assert.Equal(2, traces.All("broken-header").Count);
    }

    [Fact]
    public void Headers_stay_as_they_are_while_nobody_listens()
    {
        using var driver = new TopologyTestDriver(UpperCase());
        driver.CreateInputTopic<string, string>("in").PipeInput(new TestRecord<string, string>("k", "v", 5, Headers.Empty.Add("traceparent", "abc")));
        var written = driver.CreateOutputTopic<string, string>("out").ReadRecord();
        Assert.True(written.Headers.TryGetLast("traceparent", out var header));
        Assert.Equal("abc", header.ValueAsString());
    }

    private static Topology UpperCase()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").MapValues(value => value.ToUpperInvariant()).To("out");
        return builder.Build();
    }

    private static double Value(IEnumerable<StreamsMetric> metrics, string name, (string Key, string Value) tag) =>
        Assert.Single(metrics, metric => metric.Name == name && metric.Tags.Contains(new(tag.Key, tag.Value))).Value;

    private sealed class Traces : IDisposable
    {
        private readonly List<Activity> _started = [];
        private readonly ActivityListener _listener;

        public Traces()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Streams",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStarted = activity =>
                {
                    lock (_started) _started.Add(activity);
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IReadOnlyList<Activity> Of(string traceId)
        {
            lock (_started) return [.. _started.Where(activity => activity.TraceId.ToString() == traceId)];
        }

        public IReadOnlyList<Activity> All(string applicationId)
        {
            lock (_started)
            {
                var roots = _started.Where(activity => (string?)activity.GetTagItem("messaging.consumer.group.name") == applicationId).Select(activity => activity.TraceId).ToHashSet();
                return [.. _started.Where(activity => roots.Contains(activity.TraceId))];
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
