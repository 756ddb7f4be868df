using System.Text.RegularExpressions;

namespace Architecture;

public sealed partial class DecisionRecordTests
{
    private static readonly string[] _sections = ["## Context", "## Decision", "## Consequences"];

    private static readonly IReadOnlyList<string> _records =
        [.. Repository.Files().Where(path => path.StartsWith("docs/adr/", StringComparison.Ordinal) && path.EndsWith(".md", StringComparison.Ordinal))];

    public static TheoryData<string> Records => [.. _records];

    [Theory]
    [MemberData(nameof(Records))]
    public void Decision_record_has_a_numbered_title_a_status_and_the_three_sections(string path)
    {
        var lines = Repository.ReadText(path).Split('\n');
        var number = RecordName().Match(Path.GetFileName(path)).Groups["number"].Value;
        Assert.NotEqual("", number);
        Assert.StartsWith($"# {number}: ", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("Status: ", StringComparison.Ordinal));
        Assert.Empty(_sections.Except(lines));
    }

    [Fact]
    public void Decision_record_numbers_are_unique()
    {
        var numbers = _records.Select(path => Path.GetFileName(path)[..4]).ToList();
        Assert.NotEmpty(numbers);
        Assert.Equal(numbers.Distinct(), numbers);
    }

    [Fact]
    public void Architecture_document_lists_every_decision_record()
    {
        const string document = "docs/architecture.md";
        Assert.SkipUnless(Repository.Files().Contains(document), $"{document} is not written yet.");
        var text = Repository.ReadText(document);
        Assert.All(_records, path => Assert.Contains(Path.GetFileName(path), text, StringComparison.Ordinal));
    }

    [GeneratedRegex("^(?<number>[0-9]{4})-[a-z0-9-]+\\.md$")]
    private static partial Regex RecordName();
}
