using System.Text.Json;
using Xunit;

namespace Conformance;

/// <summary>The runner must see every kind of difference and must not pass over anything that it does not understand.</summary>
public class CaseRunnerTests
{
    private const string Passing = """
        {
          "name": "one", "group": "own", "options": {},
          "topology": [
            {"op": "stream", "id": "s", "topic": "IN"},
            {"op": "count", "id": "c", "from": "s", "store": "counts", "storeType": "memory"},
            {"op": "to", "from": "c", "topic": "OUT"}
          ],
          "input": [
            {"topic": "IN", "key": "a", "value": "x", "ts": 5, "headers": {"h": "1"}},
            {"topic": "IN", "key": null, "value": "x", "ts": 6},
            {"advanceWallClockMs": 10}
          ],
          "expected": {
            "describe": "Topologies:\n   Sub-topology: 0\n    Source: KSTREAM-SOURCE-0000000000 (topics: [IN])\n      --> KSTREAM-AGGREGATE-0000000001\n    Processor: KSTREAM-AGGREGATE-0000000001 (stores: [counts])\n      --> KTABLE-TOSTREAM-0000000002\n      <-- KSTREAM-SOURCE-0000000000\n    Processor: KTABLE-TOSTREAM-0000000002 (stores: [])\n      --> KSTREAM-MAPVALUES-0000000003\n      <-- KSTREAM-AGGREGATE-0000000001\n    Processor: KSTREAM-MAPVALUES-0000000003 (stores: [])\n      --> KSTREAM-SINK-0000000004\n      <-- KTABLE-TOSTREAM-0000000002\n    Sink: KSTREAM-SINK-0000000004 (topic: OUT)\n      <-- KSTREAM-MAPVALUES-0000000003\n\n",
            "steps": [
              {"OUT": [["a", "1", 5, ["h=1"]]], "app-counts-changelog": [["b64:YQ==", "b64:AAAAAAAAAAE=", 5]]},
              {},
              {}
            ],
            "stores": {"counts": [["a", "1~5"]]},
            "droppedRecords": 1
          }
        }
        """;

    [Fact]
    public void Case_that_agrees_has_no_difference() => Assert.Null(Run(Passing));

