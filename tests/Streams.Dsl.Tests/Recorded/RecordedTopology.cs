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
            case "fkJoin":
                _tables[id] = FromTable(step).Join(WithTable(step), value => value, (one, _) => one, ForeignKeyJoin(step), Store<string>(step));
                break;
            case "fkLeftJoin":
                _tables[id] = FromTable(step).LeftJoin(WithTable(step), value => value, (one, _) => one, ForeignKeyJoin(step), Store<string>(step));
                break;
            case "windowed":
                Windowed(step);
                break;
            case "tableSuppress":
                var buffer = step.TryGetProperty("maxRecords", out var max) ? BufferConfig.MaxRecords(max.GetInt64()) : BufferConfig.Unbounded();
                _tables[id] = FromTable(step).Suppress(Suppressed.UntilTimeLimit(TimeSpan.FromMilliseconds(step.GetProperty("limitMs").GetInt64()), buffer));
                break;
            case "join":
                _streams[id] = From(step).Join(WithStream(step), (one, _) => one, JoinWithin(step), JoinedAs(step));
                break;
            case "leftJoin":
                _streams[id] = From(step).LeftJoin(WithStream(step), (one, _) => one, JoinWithin(step), JoinedAs(step));
                break;
            case "outerJoin":
                _streams[id] = From(step).OuterJoin(WithStream(step), (one, other) => one ?? other!, JoinWithin(step), JoinedAs(step));
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
        return new()
        {
            Name = Text(step, "name"),
            GracePeriod = step.TryGetProperty("graceMs", out var grace) ? TimeSpan.FromMilliseconds(grace.GetInt64()) : null,
        };
    }

    private static TableJoined<string, string>? ForeignKeyJoin(JsonElement step) => Text(step, "name") is { } name ? TableJoined.As(name) : null;

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

        var id = Text(step, "id")!;
        var store = Store<string>(step, always: true);
        if (!step.TryGetProperty("window", out var window))
        {
            _tables[id] = cogrouped!.Aggregate(() => "", store);
            return;
        }

        var table = Windows(window) switch
        {
            SessionWindows sessions => cogrouped!.WindowedBy(sessions).Aggregate(() => "", (_, one, _) => one, store),
            SlidingWindows sliding => cogrouped!.WindowedBy(sliding).Aggregate(() => "", store),
            var other => cogrouped!.WindowedBy((TimeWindows)other).Aggregate(() => "", store),
        };
        _streams[id] = table.ToStream((key, _) => key.Key);
    }

    private static object Windows(JsonElement window)
    {
        TimeSpan Ms(string property) => TimeSpan.FromMilliseconds(window.GetProperty(property).GetInt64());
        return window.GetProperty("type").GetString() switch
        {
            "session" => SessionWindows.OfInactivityGapAndGrace(Ms("gapMs"), Ms("graceMs")),
            "sliding" => SlidingWindows.OfTimeDifferenceAndGrace(Ms("diffMs"), Ms("graceMs")),
            "tumbling" => TimeWindows.OfSizeAndGrace(Ms("sizeMs"), Ms("graceMs")),
            "hopping" => TimeWindows.OfSizeAndGrace(Ms("sizeMs"), Ms("graceMs")).AdvanceBy(Ms("advanceMs")),
            var type => throw new NotSupportedException($"operation 'window {type}'"),
        };
    }

    private void Windowed(JsonElement step)
    {
        var group = Group(step);
        var emit = Text(step, "emit") == "close" ? EmitStrategy.OnWindowClose : EmitStrategy.OnWindowUpdate;
        var aggregation = Text(step, "agg")!;
        var id = Text(step, "id")!;
        if (aggregation == "count")
        {
            var store = Store<long>(step, always: true);
            var counts = Windows(step.GetProperty("window")) switch
            {
                SessionWindows sessions => group.WindowedBy(sessions).EmitStrategy(emit).Count(store),
                SlidingWindows sliding => group.WindowedBy(sliding).EmitStrategy(emit).Count(store),
                var other => group.WindowedBy((TimeWindows)other).EmitStrategy(emit).Count(store),
            };
            if (step.TryGetProperty("suppress", out _)) counts = counts.Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()));
            _streams[id] = counts.ToStream((key, _) => key.Key).MapValues(count => "");
            return;
        }

        var materialized = Store<string>(step, always: true);
        var isReduce = aggregation.StartsWith("reduce", StringComparison.Ordinal);
        var table = Windows(step.GetProperty("window")) switch
        {
            SessionWindows sessions when isReduce => group.WindowedBy(sessions).EmitStrategy(emit).Reduce((one, _) => one, materialized),
            SessionWindows sessions => group.WindowedBy(sessions).EmitStrategy(emit).Aggregate(() => "", (_, _, sum) => sum, (_, one, _) => one, materialized),
            SlidingWindows sliding when isReduce => group.WindowedBy(sliding).EmitStrategy(emit).Reduce((one, _) => one, materialized),
            SlidingWindows sliding => group.WindowedBy(sliding).EmitStrategy(emit).Aggregate(() => "", (_, _, sum) => sum, materialized),
            var other when isReduce => group.WindowedBy((TimeWindows)other).EmitStrategy(emit).Reduce((one, _) => one, materialized),
            var other => group.WindowedBy((TimeWindows)other).EmitStrategy(emit).Aggregate(() => "", (_, _, sum) => sum, materialized),
        };
        if (step.TryGetProperty("suppress", out _)) table = table.Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()));
        _streams[id] = table.ToStream((key, _) => key.Key);
    }

    private static JoinWindows JoinWithin(JsonElement step)
    {
        TimeSpan Ms(string property) => TimeSpan.FromMilliseconds(step.GetProperty(property).GetInt64());
        var windows = JoinWindows.OfTimeDifferenceAndGrace(Ms("withinMs"), Ms("graceMs"));
        if (step.TryGetProperty("beforeMs", out _)) windows = windows.Before(Ms("beforeMs"));
        if (step.TryGetProperty("afterMs", out _)) windows = windows.After(Ms("afterMs"));
        return windows;
    }

    private static StreamJoined<string, string, string> JoinedAs(JsonElement step) => new() { Name = Text(step, "name"), StoreName = Text(step, "store") };

    private KStream<string, string> WithStream(JsonElement step) => _streams[Text(step, "with")!];

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
