using Streams.Core;
using Streams.Dsl;

namespace Chaos;

/// <summary>An application that looks everything up in a global table: questions in, answers out.</summary>
internal static class GlobalApplication
{
    public const string Facts = "facts";
    public const string Questions = "questions";
    public const string Answers = "answers";

    public static Topology Build()
    {
        var builder = new StreamsBuilder();
        var facts = builder.GlobalTable<string, string>(Facts, materialized: Materialized.As("facts-store"));
        builder.Stream<string, string>(Questions)
            .LeftJoin(facts, static (_, fact) => fact, static (string question, string? fact) => $"{question}: {fact ?? "unknown"}")
            .To(Answers);
        return builder.Build();
    }
}
