namespace Guide;

/// <summary>A fenced block of a page.</summary>
/// <param name="File">The page, relative to the repository.</param>
/// <param name="Line">The line of its fence, from 1.</param>
/// <param name="Language">What stands behind the fence.</param>
/// <param name="Text">Its lines.</param>
internal sealed record Block(string File, int Line, string Language, string Text);

/// <summary>Reads the fenced blocks of pages.</summary>
internal static class Blocks
{
    private const string Fence = "```";

    /// <exception cref="FormatException">A block is not closed.</exception>
    public static IEnumerable<Block> In(string file, string page)
    {
        var lines = page.ReplaceLineEndings("\n").Split('\n');
        for (var index = 0; index < lines.Length; index++)
        {
            if (!lines[index].StartsWith(Fence, StringComparison.Ordinal)) continue;
            var end = Array.FindIndex(lines, index + 1, line => line.StartsWith(Fence, StringComparison.Ordinal));
            if (end < 0) throw new FormatException($"{file}:{index + 1}: the block is never closed.");
            yield return new Block(file, index + 1, lines[index][Fence.Length..].Trim(), Normalise(lines[(index + 1)..end]));
            index = end;
        }
    }

    /// <summary>The same lines without shared indentation, blanks at line ends, and empty lines at either end.</summary>
    public static string Normalise(IReadOnlyList<string> lines)
    {
        var written = lines.Where(line => !string.IsNullOrWhiteSpace(line)).ToList();
        var indent = written.Count == 0 ? 0 : written.Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => (line.Length > indent ? line[indent..] : "").TrimEnd())).Trim('\n');
    }
}
