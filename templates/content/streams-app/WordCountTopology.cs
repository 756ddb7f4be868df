using Streams.Core;
using Streams.Dsl;
using Streams.State;

namespace StreamsApp;

/// <summary>What the program computes; apart from the program, so that tests can run it without a broker.</summary>
public static class WordCountTopology
{
    public static Topology Build()
    {
        var builder = new StreamsBuilder();

        builder.Stream<string, string>("lines")
            .FlatMapValues(line => line.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .GroupBy((_, word) => word, Grouped.As("words"))
            .Count(Materialized.As("counts").WithStoreType(StoreType.InMemory))
            .ToStream()
            .To("word-counts");

        return builder.Build();
    }
}
