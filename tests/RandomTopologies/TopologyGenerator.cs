using System.Text.Json.Nodes;

namespace RandomTopologies;

/// <summary>Writes a random topology in the notation of the recorded cases.</summary>
internal sealed class TopologyGenerator
{
    private const long Forever = 100_000_000;

    private static readonly string[] _streamTopics = ["s0", "s1", "s2"];
    private static readonly string[] _tableTopics = ["t0", "t1", "t2"];

    private readonly Random _random;
    private readonly Allowed _allowed;
    private readonly JsonArray _steps = [];
    private readonly List<Flow> _streams = [];
    private readonly List<Flow> _tables = [];
    private readonly HashSet<string> _topics = [];
    private string? _globalTable;
    private int _lastId;

    private TopologyGenerator(Random random, Allowed allowed)
    {
        _random = random;
        _allowed = allowed;
    }

    /// <summary>Makes a topology with one to eight operators between its sources and its sinks.</summary>
    /// <returns>Its steps, and the topics that it reads.</returns>
    public static (JsonArray Steps, IReadOnlyList<string> Topics) Generate(Random random, Allowed allowed)
    {
        var generator = new TopologyGenerator(random, allowed);
        generator.AddSources();
        var operators = random.Next(1, 9);
        for (var added = 0; added < operators;)
        {
            if (generator.TryAddOperator()) added++;
        }

        generator.AddSinks();
        return (generator._steps, [.. generator._topics.Order(StringComparer.Ordinal)]);
    }

    private void AddSources()
    {
        var (streams, tables) = (_random.Next(1, _streamTopics.Length + 1), _random.Next(0, _tableTopics.Length + 1));
        foreach (var topic in _streamTopics.Take(streams)) _streams.Add(Source("stream", topic));
        foreach (var topic in _tableTopics.Take(tables)) _tables.Add(Source("table", topic));
        if (!Chance(4)) return;
        _globalTable = Source("globalTable", "g0").Id;
    }

    private Flow Source(string op, string topic)
    {
        _topics.Add(topic);
        var id = NewId();
        var step = new JsonObject { ["id"] = id, ["op"] = op, ["topic"] = topic };
        if (op == "table" && Chance(2)) step["store"] = "store-" + id;
        if (op == "table" && _allowed.StreamTime && Chance(6)) step["versionedMs"] = _random.Next(5, 60);
        var isVersioned = step.ContainsKey("versionedMs");
        _steps.Add(step);
        return new Flow(id, [topic], IsPartitionedByKey: true, IsFannedOut: false, IsTableChange: op != "stream", IsDirect: true, isVersioned, IsLate: false);
    }

    // False where the drawn operator is not allowed for what was drawn: the caller draws again.
    private bool TryAddOperator()
    {
        if (_tables.Count > 0 && Chance(3)) return TryAddTableOperator(Pick(_tables));
        var stream = Pick(_streams);
        if (stream.IsTableChange && !_allowed.EachTableUpdate)
        {
            _streams.Add(Append(new JsonObject { ["op"] = "mapValues", ["vfn"] = Fn(Pick("upper", "append", "value")) }, stream));
            return true;
        }

        return _random.Next(10) switch
        {
            0 or 1 => TryAddStateless(stream),
            2 => TryAddKeyChange(stream),
            3 or 4 => TryAddAggregation(stream),
            5 or 6 => TryAddWindow(stream),
            7 => TryAddStreamJoin(stream),
            8 => TryAddTableLookup(stream),
            _ => TryAddProcessor(stream),
        };
    }

    private bool TryAddStateless(Flow stream)
    {
        switch (_random.Next(6))
        {
            case 0:
                _streams.Add(Append(new JsonObject { ["op"] = Pick("filter", "filterNot"), ["pred"] = Predicate() }, stream));
                return true;
            case 1:
                _streams.Add(Append(new JsonObject { ["op"] = "mapValues", ["vfn"] = ValueFn() }, stream));
                return true;
            case 2:
                _streams.Add(Append(new JsonObject { ["op"] = "flatMapValues" }, stream));
                return true;
            case 3:
                var other = Pick(_streams);
                if (!MayMeet(stream, other) || (other.IsTableChange && !_allowed.EachTableUpdate)) return false;
                var merged = Append(new JsonObject { ["op"] = "merge", ["with"] = other.Id }, stream);
                _streams.Add(merged.Joined(other) with { IsPartitionedByKey = stream.IsPartitionedByKey && other.IsPartitionedByKey });
                return true;
            case 4:
                var step = new JsonObject { ["op"] = "repartition", ["name"] = "again-" + (_lastId + 1) };
                if (_allowed.RepartitionCounts && Chance(2)) step["partitions"] = _random.Next(1, 5);
                _streams.Add(Append(step, stream) with { IsPartitionedByKey = true });
                return true;
            default:
                Split(stream);
                return true;
        }
    }

