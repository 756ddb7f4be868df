using Streams.Core;
using Streams.Dsl;
using Streams.State;

namespace Conformance;

/// <summary>Builds the topology of a case with the DSL, step by step, as its table of operators says.</summary>
internal sealed class Interpreter
{
    private readonly StreamsBuilder _builder;
    private readonly Dictionary<string, object> _results = [];

    private readonly StoreType _defaultStoreType;

    private Interpreter(Case recorded, StoreType defaultStoreType)
    {
        _defaultStoreType = defaultStoreType;
        _builder = new StreamsBuilder(new StreamsBuilderOptions
        {
            Optimization = recorded.Optimize ? TopologyOptimization.All : TopologyOptimization.None,
            DefaultStoreType = defaultStoreType,
        });
    }

    /// <summary>Builds the topology.</summary>
    /// <param name="recorded">The case.</param>
    /// <param name="defaultStoreType">Kind of the stores of which the case says nothing.</param>
    public static Topology Build(Case recorded, StoreType defaultStoreType = StoreType.RocksDb)
    {
        var interpreter = new Interpreter(recorded, defaultStoreType);
        foreach (var (index, element) in recorded.Topology.Index())
        {
            var step = new Fields(element, $"topology[{index}]");
            interpreter.Run(step);
            step.RequireAllRead();
        }

        return interpreter._builder.Build();
    }

    private void Run(Fields step)
    {
        var op = step.Text("op");
        switch (op)
        {
            case "stream" or "table" or "globalTable":
                RunSource(step, op);
                break;
            case "count" or "reduce" or "aggregate" or "windowed" or "cogroup":
                RunAggregation(step, op);
                break;
            case "tableFilter" or "tableFilterNot" or "tableMapValues" or "toStream" or "tableSuppress" or "tableGroup":
                RunTable(step, op);
                break;
            case "tableJoin" or "tableLeftJoin" or "tableOuterJoin" or "fkJoin" or "fkLeftJoin" or "join" or "leftJoin" or "outerJoin"
                or "joinTable" or "leftJoinTable" or "joinGlobal" or "leftJoinGlobal":
                RunJoin(step, op);
                break;
            default:
                RunStateless(step, op);
                break;
        }
    }

    private void RunSource(Fields step, string op)
    {
        var consumed = step.OptionalText("name") is { } name ? Consumed.As(name) : null;
        switch (op)
        {
            case "stream" when step.Has("topics"):
                Keep(step, _builder.Stream<string, string>(step.Texts("topics"), consumed));
                break;
            case "stream":
                Keep(step, _builder.Stream<string, string>(step.Text("topic"), consumed));
                break;
            case "table":
                Keep(step, _builder.Table<string, string>(step.Text("topic"), consumed, Materialized(step)));
                break;
            default:
                Keep(step, _builder.GlobalTable<string, string>(step.Text("topic"), consumed, Materialized(step)));
                break;
        }
    }

    private void RunStateless(Fields step, string op)
    {
        var named = step.Has("name") ? (Named?)step.Text("name") : null;
        switch (op)
        {
            case "filter":
                Keep(step, Stream(step).Filter(Functions.Predicate(step.Object("pred")), named));
                break;
            case "filterNot":
                Keep(step, Stream(step).FilterNot(Functions.Predicate(step.Object("pred")), named));
                break;
            case "mapValues":
                Keep(step, Stream(step).MapValues(Functions.Function(step.Object("vfn")), named));
                break;
            case "map":
                var (newKey, newValue) = (Functions.Function(step.Object("kfn")), Functions.Function(step.Object("vfn")));
                Keep(step, Stream(step).Map((key, value) => KeyValue.Pair(newKey(key, value), newValue(key, value)), named));
                break;
            case "selectKey":
                Keep(step, Stream(step).SelectKey(Functions.Function(step.Object("kfn")), named));
                break;
            case "flatMapValues":
                Keep(step, Stream(step).FlatMapValues(static value => Functions.Parts(value), named));
                break;
            case "flatMap":
                Keep(step, Stream(step).FlatMap(static (key, value) => Functions.Parts(value).Select(part => KeyValue.Pair(part, key)), named));
                break;
            case "merge":
                Keep(step, Stream(step).Merge(Stream(step, "with"), named));
                break;
            case "repartition":
                Keep(step, Stream(step).Repartition(new Repartitioned<string, string> { Name = step.OptionalText("name"), NumberOfPartitions = (int?)step.OptionalNumber("partitions") }));
                break;
            case "to":
                Stream(step).To(step.Text("topic"), named is null ? null : Produced.As(named.Name));
                break;
            case "toDynamic":
                Stream(step).To(
                    static (in Record<string, string> record, RecordMetadata? _) => record.HasValue && record.Value.Length > 0 ? $"OUT-{record.Value[0]}" : "OUT-none",
                    named is null ? null : Produced.As(named.Name));
                break;
            case "toTable":
                Keep(step, Stream(step).ToTable(Materialized(step), named));
                break;
            case "split":
                Split(step, named);
                break;
            case "process":
                Process(step, named);
                break;
            default:
                throw step.Unknown("operator", op);
        }
    }

