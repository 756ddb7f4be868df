using System.Text.RegularExpressions;

namespace Examples;

/// <summary>Compares the output that an example's README shows with what the example printed.</summary>
internal static class ReadmeOutput
{
    private const string Fence = "```";
    private const string Anything = "…";

    /// <summary>
    /// Fails unless the lines of the README's first <c>text</c> block are what was printed. A line that is only <c>…</c> stands for any lines,
    /// none included; <c>…</c> within a line stands for any characters. Lines before the first and after the last one shown do not count.
    /// </summary>
    public static void AssertShows(string example, string printed)
    {
        var shown = Block(ExampleFiles.Readme(example));
        Assert.True(shown.Count > 0, $"The README of {example} has no text block.");
        var pattern = string.Concat(shown.Select(line => line.Trim() == Anything
            ? "(?:.*\n)*?"
            : string.Join(".*", line.TrimEnd().Split(Anything).Select(Regex.Escape)) + "[ \t]*\n"));
        var text = printed.ReplaceLineEndings("\n") + "\n";
        Assert.True(
            Regex.IsMatch(text, "(?m:^)" + pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10)),
            $"The README of {example} shows\n{string.Join('\n', shown)}\nbut it printed\n{printed}");
    }

    internal static IReadOnlyList<string> Block(string page)
    {
        var lines = page.ReplaceLineEndings("\n").Split('\n').ToList();
        var start = lines.IndexOf(Fence + "text");
        if (start < 0) return [];
        var end = lines.IndexOf(Fence, start);
        return end < 0 ? throw new FormatException("The text block is never closed.") : lines[(start + 1)..end];
    }
}
