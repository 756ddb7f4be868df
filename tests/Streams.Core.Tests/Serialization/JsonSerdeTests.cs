using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Xunit;

namespace Streams.Core.Tests.Serialization;

public sealed partial class JsonSerdeTests
{
    public static TheoryData<bool> Sources => [true, false];

    [Theory]
    [MemberData(nameof(Sources))]
    public void Value_is_written_and_read_with_and_without_reflection(bool generated)
    {
        var serde = Orders(generated);
        var order = new Order("größe", 3, [1.5m, 2m]);

        var text = Write(serde, order);

        Assert.Equal("""{"Id":"gr\u00F6\u00DFe","Count":3,"Prices":[1.5,2]}""", text);
        var back = Read(serde, text);
        Assert.Equal((order.Id, order.Count), (back.Id, back.Count));
        Assert.Equal(order.Prices, back.Prices);
    }

    [Fact]
    public void Options_of_the_context_say_how_the_text_looks()
    {
        Assert.Equal("""{"id":"a","count":1,"prices":[]}""", Write(Serdes.Json(CamelContext.Default.Order), new Order("a", 1, [])));
        Assert.Equal(
            "{\n  \"Id\": \"a\",\n  \"Count\": 1,\n  \"Prices\": []\n}",
            Write(Serdes.Json<Order>(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }), new Order("a", 1, [])));
    }

    [Theory]
    [InlineData("""{"Id":"a","Count":"three","Prices":[]}""", "$.Count")]
    [InlineData("""{"Id":"a","Count":3,"Prices":[1,"x"]}""", "$.Prices[1]")]
    [InlineData("""{"Id":"a","Count":3""", "$")]
    [InlineData("""{"Id":"a","Count":3,"Prices":[]}x""", "$")]
    [InlineData("", "$")]
    [InlineData("\uFEFF{}", "$")]
    public void What_does_not_fit_is_told_with_type_property_and_position(string text, string path)
    {
        var failure = Assert.Throws<SerializationException>(() => Read(Serdes.Json(PlainContext.Default.Order), text));

        Assert.Contains($"JSON at {path}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Order", failure.Message, StringComparison.Ordinal);
        Assert.Contains("byte", failure.Message, StringComparison.Ordinal);
        Assert.IsType<JsonException>(failure.InnerException);
    }

    [Fact]
    public void Text_null_is_absent_where_the_type_can_be_null_and_an_error_otherwise()
    {
        Assert.Null(Read(Serdes.Json(PlainContext.Default.Order), "null"));
        Assert.Throws<SerializationException>(() => Read(Serdes.Json(PlainContext.Default.Point), "null"));
        Assert.Equal(new Point(1, 2), Read(Serdes.Json(PlainContext.Default.Point), """{"X":1,"Y":2}"""));
    }

    [Fact]
    public void What_cannot_be_written_is_told_and_the_serde_goes_on()
    {
        var serde = Serdes.Json<Node>();
        var circle = new Node();
        circle.Next = circle;

        var failure = Assert.Throws<SerializationException>(() => Write(serde, circle));

        Assert.Contains("Node", failure.Message, StringComparison.Ordinal);
        Assert.Equal("""{"Next":null}""", Write(serde, new Node()));
    }

    [Fact]
    public void Writing_takes_no_memory_of_its_own()
    {
        var serde = Serdes.Json(PlainContext.Default.Point);
        var buffer = new SerdeBuffer();
        for (var round = 0; round < 100; round++) Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1000; round++) Round();

        // The serializer itself allocates a little for each call at the lower levels of compilation; a writer for each would be 100 bytes and more.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1000, 0, 64);

        void Round()
        {
            buffer.Clear();
            serde.Serialize(new Point(1, 2), buffer);
        }
    }

    private static ISerde<Order> Orders(bool generated) => generated ? Serdes.Json(PlainContext.Default.Order) : Serdes.Json<Order>();

    private static string Write<T>(ISerde<T> serde, T value)
    {
        var buffer = new SerdeBuffer();
        serde.Serialize(value, buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static T Read<T>(ISerde<T> serde, string text) => serde.Deserialize(Encoding.UTF8.GetBytes(text));

    internal sealed record Order(string Id, int Count, decimal[] Prices);

    internal readonly record struct Point(int X, int Y);

    internal sealed class Node
    {
        public Node? Next { get; set; }
    }

    [JsonSerializable(typeof(Order))]
    [JsonSerializable(typeof(Point))]
    private sealed partial class PlainContext : JsonSerializerContext;

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Order))]
    private sealed partial class CamelContext : JsonSerializerContext;
}
