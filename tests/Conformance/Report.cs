namespace Conformance;

/// <summary>Prints how cases went.</summary>
internal static class Report
{
    /// <summary>Each failing case with its first difference, then the sum on a line of its own.</summary>
    /// <param name="results">How each case went.</param>
    /// <param name="folder">Where the cases were looked for.</param>
    /// <param name="output">Where to print.</param>
    /// <returns>The process's exit code: 0 when all passed, and there was at least one.</returns>
    public static int Print(IReadOnlyList<CaseResult> results, string folder, TextWriter output)
    {
        if (results.Count == 0)
        {
            output.WriteLine($"There is no case in '{folder}': a case is a file whose name ends in .json, in the folder itself.");
            var below = Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Where(HasCases).Order(StringComparer.Ordinal).ToList() : [];
            foreach (var other in below) output.WriteLine($"There are such files in '{other}'.");
        }

        foreach (var result in results.Where(result => !result.Passed)) output.WriteLine($"FAILED {result.Name}: {result.Difference}");
        var passed = results.Count(result => result.Passed);
        output.WriteLine($"conformance: {passed} of {results.Count} passed");
        return results.Count > 0 && passed == results.Count ? 0 : 1;
    }

    private static bool HasCases(string folder) => Directory.EnumerateFiles(folder, "*.json").Any();
}