    private void Split(Flow stream)
    {
        var branches = new JsonArray();
        for (var count = _random.Next(1, 4); count > 0; count--)
        {
            var id = NewId();
            branches.Add(new JsonObject { ["pred"] = Predicate(), ["id"] = id });
            _streams.Add(stream with { Id = id });
        }

        var split = new JsonObject { ["op"] = "split", ["from"] = stream.Id, ["branches"] = branches };
        if (Chance(2))
        {
            var other = NewId();
            split["default"] = other;
            _streams.Add(stream with { Id = other });
        }

        _steps.Add(split);
    }

    private bool TryAddKeyChange(Flow stream)
    {
        if (stream.IsFannedOut && !_allowed.KeyChangeAfterFanOut) return false;
        switch (_random.Next(3))
        {
            case 0:
                _streams.Add(Append(new JsonObject { ["op"] = "selectKey", ["kfn"] = KeyFn() }, stream) with { IsPartitionedByKey = false });
                return true;
            case 1:
                _streams.Add(Append(new JsonObject { ["op"] = "map", ["kfn"] = KeyFn(), ["vfn"] = ValueFn() }, stream) with { IsPartitionedByKey = false });
                return true;
            default:
                _streams.Add(Append(new JsonObject { ["op"] = "flatMap" }, stream) with { IsPartitionedByKey = false, IsFannedOut = true });
                return true;
        }
    }

    private bool TryAddAggregation(Flow stream)
    {
        switch (_random.Next(5))
        {
            case 0:
                _streams.Add(Append(Grouping("count", stream), stream).Repartitioned() with { IsTableChange = true });
                return true;
            case 1:
                var reduce = Grouping("reduce", stream);
                reduce["agg"] = Reducer();
                _tables.Add(Append(reduce, stream).Repartitioned() with { IsDirect = true });
                return true;
            case 2:
                var aggregate = Grouping("aggregate", stream);
                aggregate["agg"] = Aggregator();
                _tables.Add(Append(aggregate, stream).Repartitioned() with { IsDirect = true });
                return true;
            case 3:
                var toTable = new JsonObject { ["op"] = "toTable" };
                Store(toTable);
                _tables.Add(Append(toTable, stream).Repartitioned() with { IsDirect = true });
                return true;
            default:
                return TryAddCogroup(stream);
        }
    }

    private bool TryAddCogroup(Flow stream)
    {
        var other = Pick(_streams);
        if (!MayMeet(stream, other) || other == stream || (other.IsTableChange && !_allowed.EachTableUpdate)) return false;
        var inputs = new JsonArray();
        foreach (var input in (Flow[])[stream, other])
        {
            // Not countText, which cannot go on from another's text.
            var grouping = new JsonObject { ["from"] = input.Id, ["agg"] = Pick("concat", "concatKey", "nullOnX") };
            if (Chance(3) && MayChangeKey(input)) grouping["by"] = KeyFn();

            // Two repartition topics of one cogroup would both be called after its store.
            grouping["groupName"] = $"group-{_lastId + 1}-{inputs.Count}";
            inputs.Add(grouping);
        }

        var step = new JsonObject { ["op"] = "cogroup", ["inputs"] = inputs };
        Store(step);
        if (!Chance(3))
        {
            _tables.Add(Append(step, null).From(stream).Joined(other).Repartitioned() with { IsDirect = true });
            return true;
        }

        var isLate = stream.IsLate || other.IsLate;
        step["window"] = Window(isLate);
        _streams.Add(Append(step, null).From(stream).Joined(other).Repartitioned() with
        {
            IsTableChange = true, IsFannedOut = true, IsPartitionedByKey = false, IsLate = isLate || IsSession(step),
        });
        return true;
    }

