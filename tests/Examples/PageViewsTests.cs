using PageViews;

namespace Examples;

public sealed class PageViewsTests
{
    private static readonly DateTimeOffset _nine = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void View_counts_where_its_user_was_then_also_when_it_comes_late()
    {
        using var driver = new TopologyTestDriver(PageViewsTopology.Build());
        var regions = driver.CreateInputTopic<string, string>(PageViewsTopology.Regions);
        var views = driver.CreateInputTopic(PageViewsTopology.Views, Serdes.String, PageViewsTopology.PageViewSerde);
        regions.PipeInput("ann", "asia", At(0));
        regions.PipeInput("ann", "europe", At(2));
        views.PipeInput("ann", new PageView("/", 3), At(3));
        views.PipeInput("ann", new PageView("/late", 3), At(1));
        views.PipeInput("nobody knows where", new PageView("/", 3), At(3));
        Assert.Equal(new Dictionary<string, long> { ["09:00 europe"] = 1, ["09:00 asia"] = 1 }, Counts(driver));
    }

    [Fact]
    public void View_that_comes_after_the_grace_is_not_counted_any_more()
    {
        using var driver = new TopologyTestDriver(PageViewsTopology.Build());
        driver.CreateInputTopic<string, string>(PageViewsTopology.Regions).PipeInput("ann", "asia", At(0));
        var views = driver.CreateInputTopic(PageViewsTopology.Views, Serdes.String, PageViewsTopology.PageViewSerde);
        views.PipeInput("ann", new PageView("/", 3), At(4));
        views.PipeInput("ann", new PageView("/", 3), At(64.99));
        views.PipeInput("ann", new PageView("/in time", 3), At(4));
        views.PipeInput("ann", new PageView("/", 3), At(65));
        views.PipeInput("ann", new PageView("/too late", 3), At(4));
        Assert.Equal(new Dictionary<string, long> { ["09:00 asia"] = 2, ["10:00 asia"] = 1, ["10:05 asia"] = 1 }, Counts(driver));
    }

    [Fact]
    public async Task Program_agrees_with_its_check_and_its_readme() => ReadmeOutput.AssertShows("PageViews", await ExampleProcess.RunAsync("PageViews"));

    [Fact]
    public async Task Program_with_another_seed_agrees_with_its_check()
    {
        var printed = await ExampleProcess.RunAsync("PageViews", "--seed", "2", "--views", "3000");
        Assert.Contains("check   a plain loop over the same views agrees: 3,000 views", printed, StringComparison.Ordinal);
    }

    private static DateTimeOffset At(double minutes) => _nine.AddMinutes(minutes);

    private static Dictionary<string, long> Counts(TopologyTestDriver driver) => new(driver.CreateOutputTopic<string, long>(PageViewsTopology.ViewsByRegion).ReadKeyValuesToMap());
}
