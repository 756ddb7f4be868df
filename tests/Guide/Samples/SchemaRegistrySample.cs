using System.Buffers;
using Streams.SchemaRegistry;
using Streams.SchemaRegistry.Avro;

namespace Guide.Samples;

/// <summary>docs/guide/schema-registry.md.</summary>
public sealed class SchemaRegistrySample
{
    // <snippet avro-type>
    public sealed record Reading(string Sensor, double Celsius, DateTimeOffset At, string? Note);
    // </snippet>

    [Fact]
    public async Task Stream_of_avro_values()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var registry = new RegistryInMemory();

        // <snippet avro-stream>
        var readings = AvroSerde.Of<Reading>(registry, new SchemaSerdeOptions { Subject = SubjectNameStrategy.TopicValue("readings") });
        await readings.PrepareAsync(cancellationToken);

        var builder = new StreamsBuilder();
        builder.Stream("readings", Consumed.With(Serdes.String, readings))
            .Filter((_, reading) => reading.Celsius > 30)
            .To("hot", Produced.With(Serdes.String, readings));
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic("readings", Serdes.String, readings);
        input.PipeInput("a", new Reading("a", 20, DateTimeOffset.UnixEpoch, null));
        input.PipeInput("b", new Reading("b", 40, DateTimeOffset.UnixEpoch, "sun"));
        Assert.Equal([new("b", new Reading("b", 40, DateTimeOffset.UnixEpoch, "sun"))], driver.CreateOutputTopic("hot", Serdes.String, readings).ReadKeyValuesToList());
    }

    [Fact]
    public void Old_values_are_read_with_the_new_schema()
    {
        var registry = new RegistryInMemory();
        var options = new SchemaSerdeOptions { Subject = SubjectNameStrategy.Record };

        // <snippet avro-evolution>
        var first = AvroSchema.Parse("""{"type":"record","name":"User","fields":[{"name":"name","type":"string"},{"name":"age","type":"int"}]}""");
        var second = AvroSchema.Parse("""
            {"type":"record","name":"User","fields":[
              {"name":"fullName","aliases":["name"],"type":"string"},
              {"name":"age","type":"long"},
              {"name":"country","type":"string","default":"unknown"}]}
            """);

        var written = new ArrayBufferWriter<byte>();
        AvroSerde.Generic(registry, options).Serialize(new AvroRecord(first) { ["name"] = "Ada", ["age"] = 36 }, written);

        var user = AvroSerde.Generic(registry, options, readerSchema: second).Deserialize(written.WrittenSpan);
        Assert.Equal("Ada", user["fullName"]);
        Assert.Equal(36L, user["age"]);
        Assert.Equal("unknown", user["country"]);
        // </snippet>
    }

    [Fact]
    public void Client_is_configured()
    {
        // <snippet registry-client>
        using var registry = new SchemaRegistryClient(SchemaRegistryConfig.At("https://registry-1:8081, https://registry-2:8081") with
        {
            BasicAuth = ("user", "password"),
            RequestTimeout = TimeSpan.FromSeconds(5),
        });
        // </snippet>
        Assert.NotNull(registry);
    }

    // <snippet registry-in-memory>
    /// <summary>Enough of a registry for tests: what is registered is found again.</summary>
    private sealed class RegistryInMemory : ISchemaRegistry
    {
        private readonly List<(string Subject, RegistrySchema Schema)> _schemas = [];

        public ValueTask<int> RegisterAsync(string subject, RegistrySchema schema, bool normalize, CancellationToken cancellationToken)
        {
            lock (_schemas)
            {
                if (!_schemas.Contains((subject, schema))) _schemas.Add((subject, schema));
                return ValueTask.FromResult(_schemas.IndexOf((subject, schema)) + 1);
            }
        }

        public ValueTask<RegistrySchema> GetSchemaAsync(int id, CancellationToken cancellationToken)
        {
            lock (_schemas) return ValueTask.FromResult(_schemas[id - 1].Schema);
        }

        public ValueTask<RegisteredSchema> FindAsync(string subject, RegistrySchema schema, bool normalize, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<RegisteredSchema> GetVersionAsync(string subject, int version, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<RegisteredSchema> GetLatestAsync(string subject, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
    // </snippet>
}
