using System.Text.RegularExpressions;

namespace Guide;

/// <summary>
/// The guide shows only code that is compiled and run here: every C# block of a page is a marked region of a sample, and every block of output is
/// the text that a sample's test compares with what came out.
/// </summary>
public sealed partial class PagesTests
{
    private static readonly IReadOnlyList<Region> _regions =
        [.. Repository.Files("tests/Guide/Samples", "*.cs").SelectMany(file => Region.In(file, Repository.ReadText(file)))];

    public static TheoryData<string> Pages =>
    [
        .. Repository.Files("docs/guide", "*.md"),
        .. new[] { "README.md" }.Where(Repository.Has),
    ];

    public static TheoryData<string> Examples => [.. Repository.Files("examples", "README.md")];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Code_of_a_page_is_compiled_in_a_sample(string page)
    {
        var known = _regions.Where(region => !region.IsOutput).Select(region => region.Text).ToHashSet(StringComparer.Ordinal);
        Assert.All(Blocks.In(page, Repository.ReadText(page)).Where(block => block.Language == "csharp"), block => Assert.Contains(block.Text, known));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Output_on_a_page_is_compared_in_a_sample(string page)
    {
        var known = _regions.Where(region => region.IsOutput).Select(region => region.Text).ToHashSet(StringComparer.Ordinal);
        Assert.All(Blocks.In(page, Repository.ReadText(page)).Where(block => block.Language is "text" or "mermaid" or "dot"), block => Assert.Contains(block.Text, known));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Block_says_its_language(string page) =>
        Assert.All(Blocks.In(page, Repository.ReadText(page)), block => Assert.Contains(block.Language, new[] { "csharp", "text", "mermaid", "dot", "sh", "properties", "xml", "json" }));

    [Theory]
    [MemberData(nameof(Examples))]
    public void Code_of_an_example_is_in_its_program(string page)
    {
        var sources = Repository.Files(page[..page.LastIndexOf('/')], "*.cs").Select(file => Trimmed(Repository.ReadText(file))).ToList();
        foreach (var block in Blocks.In(page, Repository.ReadText(page)).Where(block => block.Language == "csharp"))
            Assert.True(sources.Any(source => source.Contains(Trimmed(block.Text), StringComparison.Ordinal)), $"{page}:{block.Line} is not in the example's source:\n{block.Text}");

        static string Trimmed(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim()));
    }

    [Fact]
    public void Region_is_shown_on_a_page_and_has_a_name_of_its_own()
    {
        var shown = Pages.Select(row => row.Data).SelectMany(page => Blocks.In(page, Repository.ReadText(page))).Select(block => block.Text).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(_regions.Where(region => !shown.Contains(region.Text)).Select(region => $"{region.File}: {region.Name} is on no page"));
        Assert.Empty(_regions.GroupBy(region => region.Name).Where(group => group.Count() > 1).Select(group => group.Key));
    }

    [Fact]
    public void Samples_and_pages_are_found()
    {
        // Guards the tests above against passing because they looked at nothing.
        Assert.True(_regions.Count > 20);
        Assert.Contains("docs/guide/getting-started.md", Repository.Files("docs/guide", "*.md"));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Link_leads_to_a_file_of_the_repository(string page)
    {
        var folder = page.Contains('/', StringComparison.Ordinal) ? page[..page.LastIndexOf('/')] : ".";
        var broken = LinkTarget().Matches(Repository.ReadText(page))
            .Select(match => match.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !Repository.Has(Path.Combine(folder, target)));
        Assert.Empty(broken);
    }

    [Fact]
    public void Every_page_is_in_the_index()
    {
        var index = Repository.ReadText("docs/guide/README.md");
        var pages = Repository.Files("docs/guide", "*.md").Select(page => Path.GetFileName(page)).Where(name => name != "README.md");
        Assert.All(pages, name => Assert.Contains($"({name})", index, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\]\(([^)#]+)(?:#[^)]*)?\)", RegexOptions.CultureInvariant)]
    private static partial Regex LinkTarget();
}
