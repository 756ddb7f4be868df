using Streams.Analyzers.CodeFixes;

namespace Streams.Analyzers.Tests;

public sealed class RulesTests
{
    [Theory]
    [InlineData("stream.GroupByKey().[|Count|]();")]
    [InlineData("""stream.GroupByKey().Count(Materialized.As("x"));""")]
    [InlineData("""stream.GroupByKey().Count(named: "x");""")]
    [InlineData("""stream.GroupByKey().Count(named: Named.As("x"));""")]
    [InlineData("stream.GroupByKey().[|Count|](named: null);")]
    [InlineData("stream.GroupByKey().[|Count|](Materialized.As(StoreType.InMemory));")]
    [InlineData("stream.GroupByKey().[|Count|](Materialized.With<string, long>(Serdes.String, Serdes.Int64));")]
    [InlineData("""stream.GroupByKey().Count(Materialized.With<string, long>(Serdes.String, Serdes.Int64).WithName("x").WithCachingDisabled());""")]
    [InlineData("""var m = Materialized.As("x"); stream.GroupByKey().Count(m);""")]
    [InlineData("stream.GroupByKey().[|Reduce|]((a, b) => a + b);")]
    [InlineData("stream.GroupByKey().[|Aggregate|](() => 0L, (k, v, sum) => sum + v.Length);")]
    [InlineData("stream.GroupByKey().WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromHours(1), TimeSpan.FromHours(1))).[|Count|]();")]
    [InlineData("stream.[|Repartition|]();")]
    [InlineData("""stream.Repartition(Repartitioned.As("x"));""")]
    [InlineData("stream.[|Join|](other, (a, b) => a + b, JoinWindows.OfTimeDifferenceAndGrace(TimeSpan.FromHours(1), TimeSpan.FromHours(1)));")]
    [InlineData("stream.Join(table, (a, b) => a + b);")]
    [InlineData("stream.MapValues(v => v).Filter((k, v) => true);")]
    [InlineData("var n = new List<int> { 1 }.Count();")]
    public Task Unnamed_stateful_operator_is_reported(string statements) => Compiled.ReportsAsync("STRM001", Compiled.Body(statements));

    [Theory]
    [InlineData("keyed.MapValues((key, value) => { [|key.Id = 7|]; return value; });")]
    [InlineData("keyed.Filter((key, value) => [|key.Id++|] > 0);")]
    [InlineData("keyed.Peek((key, value) => [|key.Parts.Add(1)|]);")]
    [InlineData("keyed.Peek((key, value) => [|key.Parts[0] += 1|]);")]
    [InlineData("keyed.SelectKey(key => { [|key.Id = 1|]; return key; });")]
    [InlineData("keyed.MapValues((key, value) => value + key.Id + key.Parts.Count);")]
    [InlineData("keyed.MapValues((key, value) => { key = new Key(); return value; });")]
    [InlineData("keyed.SelectKey((key, value) => new Key { Id = key.Id + 1 });")]
    [InlineData("keyed.MapValues((key, value) => { var copy = new Key(); copy.Id = key.Id; copy.Parts.Add(1); return value; });")]
    public Task Mutated_key_is_reported(string statements) => Compiled.ReportsAsync("STRM002", Compiled.Body(statements));

    [Theory]
    [InlineData("var all = store.[|All|]();")]
    [InlineData("using var all = store.All();")]
    [InlineData("using (var all = store.All()) { }")]
    [InlineData("using (store.All()) { }")]
    [InlineData("var all = store.All(); try { } finally { all.Dispose(); }")]
    [InlineData("var all = store.All(); all?.Dispose();")]
    [InlineData("var all = store.[|All|](); while (all.MoveNext()) { }")]
    [InlineData("store.[|All|]().MoveNext();")]
    [InlineData("store.[|All|]();")]
    [InlineData("Use(store.All()); void Use(IDisposable iterator) => iterator.Dispose();")]
    [InlineData("var all = store.All(); Use(all); void Use(IDisposable iterator) => iterator.Dispose();")]
    [InlineData("IKeyValueIterator<string, long> Open() { var all = store.All(); return all; }")]
    [InlineData("IKeyValueIterator<string, long> Open() => store.All();")]
    [InlineData("""var range = store.[|Range|]("a", "b");""")]
    public Task Unclosed_iterator_is_reported(string statements) => Compiled.ReportsAsync("STRM003", Compiled.Body(statements));

