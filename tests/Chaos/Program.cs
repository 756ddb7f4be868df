using System.Globalization;

namespace Chaos;

/// <summary>
/// <c>Chaos --minutes 10 --seed 7</c> runs the application against faults for so long and judges it; <c>Chaos app …</c> is one instance of that application; anything
/// else runs the tests.
/// </summary>
internal static class Program
{
    private const string Usage = """
        Usage: Chaos [--minutes N | --seconds N] [--records N] [--seed N] [--guarantee exactly-once|at-least-once] [--instances N]
                     [--client confluent|managed] [--bootstrap-servers HOST:PORT] [--keep]
          --minutes, --seconds  how long faults happen (default 1 minute)
          --records             records to process in all (default 1000000)
          --seed                what happens when (default: random; it is printed)
          --guarantee           default exactly-once
          --instances           processes of the application (default 3)
          --client              whose clients all processes use (default: each one's by the seed)
          --bootstrap-servers   a running cluster (Apache Kafka, say) instead of a broker of the run's own: only instances have faults then.
                                The topics of the run are made and deleted there; they must not exist before
          --keep                leave the folder with data and logs behind
        """;

    public static async Task<int> Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (args is ["app", ..]) return await CountingApplication.RunAsync(args[1..]).ConfigureAwait(false);
        if (args.Any(argument => argument is "--minutes" or "--seconds" or "--records" or "--seed" or "--guarantee" or "--instances" or "--client" or "--bootstrap-servers" or "--keep" or "--help"))
        {
            if (ChaosOptions.Parse(args, out var fault) is not { } options)
            {
                await Console.Error.WriteLineAsync($"{fault}\n{Usage}").ConfigureAwait(false);
                return 2;
            }

            var verdict = await ChaosRun.RunAsync(options, line => Console.Out.WriteLine(line), CancellationToken.None).ConfigureAwait(false);
            foreach (var wrong in verdict) await Console.Error.WriteLineAsync("WRONG: " + wrong).ConfigureAwait(false);
            await Console.Out.WriteLineAsync(verdict.Count == 0 ? "exact" : $"{verdict.Count} fault(s)").ConfigureAwait(false);
            return verdict.Count == 0 ? 0 : 1;
        }

        return args.Any(argument => argument is "-automated" or "@@")
            ? await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).ConfigureAwait(false)
            : await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions).ConfigureAwait(false);
    }
}
