namespace WordCount;

/// <summary>The text to count, and what a word is.</summary>
internal static class Texts
{
    private static readonly string[] _defaults = ["/usr/share/common-licenses"];

    /// <summary>The files that the given paths stand for, in a fixed order.</summary>
    public static IReadOnlyList<string> Files(IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
        {
            paths = [.. _defaults.Where(Directory.Exists)];
            if (paths.Count == 0) paths = [Path.Combine(AppContext.BaseDirectory, "sample.txt")];
        }

        var files = new List<string>();
        foreach (var path in paths)
        {
            if (Directory.Exists(path)) files.AddRange(Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
            else if (File.Exists(path)) files.Add(path);
            else throw new ArgumentException($"there is no file or folder '{path}'");
        }

        return files.Count > 0 ? files : throw new ArgumentException($"no file in {string.Join(", ", paths)}");
    }

    /// <summary>All lines, in a fixed order, so that an interrupted run knows where it was.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<string> files, int repeat)
    {
        for (var round = 0; round < repeat; round++)
        {
            foreach (var file in files)
            {
                foreach (var line in File.ReadLines(file)) yield return line;
            }
        }
    }

    /// <summary>The words of a line: runs of letters and digits, in lower case.</summary>
    public static IEnumerable<string> Words(string line)
    {
        var start = -1;
        for (var index = 0; index <= line.Length; index++)
        {
            var inWord = index < line.Length && char.IsLetterOrDigit(line[index]);
            if (inWord && start < 0) start = index;
            if (inWord || start < 0) continue;
            yield return line[start..index].ToLowerInvariant();
            start = -1;
        }
    }

    /// <summary>The same count without streams, to compare with.</summary>
    public static Dictionary<string, long> CountPlainly(IEnumerable<string> lines)
    {
        var counts = new Dictionary<string, long>();
        foreach (var line in lines)
        {
            foreach (var word in Words(line)) counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        return counts;
    }
}
