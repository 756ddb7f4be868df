using Streams.Core;
using Streams.Dsl;

namespace Bench.Engine;

/// <summary>Count by key and tumbling minute, 10,000 keys, on RocksDB, changelog on.</summary>
internal sealed class WindowScenario : EngineScenario
{
    private const long Keys = 10_000;

    public override string Name => "window-rocksdb";

    public override Topology Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(1)))
            .Count(Materialized.As("windows"))
            .ToStream((window, _) => window.Key)
            .To("output");
        return builder.Build();
    }

    // Ten records per millisecond: a window takes 600,000 records, and a run sees it change.
    public override long Timestamp(long index) => 1_700_000_000_000 + (index / 10);

    public override void WriteKey(long index, Span<byte> key) => DecimalKey.Write(DecimalKey.Scatter(index) % Keys, key);

    public override double StringBytesPerRecord() => Allocation.OfKeyAndValue(this);
}

/// <summary>A stream that looks a table of 100,000 keys up; every tenth record is an update of the table.</summary>
internal sealed class TableJoinScenario(StoreType store) : EngineScenario
{
    private const long Keys = 100_000;

    public override string Name => store == StoreType.InMemory ? "table-join-memory" : "table-join-rocksdb";

    public override IReadOnlyList<string> Topics => ["input", "table"];

    public override string Topic(long index) => index % 10 == 0 ? "table" : "input";

    public override Topology Build()
    {
        var builder = new StreamsBuilder();
        var table = builder.Table<string, string>("table", materialized: Materialized.As("table").WithStoreType(store));
        builder.Stream<string, string>("input")
            .Join(table, (left, right) => left.Length > right.Length ? left : right)
            .To("output");
        return builder.Build();
    }

    public override void WriteKey(long index, Span<byte> key) => DecimalKey.Write(DecimalKey.Scatter(index) % Keys, key);

    public override double StringBytesPerRecord() => Allocation.OfKeyAndValue(this);
}

/// <summary>Two streams joined within five seconds before and after, 10,000 keys, on RocksDB, changelogs on.</summary>
internal sealed class StreamJoinScenario : EngineScenario
{
    private const long Keys = 10_000;

    public override string Name => "stream-join-rocksdb";

    public override IReadOnlyList<string> Topics => ["input", "other"];

    public override string Topic(long index) => index % 2 == 0 ? "input" : "other";

    public override Topology Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input")
            .Join(
                builder.Stream<string, string>("other"),
                (left, right) => left.Length > right.Length ? left : right,
                JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(5)))
            .To("output");
        return builder.Build();
    }

    // One record per millisecond: 10,000 records in the window, so half a match on either side for each record.
    public override long Timestamp(long index) => 1_700_000_000_000 + index;

    public override void WriteKey(long index, Span<byte> key) => DecimalKey.Write(DecimalKey.Scatter(index) % Keys, key);

    public override double StringBytesPerRecord() => Allocation.OfKeyAndValue(this);
}
