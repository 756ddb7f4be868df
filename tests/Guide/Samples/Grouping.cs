namespace Guide.Samples;

/// <summary>docs/guide/grouping-and-aggregation.md.</summary>
public sealed class Grouping
{
    // <snippet stats>
    private readonly record struct Stats(long Count, long Sum);

    private sealed class StatsSerde : ISerde<Stats>
    {
        public void Serialize(Stats value, System.Buffers.IBufferWriter<byte> output)
        {
            Serdes.Int64.Serialize(value.Count, output);
            Serdes.Int64.Serialize(value.Sum, output);
        }

        public Stats Deserialize(ReadOnlySpan<byte> data) => data.Length == 16
            ? new Stats(Serdes.Int64.Deserialize(data[..8]), Serdes.Int64.Deserialize(data[8..]))
            : throw new SerializationException($"Stats are 16 bytes, not {data.Length}.");
    }
    // </snippet>

    [Fact]
    public void Count_reduce_aggregate()
    {
        // <snippet aggregate>
        var builder = new StreamsBuilder();
        var byCustomer = builder.Stream<string, long>("payments").GroupByKey();

        byCustomer.Count().ToStream().To("payment-count");
        byCustomer.Reduce((largest, next) => Math.Max(largest, next)).ToStream().To("largest-payment");
        byCustomer.Aggregate(
                () => new Stats(0, 0),
                (customer, cents, stats) => new Stats(stats.Count + 1, stats.Sum + cents),
                Materialized.With(Serdes.String, new StatsSerde()).WithName("stats"))
            .MapValues(stats => (double)stats.Sum / stats.Count)
            .ToStream().To("average-payment");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var payments = driver.CreateInputTopic<string, long>("payments");
        foreach (var cents in new long[] { 10, 30, 20 }) payments.PipeInput("ann", cents);
        Assert.Equal([1, 2, 3], driver.CreateOutputTopic<string, long>("payment-count").ReadValuesToList());
        Assert.Equal([10, 30, 30], driver.CreateOutputTopic<string, long>("largest-payment").ReadValuesToList());
        Assert.Equal([10.0, 20.0, 20.0], driver.CreateOutputTopic<string, double>("average-payment").ReadValuesToList());
        Assert.Equal(new Stats(3, 60), driver.GetTimestampedKeyValueStore<string, Stats>("stats").TryGet("ann", out var row) ? row.Value : default);
    }

    [Fact]
    public void Cogroup()
    {
        // <snippet cogroup>
        var builder = new StreamsBuilder();
        var deposits = builder.Stream<string, long>("deposits").GroupByKey();
        var fees = builder.Stream<string, long>("fees").GroupByKey();

        deposits.Cogroup<long>((account, cents, balance) => balance + cents)
            .Cogroup(fees, (account, cents, balance) => balance - cents)
            .Aggregate(() => 0L, Materialized.As("balances"))
            .ToStream().To("balances-out");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, long>("deposits").PipeInput("acc", 100L);
        driver.CreateInputTopic<string, long>("fees").PipeInput("acc", 3L);
        Assert.Equal([100, 97], driver.CreateOutputTopic<string, long>("balances-out").ReadValuesToList());
    }

    [Fact]
    public void Grouped_table_takes_away_what_has_moved()
    {
        // <snippet grouped-table>
        var builder = new StreamsBuilder();
        builder.Table<string, string>("city-of-person")
            .GroupBy((person, city) => KeyValue.Pair(city, person))
            .Count(Materialized.As("people-per-city"))
            .ToStream().To("people-per-city-out");

        using var driver = new TopologyTestDriver(builder.Build());
        var people = driver.CreateInputTopic<string, string>("city-of-person");
        people.PipeInput("ann", "Rome");
        people.PipeInput("bob", "Rome");
        people.PipeInput("ann", "Oslo");      // moves: one less in Rome, one more in Oslo

        var counts = driver.CreateOutputTopic<string, long>("people-per-city-out").ReadKeyValuesToMap();
        Assert.Equal(1, counts["Rome"]);
        Assert.Equal(1, counts["Oslo"]);
        // </snippet>
    }
}
