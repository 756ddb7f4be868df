using System.Buffers;
using System.Text;
using Streams.Core;
using Streams.Dsl;

namespace Bench.Engine;

/// <summary>Filter that lets 90 % pass, upper-case, to a topic: 12-byte keys, 50-byte values.</summary>
internal sealed class StatelessScenario : EngineScenario
{
    public override string Name => "stateless";

    public override Topology Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input")
            .Filter((key, _) => key[^1] != '7')
            .MapValues(UpperCase.Of)
            .To("output");
        return builder.Build();
    }

    public override void WriteKey(long index, Span<byte> key) => DecimalKey.Write(index % 100_000, key);

    // Besides key and value, nine of ten values in upper case.
    public override double StringBytesPerRecord() => Allocation.OfKeyAndValue(this) + (0.9 * Allocation.Of(() => new string('a', ValueBytes)));
}

/// <summary>Count by key, 100,000 keys in random order, changelog on.</summary>
internal sealed class CountScenario(StoreType store) : EngineScenario
{
    private const long Keys = 100_000;

    public override string Name => store == StoreType.InMemory ? "count-memory" : "count-rocksdb";

    public override Topology Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input")
            .GroupByKey()
            .Count(Materialized.As("counts").WithStoreType(store))
            .ToStream()
            .To("output");
        return builder.Build();
    }

    // A multiplicative hash of the index: every key as often as any other, in no order, the same in every run.
    public override void WriteKey(long index, Span<byte> key) =>
        DecimalKey.Write(DecimalKey.Scatter(index) % Keys, key);

    public override double StringBytesPerRecord() => Allocation.OfKeyAndValue(this);
}

/// <summary>
/// <see cref="string.ToUpperInvariant"/> without its slow path: programs without ICU, as these are, change case one character at a time, which took a
/// quarter of the whole scenario.
/// </summary>
internal static class UpperCase
{
    public static string Of(string text) => string.Create(text.Length, text, static (upper, source) =>
    {
        if (Ascii.ToUpper(source, upper, out _) != OperationStatus.Done) source.AsSpan().ToUpperInvariant(upper);
    });
}

internal static class DecimalKey
{
    /// <summary>A multiplicative hash: consecutive numbers far apart.</summary>
    public static long Scatter(long index) => (long)(unchecked((ulong)index * 0x9E3779B97F4A7C15UL) >> 20);

    public static void Write(long number, Span<byte> key)
    {
        key.Fill((byte)'0');
        for (var position = key.Length - 1; number > 0 && position >= 0; position--)
        {
            key[position] = (byte)('0' + (number % 10));
            number /= 10;
        }
    }
}

internal static class Allocation
{
    /// <summary>Bytes of the strings that a record's key and value become.</summary>
    public static double OfKeyAndValue(EngineScenario scenario)
    {
        var key = new byte[scenario.KeyBytes];
        var value = new byte[scenario.ValueBytes];
        scenario.WriteKey(0, key);
        scenario.WriteValue(0, value);
        return Of(() => Encoding.UTF8.GetString(key)) + Of(() => Encoding.UTF8.GetString(value));
    }

    /// <summary>Bytes that one call allocates.</summary>
    public static double Of(Func<object> make)
    {
        const int Calls = 1000;
        make();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < Calls; call++) make();
        return (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
    }
}
