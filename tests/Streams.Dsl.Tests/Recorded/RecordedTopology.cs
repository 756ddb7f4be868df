using System.Text.Json;

namespace Streams.Dsl.Tests.Recorded;

/// <summary>
/// Writes the topology of a recorded case with the DSL. Only its shape matters here, so functions do nothing; what records do is the conformance
/// runner's business.
/// </summary>
internal sealed class RecordedTopology
{
    private readonly Dictionary<string, KStream<string, string>> _streams = [];
    private readonly Dictionary<string, KTable<string, string>> _tables = [];
    private readonly Dictionary<string, GlobalKTable<string, string>> _globals = [];
    private readonly StreamsBuilder _builder;

    private RecordedTopology(StreamsBuilderOptions options) => _builder = new StreamsBuilder(options);

    public static Topology Build(JsonElement recorded)
    {
        var optimize = recorded.GetProperty("options").TryGetProperty("optimize", out var flag) && flag.GetBoolean();
        var topology = new RecordedTopology(new StreamsBuilderOptions { Optimization = optimize ? TopologyOptimization.All : TopologyOptimization.None });
        foreach (var step in recorded.GetProperty("topology").EnumerateArray()) topology.Add(step);
        return topology._builder.Build();
    }

    private static string? Text(JsonElement step, string property) => step.TryGetProperty(property, out var value) ? value.GetString() : null;

    private static Named? Name(JsonElement step) => Text(step, "name");

    private static Consumed<string, string>? Consume(JsonElement step) => Text(step, "name") is { } name ? Consumed.As(name) : null;

    private static bool IsMaterialized(JsonElement step) =>
        step.TryGetProperty("store", out _) || step.TryGetProperty("storeType", out _) || step.TryGetProperty("logging", out _);

    private static Materialized<string, V>? Store<V>(JsonElement step, bool always = false)
    {
        if (!always && !IsMaterialized(step)) return null;
        var materialized = Text(step, "storeType") == "memory" ? Materialized.As(StoreType.InMemory) : Materialized.As(StoreType.RocksDb);
        if (Text(step, "store") is { } name) materialized = Materialized.As(name);
        if (step.TryGetProperty("logging", out var logging) && !logging.GetBoolean()) materialized = materialized.WithLoggingDisabled();
        return materialized;
    }

    private void Add(JsonElement step)
    {
        var id = Text(step, "id") ?? "";
        switch (Text(step, "op"))
        {
            case "stream":
                _streams[id] = step.TryGetProperty("topics", out var topics)
                    ? _builder.Stream([.. topics.EnumerateArray().Select(topic => topic.GetString()!)], Consume(step))
                    : _builder.Stream(Text(step, "topic")!, Consume(step));
                break;
            case "table":
                _tables[id] = _builder.Table(Text(step, "topic")!, Consume(step), TableStore(step));
                break;
            case "filter":
                _streams[id] = From(step).Filter((_, _) => true, Name(step));
                break;
            case "filterNot":
                _streams[id] = From(step).FilterNot((_, _) => true, Name(step));
                break;
            case "mapValues":
                _streams[id] = From(step).MapValues(value => value, Name(step));
                break;
            case "map":
                _streams[id] = From(step).Map(KeyValue.Pair, Name(step));
                break;
            case "selectKey":
                _streams[id] = From(step).SelectKey((key, _) => key, Name(step));
                break;
            case "flatMapValues":
                _streams[id] = From(step).FlatMapValues(value => value.Split(','), Name(step));
                break;
            case "flatMap":
                _streams[id] = From(step).FlatMap((key, value) => new[] { KeyValue.Pair(key, value) }, Name(step));
                break;
            case "merge":
                _streams[id] = From(step).Merge(_streams[Text(step, "with")!], Name(step));
                break;
            case "repartition":
                _streams[id] = From(step).Repartition(
                    new Repartitioned<string, string> { Name = Text(step, "name"), NumberOfPartitions = step.GetProperty("partitions").GetInt32() });
                break;
            case "to":
                From(step).To(Text(step, "topic")!, Text(step, "name") is { } sink ? Produced.As(sink) : null);
                break;
            case "toDynamic":
                From(step).To((in Record<string, string> _, RecordMetadata? _) => "OUT");
                break;
            case "toTable":
                _tables[id] = From(step).ToTable(Store<string>(step), Name(step));
                break;
            case "split":
                Split(step);
                break;
            case "count":
                _streams[id] = Group(step).Count(Store<long>(step, always: true)).ToStream().MapValues(count => "");
                break;
            case "reduce":
                _tables[id] = Group(step).Reduce((one, _) => one, Store<string>(step, always: true));
                break;
            case "aggregate":
                _tables[id] = Group(step).Aggregate(() => "", (_, _, aggregate) => aggregate, Store<string>(step, always: true));
                break;
            case "process":
                Process(step);
                break;
            case "tableFilter":
                _tables[id] = FromTable(step).Filter((_, _) => true, Store<string>(step));
                break;
            case "tableFilterNot":
                _tables[id] = FromTable(step).FilterNot((_, _) => true, Store<string>(step));
                break;
            case "tableMapValues":
                _tables[id] = FromTable(step).MapValues(value => value, Store<string>(step));
                break;
            case "toStream":
                _streams[id] = step.TryGetProperty("kfn", out _) ? FromTable(step).ToStream((key, _) => key) : FromTable(step).ToStream();
                break;
            case "globalTable":
                _globals[id] = _builder.GlobalTable(Text(step, "topic")!, Consume(step), Store<string>(step));
                break;
            case "tableGroup":
                TableGroup(step);
                break;
            case "tableJoin":
                _tables[id] = FromTable(step).Join(WithTable(step), (one, _) => one, Store<string>(step), Name(step));
                break;
            case "tableLeftJoin":
                _tables[id] = FromTable(step).LeftJoin(WithTable(step), (one, _) => one, Store<string>(step), Name(step));
                break;
            case "tableOuterJoin":
                _tables[id] = FromTable(step).OuterJoin(WithTable(step), (one, other) => one ?? other!, Store<string>(step), Name(step));
                break;
            case "joinTable":
                _streams[id] = From(step).Join(WithTable(step), (one, _) => one, Join(step));
                break;
            case "leftJoinTable":
                _streams[id] = From(step).LeftJoin(WithTable(step), (one, _) => one, Join(step));
                break;
            case "joinGlobal":
                _streams[id] = From(step).Join(_globals[Text(step, "with")!], (key, _) => key, (one, _) => one, Name(step));
                break;
            case "leftJoinGlobal":
                _streams[id] = From(step).LeftJoin(_globals[Text(step, "with")!], (key, _) => key, (one, _) => one, Name(step));
                break;
            case "cogroup":
                Cogroup(step);
                break;
            case var op:
                throw new NotSupportedException($"operation '{op}'");
        }
    }

