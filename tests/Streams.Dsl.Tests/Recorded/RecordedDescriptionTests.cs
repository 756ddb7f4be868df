using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Streams.Dsl.Tests.Recorded;

/// <summary>The description of every recorded topology is the one that Kafka Streams gave: node names, numbers, order, stores and topics.</summary>
public sealed class RecordedDescriptionTests
{
    public static TheoryData<string> Cases()
    {
        var names = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "cases"), "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order();
        return [.. names];
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Description_equals_the_recorded_one(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "cases", name + ".json")));
        var recorded = document.RootElement;
        if (recorded.TryGetProperty("expectError", out var error) && error.GetBoolean())
        {
            var failure = Record.Exception(() => RecordedTopology.Build(recorded).Describe());
            Assert.Equal(recorded.GetProperty("expected").GetProperty("error").GetString(), failure?.GetType().Name);
            return;
        }

        var actual = Regex.Replace(RecordedTopology.Build(recorded).Describe().ToString(), @"extractor class: [^)]*\)", "extractor class: *)");
        Assert.Equal(recorded.GetProperty("expected").GetProperty("describe").GetString(), actual);
    }
}
