using System.Globalization;
using Streams.Core;
using Streams.Dsl;

namespace PageViews;

/// <summary>What the program computes; apart from the program, so that tests can run it without a broker.</summary>
public static class PageViewsTopology
{
    public const string Views = "page-views";
    public const string Regions = "user-regions";
    public const string ViewsByRegion = "page-views-by-region";

    public static ISerde<PageView> PageViewSerde { get; } = Serdes.Json<PageView>();

    public static TimeSpan WindowSize { get; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How late a view may come and still be counted. Not only users are late: when there is a backlog, one partition of the views is read ahead of another,
    /// and time in the counts is that of the fastest.
    /// </summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromHours(1);

    public static Topology Build()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Serdes = new SerdeRegistry().Add(PageViewSerde) });

        // Versioned: a view that comes late finds the region of its own time, not today's.
        var regions = builder.Table<string, string>(Regions, materialized: Materialized.As("regions").WithHistoryRetention(TimeSpan.FromHours(1)));

        builder.Stream<string, PageView>(Views)
            .Join(regions, (view, region) => new RegionalView(region, view.Page))
            .GroupBy((_, view) => view.Region, Grouped.As("by-region"))
            .WindowedBy(TimeWindows.OfSizeAndGrace(WindowSize, Grace))
            .Count(Materialized.As("views-by-region"))
            .ToStream((window, _) => Label(window.Key, window.Window.StartMs))
            .To(ViewsByRegion);
        return builder.Build();
    }

    /// <summary>Names a count for whoever reads the output: the window's start and the region.</summary>
    public static string Label(string region, long windowStartMs) =>
        string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeMilliseconds(windowStartMs):HH:mm} {region}");
}
