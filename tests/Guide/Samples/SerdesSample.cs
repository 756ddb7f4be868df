using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json.Serialization;

namespace Guide.Samples;

// <snippet json-context>
public sealed record Order(string Customer, decimal Total);

[JsonSerializable(typeof(Order))]
internal sealed partial class ShopJson : JsonSerializerContext;
// </snippet>

// <snippet own-serde>
public readonly record struct Temperature(short TenthsOfCelsius);

internal sealed class TemperatureSerde : ISerde<Temperature>
{
    public void Serialize(Temperature value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt16BigEndian(output.GetSpan(sizeof(short)), value.TenthsOfCelsius);
        output.Advance(sizeof(short));
    }

    public Temperature Deserialize(ReadOnlySpan<byte> data) => data.Length == sizeof(short)
        ? new Temperature(BinaryPrimitives.ReadInt16BigEndian(data))
        : throw new SerializationException($"A temperature has 2 bytes, not {data.Length}.");
}
// </snippet>

/// <summary>docs/guide/serdes.md.</summary>
public sealed class SerdesSample
{
    [Fact]
    public void Serde_of_a_type_is_registered_once()
    {
        // <snippet registry>
        var builder = new StreamsBuilder(new StreamsBuilderOptions
        {
            Serdes = new SerdeRegistry().AddJson(ShopJson.Default),
        });

        builder.Stream<string, Order>("orders")
            .Filter(order => order.Total > 100)
            .To("large-orders");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var serde = Serdes.Json(ShopJson.Default.Order);
        var orders = driver.CreateInputTopic("orders", Serdes.String, serde);
        orders.PipeInput("1", new Order("ann", 250));
        orders.PipeInput("2", new Order("bob", 20));
        Assert.Equal([new("1", new Order("ann", 250))], driver.CreateOutputTopic("large-orders", Serdes.String, serde).ReadKeyValuesToList());
    }

    [Fact]
    public void Serde_is_given_where_it_is_needed()
    {
        // <snippet explicit-serdes>
        var json = Serdes.Json(ShopJson.Default.Order);
        var builder = new StreamsBuilder();

        builder.Stream("orders", Consumed.With(Serdes.String, json))
            .GroupBy((_, order) => order.Customer, Grouped.With(Serdes.String, json))
            .Count(Materialized.With(Serdes.String, Serdes.Int64))
            .ToStream()
            .To("orders-per-customer", Produced.With(Serdes.String, Serdes.Int64));
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic("orders", Serdes.String, json).PipeInput("1", new Order("ann", 250));
        Assert.Equal([new("ann", 1)], driver.CreateOutputTopic<string, long>("orders-per-customer").ReadKeyValuesToList());
    }

    [Fact]
    public void Serde_of_ones_own_reads_what_it_writes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        new TemperatureSerde().Serialize(new Temperature(-55), bytes);
        Assert.Equal(new Temperature(-55), new TemperatureSerde().Deserialize(bytes.WrittenSpan));
        Assert.Throws<SerializationException>(() => new TemperatureSerde().Deserialize(new byte[3]));
    }

    [Fact]
    public void Missing_serde_is_told_when_the_topology_is_built()
    {
        // <snippet missing-serde>
        var builder = new StreamsBuilder();
        builder.Stream<string, Order>("orders", Consumed.As("read-orders")).Filter(order => order.Total > 100).GroupByKey().Count();

        var failure = Assert.Throws<TopologyException>(() => builder.Build());
        // </snippet>
        Assert.Contains("'read-orders'", failure.Message, StringComparison.Ordinal);

        // <output missing-serde-message>
        const string Message = """
            Operator 'read-orders' has no serde for its value type Order. Give one with Consumed.With, or register one for Order in StreamsBuilderOptions.Serdes.
            """;
        // </output>
        Assert.Equal(Message, failure.Message);
    }
}
