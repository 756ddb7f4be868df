namespace Guide.Samples;

/// <summary>docs/guide/naming-and-describe.md.</summary>
public sealed class Naming
{
    [Fact]
    public void Description()
    {
        // <snippet named>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("lines", Consumed.As("read-lines"))
            .FlatMapValues(line => line.Split(' '), Named.As("split"))
            .GroupBy((_, word) => word, Grouped.As("by-word"))
            .Count(Materialized.As("counts"))
            .ToStream(Named.As("changes"))
            .To("word-counts", Produced.As("write-counts"));

        Console.WriteLine(builder.Build().Describe());
        // </snippet>

        // <output described>
        const string Description = """
            Topologies:
               Sub-topology: 0
                Source: read-lines (topics: [lines])
                  --> split
                Processor: split (stores: [])
                  --> by-word
                  <-- read-lines
                Processor: by-word (stores: [])
                  --> by-word-repartition-filter
                  <-- split
                Processor: by-word-repartition-filter (stores: [])
                  --> by-word-repartition-sink
                  <-- by-word
                Sink: by-word-repartition-sink (topic: by-word-repartition)
                  <-- by-word-repartition-filter

              Sub-topology: 1
                Source: by-word-repartition-source (topics: [by-word-repartition])
                  --> KSTREAM-AGGREGATE-0000000003
                Processor: KSTREAM-AGGREGATE-0000000003 (stores: [counts])
                  --> changes
                  <-- by-word-repartition-source
                Processor: changes (stores: [])
                  --> write-counts
                  <-- KSTREAM-AGGREGATE-0000000003
                Sink: write-counts (topic: word-counts)
                  <-- changes
            """;
        // </output>
        Assert.Equal(Description, builder.Build().Describe().ToString().TrimEnd());
    }

    [Fact]
    public void Optimiser()
    {
        // <snippet optimise>
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Optimization = TopologyOptimization.All });
        // </snippet>
        builder.Table<string, string>("names", materialized: Materialized.As("names-store")).ToStream().To("out");
        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("names").PipeInput("k", "v");
        Assert.Equal(["out"], driver.ProducedTopicNames);
    }
}
