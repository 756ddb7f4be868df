using Streams.Core;

namespace Streams.Testing.Tests;

/// <summary>Turns every record into any number of others.</summary>
internal sealed class Mapper<KIn, VIn, KOut, VOut>(Func<Record<KIn, VIn>, IEnumerable<Record<KOut, VOut>>> map) : Processor<KIn, VIn, KOut, VOut>
{
    public override void Process(in Record<KIn, VIn> record)
    {
        foreach (var result in map(record)) Forward(in result);
    }
}

internal static class Mapper
{
    public static Func<Processor<KIn, VIn>> Of<KIn, VIn, KOut, VOut>(Func<Record<KIn, VIn>, IEnumerable<Record<KOut, VOut>>> map) =>
        () => new Mapper<KIn, VIn, KOut, VOut>(map);

    public static Func<Processor<string, string>> OfStrings(Func<Record<string, string>, IEnumerable<Record<string, string>>> map) => Of(map);
}

internal static class Strings
{
    public static readonly SourceOptions<string, string> Source = new() { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String };

    public static readonly SinkOptions<string, string> Sink = new() { KeySerializer = Serdes.String, ValueSerializer = Serdes.String };
}

/// <summary>Calls back on one of the clocks and writes down when.</summary>
internal sealed class Ticker(PunctuationType type, TimeSpan every, Action<long, RecordMetadata?> fired) : Processor<string, string, string, string>
{
    public override void Process(in Record<string, string> record) => Forward(in record);

    protected override void Init() => Context.Schedule(every, type, now =>
    {
        fired(now, Context.RecordMetadata);
        Forward(new Record<string, string>("tick", $"{now}", now));
    });
}