    private static Materialized<string, string>? TableStore(JsonElement step)
    {
        if (!step.TryGetProperty("versionedMs", out var versioned)) return Store<string>(step);
        return Materialized.As(Text(step, "store")!).WithHistoryRetention(TimeSpan.FromMilliseconds(versioned.GetInt64()));
    }

    private KStream<string, string> From(JsonElement step) => _streams[Text(step, "from")!];

    private KTable<string, string> FromTable(JsonElement step) => _tables[Text(step, "from")!];

    private KGroupedStream<string, string> Group(JsonElement step)
    {
        Grouped<string, string>? grouped = Text(step, "groupName") is { } name ? Grouped.As(name) : null;
        return step.TryGetProperty("by", out _) ? From(step).GroupBy((key, _) => key, grouped) : From(step).GroupByKey(grouped);
    }

    private KTable<string, string> WithTable(JsonElement step) => _tables[Text(step, "with")!];

    private static Joined<string, string, string> Join(JsonElement step)
    {
        if (step.TryGetProperty("graceMs", out _)) throw new NotSupportedException("operation 'joinTable with grace'");
        return new() { Name = Text(step, "name") };
    }

    private void TableGroup(JsonElement step)
    {
        Grouped<string, string>? grouped = Text(step, "groupName") is { } name ? Grouped.As(name) : null;
        var group = FromTable(step).GroupBy(KeyValue.Pair, grouped);
        var id = Text(step, "id")!;
        switch (Text(step, "agg"))
        {
            case "count":
                _streams[id] = group.Count(Store<long>(step, always: true)).ToStream().MapValues(count => "");
                break;
            case "reduce":
                _tables[id] = group.Reduce((one, _) => one, (one, _) => one, Store<string>(step, always: true));
                break;
            default:
                _tables[id] = group.Aggregate(() => "", (_, _, sum) => sum, (_, _, sum) => sum, Store<string>(step, always: true));
                break;
        }
    }

    private void Cogroup(JsonElement step)
    {
        CogroupedKStream<string, string>? cogrouped = null;
        foreach (var input in step.GetProperty("inputs").EnumerateArray())
        {
            var group = Group(input);
            cogrouped = cogrouped is null ? group.Cogroup<string>((_, _, sum) => sum) : cogrouped.Cogroup(group, (_, _, sum) => sum);
        }

        if (step.TryGetProperty("window", out _)) throw new NotSupportedException("operation 'cogroup windowed'");
        _tables[Text(step, "id")!] = cogrouped!.Aggregate(() => "", Store<string>(step, always: true));
    }

    private void Split(JsonElement step)
    {
        var ids = new List<string>();
        var split = From(step).Split(Name(step));
        foreach (var branch in step.GetProperty("branches").EnumerateArray())
        {
            var id = Text(branch, "id")!;
            split.Branch((_, _) => true, new Branched<string, string> { Name = Text(branch, "name"), Chain = stream => _streams[id] = stream });
            ids.Add(id);
        }

        if (Text(step, "default") is { } byDefault)
            split.DefaultBranch(Branched.WithFunction<string, string>(stream => _streams[byDefault] = stream));
        else
            split.NoDefaultBranch();
    }

    private void Process(JsonElement step)
    {
        IStoreBuilder[] stores = Text(step, "store") is { } name ? [new NamedStore(name)] : [];
        _streams[Text(step, "id")!] = From(step).Process(() => new Idle(), Name(step), stores);
    }

    private sealed class Idle : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
        }
    }

    private sealed class NamedStore(string name) : IStoreBuilder
    {
        public string Name => name;

        public bool LoggingEnabled => true;

        public IReadOnlyDictionary<string, string> LogConfig { get; } = new Dictionary<string, string>();

        public ChangelogCleanup ChangelogCleanup => ChangelogCleanup.Compact;

        public TimeSpan? Retention => null;

        public IStateStore Build() => throw new NotSupportedException("The shape of a topology is tested without running it.");
    }
}
