using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using SerializationException = Streams.Core.SerializationException;

namespace Streams.SchemaRegistry.Tests;

public sealed partial class JsonSchemaSerdeTests : IAsyncLifetime
{
    private static readonly SchemaSerdeOptions s_options = new() { Subject = SubjectNameStrategy.Record };

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
    public async Task Value_is_framed_json_and_its_schema_is_registered()
    {
        var serde = new JsonSchemaSerde<Payment>(_client, s_options);
        var bytes = Serialize(serde, new Payment("p", 3, null));
        Assert.Equal("\0\0\0\0\u0001" + """{"id":"p","amount":3,"note":null}""", Encoding.UTF8.GetString(bytes));
        Assert.Equal(new Payment("p", 3, null), serde.Deserialize(bytes));

        var registered = await _client.GetLatestAsync(typeof(Payment).FullName!, Token);
        var schema = JsonNode.Parse(registered.Schema.Text)!;
        Assert.Equal(typeof(Payment).FullName, schema["title"]!.GetValue<string>());
        Assert.Equal(["id", "amount", "note"], schema["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal("string", schema["properties"]!["id"]!["type"]!.GetValue<string>());
    }

    [Fact]
    public void Generated_metadata_serves_as_well_as_reflection()
    {
        var generated = new JsonSchemaSerde<Payment>(_client, s_options, PaymentContext.Default.Payment);
        var reflected = new JsonSchemaSerde<Payment>(_client, s_options);
        Assert.Equal(reflected.Schema, generated.Schema);
        Assert.Equal(new Payment("x", 1, "n"), generated.Deserialize(Serialize(reflected, new Payment("x", 1, "n"))));
    }

    [Fact]
    public async Task Newest_version_is_used_when_asked_for()
    {
        var id = await _client.RegisterAsync("fixed", new RegistrySchema(SchemaType.Json, """{"type":"object"}"""), cancellationToken: Token);
        var serde = new JsonSchemaSerde<Payment>(_client, new SchemaSerdeOptions { Subject = SubjectNameStrategy.Fixed("fixed"), UseLatestVersion = true });
        Assert.Equal(id, Serialize(serde, new Payment("x", 1, "n"))[4]);
        Assert.Equal([1], await _client.GetVersionsAsync("fixed", Token));
    }

    [Theory]
    [InlineData("{\"id\":")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"id\":\"a\",\"amount\":\"x\"}")]
    public void What_is_not_the_type_is_refused(string json)
    {
        var serde = new JsonSchemaSerde<Payment>(_client, s_options);
        var failure = Assert.Throws<SerializationException>(() => serde.Deserialize([0, 0, 0, 0, 9, .. Encoding.UTF8.GetBytes(json)]));
        Assert.Contains("schema 9", failure.Message, StringComparison.Ordinal);
        Assert.Throws<SerializationException>(() => serde.Deserialize("{}"u8));
    }

    private static byte[] Serialize(JsonSchemaSerde<Payment> serde, Payment value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        serde.Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    internal sealed record Payment(string Id, long Amount, string? Note);

    [JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
    [JsonSerializable(typeof(Payment))]
    internal sealed partial class PaymentContext : JsonSerializerContext;
}
