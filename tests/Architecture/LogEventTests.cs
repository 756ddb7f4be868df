using System.Text.RegularExpressions;

namespace Architecture;

/// <summary>Log event ids are what operators filter and alert on: one id means one event, in each assembly.</summary>
public sealed partial class LogEventTests
{
    public static TheoryData<string> Products => [.. Repository.ProductNames];

    [Theory]
    [MemberData(nameof(Products))]
    public void Log_event_ids_are_explicit_and_unique_in_an_assembly(string product)
    {
        var events = Sources(product).SelectMany(path => Events(path, Repository.ReadText(path))).ToList();
        Assert.DoesNotContain(events, e => e.Id is null);
        Assert.Empty(events.GroupBy(e => e.Id).Where(group => group.Count() > 1).SelectMany(group => group));
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Log_messages_are_declared_in_one_file(string product)
    {
        var files = Sources(product).Where(path => Events(path, Repository.ReadText(path)).Any());
        Assert.Empty(files.Except([$"src/{product}/Diagnostics/Log.cs"]));
    }

    [Theory]
    [InlineData("[LoggerMessage(EventId = 7, Level = LogLevel.Debug, Message = \"a\")]", 7)]
    [InlineData("[LoggerMessage(7, LogLevel.Debug, \"(brackets) and EventId = 9 in the text\")]", 7)]
    [InlineData("[LoggerMessage(\n    Level = LogLevel.Debug,\n    EventId = 1_007)]", 1007)]
    [InlineData("[LoggerMessage(Level = LogLevel.Debug, Message = \"no id\")]", null)]
    public void Event_id_is_found_in_each_way_of_writing_it(string source, int? expected)
    {
        var found = Assert.Single(Events("file", source));
        Assert.Equal(expected, found.Id);
    }

    private static IEnumerable<string> Sources(string product) =>
        Repository.Files().Where(path => path.StartsWith($"src/{product}/", StringComparison.Ordinal) && path.EndsWith(".cs", StringComparison.Ordinal));

    private static IEnumerable<(string File, int? Id)> Events(string file, string source) =>
        from Match attribute in LoggerMessageAttribute().Matches(source)
        let id = EventId().Match(StringLiteral().Replace(attribute.Groups["arguments"].Value, "\"\""))
        select (file, id.Success ? int.Parse(id.Groups["id"].Value.Replace("_", "", StringComparison.Ordinal)) : (int?)null);

    [GeneratedRegex("""\[LoggerMessage\((?<arguments>(?:"(?:[^"\\]|\\.)*"|[^"\]])*)\)\]""")]
    private static partial Regex LoggerMessageAttribute();

    [GeneratedRegex("""^\s*(?<id>[0-9_]+)\s*(?:,|$)|\bEventId\s*=\s*(?<id>[0-9_]+)""")]
    private static partial Regex EventId();

    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"
        """)]
    private static partial Regex StringLiteral();
}