    private bool TryAddWindow(Flow stream)
    {
        var step = Grouping("windowed", stream);
        step["window"] = Window(stream.IsLate);
        step["agg"] = Pick("count", "reduce:" + Reducer(), "aggregate:" + Pick("concat", "concatKey", "countText"));
        if (_allowed.StreamTime && _allowed.EmitOnClose && Chance(4)) step["emit"] = "close";
        else if (_allowed.StreamTime && Chance(4)) step["suppress"] = new JsonObject { ["until"] = "windowCloses" };
        _streams.Add(Append(step, stream).Repartitioned() with
        {
            IsTableChange = true,
            IsFannedOut = true,
            IsPartitionedByKey = false,
            IsLate = stream.IsLate || IsSession(step) || step.ContainsKey("emit") || step.ContainsKey("suppress"),
        });
        return true;
    }

    private bool TryAddStreamJoin(Flow stream)
    {
        var other = Pick(_streams);
        if (!MayMeet(stream, other) || (other.IsTableChange && !_allowed.EachTableUpdate)) return false;
        var op = _allowed.StreamTime ? Pick("join", "leftJoin", "outerJoin") : "join";

        // How long after its time a non-match is found depends on what the join remembers of its last search.
        var isSearch = op != "join" && !_allowed.LateRecords;
        var step = new JsonObject
        {
            ["op"] = op,
            ["with"] = other.Id,
            ["withinMs"] = _random.Next(0, 21),
            ["graceMs"] = isSearch ? Forever : GraceMs(stream.IsLate || other.IsLate),
        };
        if (Chance(4)) step["beforeMs"] = _random.Next(0, 11);
        if (Chance(4)) step["afterMs"] = _random.Next(0, 11);
        var result = Append(step, stream).Joined(other).Repartitioned();
        _streams.Add(result with { IsLate = result.IsLate || (op != "join" && !isSearch) });
        return true;
    }

    private bool TryAddTableLookup(Flow stream)
    {
        if (_globalTable is not null && Chance(3))
        {
            _streams.Add(Append(new JsonObject { ["op"] = Pick("joinGlobal", "leftJoinGlobal"), ["with"] = _globalTable, ["kfn"] = KeyFn() }, stream));
            return true;
        }

        if (_tables.Count == 0) return false;
        var table = Pick(_tables);
        if (!MayMeet(stream, table) || (!table.IsDirect && !_allowed.EachTableUpdate)) return false;
        var step = new JsonObject { ["op"] = Pick("joinTable", "leftJoinTable"), ["with"] = table.Id };
        if (table.IsVersioned && !NeedsOrder(stream) && Chance(2)) step["graceMs"] = _random.Next(0, 5);
        var result = Append(step, stream).Joined(table).Repartitioned();
        _streams.Add(result with { IsLate = result.IsLate || step.ContainsKey("graceMs") });
        return true;
    }

    private bool TryAddProcessor(Flow stream)
    {
        var kind = Pick("dedupe", "header", "shift", "meta", "range", "punctuateStream", "punctuateWall");
        if (kind is "meta" or "range" && !_allowed.WholePartition) return false;
        if (kind.StartsWith("punctuate", StringComparison.Ordinal) && !_allowed.Punctuation) return false;
        if (kind == "dedupe" && !stream.IsPartitionedByKey && !_allowed.WholePartition) return false;
        var step = new JsonObject { ["op"] = "process", ["kind"] = kind };
        if (kind is "dedupe" or "range" or "punctuateStream" or "punctuateWall") step["store"] = "store-" + (_lastId + 1);
        if (kind is "shift" or "punctuateStream" or "punctuateWall") step["everyMs"] = _random.Next(1, 20);
        _streams.Add(Append(step, stream) with { IsPartitionedByKey = false, IsLate = stream.IsLate || kind == "shift" });
        return true;
    }

