using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Streams.Core;
using Streams.SchemaRegistry.Protobuf;
using Streams.SchemaRegistry.Tests.Shop;

namespace Streams.SchemaRegistry.Tests;

public sealed class ProtobufSerdeTests : IAsyncLifetime
{
    private static readonly SchemaSerdeOptions s_options = new() { Subject = SubjectNameStrategy.TopicValue("orders") };

    private TestRegistry _registry = null!;
    private SchemaRegistryClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _registry = await TestRegistry.StartAsync();
        _client = _registry.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Imports_are_registered_first_and_named_in_the_schema()
    {
        var serde = new ProtobufSerde<Order>(_client, s_options);
        await serde.PrepareAsync(Token);
        Assert.Equal(["orders-value", "shop/money.proto"], await _client.GetSubjectsAsync(Token));
        var schema = (await _client.GetLatestAsync("orders-value", Token)).Schema;
        Assert.Equal(SchemaType.Protobuf, schema.Type);
        Assert.Equal([new SchemaReference("shop/money.proto", "shop/money.proto", 1)], schema.References);
        Assert.Equal(Order.Descriptor.File.SerializedData, ByteString.FromBase64(schema.Text));
    }

    [Fact]
    public void Message_comes_back_and_has_the_framing_and_protoc_bytes()
    {
        var order = new Order
        {
            Id = "o-1",
            Total = new Money { Currency = "EUR", Units = 12 },
            At = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddDays(1)),
            Lines = { new Order.Types.Line { Article = "tea", Count = 2 } },
            Labels = { ["a"] = "b" },
        };
        var serde = new ProtobufSerde<Order>(_client, s_options);
        var bytes = Serialize(serde, order);
        Assert.Equal("0000000002" + "00" + Convert.ToHexStringLower(order.ToByteArray()), Convert.ToHexStringLower(bytes));
        Assert.Equal(order, serde.Deserialize(bytes));
    }

    [Fact]
    public void Path_of_a_second_and_of_a_nested_message_is_written()
    {
        var refund = Serialize(new ProtobufSerde<Refund>(_client, s_options), new Refund { OrderId = "x" });
        Assert.Equal("0202" + "0a0178", Convert.ToHexStringLower(refund.AsSpan(5)));
        var line = Serialize(new ProtobufSerde<Order.Types.Line>(_client, s_options), new Order.Types.Line { Count = 1 });

        // protoc makes a nested message of the map field's entries; it comes first, as the field does.
        Assert.Equal("040002" + "1001", Convert.ToHexStringLower(line.AsSpan(5)));
        Assert.Equal("x", new ProtobufSerde<Refund>(_client, s_options).Deserialize(refund).OrderId);
    }

    [Fact]
    public void Registry_is_asked_with_the_first_message_only_and_never_by_a_reader()
    {
        var serde = new ProtobufSerde<Refund>(_client, s_options);
        var bytes = Serialize(serde, new Refund());
        var asked = _registry.Requests.Count;
        Serialize(serde, new Refund { OrderId = "2" });
        Assert.Equal(asked, _registry.Requests.Count);
        using var nowhere = new SchemaRegistryClient(SchemaRegistryConfig.At("http://127.0.0.1:1") with { MaxRetries = 0 });
        Assert.Equal("", new ProtobufSerde<Refund>(nowhere, s_options).Deserialize(bytes).OrderId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000000")]
    [InlineData("0000000001")]
    [InlineData("000000000100ff")]
    [InlineData("0000000001000a7f")]
    [InlineData("0000000001000affffffff07")]
    public void Bytes_that_are_no_message_are_refused(string hex)
    {
        var serde = new ProtobufSerde<Order>(_client, s_options);
        Assert.Throws<SerializationException>(() => serde.Deserialize(Convert.FromHexString(hex)));
    }

    [Fact]
    public void Without_registering_an_unknown_schema_is_an_error()
    {
        var serde = new ProtobufSerde<Order>(_client, s_options with { AutoRegister = false });
        var failure = Assert.Throws<SchemaRegistryException>(() => Serialize(serde, new Order()));
        Assert.Equal(40401, failure.ErrorCode);
        Serialize(new ProtobufSerde<Order>(_client, s_options), new Order());
        Assert.NotEmpty(Serialize(serde, new Order()));
    }

    private static byte[] Serialize<T>(ISerde<T> serde, T value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        serde.Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
