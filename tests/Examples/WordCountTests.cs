using WordCount;

namespace Examples;

public sealed class WordCountTests
{
    [Fact]
    public void Words_are_counted_in_lower_case_whatever_stands_between_them()
    {
        using var driver = new TopologyTestDriver(WordCountTopology.Build());
        driver.CreateInputTopic<string, string>(WordCountTopology.Lines).PipeInput("k", "To be, or NOT to be:");
        driver.CreateInputTopic<string, string>(WordCountTopology.Lines).PipeInput("k", "  ");
        var counts = driver.CreateOutputTopic<string, long>(WordCountTopology.WordCounts).ReadKeyValuesToMap();
        Assert.Equal(new Dictionary<string, long> { ["to"] = 2, ["be"] = 2, ["or"] = 1, ["not"] = 1 }, counts);
    }

    [Fact]
    public async Task Program_counts_a_file_and_checks_itself()
    {
        using var folder = new TestFolder();
        await File.WriteAllTextAsync(folder["text.txt"], "one two two\nthree three three\n", TestContext.Current.CancellationToken);
        var printed = await ExampleProcess.RunAsync("WordCount", "--commit-ms", "50", folder["text.txt"]);
        Assert.Contains("check    an independent count agrees: 6 words, 3 different", printed, StringComparison.Ordinal);
        ReadmeOutput.AssertShows("WordCount", printed);
    }
}
