using System.Text.RegularExpressions;
using Streams.Core;
using Streams.Testing;

namespace Conformance;

/// <summary>How a case went: <see cref="Difference"/> is <c>null</c> when everything agrees.</summary>
internal sealed record CaseResult(string Name, string Group, string? Difference)
{
    public bool Passed => Difference is null;
}

/// <summary>Runs a case and compares everything that was recorded.</summary>
internal static class CaseRunner
{
    private static readonly TimeSpan _matchTimeout = TimeSpan.FromSeconds(5);

    public static IReadOnlyList<CaseResult> RunFolder(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(RunFile)];

    public static CaseResult RunFile(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var group = "";
        try
        {
            var recorded = Case.Load(path);
            (name, group) = (recorded.Name, recorded.Group);
            return new CaseResult(name, group, FirstDifference(recorded));
        }
        catch (CaseFormatException misunderstood)
        {
            return new CaseResult(name, group, $"not understood: {misunderstood.Message}");
        }
        catch (Exception failure)
        {
            // Whatever goes wrong is this case's difference; the others still run.
            return new CaseResult(name, group, $"{failure.GetType().Name}: {failure.Message}");
        }
    }

    /// <summary>What differs first, <c>null</c> when nothing does.</summary>
    public static string? FirstDifference(Case recorded) =>
        recorded.Expected.Error is { } error ? ErrorDifference(recorded, error) : RunDifference(recorded);

    private static string? ErrorDifference(Case recorded, string wanted)
    {
        try
        {
            Open(recorded, Interpreter.Build(recorded)).Dispose();
            return $"building succeeds, but must fail with {wanted}";
        }
        catch (Exception failure) when (failure is not CaseFormatException)
        {
            return JavaNames.IsCalled(failure, wanted) ? null : $"building fails with {failure.GetType().Name} ({failure.Message}), but must fail with {wanted}";
        }
    }

    private static string? RunDifference(Case recorded)
    {
        var topology = Interpreter.Build(recorded);
        if (DescriptionDifference(recorded.Expected.Describe, topology.Describe().ToString()) is { } description) return description;
        using var driver = Open(recorded, topology);
        for (var index = 0; index < recorded.Input.Count; index++)
        {
            var input = recorded.Input[index];
            try
            {
                Feed(driver, input);
            }
            catch (Exception failure) when (failure is not CaseFormatException)
            {
                return $"event {index} ({input}): {failure.GetType().Name}: {failure.Message}";
            }

            if (StepDifference(recorded.Expected, recorded.Expected.Steps[index], driver) is { } step) return $"event {index} ({input}): {step}";
        }

        return StoresDifference(recorded.Expected.Stores, StoreDump.Of(driver.GetAllStateStores()))
            ?? (driver.DroppedRecords == recorded.Expected.DroppedRecords ? null : $"dropped records: expected {recorded.Expected.DroppedRecords}, got {driver.DroppedRecords}");
    }

    private static TopologyTestDriver Open(Case recorded, Topology topology) => new(
        topology,
        new StreamsConfig { ApplicationId = "app", StateStoreCacheMaxBytes = recorded.CacheMaxBytes, EmitInterval = TimeSpan.Zero },
        new TopologyTestDriverOptions { InitialWallClockTime = DateTimeOffset.FromUnixTimeMilliseconds(recorded.StartWallClockMs) });

    private static void Feed(TopologyTestDriver driver, CaseEvent input)
    {
        if (input.Topic is null)
        {
            driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(input.AdvanceWallClockMs));
            return;
        }

