namespace Conformance;

/// <summary>Prints how cases went.</summary>
internal static class Report
{
    /// <summary>Each failing case with its first difference, then the sum on a line of its own.</summary>
    /// <returns>The process's exit code: 0 when all passed.</returns>
    public static int Print(IReadOnlyList<CaseResult> results, TextWriter output)
    {
        foreach (var result in results.Where(result => !result.Passed)) output.WriteLine($"FAILED {result.Name}: {result.Difference}");
        var passed = results.Count(result => result.Passed);
        output.WriteLine($"conformance: {passed} of {results.Count} passed");
        return results.Count > 0 && passed == results.Count ? 0 : 1;
    }
}
