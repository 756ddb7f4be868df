using System.Buffers;
using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>Repartition topics, partitions, names, and serdes that joins rely on: E-81, E-90, E-91, E-95 and E-132.</summary>
public sealed class TopicTests
{
    /// <summary>E-81.</summary>
    [Fact]
    public void Foreign_key_join_with_a_serde_whose_bytes_change_fails_instead_of_losing_results()
    {
        using var lab = new Lab(static builder => builder
            .Table("left", Consumed.With(Serdes.String, new Restless()))
            .Join(builder.Table<string, string>("right"), static (_, value) => value, static (left, right) => $"{left}+{right}")
            .ToStream().To("out"));

        var failure = Assert.ThrowsAny<Exception>(() => lab.Pipe("left", "k", "v", 1));

        Assert.Contains("Restless", failure.ToString(), StringComparison.Ordinal);
        Assert.Contains("same bytes", failure.ToString(), StringComparison.Ordinal);
    }

    /// <summary>E-90.</summary>
    [Fact]
    public void New_key_before_a_grouping_costs_one_repartition_topic_and_a_new_value_none()
    {
        Assert.Equal(1, Repartitions(static stream => stream.SelectKey((_, value) => value).GroupByKey().Count().ToStream().To("out")));
        Assert.Equal(0, Repartitions(static stream => stream.MapValues(value => value + "!").Filter((_, _) => true).GroupByKey().Count().ToStream().To("out")));
        Assert.Equal(0, Repartitions(static stream => stream.SelectKey((_, value) => value).To("out")));
    }

    /// <summary>E-91.</summary>
    [Theory]
    [InlineData(TopologyOptimization.None, 2)]
    [InlineData(TopologyOptimization.MergeRepartitionTopics, 1)]
    public void Two_aggregations_of_one_new_key_share_a_topic_when_it_may_be_merged(TopologyOptimization optimization, int topics) => Assert.Equal(
        topics,
        Repartitions(
            static stream =>
            {
                var keyed = stream.SelectKey((_, value) => value);
                keyed.GroupByKey().Count().ToStream().To("out");
                keyed.GroupByKey().Reduce((one, _) => one).ToStream().To("out2");
            },
            optimization));

    /// <summary>The merged topic keeps the first one's name, and with it the name that the join waits for.</summary>
    [Fact]
    public void Named_repartitions_that_are_merged_still_join() => Assert.Equal(
        1,
        Repartitions(
            static stream =>
            {
                var keyed = stream.SelectKey((_, value) => value);
                keyed.Join(stream.ToTable(), (left, right) => left + right, Joined.As("first")).To("out");
                keyed.GroupByKey(Grouped.As("second")).Count().ToStream().To("out2");
            },
            TopologyOptimization.MergeRepartitionTopics));

    /// <summary>E-95: murmur2 of the serialised key; partitions as Java's producer gives them for these texts (recorded in the vectors of the formats).</summary>
    [Fact]
    public void Windowed_key_goes_to_the_partition_of_its_inner_key()
    {
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, string>("in");
        stream.To("plain");
        stream.GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms())).Count().ToStream().To("windowed", Produced.With(WindowedSerdes.TimeWindowed(Serdes.String, 10), Serdes.Int64));
        builder.Stream<string, string>("plain").Process(static () => new Partition<string, string>()).To("plain-at");
        builder.Stream("windowed", Consumed.With(WindowedSerdes.TimeWindowed(Serdes.String, 10), Serdes.Int64)).Process(static () => new Partition<Windowed<string>, long>()).To("windowed-at");
        using var driver = new TopologyTestDriver(builder.Build(), null, new TopologyTestDriverOptions { PartitionsPerTopic = 7 });
        var input = driver.CreateInputTopic<string, string>("in");
        var (plain, windowed) = (driver.CreateOutputTopic<string, int>("plain-at"), driver.CreateOutputTopic<string, int>("windowed-at"));
        var seen = new HashSet<int>();
        for (var key = 0; key < 30; key++)
        {
            input.PipeInput($"key-{key}", "v", 12345);
            var expected = (Murmur2.Hash(System.Text.Encoding.UTF8.GetBytes($"key-{key}")) & int.MaxValue) % 7;
            Assert.Equal(expected, plain.ReadValue());
            Assert.Equal(expected, windowed.ReadValue());
            seen.Add(expected);
        }

        Assert.True(seen.Count > 3, "keys that all go to one partition show nothing");
    }

    /// <summary>E-132: the same program gives the same text, and an operator in between moves no name that was given.</summary>
    [Fact]
    public void Names_are_the_same_each_time_and_given_ones_survive_a_new_operator()
    {
        Assert.Equal(Describe(withFilter: false), Describe(withFilter: false));
        var (before, after) = (Internals(withFilter: false), Internals(withFilter: true));
        Assert.Equal(before, after);
        Assert.Equal(["store counts", "topic by-value-repartition"], before);

        static string Describe(bool withFilter) => Written(withFilter).Describe().ToString();

        static IEnumerable<string> Internals(bool withFilter)
        {
            var topology = Written(withFilter);
            return [.. topology.Stores.Keys.Select(name => $"store {name}"), .. topology.InternalTopics.Keys.Select(name => $"topic {name}")];
        }

        static Topology Written(bool withFilter)
        {
            var builder = new StreamsBuilder();
            var stream = builder.Stream<string, string>("in");
            if (withFilter) stream = stream.Filter((_, _) => true);
            stream.GroupBy((_, value) => value, Grouped.As("by-value")).Count(Materialized.As("counts")).ToStream().To("out");
            return builder.Build();
        }
    }

    private static int Repartitions(Action<KStream<string, string>> write, TopologyOptimization optimization = TopologyOptimization.None)
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Optimization = optimization });
        write(builder.Stream<string, string>("in"));
        return builder.Build().InternalTopics.Count;
    }

    private sealed class Partition<K, V> : Processor<K, V, string, int>
    {
        public override void Process(in Record<K, V> record) => Forward(new Record<string, int>("at", Context.RecordMetadata!.Value.Partition, record.Timestamp));
    }

    // Counts how often it has written, as a serde does that walks an unordered map.
    private sealed class Restless : ISerde<string>
    {
        private int _count;

        public void Serialize(string value, IBufferWriter<byte> output) => Serdes.String.Serialize($"{value}#{_count++}", output);

        public string Deserialize(ReadOnlySpan<byte> data) => Serdes.String.Deserialize(data).Split('#')[0];
    }
}
