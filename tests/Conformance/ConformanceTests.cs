using Xunit;

namespace Conformance;

/// <summary>
/// The recorded cases as tests. Groups that the library reproduces in full are listed here, and the list can only grow: a group that passes and is not
/// listed is an error as well as one that is listed and does not pass. The program (<c>dotnet run -- FOLDER</c>) reports all cases.
/// </summary>
public class ConformanceTests
{
    private static readonly string[] _complete =
    [
        "aggregate", "composition", "error", "fk-join", "optimizer", "processor", "stateless", "stream-global-join", "stream-join",
        "stream-table-join", "table", "table-group", "table-join", "table-suppress", "window-cogroup", "window-emit-close",
        "window-hopping", "window-session", "window-sliding", "window-suppress", "window-tumbling",
    ];

    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "cases");

    private static readonly Lazy<IReadOnlyList<CaseResult>> _results = new(() => CaseRunner.RunFolder(_folder));

    public static TheoryData<string> CasesOfCompleteGroups =>
        [.. Directory.EnumerateFiles(_folder, "*.json").Select(Case.Load).Where(each => _complete.Contains(each.Group)).Select(each => each.Name).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(CasesOfCompleteGroups))]
    public void Recorded_case_is_reproduced(string name) =>
        Assert.Null(_results.Value.Single(result => result.Name == name).Difference);

    [Fact]
    public void Groups_that_pass_are_those_listed_as_complete()
    {
        var passing = _results.Value.GroupBy(result => result.Group).Where(group => group.All(result => result.Passed)).Select(group => group.Key);

        Assert.Equal(_complete.Order(StringComparer.Ordinal), passing.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void All_cases_are_there_and_have_names_of_their_own()
    {
        Assert.Equal(162, _results.Value.Count);
        Assert.Equal(162, _results.Value.Select(result => result.Name).Distinct().Count());
    }
}
