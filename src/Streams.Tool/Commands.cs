using System.Globalization;
using System.Text;
using System.Xml;
using Streams.State;

namespace Streams.Tool;

/// <summary>The <c>streams</c> command line. Exit codes: 0 done, 1 it failed, 2 it was called wrongly.</summary>
internal sealed class Commands(TextWriter output, TextWriter errors, Func<string, IReadOnlyDictionary<string, string>, ICluster> connect, TimeProvider time)
{
    private const string Help = """
        streams reset --application-id ID --bootstrap-server HOST:PORT [--input-topics A,B] [--internal-topics C,D] [--dry-run]
                      [--to-earliest | --to-latest | --to-datetime TIME | --by-duration PT1H | --shift-by N | --to-offset N]
                      [--command-config FILE]
            Moves the committed offsets of the input topics (to the earliest, unless told otherwise) and deletes the application's internal topics.
            Those are told by their names: an application ID-2 has names that begin like ID's. Look at a --dry-run first, and name the ones to delete with --internal-topics.
            Refused while instances run. Local state stays: call KafkaStreams.CleanUp, or delete state.dir/ID, on every instance.

        streams state list --state-dir DIR --application-id ID
            Lists the stores on disk: task, name, kind, changelog offset, about how many entries.

        streams state dump --state-dir DIR --application-id ID --store NAME [--task 0_1] [--key text|long|int|hex] [--value text|long|int|hex] [--limit N]
            Prints the entries of a store, a tab between key, timestamp and value. Behind the key of a window stands @begin, of a session @begin..end, of a version
            @from..until, in Unix milliseconds. Control characters in text are written as \n, \t, \u001b. The application must not be running.
        """;

    private static readonly string[] _positions = ["to-earliest", "to-latest", "to-datetime", "by-duration", "shift-by", "to-offset"];