        driver.CreateInputTopic<string, string>(input.Topic).PipeInput(new TestRecord<string, string>(input.Key!, input.Value!, input.Timestamp, input.Headers), partition: 0);
    }

    private static string? StepDifference(Expectation expectation, IReadOnlyDictionary<string, IReadOnlyList<Row>> expected, TopologyTestDriver driver)
    {
        foreach (var topic in driver.ProducedTopicNames.Union(expected.Keys).Order(StringComparer.Ordinal))
        {
            var isRaw = IsRaw(topic, expectation);
            var actual = driver.ProducedTopicNames.Contains(topic)
                ? driver.CreateOutputTopic(topic, Serdes.ByteArray, Serdes.ByteArray).ReadRecordsToList().Select(record => RowOf(record, isRaw)).ToList()
                : [];
            var wanted = expected.TryGetValue(topic, out var rows) ? rows : [];
            if (!wanted.SequenceEqual(actual)) return $"topic '{topic}':\n      expected {string.Join(" ", wanted)}\n      got      {string.Join(" ", actual)}";
        }

        return null;
    }

    // Changelogs and foreign-key subscriptions carry raw bytes; of repartition topics only those of tables do, which the notation shows.
    private static bool IsRaw(string topic, Expectation expectation) =>
        topic.EndsWith("-changelog", StringComparison.Ordinal)
        || topic.Contains("SUBSCRIPTION", StringComparison.Ordinal)
        || expectation.Steps.Any(step => step.TryGetValue(topic, out var rows) && rows.Any(row => IsBase64(row.Key) || IsBase64(row.Value)));

    private static bool IsBase64(string? text) => text is not null && text.StartsWith("b64:", StringComparison.Ordinal);

    private static Row RowOf(TestRecord<byte[], byte[]> record, bool isRaw)
    {
        return new Row(
            Text(record.HasKey ? record.Key : null),
            Text(record.HasValue ? record.Value : null),
            record.Timestamp,
            string.Join(" ", record.Headers.Select(header => $"{header.Key}={HeaderText(header)}")));

        string? Text(byte[]? bytes) => bytes is null ? null : isRaw ? "b64:" + Convert.ToBase64String(bytes) : Serdes.String.Deserialize(bytes);
    }

    // A header that is not text is written like raw bytes.
    private static string HeaderText(Header header)
    {
        var text = header.ValueAsString() ?? "null";
        return text.Any(character => char.IsControl(character) || character == '\uFFFD') ? "b64:" + Convert.ToBase64String(header.Value!.Value.Span) : text;
    }

    private static string? DescriptionDifference(string expected, string actual)
    {
        // A star stands for any class name: it has no blank and no bracket in it.
        var pattern = string.Join(@"[^\s()]+", expected.Split('*').Select(Regex.Escape));
        if (Regex.IsMatch(actual, @"\A" + pattern + @"\z", RegexOptions.CultureInvariant, _matchTimeout)) return null;
        var (expectedLines, actualLines) = (expected.Split('\n'), actual.Split('\n'));
        for (var line = 0; line < Math.Max(expectedLines.Length, actualLines.Length); line++)
        {
            var (wanted, got) = (expectedLines.ElementAtOrDefault(line) ?? "(end)", actualLines.ElementAtOrDefault(line) ?? "(end)");
            if (wanted != got && !wanted.Contains('*', StringComparison.Ordinal)) return $"description, line {line + 1}:\n      expected {wanted}\n      got      {got}";
        }

        return $"description:\n{actual}";
    }

    private static string? StoresDifference(IReadOnlyDictionary<string, IReadOnlyList<string>> expected, IReadOnlyDictionary<string, IReadOnlyList<string>> actual)
    {
        foreach (var name in expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal))
        {
            if (!actual.TryGetValue(name, out var rows)) return $"there is no store '{name}' that can be read";
            if (!expected.TryGetValue(name, out var wanted)) return $"store '{name}' is not in the recording; it holds {rows.Count} entries";
            if (!wanted.SequenceEqual(rows)) return $"store '{name}':\n      expected {string.Join(" ", wanted)}\n      got      {string.Join(" ", rows)}";
        }

        return null;
    }
}

/// <summary>What the recordings, which come from Java, call an exception.</summary>
internal static class JavaNames
{
    public static bool IsCalled(Exception failure, string javaName) => javaName switch
    {
        "IllegalArgumentException" => failure is ArgumentException,
        "NullPointerException" => failure is ArgumentNullException,
        "IllegalStateException" => failure is InvalidOperationException,
        "UnsupportedOperationException" => failure is NotSupportedException,
        "StreamsException" or "KafkaException" => failure is StreamsException,
        _ => failure.GetType().Name == javaName,
    };
}
