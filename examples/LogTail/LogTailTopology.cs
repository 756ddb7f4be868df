using Streams.Core;
using Streams.Dsl;
using Streams.Reactive;

namespace LogTail;

/// <summary>Reads log lines, shows them as they pass, and counts them by service and level in windows.</summary>
public sealed record LogTailTopology(Topology Topology, StreamTap<string, LogLine> Tail, LiveView<Windowed<string>, long> Counts)
{
    public const string Lines = "log-lines";

    public static readonly TimeSpan WindowSize = TimeSpan.FromSeconds(10);

    public static readonly ISerde<LogLine> LineSerde = Serdes.Json<LogLine>();

    public static LogTailTopology Build(RecordSource<string, LogLine> source)
    {
        var builder = new StreamsBuilder();
        var lines = builder.Stream(Lines, source, Consumed.With(Serdes.String, LineSerde));

        // Each browser has a buffer of its own; one that is slow loses old lines, and never holds the application up.
        var tail = lines.Tap(new TapOptions { Capacity = 200, Overflow = TapOverflow.DropOldest });

        var counts = lines
            .GroupBy((_, line) => $"{line.Service} {line.Level}", Grouped.With(Serdes.String, LineSerde).WithName("by-service-and-level"))
            .WindowedBy(TimeWindows.OfSizeAndGrace(WindowSize, TimeSpan.FromMinutes(1)))
            .Count(Materialized.As("counts"))
            .LiveView();
        return new LogTailTopology(builder.Build(), tail, counts);
    }
}
