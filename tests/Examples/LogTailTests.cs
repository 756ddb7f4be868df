using System.Text.Json;
using LogTail;
using Streams.Reactive;

namespace Examples;

public sealed class LogTailTests
{
    private static readonly DateTimeOffset _noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Lines_are_shown_as_they_pass_and_counted_by_service_and_level()
    {
        var (topology, tail, counts) = LogTailTopology.Build(RecordSource.From(new LogGenerator(1, 10).RunAsync(Token)));
        using var browser = tail.OpenReader();
        using var dashboard = new Dashboard(counts);
        using var driver = new TopologyTestDriver(topology);
        var input = driver.CreateInputTopic(LogTailTopology.Lines, Serdes.String, LogTailTopology.LineSerde);
        input.PipeInput("basket", new LogLine("basket", "info", "one"), _noon);
        input.PipeInput("basket", new LogLine("basket", "info", "two"), _noon.AddSeconds(9));
        input.PipeInput("users", new LogLine("users", "error", "three"), _noon.AddSeconds(10));

        Assert.True(browser.TryRead(out var line));
        Assert.Equal(new LogLine("basket", "info", "one"), line.Value);
        Assert.Equal(2, browser.Count);
        Assert.Equal([new LevelCount("12:00:10", "users", "error", 1), new LevelCount("12:00:00", "basket", "info", 2)], dashboard.Latest(windows: 2));
        Assert.Equal([new LevelCount("12:00:10", "users", "error", 1)], dashboard.Latest(windows: 1));
        Assert.Equal(3, dashboard.Total);
    }

    [Fact]
    public void Browser_that_is_slow_loses_old_lines_and_holds_nobody_up()
    {
        var (topology, tail, counts) = LogTailTopology.Build(RecordSource.From(new LogGenerator(1, 10).RunAsync(Token)));
        using var browser = tail.OpenReader();
        using var dashboard = new Dashboard(counts);
        using var driver = new TopologyTestDriver(topology);
        var input = driver.CreateInputTopic(LogTailTopology.Lines, Serdes.String, LogTailTopology.LineSerde);
        foreach (var line in new LogGenerator(seed: 1, 10).Lines().Take(1000)) input.PipeInput(line.Service, line, _noon);
        Assert.Equal((200, 800L, 1000L), (browser.Count, browser.DroppedRecords, dashboard.Total));
    }

    [Fact]
    public async Task Program_serves_page_tail_and_counts_and_every_line_is_counted_at_the_end()
    {
        using var program = ExampleProcess.Start("LogTail", "--port", "0", "--rate", "200");
        await program.WaitForTextAsync("open http://");
        var address = new Uri(program.Everything.Split('\n').First(line => line.StartsWith("open ", StringComparison.Ordinal))["open ".Length..].Trim());
        using var http = new HttpClient { BaseAddress = address, Timeout = ExampleProcess.Patience };

        var page = await http.GetStringAsync("/", Token);
        Assert.Contains("new EventSource(\"/tail", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);

        var errors = 0;
        await foreach (var line in EventsAsync<LogLine>(http, "/tail?level=error"))
        {
            Assert.Equal("error", line.Level);
            if (++errors == 5) break;
        }

        await foreach (var counts in EventsAsync<List<LevelCount>>(http, "/counts"))
        {
            if (counts.Sum(count => count.Count) > 100) break;
        }

        await program.InterruptAsync();
        Assert.Equal(0, await program.WaitAsync());
        ReadmeOutput.AssertShows("LogTail", program.Output.Replace(address.Authority, "127.0.0.1:5080", StringComparison.Ordinal));
    }

    // Server-sent events as a browser reads them: "data: …" and an empty line.
    private static async IAsyncEnumerable<T> EventsAsync<T>(HttpClient http, string path)
    {
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using var stream = await response.Content.ReadAsStreamAsync(Token);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal)) yield return JsonSerializer.Deserialize<T>(line["data: ".Length..], JsonSerializerOptions.Web)!;
        }
    }
}
