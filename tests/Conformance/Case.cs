using System.Text.Json;
using Streams.Core;

namespace Conformance;

/// <summary>One recorded case: a topology, what was fed to it, and what Kafka Streams made of it.</summary>
internal sealed class Case
{
    public required string Name { get; init; }

    public required string Group { get; init; }

    public required bool Optimize { get; init; }

    public required long CacheMaxBytes { get; init; }

    public required long StartWallClockMs { get; init; }

    public required IReadOnlyList<JsonElement> Topology { get; init; }

    public required IReadOnlyList<CaseEvent> Input { get; init; }

    public required Expectation Expected { get; init; }

    public static Case Load(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return Parse(document.RootElement.Clone());
    }

    public static Case Parse(JsonElement root)
    {
        var fields = new Fields(root, "case");
        var options = fields.OptionalObject("options");
        var expectsError = fields.OptionalFlag("expectError") ?? false;
        var result = new Case
        {
            Name = fields.Text("name"),
            Group = fields.Text("group"),
            Optimize = options?.OptionalFlag("optimize") ?? false,
            CacheMaxBytes = options?.OptionalNumber("cacheMaxBytes") ?? 0,
            StartWallClockMs = options?.OptionalNumber("startWallClockMs") ?? 0,
            Topology = fields.Elements("topology"),
            Input = [.. fields.Objects("input").Select(CaseEvent.Parse)],
            Expected = Expectation.Parse(fields.Object("expected"), expectsError),
        };
        options?.RequireAllRead();
        fields.RequireAllRead();
        if (!expectsError && result.Expected.Steps.Count != result.Input.Count)
            throw new CaseFormatException($"case has {result.Input.Count} events, but {result.Expected.Steps.Count} expected steps");
        return result;
    }
}

/// <summary>One event: a record, or a move of the wall clock.</summary>
internal sealed record CaseEvent(string? Topic, string? Key, string? Value, long Timestamp, Headers Headers, long AdvanceWallClockMs)
{
    public static CaseEvent Parse(Fields fields)
    {
        CaseEvent result;
        if (fields.OptionalNumber("advanceWallClockMs") is { } advance)
        {
            result = new CaseEvent(null, null, null, 0, Headers.Empty, advance);
        }
        else
        {
            var headers = Headers.Empty;
            if (fields.OptionalObject("headers") is { } given)
            {
                foreach (var name in given.Names) headers = headers.Add(name, given.Text(name));
                given.RequireAllRead();
            }

            fields.Required("key");
            fields.Required("value");
            result = new CaseEvent(fields.Text("topic"), fields.OptionalText("key"), fields.OptionalText("value"), fields.Number("ts"), headers, 0);
        }

        fields.RequireAllRead();
        return result;
    }

    public override string ToString() => Topic is null ? $"wall clock + {AdvanceWallClockMs} ms" : $"{Topic} ({Key ?? "null"}, {Value ?? "null"}) at {Timestamp}";
}

/// <summary>A record as the cases write it: texts, or <c>b64:</c> and base64 for raw bytes.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
/// <param name="Timestamp">Unix milliseconds; <c>null</c> where the time is left to the producer.</param>
/// <param name="Headers">Headers as <c>name=value</c>, separated by blanks.</param>
internal sealed record Row(string? Key, string? Value, long? Timestamp, string Headers)
{
    public override string ToString() => $"[{Key ?? "null"}, {Value ?? "null"}, {Timestamp?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "null"}{(Headers.Length > 0 ? ", " + Headers : "")}]";
}

/// <summary>What Kafka Streams produced.</summary>
internal sealed class Expectation
{
    /// <summary>Name of the exception with which building fails; <c>null</c> when it does not.</summary>
    public required string? Error { get; init; }

    public required string Describe { get; init; }

    /// <summary>Per event: rows by topic.</summary>
    public required IReadOnlyList<IReadOnlyDictionary<string, IReadOnlyList<Row>>> Steps { get; init; }

    /// <summary>Rows by store: key and text of the value.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Stores { get; init; }

    public required long DroppedRecords { get; init; }

    public static Expectation Parse(Fields fields, bool isError)
    {
        Expectation result;
        if (isError)
        {
            result = new Expectation { Error = fields.Text("error"), Describe = "", Steps = [], Stores = new Dictionary<string, IReadOnlyList<string>>(), DroppedRecords = 0 };
        }
        else
        {
            result = new Expectation
            {
                Error = null,
                Describe = fields.Text("describe"),
                Steps = [.. fields.Objects("steps").Select(step => step.Names.ToDictionary(topic => topic, topic => (IReadOnlyList<Row>)[.. step.Elements(topic).Select(ParseRow)]))],
                Stores = ParseStores(fields.Object("stores")),
                DroppedRecords = fields.Number("droppedRecords"),
            };
        }

        fields.RequireAllRead();
        return result;
    }

    private static Dictionary<string, IReadOnlyList<string>> ParseStores(Fields stores) =>
        stores.Names.ToDictionary(store => store, store => (IReadOnlyList<string>)[.. stores.Elements(store).Select(StoreDump.ParseRow)]);

    private static Row ParseRow(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Array || row.GetArrayLength() is not (3 or 4)) throw new CaseFormatException($"expected row is {row.GetRawText()}, not [key, value, timestamp, headers?]");
        var headers = row.GetArrayLength() == 4 ? string.Join(" ", row[3].EnumerateArray().Select(header => header.GetString())) : "";
        return new Row(row[0].GetString(), row[1].GetString(), row[2].ValueKind == JsonValueKind.Null ? null : row[2].GetInt64(), headers);
    }
}
