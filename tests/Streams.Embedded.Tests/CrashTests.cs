using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Streams.Core;
using WordCount;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>kill -9 of the word-count process in the middle, and what is left.</summary>
public sealed partial class CrashTests : IDisposable
{
    private const string ApplicationId = "word-count";
    private const int Repeat = 60;
    private const int RoundsBefore = 10;
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-crash-" + Guid.NewGuid().ToString("n"));
    private readonly string _data;
    private readonly string _text;

    public CrashTests()
    {
        Directory.CreateDirectory(_folder);
        _data = Path.Combine(_folder, "data");
        _text = Path.Combine(_folder, "text.txt");
        var random = new Random(20261121);
        var words = Enumerable.Range(0, 5000).Select(number => $"word{number}").ToArray();
        File.WriteAllLines(_text, Enumerable.Range(0, 2500).Select(_ => string.Join(' ', Enumerable.Range(0, 8).Select(_ => words[(int)(words.Length * Math.Pow(random.NextDouble(), 2))]))));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Killed_word_count_loses_no_line_and_counts_again_at_most_what_was_not_committed()
    {
        // A clean stop puts the state of some rounds on disk; commits after that may stay in memory for a while (ADR 0008).
        using (var clean = WordCountProcess.Start(Arguments(RoundsBefore))) Assert.True(await clean.WaitAsync(_patience) == 0, clean.Output);
        using (var first = WordCountProcess.Start(Arguments()))
        {
            // Killed in the middle, with commits behind it and uncommitted work in hand.
            await TestTopics.WaitUntilAsync(() => first.Output.Contains("records processed", StringComparison.Ordinal) || first.HasExited, _patience);
            Assert.False(first.HasExited, first.Output);
            await first.KillAsync();
        }

        var mayRecount = await UncommittedAsync();
        using var second = WordCountProcess.Start(Arguments());
        var code = await second.WaitAsync(_patience);
        Assert.True(code is 0 or 3, second.Output);

        var plain = Texts.CountPlainly(Texts.Lines([_text], Repeat));
        var counts = await CountsAsync();
        Assert.Equal(plain.Count, counts.Count);
        Assert.All(plain, entry => Assert.True(counts[entry.Key] >= entry.Value, $"{entry.Key}: {counts[entry.Key]} of {entry.Value}"));
        var over = counts.Values.Sum() - plain.Values.Sum();
        Assert.True(over <= mayRecount, $"{over} words were counted again, but only {mayRecount} were not committed when the process was killed");

        // State came back from RocksDB, and only the tail of the changelog was read.
        var restores = RestoreLine().Matches(second.Output).Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.All(restores, from => Assert.True(from > 0, second.Output));
    }

    [Fact]
    public async Task Counts_are_the_same_after_the_state_folder_is_lost()
    {
        using (var first = WordCountProcess.Start(Arguments())) Assert.Equal(0, await first.WaitAsync(_patience));
        var before = await CountsAsync();
        Directory.Delete(Path.Combine(_data, "state"), recursive: true);

        // One more round of the same text on top of state that is restored from the changelog alone.
        using var second = WordCountProcess.Start([.. Arguments(Repeat + 1)]);
        Assert.True(await second.WaitAsync(_patience) == 0, second.Output);
        Assert.Contains("from offset 0", second.Output, StringComparison.Ordinal);
        var once = Texts.CountPlainly(Texts.Lines([_text], 1));
        var after = await CountsAsync();
        Assert.Equal(before.Count, after.Count);
        Assert.All(after, entry => Assert.Equal(before[entry.Key] + once[entry.Key], entry.Value));
    }

    private string[] Arguments(int repeat = Repeat) =>
        ["--data", _data, "--repeat", repeat.ToString(CultureInfo.InvariantCulture), "--commit-ms", "300", "--verbose", _text];

    // At-least-once may do again what was not committed when the process died: words of lines whose offsets were not committed are written to the
    // repartition topic a second time, and words past the committed offsets of that topic may have reached the changelog and are counted again.
    private async Task<long> UncommittedAsync()
    {
        await using var cluster = EmbeddedCluster.At(Path.Combine(_data, "broker"));
        var repartition = ApplicationId + "-counts-repartition";
        var lineCommits = await CommittedAsync(cluster, "lines");
        var wordCommits = await CommittedAsync(cluster, repartition);
        var wordEnds = TestTopics.Offsets(cluster, repartition, end: true);
        var partitions = lineCommits.Count;
        var wordsOfCommittedLines = Texts.Lines([_text], Repeat)
            .Select((line, number) => (line, number))
            .Where(entry => entry.number / partitions < lineCommits[new TopicPartition("lines", entry.number % partitions)])
            .Sum(entry => (long)Texts.Words(entry.line).Count());
        var wordsOfUncommittedLines = wordEnds.Values.Sum() - wordsOfCommittedLines;
        var uncommittedWords = wordEnds.Sum(end => end.Value - wordCommits[end.Key]);
        Assert.True(wordsOfUncommittedLines >= 0, "an offset was committed before what became of its line was written");
        return wordsOfUncommittedLines + uncommittedWords;
    }

    private static async Task<IReadOnlyDictionary<TopicPartition, long>> CommittedAsync(EmbeddedCluster cluster, string topic)
    {
        var partitions = TestTopics.Offsets(cluster, topic, end: true).Keys.ToList();
        await using var group = cluster.CreateGroupCoordinator("test", ApplicationId);
        var committed = await group.FetchOffsetsAsync(partitions, CancellationToken.None);
        return partitions.ToDictionary(partition => partition, partition => committed.TryGetValue(partition, out var commit) ? commit.Offset : 0);
    }

    private async Task<Dictionary<string, long>> CountsAsync()
    {
        await using var cluster = EmbeddedCluster.At(Path.Combine(_data, "broker"));
        var counts = new Dictionary<string, long>();
        foreach (var (key, value, _) in TestTopics.ReadRaw(cluster, "word-counts"))
            counts[Encoding.UTF8.GetString(key!)] = Serdes.Int64.Deserialize(value);
        return counts;
    }

    [GeneratedRegex(@"restores \d+ record\(s\) of \S+ from offset (\d+)")]
    private static partial Regex RestoreLine();
}