    private bool TryAddTableOperator(Flow table)
    {
        switch (_random.Next(8))
        {
            case 0 or 1:
                var filter = new JsonObject { ["op"] = Pick("tableFilter", "tableFilterNot"), ["pred"] = Predicate() };
                if (Chance(2)) Store(filter);
                _tables.Add(Append(filter, table) with { IsDirect = false });
                return true;
            case 2:
                var map = new JsonObject { ["op"] = "tableMapValues", ["vfn"] = ValueFn() };
                if (Chance(2)) Store(map);
                _tables.Add(Append(map, table) with { IsDirect = false });
                return true;
            case 3:
                if (table.IsVersioned || !_allowed.StreamTime || NeedsOrder(table)) return false;
                var suppress = new JsonObject { ["op"] = "tableSuppress", ["limitMs"] = _random.Next(1, 30) };
                if (Chance(2)) suppress["maxRecords"] = _random.Next(1, 5);
                _tables.Add(Append(suppress, table) with { IsDirect = false, IsLate = true });
                return true;
            case 4:
                return TryGroupTable(table);
            case 5 or 6:
                return TryJoinTables(table);
            default:
                _streams.Add(Append(new JsonObject { ["op"] = "toStream" }, table) with { IsTableChange = true });
                return true;
        }
    }

    private bool TryGroupTable(Flow table)
    {
        if (!MayChangeKey(table)) return false;

        // Two tables whose changes a commit lets go together each find the other's new value and no old result: Kafka Streams counts that twice (KAFKA-4609).
        if (table.IsOfTwoTables && !_allowed.EachTableUpdate) return false;
        var step = new JsonObject { ["op"] = "tableGroup", ["kfn"] = Fn(Pick("firstChar", "value", "key")), ["vfn"] = Fn(Pick("value", "upper")) };
        Store(step);

        // What is subtracted and added in between shows in texts, not in counts.
        step["agg"] = _allowed.EachTableUpdate ? Pick("count", "reduce", "aggregate") : "count";
        var result = Append(step, table).Repartitioned() with { IsFannedOut = true, IsTableChange = true, IsDirect = true };
        if ((string?)step["agg"] == "count") _streams.Add(result);
        else _tables.Add(result);
        return true;
    }

    private bool TryJoinTables(Flow table)
    {
        var other = Pick(_tables);
        if (!MayMeet(table, other)) return false;
        if (_allowed.ForeignKeys && !table.IsVersioned && !other.IsVersioned && Chance(3))
        {
            _tables.Add(Append(new JsonObject { ["op"] = Pick("fkJoin", "fkLeftJoin"), ["with"] = other.Id, ["fk"] = Fn(Pick("firstChar", "value")) }, table)
                .Joined(other) with { IsDirect = false, IsFannedOut = true });
            return true;
        }

        var step = new JsonObject { ["op"] = Pick("tableJoin", "tableLeftJoin", "tableOuterJoin"), ["with"] = other.Id };
        if (Chance(2)) Store(step);
        _tables.Add(Append(step, table).Joined(other) with { IsDirect = false, IsOfTwoTables = true });
        return true;
    }

    private void AddSinks()
    {
        // What nothing reads would show nothing: every stream and table of the topology is written out.
        foreach (var table in _tables) _streams.Add(Append(new JsonObject { ["op"] = "toStream" }, table));
        foreach (var stream in _streams)
        {
            _steps.Add(_allowed.EachTableUpdate && Chance(12)
                ? new JsonObject { ["op"] = "toDynamic", ["from"] = stream.Id }
                : new JsonObject { ["op"] = "to", ["from"] = stream.Id, ["topic"] = "out-" + stream.Id });
        }
    }

    private Flow Append(JsonObject step, Flow? from)
    {
        var id = NewId();
        step["id"] = id;
        if (from is not null) step["from"] = from.Id;
        _steps.Add(step);
        return (from ?? new Flow(id, [], true, false, false, false, false, false)) with { Id = id, IsVersioned = false };
    }

    private JsonObject Grouping(string op, Flow stream)
    {
        var step = new JsonObject { ["op"] = op };
        if (Chance(3) && MayChangeKey(stream)) step["by"] = KeyFn();
        Store(step);
        return step;
    }

    private void Store(JsonObject step)
    {
        if (Chance(2)) step["store"] = "store-" + (_lastId + 1);
        if (Chance(8)) step["caching"] = false;
    }

    private bool MayChangeKey(Flow flow) => !flow.IsFannedOut || _allowed.KeyChangeAfterFanOut;

    private bool MayMeet(Flow one, Flow other) => _allowed.SharedAncestry || !one.Roots.Overlaps(other.Roots);

