using System.Buffers.Binary;
using Streams.Core;
using Streams.Dsl;

namespace Bench.Engine;

/// <summary>A call of 10 ms per record, 256 at a time, 1,000 keys in random order, order per key; the end of the stream checks the order.</summary>
internal sealed class AsyncScenario : EngineScenario
{
    private const long Keys = 1000;

    public override string Name => "async";

    public override int ValueBytes => sizeof(long);

    public override Topology Build()
    {
        var builder = new StreamsBuilder();
        var last = new Dictionary<string, long>();
        builder.Stream<string, long>("input")
            .MapValuesAsync(
                async (value, cancellation) =>
                {
                    await Task.Delay(10, cancellation);
                    return value;
                },
                new AsyncOptions { MaxConcurrency = 256 })
            .ForEach((key, value) =>
            {
                if (last.TryGetValue(key, out var before) && before >= value) throw new InvalidOperationException($"Record {value} of key {key} came after {before}.");
                last[key] = value;
            });
        return builder.Build();
    }

    public override void WriteKey(long index, Span<byte> key) => DecimalKey.Write(DecimalKey.Scatter(index) % Keys, key);

    public override void WriteValue(long index, Span<byte> value) => BinaryPrimitives.WriteInt64BigEndian(value, index);

    public override double StringBytesPerRecord() => 0;
}