    [Theory]
    [InlineData("\"1\", 5, [", "\"2\", 5, [", "topic 'OUT'")]
    [InlineData("\"1\", 5, [", "\"1\", 6, [", "topic 'OUT'")]
    [InlineData("h=1", "h=2", "topic 'OUT'")]
    [InlineData(", [\"h=1\"]", "", "topic 'OUT'")]
    [InlineData("[[\"a\", \"1\", 5", "[[\"b\", \"1\", 5", "topic 'OUT'")]
    [InlineData("AAAAAAAAAAE=", "AAAAAAAAAAI=", "topic 'app-counts-changelog'")]
    [InlineData("{\"OUT\": [[\"a\", \"1\", 5, [\"h=1\"]]], ", "{", "topic 'OUT'")]
    [InlineData("\n      {},", "\n      {\"MORE\": [[\"a\", \"1\", 5]]},", "topic 'MORE'")]
    [InlineData("1~5", "1~6", "store 'counts'")]
    [InlineData("{\"counts\": [[\"a\", \"1~5\"]]}", "{}", "store 'counts'")]
    [InlineData("\"stores\": {", "\"stores\": {\"more\": [], ", "no store 'more'")]
    [InlineData("\"droppedRecords\": 1", "\"droppedRecords\": 0", "dropped records")]
    [InlineData("(topic: OUT)", "(topic: OUT2)", "description, line 14")]
    [InlineData("KTABLE-TOSTREAM-0000000002 (stores", "* (stores: [x]) (stores", "description")]
    public void Difference_is_found_and_named(string recorded, string changed, string expected)
    {
        Assert.Contains(recorded, Passing, StringComparison.Ordinal);

        Assert.Contains(expected, Run(Passing.Replace(recorded, changed, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"op\": \"count\"", "\"op\": \"guess\"")]
    [InlineData("\"store\": \"counts\"", "\"store\": \"counts\", \"surprise\": 1")]
    [InlineData("\"storeType\": \"memory\"", "\"storeType\": \"disk\"")]
    [InlineData("\"options\": {}", "\"options\": {\"surprise\": true}")]
    [InlineData("\"group\": \"own\"", "\"group\": \"own\", \"surprise\": true")]
    [InlineData("\"droppedRecords\": 1", "\"droppedRecords\": 1, \"surprise\": true")]
    [InlineData("\"ts\": 6", "\"ts\": 6, \"surprise\": true")]
    [InlineData("\"ts\": 6", "\"ts\": \"6\"")]
    [InlineData("\"from\": \"c\"", "\"from\": \"nobody\"")]
    [InlineData("\"id\": \"c\"", "\"id\": \"s\"")]
    [InlineData("{\"advanceWallClockMs\": 10}", "{\"advanceWallClockMs\": 10, \"topic\": \"IN\"}")]
    public void What_is_not_understood_is_an_error(string recorded, string changed)
    {
        Assert.Contains(recorded, Passing, StringComparison.Ordinal);

        Assert.Throws<CaseFormatException>(() => Run(Passing.Replace(recorded, changed, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("{\"fn\": \"guess\"}")]
    [InlineData("{\"fn\": \"upper\", \"arg\": \"x\"}")]
    [InlineData("{\"fn\": \"append\"}")]
    public void Functions_that_are_not_understood_are_an_error(string function)
    {
        var step = $$"""{"op": "mapValues", "id": "m", "from": "s", "vfn": {{function}}}""";

        Assert.Throws<CaseFormatException>(() => Run(Passing.Replace("{\"op\": \"to\", ", step + ", {\"op\": \"to\", ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Case_that_must_fail_and_builds_is_a_difference()
    {
        const string Builds = """{"name": "e", "group": "own", "options": {}, "expectError": true, "topology": [{"op": "stream", "id": "s", "topic": "IN"}, {"op": "to", "from": "s", "topic": "OUT"}], "input": [], "expected": {"error": "TopologyException"}}""";

        Assert.Contains("building succeeds", Run(Builds), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_counts_and_names_failures()
    {
        var output = new StringWriter();

        var exitCode = Report.Print([new CaseResult("good", "g", null), new CaseResult("bad", "g", "topic 'OUT' differs")], "folder", output);

        Assert.Equal(1, exitCode);
        Assert.Equal(["FAILED bad: topic 'OUT' differs", "conformance: 1 of 2 passed"], output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Case_that_is_not_understood_fails_by_itself_and_says_why()
    {
        using var folder = new CaseFolder();
        folder.Write("1-unknown-operator.json", Passing.Replace("\"op\": \"count\"", "\"op\": \"guess\"", StringComparison.Ordinal));
        folder.Write("2-unknown-field.json", Passing.Replace("\"options\": {}", "\"options\": {\"surprise\": true}", StringComparison.Ordinal));
        folder.Write("3-not-json.json", "{");
        folder.Write("4-passing.json", Passing);
        var output = new StringWriter();

        Report.Print(CaseRunner.RunFolder(folder.Path), folder.Path, output);

        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.Equal("FAILED one: not understood: topology[1] names an unknown operator: 'guess'", lines[0]);
        Assert.Equal("FAILED 2-unknown-field: not understood: case.options has fields that are not understood: surprise", lines[1]);
        Assert.StartsWith("FAILED 3-not-json: Json", lines[2], StringComparison.Ordinal);
        Assert.Equal("conformance: 1 of 4 passed", lines[3]);
    }

    [Fact]
    public void Folder_without_cases_is_said_to_be_one()
    {
        using var folder = new CaseFolder();
        Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, "cases"));
        folder.Write("cases/one.json", Passing);
        var output = new StringWriter();

        var exitCode = Report.Print(CaseRunner.RunFolder(folder.Path), folder.Path, output);

        Assert.Equal(1, exitCode);
        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith($"There is no case in '{folder.Path}'", lines[0], StringComparison.Ordinal);
        Assert.Equal([$"There are such files in '{System.IO.Path.Combine(folder.Path, "cases")}'.", "conformance: 0 of 0 passed"], lines[1..]);
    }

    private static string? Run(string text)
    {
        using var document = JsonDocument.Parse(text);
        return CaseRunner.FirstDifference(Case.Parse(document.RootElement.Clone()));
    }

    private sealed class CaseFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("conformance").FullName;

        public void Write(string name, string text) => File.WriteAllText(System.IO.Path.Combine(Path, name), text);

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