    private void Split(Fields step, Named? named)
    {
        var split = Stream(step).Split(named);
        foreach (var branch in step.Objects("branches"))
        {
            var id = branch.Text("id");
            split.Branch(
                Functions.Predicate(branch.Object("pred")),
                Branched.WithConsumer<string, string>(stream => _results.Add(id, stream), branch.OptionalText("name")));
            branch.RequireAllRead();
        }

        if (step.OptionalText("default") is { } other) split.DefaultBranch(Branched.WithConsumer<string, string>(stream => _results.Add(other, stream)));
        else split.NoDefaultBranch();
    }

    private void Process(Fields step, Named? named)
    {
        var kind = step.Text("kind");
        var store = Processors.NeedsStore(kind) ? step.Text("store") : step.OptionalText("store");
        var supplier = Processors.Of(step, kind, store);
        if (store is null)
        {
            Keep(step, Stream(step).Process(supplier, named));
            return;
        }

        var builder = Stores.KeyValueStoreBuilder(
            step.OptionalText("storeType") switch
            {
                null when _defaultStoreType == StoreType.InMemory => Stores.InMemoryKeyValueStore(store),
                "memory" => Stores.InMemoryKeyValueStore(store),
                "rocksdb" or null => Stores.PersistentKeyValueStore(store),
                { } other => throw step.Unknown("store type", other),
            },
            Serdes.String,
            Serdes.String);
        if (step.OptionalFlag("caching") ?? false) builder.WithCachingEnabled();
        if (!(step.OptionalFlag("logging") ?? true)) builder.WithLoggingDisabled();
        Keep(step, Stream(step).Process(supplier, named, [builder]));
    }

    private void RunAggregation(Fields step, string op)
    {
        switch (op)
        {
            case "count":
                Keep(step, AsText(Grouped(step).Count(Materialized<long>(step), NameOf(step)).ToStream()));
                break;
            case "reduce":
                Keep(step, Grouped(step).Reduce(Functions.Reducer(step, step.Text("agg")), Materialized(step), NameOf(step)));
                break;
            case "aggregate":
                Keep(step, Grouped(step).Aggregate(static () => "", Functions.Aggregator(step, step.Text("agg")), Materialized(step), NameOf(step)));
                break;
            case "cogroup":
                Cogroup(step);
                break;
            default:
                Windowed(step);
                break;
        }
    }

    private void Windowed(Fields step)
    {
        var grouped = Grouped(step);
        var windows = Windows(step.Object("window"));
        var aggregation = step.Text("agg");
        var emit = step.OptionalText("emit") switch
        {
            null => EmitStrategy.OnWindowUpdate,
            "close" => EmitStrategy.OnWindowClose,
            { } other => throw step.Unknown("emit strategy", other),
        };
        var separator = aggregation.IndexOf(':', StringComparison.Ordinal);
        var function = separator < 0 ? "" : aggregation[(separator + 1)..];
        switch (separator < 0 ? aggregation : aggregation[..separator])
        {
            case "count":
                var counts = windows switch
                {
                    SessionWindows sessions => grouped.WindowedBy(sessions).EmitStrategy(emit).Count(Materialized<long>(step), NameOf(step)),
                    SlidingWindows sliding => grouped.WindowedBy(sliding).EmitStrategy(emit).Count(Materialized<long>(step), NameOf(step)),
                    _ => grouped.WindowedBy((TimeWindows)windows).EmitStrategy(emit).Count(Materialized<long>(step), NameOf(step)),
                };
                Keep(step, AsText(Rendered(Suppress(step, counts))));
                break;
            case "reduce":
                var reducer = Functions.Reducer(step, function);
                Keep(step, Rendered(Suppress(step, windows switch
                {
                    SessionWindows sessions => grouped.WindowedBy(sessions).EmitStrategy(emit).Reduce(reducer, Materialized(step), NameOf(step)),
                    SlidingWindows sliding => grouped.WindowedBy(sliding).EmitStrategy(emit).Reduce(reducer, Materialized(step), NameOf(step)),
                    _ => grouped.WindowedBy((TimeWindows)windows).EmitStrategy(emit).Reduce(reducer, Materialized(step), NameOf(step)),
                })));
                break;
            case "aggregate":
                var aggregator = Functions.Aggregator(step, function);
                Keep(step, Rendered(Suppress(step, windows switch
                {
                    SessionWindows sessions => grouped.WindowedBy(sessions).EmitStrategy(emit).Aggregate(Empty, aggregator, Concatenate, Materialized(step), NameOf(step)),
                    SlidingWindows sliding => grouped.WindowedBy(sliding).EmitStrategy(emit).Aggregate(Empty, aggregator, Materialized(step), NameOf(step)),
                    _ => grouped.WindowedBy((TimeWindows)windows).EmitStrategy(emit).Aggregate(Empty, aggregator, Materialized(step), NameOf(step)),
                })));
                break;
            default:
                throw step.Unknown("aggregation", aggregation);
        }
    }

