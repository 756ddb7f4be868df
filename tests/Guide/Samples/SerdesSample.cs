using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Guide.Samples;

// <snippet json-serde>
public sealed record Order(string Customer, decimal Total);

[JsonSerializable(typeof(Order))]
internal sealed partial class ShopJson : JsonSerializerContext;

internal sealed class JsonSerde<T>(JsonTypeInfo<T> type) : ISerde<T>
{
    public void Serialize(T value, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output);
        JsonSerializer.Serialize(writer, value, type);
    }

    public T Deserialize(ReadOnlySpan<byte> data) =>
        JsonSerializer.Deserialize(data, type) ?? throw new SerializationException($"A {typeof(T).Name} cannot be the JSON literal null.");
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
            Serdes = new SerdeRegistry().Add(new JsonSerde<Order>(ShopJson.Default.Order)),
        });

        builder.Stream<string, Order>("orders")
            .Filter(order => order.Total > 100)
            .To("large-orders");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var serde = new JsonSerde<Order>(ShopJson.Default.Order);
        var orders = driver.CreateInputTopic("orders", Serdes.String, serde);
        orders.PipeInput("1", new Order("ann", 250));
        orders.PipeInput("2", new Order("bob", 20));
        Assert.Equal([new("1", new Order("ann", 250))], driver.CreateOutputTopic("large-orders", Serdes.String, serde).ReadKeyValuesToList());
    }

    [Fact]
    public void Serde_is_given_where_it_is_needed()
    {
        // <snippet explicit-serdes>
        var json = new JsonSerde<Order>(ShopJson.Default.Order);
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
