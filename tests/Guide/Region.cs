namespace Guide;

/// <summary>A marked piece of a compiled source file, without the indentation that all its lines share.</summary>
/// <param name="Name">What the marker calls it, unique among all samples.</param>
/// <param name="File">The file it is in, relative to the repository.</param>
/// <param name="IsOutput">Whether it is a text that the sample's test compares with what really came out; otherwise it is code.</param>
/// <param name="Text">Its lines.</param>
internal sealed record Region(string Name, string File, bool IsOutput, string Text)
{
    private const string Quotes = "\"\"\"";

    /// <summary>Finds the regions of a file: <c>// &lt;snippet NAME&gt;</c> or <c>// &lt;output NAME&gt;</c> up to the matching end.</summary>
    /// <exception cref="FormatException">A region is not closed, or one begins inside another.</exception>
    public static IEnumerable<Region> In(string file, string source)
    {
        string? name = null;
        var isOutput = false;
        var lines = new List<string>();
        foreach (var line in source.ReplaceLineEndings("\n").Split('\n'))
        {
            var marker = line.Trim();
            if (marker is "// </snippet>" or "// </output>")
            {
                if (name is null || isOutput != (marker == "// </output>")) throw new FormatException($"{file}: '{marker}' closes nothing.");
                yield return new Region(name, file, isOutput, isOutput ? Literal(file, name, lines) : Blocks.Normalise(lines));
                name = null;
            }
            else if (marker.StartsWith("// <snippet ", StringComparison.Ordinal) || marker.StartsWith("// <output ", StringComparison.Ordinal))
            {
                if (name is not null) throw new FormatException($"{file}: region '{name}' is still open at '{marker}'.");
                isOutput = marker.StartsWith("// <output ", StringComparison.Ordinal);
                name = marker[(marker.IndexOf(' ', 4) + 1)..^1];
                lines.Clear();
            }
            else if (name is not null)
            {
                lines.Add(line);
            }
        }

        if (name is not null) throw new FormatException($"{file}: region '{name}' is never closed.");
    }

    private static string Literal(string file, string name, List<string> lines)
    {
        var first = lines.FindIndex(line => line.TrimEnd().EndsWith(Quotes, StringComparison.Ordinal));
        var last = lines.FindLastIndex(line => line.TrimStart().StartsWith(Quotes, StringComparison.Ordinal));
        return first >= 0 && last > first
            ? Blocks.Normalise(lines[(first + 1)..last])
            : throw new FormatException($"{file}: region '{name}' holds no raw string of several lines.");
    }
}