    private JsonObject Window(bool isLate) => Pick("tumbling", "hopping", "sliding", "session") switch
    {
        "tumbling" => new JsonObject { ["type"] = "tumbling", ["sizeMs"] = _random.Next(1, 21), ["graceMs"] = GraceMs(isLate) },
        "hopping" => new JsonObject { ["type"] = "hopping", ["sizeMs"] = 12, ["advanceMs"] = _random.Next(3, 13), ["graceMs"] = GraceMs(isLate) },
        "sliding" => new JsonObject { ["type"] = "sliding", ["diffMs"] = _random.Next(0, 15), ["graceMs"] = GraceMs(isLate) },
        _ => new JsonObject { ["type"] = "session", ["gapMs"] = _random.Next(1, 10), ["graceMs"] = GraceMs(isLate) },
    };

    private static bool IsSession(JsonObject step) => (string?)step["window"]!["type"] == "session";

    // Where only the operator's own memory, which a restart empties, says that a record is late.
    private bool NeedsOrder(Flow flow) => flow.IsLate && !_allowed.LateRecords;

    private long GraceMs(bool isLate) => _allowed.StreamTime && (_allowed.LateRecords || !isLate) ? Pick(0L, 5, 30, Forever) : Forever;

    private JsonObject Predicate()
    {
        var name = Pick("keyEq", "keyNotNull", "valueContains", "valueLenGt", "valueNotNull", "valueIsNull", "true", "false");
        return name switch
        {
            "keyEq" => Fn(name, Pick("a", "b")),
            "valueContains" => Fn(name, Pick("a", "x", ",")),
            "valueLenGt" => Fn(name, Pick("0", "1", "3")),
            _ => Fn(name),
        };
    }

    private JsonObject ValueFn() => Fn(Pick("key", "value", "null", "upper", "append", "keyValue", "firstChar", "lastChar", "nullIfContains", "length", "before", "const"));

    private JsonObject KeyFn() => Fn(Pick("key", "value", "keyAppend", "firstChar", "lastChar", "nullIfContains", "const"));

    private string Reducer() => Pick("concat", "max", "last", "minus", "nullOnX");

    private string Aggregator() => Pick("concat", "concatKey", "countText", "nullOnX");

    private static JsonObject Fn(string name, string? argument = null)
    {
        var fn = new JsonObject { ["fn"] = name };
        argument ??= name switch
        {
            "const" => "c",
            "append" => "+",
            "keyAppend" => "!",
            "nullIfContains" => "x",
            "before" => ",",
            _ => null,
        };
        if (argument is not null) fn["arg"] = argument;
        return fn;
    }

    private string NewId() => "n" + ++_lastId;

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private T Pick<T>(List<T> choices) => choices[_random.Next(choices.Count)];

    /// <summary>A stream or table so far.</summary>
    /// <param name="Id">Its id among the steps.</param>
    /// <param name="Roots">Topics it comes from.</param>
    /// <param name="IsPartitionedByKey">Whether records of one key are in one partition.</param>
    /// <param name="IsFannedOut">Whether one record of a topic may have become several of different keys.</param>
    /// <param name="IsTableChange">Whether a record stands for the change of a table's row.</param>
    /// <param name="IsDirect">Whether a table shows a change at once, not only when a cache lets it go.</param>
    /// <param name="IsVersioned">Whether a table keeps older versions.</param>
    /// <param name="IsLate">Whether a record may be older than one before it even where no record of a topic is.</param>
    private sealed record Flow(
        string Id, HashSet<string> Roots, bool IsPartitionedByKey, bool IsFannedOut, bool IsTableChange, bool IsDirect, bool IsVersioned, bool IsLate)
    {
        /// <summary>Whether it is a join of two tables, or made of one.</summary>
        public bool IsOfTwoTables { get; init; }

        public Flow From(Flow other) => other with { Id = Id, IsVersioned = false };

        public Flow Joined(Flow other) => this with
        {
            Roots = Roots.Union(other.Roots).ToHashSet(),
            IsFannedOut = IsFannedOut || other.IsFannedOut,
            IsTableChange = IsTableChange || other.IsTableChange,
            IsLate = IsLate || other.IsLate,
            IsOfTwoTables = IsOfTwoTables || other.IsOfTwoTables,
        };

        public Flow Repartitioned() => this with { IsPartitionedByKey = true };
    }
}
