using Streams.Core;
using Streams.Dsl;

namespace WordCount;

/// <summary>What the program computes; apart from the program, so that tests can run it without a broker.</summary>
public static class WordCountTopology
{
    public const string Lines = "lines";
    public const string WordCounts = "word-counts";
    public const string Counts = "counts";

    public static Topology Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(Lines)
            .FlatMapValues(Texts.Words)
            .GroupBy((_, word) => word)
            .Count(Materialized.As(Counts))
            .ToStream()
            .To(WordCounts);
        return builder.Build();
    }
}