    [Theory]
    [InlineData("_ = TimeWindows.[|OfSizeWithNoGrace|](TimeSpan.FromHours(1));")]
    [InlineData("_ = JoinWindows.[|OfTimeDifferenceWithNoGrace|](TimeSpan.FromHours(1));")]
    [InlineData("_ = TimeWindows.OfSizeAndGrace(TimeSpan.FromHours(1), TimeSpan.FromHours(1));")]
    public Task Window_without_grace_is_suggested_to_have_one(string statements) => Compiled.ReportsAsync("STRM004", Compiled.Body(statements));

    [Theory]
    [InlineData("var sum = 0; stream.ForEach((k, v) => [|sum += v.Length|]);")]
    [InlineData("var seen = new HashSet<string>(); stream.Filter((k, v) => [|seen.Add(k)|]);")]
    [InlineData("var text = new StringBuilder(); stream.Peek((k, v) => [|text.Append(v)|]);")]
    [InlineData("stream.Peek((k, v) => [|_total++|]);")]
    [InlineData("stream.Peek((k, v) => [|_list.Add(v)|]);")]
    [InlineData("stream.Peek((k, v) => [|s_count = 1|]);")]
    [InlineData("var map = new Dictionary<string, int>(); stream.Peek((k, v) => [|map[k] = 1|]);")]
    [InlineData("string? last = null; stream.MapValues(v => { var was = last; [|last = v|]; return was; });")]
    [InlineData("var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, int>(); stream.Filter((k, v) => seen.TryAdd(k, 1));")]
    [InlineData("stream.MapValues(v => { var list = new List<string>(); list.Add(v); var n = 0; n++; return list.Count + n; });")]
    [InlineData("var limit = 3; limit = 4; stream.Filter((k, v) => v.Length > limit);")]
    [InlineData("stream.MapValues(v => new Key { Id = v.Length });")]
    [InlineData("var list = new List<string>(); list.ForEach(v => list.Add(v));")]
    [InlineData("stream.MapValues(v => { var inner = 0; Action add = () => inner++; add(); return inner; });")]
    public Task Captured_state_that_is_changed_is_reported(string statements) => Compiled.ReportsAsync("STRM005", Compiled.Body(statements));

    [Theory]
    [InlineData("public record Left(string Id, Dictionary<string, int> Map);", true)]
    [InlineData("public record Left(string Id, Inner Inner); public record Inner(List<HashSet<int>> Sets);", true)]
    [InlineData("public class Base { public IReadOnlyDictionary<string, int>? Map { get; set; } } public class Left : Base { }", true)]
    [InlineData("public class Left { public Google.Protobuf.Collections.MapField<string, int> Map { get; } = new(); }", true)]
    [InlineData("public record Left(string Id, SortedDictionary<string, int> Map, List<Left> More, DateTime At);", false)]
    [InlineData("public class Left { [System.Text.Json.Serialization.JsonIgnore] public Dictionary<string, int>? Map { get; set; } private Dictionary<string, int>? Other { get; set; } }", false)]
    public async Task Foreign_key_join_whose_left_values_have_hash_tables_is_reported(string left, bool reported)
    {
        var join = reported ? "[|Join|]" : "Join";
        await Compiled.ReportsAsync("STRM006", $$"""
            {{left}}
            public static class Program
            {
                public static void Run(KTable<string, Left> table, KTable<int, string> other, KTable<string, string> sameKey)
                {
                    table.{{join}}(other, (key, value) => 1, (value, found) => found);
                    table.Join(sameKey, (value, found) => found);
                    sameKey.Join(other, (key, value) => 1, (value, found) => found);
                }
            }
            """);
    }

    [Fact]
    public async Task Fix_declares_the_iterator_with_using() => await Compiled.FixesAsync(
        "STRM003",
        new UseUsingFix(),
        Compiled.Body("""
            // all of them
            var all = store.All();
            """),
        Compiled.Body("""
            // all of them
            using var all = store.All();
            """));

    [Theory]
    [InlineData("var wordCounts = stream.GroupByKey().Count();", """var wordCounts = stream.GroupByKey().Count(Materialized.As("word-counts"));""")]
    [InlineData("""var x = "x"; stream.GroupByKey().Reduce((a, b) => a + b);""", """var x = "x"; stream.GroupByKey().Reduce((a, b) => a + b, Materialized.As("reduce"));""")]
    public async Task Fix_names_the_store(string before, string after) => await Compiled.FixesAsync("STRM001", new NameOperatorFix(), Compiled.Body(before), Compiled.Body(after));

    [Fact]
    public async Task Fix_gives_the_window_grace() => await Compiled.FixesAsync(
        "STRM004",
        new AddGraceFix(),
        Compiled.Body("_ = TimeWindows.OfSizeWithNoGrace(TimeSpan.FromHours(1));"),
        Compiled.Body("_ = TimeWindows.OfSizeAndGrace(TimeSpan.FromHours(1), TimeSpan.FromDays(1));"));
}
