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
    public void Generated_names_can_be_refused()
    {
        // <snippet explicit-names>
        var builder = new StreamsBuilder(new StreamsBuilderOptions { EnsureExplicitInternalResourceNaming = true });
        builder.Stream<string, string>("lines").GroupBy((_, word) => word).Count().ToStream().To("word-counts");

        var failure = Assert.Throws<TopologyException>(() => builder.Build());
        // </snippet>
        Assert.Contains("EnsureExplicitInternalResourceNaming", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Diagram()
    {
        // <snippet diagram>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("lines", Consumed.As("read-lines"))
            .GroupByKey()
            .Count(Materialized.As("counts"), "count")
            .ToStream("changes")
            .To("line-counts", Produced.As("write-counts"));

        var description = builder.Build().Describe();
        Console.WriteLine(description.ToMermaid());       // or ToDot(), for Graphviz
        // </snippet>

        // <output mermaid>
        const string Mermaid = """
            flowchart TD
              subgraph s0 ["Sub-topology 0"]
                n0["read-lines"]
                n1["count"]
                n2["changes"]
                n3["write-counts"]
                n0 --> n1
                n1 --> n2
                n2 --> n3
              end
              t4(["lines"])
              t4 --> n0
              s5[("counts")]
              n1 -.- s5
              t6(["line-counts"])
              n3 --> t6
            """;
        // </output>
        Assert.StartsWith("digraph topology {", description.ToDot(), StringComparison.Ordinal);
        Assert.Equal(Mermaid, description.ToMermaid().TrimEnd());
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