    public async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        try
        {
            switch (args)
            {
                case [] or ["--help" or "-h" or "help", ..]:
                    await output.WriteLineAsync(Help).ConfigureAwait(false);
                    return args.Length == 0 ? 2 : 0;
                case ["reset", .. var rest]:
                    await ResetAsync(Arguments.Parse(rest, ["application-id", "bootstrap-server", "input-topics", "internal-topics", "to-datetime", "by-duration", "shift-by", "to-offset", "command-config"], ["dry-run", "to-earliest", "to-latest"]), cancellationToken).ConfigureAwait(false);
                    return 0;
                case ["state", "list", .. var rest]:
                    return await ListAsync(Arguments.Parse(rest, ["state-dir", "application-id"], [])).ConfigureAwait(false);
                case ["state", "dump", .. var rest]:
                    await DumpAsync(Arguments.Parse(rest, ["state-dir", "application-id", "store", "task", "key", "value", "limit"], []), cancellationToken).ConfigureAwait(false);
                    return 0;
                default:
                    throw new UsageException($"There is no command '{string.Join(' ', args.Take(2))}'; streams --help names them.");
            }
        }
        catch (UsageException failure)
        {
            await errors.WriteLineAsync(failure.Message).ConfigureAwait(false);
            return 2;
        }
        catch (Exception failure) when (failure is StreamsException or ArgumentException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            await errors.WriteLineAsync(failure.Message).ConfigureAwait(false);
            return 1;
        }
        catch (OperationCanceledException)
        {
            await errors.WriteLineAsync("Cancelled.").ConfigureAwait(false);
            return 1;
        }
    }

    private async Task ResetAsync(Arguments arguments, CancellationToken cancellationToken)
    {
        var application = arguments.Required("application-id");
        var topics = (arguments.Optional("input-topics") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var position = Position(arguments);
        var cluster = connect(arguments.Required("bootstrap-server"), arguments.Optional("command-config") is { } file ? Properties(file) : new Dictionary<string, string>());
        await using var _ = cluster.ConfigureAwait(false);
        var plan = await ApplicationReset.PlanAsync(cluster, application, topics, position, cancellationToken).ConfigureAwait(false);
        if (arguments.Optional("internal-topics") is { } named)
        {
            var chosen = named.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (chosen.Except(plan.InternalTopics).ToList() is { Count: > 0 } others)
                throw new UsageException($"--internal-topics: {string.Join(", ", others)} {(others.Count == 1 ? "is no internal topic" : "are no internal topics")} of application '{application}'; a dry run without it names them.");
            plan = plan with { InternalTopics = [.. plan.InternalTopics.Intersect(chosen)] };
        }

        foreach (var offset in plan.Offsets)
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{offset.Partition}: {(offset.From is { } from ? from.ToString(CultureInfo.InvariantCulture) : "nothing committed")} -> {offset.To}")).ConfigureAwait(false);
        foreach (var topic in plan.InternalTopics) await output.WriteLineAsync($"{topic}: deleted").ConfigureAwait(false);
        if (plan.Offsets.Count + plan.InternalTopics.Count == 0) await output.WriteLineAsync("There is nothing to reset.").ConfigureAwait(false);
        if (arguments.Has("dry-run")) await output.WriteLineAsync("Dry run: nothing was changed.").ConfigureAwait(false);
        else await ApplicationReset.RunAsync(cluster, application, plan, cancellationToken).ConfigureAwait(false);
    }

    private ResetPosition Position(Arguments arguments)
    {
        var given = _positions.Where(arguments.Has).ToList();
        if (given.Count > 1) throw new UsageException($"--{given[0]} and --{given[1]} exclude each other.");
        if (given.Count == 0) return ResetPosition.Earliest;
        var value = arguments.Optional(given[0]) ?? "";
        return given[0] switch
        {
            "to-latest" => ResetPosition.Latest,
            "shift-by" => ResetPosition.ShiftBy(Number(given[0], value)),
            "to-offset" => ResetPosition.AtOffset(Number(given[0], value)),
            "to-datetime" => ResetPosition.AtTime(DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
                ? moment
                : throw new UsageException($"--to-datetime '{value}' is not a time; write it as 2026-11-21T06:30:00Z.")),
            "by-duration" => ResetPosition.AtTime(Ago(value)),
            _ => ResetPosition.Earliest,
        };
    }

    private async Task<int> ListAsync(Arguments arguments)
    {
        var faults = 0;
        foreach (var store in Stores(arguments))
        {
            StoredStoreDescription description;
            try
            {
                description = StateInspector.Describe(store);
            }
            catch (StateStoreException failure)
            {
                // The others are wanted all the same.
                faults++;
                await errors.WriteLineAsync(failure.Message.ReplaceLineEndings(" ")).ConfigureAwait(false);
                continue;
            }

            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{(store.Task is { } task ? task.ToString() : "global")}\t{store.Name}\t{description.Kind.TrimEnd(',')}\toffset {(description.ChangelogOffset is { } offset ? offset.ToString(CultureInfo.InvariantCulture) : "unknown")}\tabout {description.EstimatedCount} entries")).ConfigureAwait(false);
        }

        return faults == 0 ? 0 : 1;
    }

    private async Task DumpAsync(Arguments arguments, CancellationToken cancellationToken)
    {
        var name = arguments.Required("store");
        var key = Format(arguments.Optional("key") ?? "text");
        var value = Format(arguments.Optional("value") ?? "hex");
        var left = arguments.Optional("limit") is { } limit ? Number("limit", limit) : long.MaxValue;
        if (left < 1) throw new UsageException($"--limit {left} shows nothing; it is at least 1.");
        TaskId? only = arguments.Optional("task") is { } text ? TaskId.TryParse(text, out var task) ? task : throw new UsageException($"--task '{text}' is not a task; write it as 0_1.") : null;
        var stores = Stores(arguments).Where(store => store.Name == name && (only is null || store.Task == only)).ToList();
        if (stores.Count == 0) throw new InvalidOperationException($"There is no store '{name}' on disk; state list names those there are.");
        foreach (var entry in stores.SelectMany(StateInspector.Read))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (left-- <= 0) return;
            await output.WriteLineAsync($"{key(entry.UserKey.Span)}{TimesOf(entry)}\t{entry.Timestamp?.ToString(CultureInfo.InvariantCulture) ?? "-"}\t{(entry.IsDeletion ? "deleted" : value(entry.Value.Span))}").ConfigureAwait(false);
        }
    }

    private static IReadOnlyList<StoredStore> Stores(Arguments arguments)
    {
        var stores = StateInspector.List(arguments.Required("state-dir"), arguments.Required("application-id"));
        return stores.Count > 0 ? stores : throw new InvalidOperationException("There are no persistent stores of that application in that folder.");
    }

    // A window is @begin, a session @begin..end, a version @from..until, and the latest of them @from.
    private static string TimesOf(StoredEntry entry) => entry.From is not { } from
        ? ""
        : entry.To is { } to ? string.Create(CultureInfo.InvariantCulture, $"@{from}..{to}") : string.Create(CultureInfo.InvariantCulture, $"@{from}");

    // Tabs and ends of lines are the output's own, and what else controls a terminal is not for the data to do.
    private static string Printable(string text)
    {
        if (!text.Any(letter => char.IsControl(letter) || letter == '\\')) return text;
        var printable = new StringBuilder();
        foreach (var letter in text)
        {
            _ = letter switch
            {
                '\\' => printable.Append(@"\\"),
                '\n' => printable.Append(@"\n"),
                '\r' => printable.Append(@"\r"),
                '\t' => printable.Append(@"\t"),
                _ when char.IsControl(letter) => printable.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => printable.Append(letter),
            };
        }

        return printable.ToString();
    }

    private delegate string BytesFormat(ReadOnlySpan<byte> bytes);

    // Bytes that are not what they are said to be are shown as bytes.
    private static BytesFormat Format(string name) => name switch
    {
        "text" => static bytes => Printable(Encoding.UTF8.GetString(bytes)),
        "long" => static bytes => bytes.Length == sizeof(long) ? System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(bytes).ToString(CultureInfo.InvariantCulture) : Convert.ToHexStringLower(bytes),
        "int" => static bytes => bytes.Length == sizeof(int) ? System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes).ToString(CultureInfo.InvariantCulture) : Convert.ToHexStringLower(bytes),
        "hex" => static bytes => Convert.ToHexStringLower(bytes),
        _ => throw new UsageException($"There is no format '{name}': text, long, int and hex are."),
    };

    private static long Number(string name, string value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new UsageException($"--{name} '{value}' is not a whole number.");

    private DateTimeOffset Ago(string value)
    {
        var now = time.GetUtcNow();
        try
        {
            var duration = XmlConvert.ToTimeSpan(value);

            // Back to before dates begin is back to the earliest record as well.
            if (duration >= TimeSpan.Zero) return duration.Ticks < now.UtcTicks ? now - duration : DateTimeOffset.MinValue;
        }
        catch (Exception failure) when (failure is FormatException or OverflowException)
        {
            // Said below.
        }

        throw new UsageException($"--by-duration '{value}' is not a duration; write it as PT1H30M or P2D.");
    }

    private static Dictionary<string, string> Properties(string file)
    {
        var settings = new Dictionary<string, string>();
        foreach (var line in File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] is not ('#' or '!')))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new UsageException($"{file}: '{line}' is not name=value.");
            settings[line[..equals].Trim()] = line[(equals + 1)..].Trim();
        }

        return settings;
    }
}
