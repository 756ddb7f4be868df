using System.Globalization;
using Bench.EndToEnd;
using Bench.Engine;
using Streams.Core;
using Streams.Dsl;

const string usage = """
    bench engine SCENARIO [--records N] [--warm-up N] [--listen]
      drives the task engine in process, in one thread: batches in, outputs dropped, changelogs on, a commit every 100,000 records
      --listen: with a listener that reads all metrics once a second
      scenarios: stateless, count-memory, count-rocksdb, window-rocksdb, table-join-memory, table-join-rocksdb, stream-join-rocksdb, async (give it --records 200000 --warm-up 50000), or all

    bench e2e SCENARIO [--exactly-once] [--bootstrap-servers HOST:PORT [--client LIBRARY]] [--warm-up N] [--records N] [--partitions N] [--threads N]
      runs an application against a broker (default: the embedded one, on disk) until it has consumed what was there at start
      --warm-up: records before those that records_per_s is of, measured on their own as first_… (default 2,000,000; 0 for none)
      scenarios: stateless, count-memory, count-rocksdb, or all

    bench latency [--bootstrap-servers HOST:PORT [--client LIBRARY]] [--rate N] [--seconds N]
      time from before a record is given to a producer until a consumer has what a stateless application made of it, at a steady rate (default 1,000/s for 30 s)

    bench restore [--keys N]
      a store of N keys (default 1,000,000) on the embedded broker: what is restored after kill -9, after a clean shutdown, and from nothing

    bench broker (throughput|start) [--folder FOLDER] [--records N] [--gigabytes N] [--partitions N]
      starts Broker.Lite as a process of its own on a data folder and drives it with librdkafka, or only starts it; reads its CPU time from /proc
    """;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["latency", ..])
{
    await Bench.Latency.LatencyRun.RunAsync(Text("--bootstrap-servers"), Text("--client"), (int)Number("--rate", 1000), (int)Number("--seconds", 30), Console.Out);
    return 0;
}

if (args is ["restore", ..])
{
    if (Text("--fill") is { } fillFolder)
        await Bench.Restore.RestoreRun.FillAsync(fillFolder, Number("--keys", 1_000_000), Console.Out);
    else
        await Bench.Restore.RestoreRun.RunAsync(Number("--keys", 1_000_000), Console.Out);
    return 0;
}

if (args is not [var mode and ("engine" or "e2e" or "broker"), var name, ..])
{
    Console.Error.WriteLine(usage);
    return 2;
}

if (mode == "broker")
{
    var folder = Text("--folder") ?? Path.Combine(Path.GetTempPath(), "broker-lite-bench");
    if (name == "start")
        await Bench.Broker.StartRun.RunAsync(folder, (int)Number("--gigabytes", 10), (int)Number("--partitions", 1000), Console.Out);
    else if (name == "throughput")
        await Bench.Broker.ProduceRun.RunAsync(folder, Number("--records", 2_000_000), Console.Out);
    else
        return Unknown();
    return 0;
}

if (mode == "e2e")
{
    var scenarios = EndToEndRun.Scenarios.Where(scenario => name == "all" || scenario == name).ToList();
    if (scenarios.Count == 0) return Unknown();
    foreach (var scenario in scenarios)
        await EndToEndRun.RunAsync(scenario, args.Contains("--exactly-once") ? ProcessingGuarantee.ExactlyOnce : ProcessingGuarantee.AtLeastOnce, Text("--bootstrap-servers"), Text("--client"), Number("--warm-up", 2_000_000, least: 0), Number("--records", 2_000_000), (int)Number("--partitions", 4), (int)Number("--threads", 2), Console.Out);
    return 0;
}

EngineScenario[] engine =
[
    new StatelessScenario(), new CountScenario(StoreType.InMemory), new CountScenario(StoreType.RocksDb), new WindowScenario(),
    new TableJoinScenario(StoreType.InMemory), new TableJoinScenario(StoreType.RocksDb), new StreamJoinScenario(),
    new AsyncScenario(),
];
var chosen = engine.Where(scenario => name == "all" ? scenario is not AsyncScenario : scenario.Name == name).ToList();
if (chosen.Count == 0) return Unknown();
foreach (var scenario in chosen) EngineRun.Run(scenario, Number("--warm-up", 2_000_000), Number("--records", 5_000_000), args.Contains("--listen"), Console.Out);
return 0;

int Unknown()
{
    Console.Error.WriteLine($"bench: there is no scenario '{name}'\n{usage}");
    return 2;
}

string? Text(string option)
{
    var at = Array.IndexOf(args, option);
    return at < 0 ? null : at + 1 < args.Length ? args[at + 1] : throw new ArgumentException($"{option} needs a value");
}

long Number(string option, long fallback, long least = 1) => Text(option) is not { } text
    ? fallback
    : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least
        ? value
        : throw new ArgumentException($"{option} needs a number of {least} or more, not '{text}'");