    private static string Empty() => "";

    private static string Concatenate(string key, string one, string other) => Functions.Concatenate(one, other);

    private static object Windows(Fields window)
    {
        TimeSpan Ms(string field) => TimeSpan.FromMilliseconds(window.Number(field));
        var type = window.Text("type");
        object windows = type switch
        {
            "tumbling" => TimeWindows.OfSizeAndGrace(Ms("sizeMs"), Ms("graceMs")),
            "hopping" => TimeWindows.OfSizeAndGrace(Ms("sizeMs"), Ms("graceMs")).AdvanceBy(Ms("advanceMs")),
            "sliding" => SlidingWindows.OfTimeDifferenceAndGrace(Ms("diffMs"), Ms("graceMs")),
            "session" => SessionWindows.OfInactivityGapAndGrace(Ms("gapMs"), Ms("graceMs")),
            _ => throw window.Unknown("window", type),
        };
        window.RequireAllRead();
        return windows;
    }

    private static KTable<Windowed<string>, V> Suppress<V>(Fields step, KTable<Windowed<string>, V> table)
    {
        if (step.OptionalObject("suppress") is not { } suppress) return table;
        var until = suppress.Text("until");
        if (until != "windowCloses") throw suppress.Unknown("suppression", until);
        suppress.RequireAllRead();
        return table.Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()));
    }

    private static KStream<string, V> Rendered<V>(KTable<Windowed<string>, V> table) =>
        table.ToStream(static windowed => $"{windowed.Key}@{windowed.Window.StartMs}/{windowed.Window.EndMs}");

    private void Cogroup(Fields step)
    {
        CogroupedKStream<string, string>? cogrouped = null;
        foreach (var input in step.Objects("inputs"))
        {
            var aggregator = Functions.Aggregator(input, input.Text("agg"));
            var grouped = Grouped(input);
            cogrouped = cogrouped is null ? grouped.Cogroup(aggregator) : cogrouped.Cogroup(grouped, aggregator);
            input.RequireAllRead();
        }

        if (cogrouped is null) throw new CaseFormatException("a cogroup needs inputs");
        if (step.OptionalObject("window") is not { } window)
        {
            Keep(step, cogrouped.Aggregate(Empty, Materialized(step), NameOf(step)));
            return;
        }

        Keep(step, Rendered(Suppress(step, Windows(window) switch
        {
            SessionWindows sessions => cogrouped.WindowedBy(sessions).Aggregate(Empty, Concatenate, Materialized(step), NameOf(step)),
            SlidingWindows sliding => cogrouped.WindowedBy(sliding).Aggregate(Empty, Materialized(step), NameOf(step)),
            var times => cogrouped.WindowedBy((TimeWindows)times).Aggregate(Empty, Materialized(step), NameOf(step)),
        })));
    }

    private void RunTable(Fields step, string op)
    {
        switch (op)
        {
            case "tableFilter":
                Keep(step, Table(step).Filter(Functions.Predicate(step.Object("pred")), Materialized(step), NameOf(step)));
                break;
            case "tableFilterNot":
                Keep(step, Table(step).FilterNot(Functions.Predicate(step.Object("pred")), Materialized(step), NameOf(step)));
                break;
            case "tableMapValues":
                Keep(step, Table(step).MapValues(Functions.Function(step.Object("vfn")), Materialized(step), NameOf(step)));
                break;
            case "toStream" when step.OptionalObject("kfn") is { } function:
                Keep(step, Table(step).ToStream(Functions.Function(function), NameOf(step)));
                break;
            case "toStream":
                Keep(step, Table(step).ToStream(NameOf(step)));
                break;
            case "tableGroup":
                GroupTable(step);
                break;
            case "tableSuppress":
                var buffer = step.OptionalNumber("maxRecords") is { } records ? BufferConfig.MaxRecords(records).EmitEarlyWhenFull() : BufferConfig.Unbounded();
                var suppressed = Suppressed.UntilTimeLimit(TimeSpan.FromMilliseconds(step.Number("limitMs")), buffer);
                Keep(step, Table(step).Suppress(step.OptionalText("name") is { } suppressName ? suppressed.WithName(suppressName) : suppressed));
                break;
            default:
                throw step.Unknown("operator", op);
        }
    }

    private void GroupTable(Fields step)
    {
        var (newKey, newValue) = (Functions.Function(step.Object("kfn")), Functions.Function(step.Object("vfn")));
        var grouped = Table(step).GroupBy(
            (key, value) => KeyValue.Pair(newKey(key, value), newValue(key, value)),
            step.OptionalText("groupName") is { } name ? Streams.Dsl.Grouped.As(name) : null);
        var aggregation = step.Text("agg");
        switch (aggregation)
        {
            case "count":
                Keep(step, AsText(grouped.Count(Materialized<long>(step), NameOf(step)).ToStream()));
                break;
            case "reduce":
                Keep(step, grouped.Reduce(Functions.Reducer(step, "concat"), Functions.Reducer(step, "minus"), Materialized(step), NameOf(step)));
                break;
            case "aggregate":
                Keep(step, grouped.Aggregate(static () => "", Functions.Aggregator(step, "add"), Functions.Aggregator(step, "remove"), Materialized(step), NameOf(step)));
                break;
            default:
                throw step.Unknown("aggregation", aggregation);
        }
    }

    private void RunJoin(Fields step, string op)
    {
        switch (op)
        {
            case "tableJoin":
                Keep(step, Table(step).Join(Table(step, "with"), Functions.Join, Materialized(step), NameOf(step)));
                break;
            case "tableLeftJoin":
                Keep(step, Table(step).LeftJoin(Table(step, "with"), static (left, right) => Functions.Join(left, right), Materialized(step), NameOf(step)));
                break;
            case "tableOuterJoin":
                Keep(step, Table(step).OuterJoin(Table(step, "with"), static (left, right) => Functions.Join(left, right), Materialized(step), NameOf(step)));
                break;
            case "joinTable":
                Keep(step, Stream(step).Join(Table(step, "with"), Functions.Join, JoinedOf(step)));
                break;
            case "leftJoinTable":
                Keep(step, Stream(step).LeftJoin(Table(step, "with"), static (left, right) => Functions.Join(left, right), JoinedOf(step)));
                break;
            case "joinGlobal":
                Keep(step, Stream(step).Join(Global(step), Functions.Function(step.Object("kfn")), Functions.Join, NameOf(step)));
                break;
            case "leftJoinGlobal":
                Keep(step, Stream(step).LeftJoin(Global(step), Functions.Function(step.Object("kfn")), static (left, right) => Functions.Join(left, right), NameOf(step)));
                break;
            case "join":
                Keep(step, Stream(step).Join(Stream(step, "with"), Functions.Join, JoinWindowsOf(step), StreamJoinedOf(step)));
                break;
            case "leftJoin":
                Keep(step, Stream(step).LeftJoin(Stream(step, "with"), static (left, right) => Functions.Join(left, right), JoinWindowsOf(step), StreamJoinedOf(step)));
                break;
            case "outerJoin":
                Keep(step, Stream(step).OuterJoin(Stream(step, "with"), static (left, right) => Functions.Join(left, right), JoinWindowsOf(step), StreamJoinedOf(step)));
                break;
            case "fkJoin":
                Keep(step, Table(step).Join(Table(step, "with"), Functions.Function(step.Object("fk")), Functions.Join, TableJoinedOf(step), Materialized(step)));
                break;
            case "fkLeftJoin":
                Keep(step, Table(step).LeftJoin(
                    Table(step, "with"), Functions.Function(step.Object("fk")), static (left, right) => Functions.Join(left, right), TableJoinedOf(step), Materialized(step)));
                break;
            default:
                throw step.Unknown("operator", op);
        }
    }

    private static TableJoined<string, string>? TableJoinedOf(Fields step) => step.OptionalText("name") is { } name ? TableJoined.As(name) : null;

    private static JoinWindows JoinWindowsOf(Fields step)
    {
        var windows = JoinWindows.OfTimeDifferenceAndGrace(TimeSpan.FromMilliseconds(step.Number("withinMs")), TimeSpan.FromMilliseconds(step.Number("graceMs")));
        if (step.OptionalNumber("beforeMs") is { } before) windows = windows.Before(TimeSpan.FromMilliseconds(before));
        if (step.OptionalNumber("afterMs") is { } after) windows = windows.After(TimeSpan.FromMilliseconds(after));
        return windows;
    }

    private static StreamJoined<string, string, string> StreamJoinedOf(Fields step) => new()
    {
        Name = step.OptionalText("name"),
        StoreName = step.OptionalText("store"),
        StoreType = step.OptionalText("storeType") is { } type ? StoreTypeOf(step, type) : null,
        LoggingEnabled = step.OptionalFlag("logging") ?? true,
    };

    private static StoreType StoreTypeOf(Fields step, string type) => type switch
    {
        "memory" => StoreType.InMemory,
        "rocksdb" => StoreType.RocksDb,
        _ => throw step.Unknown("store type", type),
    };

    private static Joined<string, string, string>? JoinedOf(Fields step)
    {
        var name = step.OptionalText("name");
        var grace = step.OptionalNumber("graceMs");
        if (name is null && grace is null) return null;
        var joined = new Joined<string, string, string> { Name = name };
        return grace is { } graceMs ? joined.WithGracePeriod(TimeSpan.FromMilliseconds(graceMs)) : joined;
    }

    private GlobalKTable<string, string> Global(Fields step) => Result<GlobalKTable<string, string>>(step, "with");

    private KGroupedStream<string, string> Grouped(Fields step)
    {
        var stream = Stream(step);
        var grouped = step.OptionalText("groupName") is { } name ? Streams.Dsl.Grouped.As(name) : null;
        return step.OptionalObject("by") is { } selector ? stream.GroupBy(Functions.Function(selector), grouped) : stream.GroupByKey(grouped);
    }

    private static KStream<string, string> AsText(KStream<string, long> counts) =>
        counts.MapValues(static count => count.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static Named? NameOf(Fields step) => step.OptionalText("name");

    private static Materialized<string, string>? Materialized(Fields step) => Materialized<string>(step);

    /// <summary>How the step's store is to be kept; <c>null</c> when the step says nothing about it.</summary>
    private static Materialized<string, V>? Materialized<V>(Fields step)
    {
        var name = step.OptionalText("store");
        var type = step.OptionalText("storeType");
        var caching = step.OptionalFlag("caching");
        var logging = step.OptionalFlag("logging");
        var versioned = step.OptionalNumber("versionedMs");
        if (name is null && type is null && caching is null && logging is null && versioned is null) return null;

        var materialized = new Materialized<string, V>();
        if (name is not null) materialized = materialized.WithName(name);
        if (type is not null) materialized = materialized.WithStoreType(StoreTypeOf(step, type));
        if (caching is { } cached) materialized = cached ? materialized.WithCachingEnabled() : materialized.WithCachingDisabled();
        if (logging is { } logged) materialized = logged ? materialized.WithLoggingEnabled() : materialized.WithLoggingDisabled();
        if (versioned is { } history) materialized = materialized.WithHistoryRetention(TimeSpan.FromMilliseconds(history));
        return materialized;
    }

    private void Keep(Fields step, object result)
    {
        var id = step.Text("id");
        if (!_results.TryAdd(id, result)) throw new CaseFormatException($"two steps have the id '{id}'");
    }

    private KStream<string, string> Stream(Fields step, string field = "from") => Result<KStream<string, string>>(step, field);

    private KTable<string, string> Table(Fields step, string field = "from") => Result<KTable<string, string>>(step, field);

    private T Result<T>(Fields step, string field)
        where T : class
    {
        var id = step.Text(field);
        if (!_results.TryGetValue(id, out var result)) throw new CaseFormatException($"no step before has the id '{id}'");
        return result as T ?? throw new CaseFormatException($"'{id}' is a {result.GetType().Name}, where a {typeof(T).Name} is needed");
    }
}
