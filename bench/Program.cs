using System.Globalization;
using Bench.Engine;
using Streams.Dsl;

const string usage = """
    bench engine SCENARIO [--records N] [--warm-up N]     drives the task engine in process, in one thread
      scenarios: stateless, count-memory, count-rocksdb, or all
    """;

EngineScenario[] engine = [new StatelessScenario(), new CountScenario(StoreType.InMemory), new CountScenario(StoreType.RocksDb)];
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not ["engine", var name, ..])
{
    Console.Error.WriteLine(usage);
    return 2;
}

var chosen = engine.Where(scenario => name == "all" || scenario.Name == name).ToList();
if (chosen.Count == 0)
{
    Console.Error.WriteLine($"bench: there is no scenario '{name}'\n{usage}");
    return 2;
}

foreach (var scenario in chosen) EngineRun.Run(scenario, Option("--warm-up", 2_000_000), Option("--records", 5_000_000), Console.Out);
return 0;

long Option(string option, long fallback)
{
    var at = Array.IndexOf(args, option);
    if (at < 0) return fallback;
    return at + 1 < args.Length && long.TryParse(args[at + 1], out var value) && value > 0
        ? value
        : throw new ArgumentException($"{option} needs a number of 1 or more");
}
