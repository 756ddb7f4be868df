using System.Globalization;

namespace Simulation;

/// <summary>
/// <c>Simulation --seeds 5000</c> runs so many schedules, <c>--seed 17</c> one of them and writes what happened in it; anything else runs the tests.
/// </summary>
internal static class Program
{
    private const string Usage = """
        Usage: Simulation --seeds N [--first N]   N schedules, seeds from the first (default 1)
               Simulation --seed N                one schedule, with its trace
        """;

    public static async Task<int> Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (args.Any(argument => argument is "--seeds" or "--seed" or "--first" or "--help")) return Command(args);
        return args.Any(argument => argument is "-automated" or "@@")
            ? await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).ConfigureAwait(false)
            : await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions).ConfigureAwait(false);
    }

    private static int Command(string[] args)
    {
        int? Number(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
        if (Number("--seed") is { } one)
        {
            Fiber.NotesWaits = true;
            var outcome = Schedule.Run(one, traces: true);
            foreach (var line in outcome.Trace) Console.Out.WriteLine(line);
            Console.Out.WriteLine(Series.Describe(outcome));
            return outcome.Faults.Count == 0 ? 0 : 1;
        }

        if (Number("--seeds") is not { } count)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        var result = Series.Run(Number("--first") ?? 1, count, failed => Console.Out.WriteLine(Series.Describe(failed)));
        Console.Out.WriteLine(result);
        return result.Failed.Count == 0 ? 0 : 1;
    }
}
