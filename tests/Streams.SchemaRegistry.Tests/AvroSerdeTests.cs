using System.Buffers;
using Streams.Core;
using Streams.SchemaRegistry.Avro;

namespace Streams.SchemaRegistry.Tests;

/// <summary>Byte vectors named "Python" were made with the avro 1.11.1 package of Python from the same schema and values.</summary>
public sealed class AvroSerdeTests : IAsyncLifetime
{
    private const string OrderSchema = """
        {"type":"record","name":"Order","namespace":"shop","fields":[
         {"name":"id","type":"string"},{"name":"count","type":"int"},{"name":"total","type":"double"},{"name":"weight","type":"float"},
         {"name":"placed","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"paid","type":"boolean"},{"name":"note","type":["null","string"],"default":null},
         {"name":"raw","type":"bytes"},{"name":"status","type":{"type":"enum","name":"Status","symbols":["NEW","SENT","DONE"]}},
         {"name":"hash","type":{"type":"fixed","name":"Hash","size":4}},
         {"name":"tags","type":{"type":"array","items":"string"}},{"name":"attributes","type":{"type":"map","values":"long"}},
         {"name":"address","type":["null",{"type":"record","name":"Address","fields":[{"name":"city","type":"string"},{"name":"zip","type":"int"}]}]},
         {"name":"next","type":["null","Order"],"default":null}]}
        """;

    private const string PythonFull = "066f2d310500000000000029400000803ef6a1abfef96201020c68c3a46c6c6f0600ff100201020304040261046262000202787f00020a4bc3b66c6ed6970600";
    private const string PythonNested = "066f2d310500000000000029400000803ef6a1abfef96201000600ff10020102030400000002066f2d320500000000000029400000803ef6a1abfef96201020c68c3a46c6c6f000201020304040261046262000202787f00020a4bc3b66c6ed6970600";

    private TestRegistry _registry = null!;
    private SchemaRegistryClient _client = null!;

    private static SchemaSerdeOptions Options => new() { Subject = SubjectNameStrategy.TopicValue("t") };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _registry = await TestRegistry.StartAsync();
        _client = _registry.CreateClient();
        await _client.SetCompatibilityAsync(null, SchemaCompatibility.None, Token);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [Fact]
    public void Generic_record_has_the_bytes_of_Python_and_comes_back()
    {
        var schema = AvroSchema.Parse(OrderSchema);
        var serde = AvroSerde.Generic(_client, Options);
        var order = GenericOrder(schema, "o-1");
        var bytes = Serialize(serde, order);
        Assert.Equal("0000000001" + PythonFull, Convert.ToHexStringLower(bytes));
        Assert.Equal(order, serde.Deserialize(bytes));

        order["note"] = null;
        order["tags"] = new List<string>();
        order["attributes"] = new Dictionary<string, object?>();
        order["address"] = null;
        var next = GenericOrder(schema, "o-2");
        next["raw"] = Array.Empty<byte>();
        order["next"] = next;
        bytes = Serialize(serde, order);
        Assert.Equal("0000000001" + PythonNested, Convert.ToHexStringLower(bytes));
        var back = serde.Deserialize(bytes);
        Assert.Equal("o-2", back.Get<AvroRecord>("next").Get<string>("id"));
        Assert.Equal(back, serde.Deserialize(bytes));
        Assert.NotEqual(back, GenericOrder(schema, "o-1"));
    }

    [Fact]
    public void Plain_type_has_the_bytes_of_Python_and_comes_back()
    {
        var serde = AvroSerde.Of<PlainOrder>(_client, Options, AvroSchema.Parse(OrderSchema));
        var order = new PlainOrder(
            "o-1", -3, 12.5, 0.25f, DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), true, "hällo", [0, 255, 16], Status.Sent, new AvroFixed(new byte[] { 1, 2, 3, 4 }),
            ["a", "bb"], new Dictionary<string, long> { ["x"] = -64 }, new Address { City = "Köln", Zip = 50667 }, null);
        var bytes = Serialize(serde, order);
        Assert.Equal("0000000001" + PythonFull, Convert.ToHexStringLower(bytes));
        Assert.Equivalent(order, serde.Deserialize(bytes), strict: true);

        var chain = order with { Note = null, Tags = [], Attributes = [], Address = null, Next = order with { Id = "o-2", Raw = [] } };
        bytes = Serialize(serde, chain);
        Assert.Equal("0000000001" + PythonNested, Convert.ToHexStringLower(bytes));
        Assert.Equivalent(chain, serde.Deserialize(bytes), strict: true);
    }

    [Fact]
    public void Schema_of_a_type_says_what_its_properties_are()
    {
        Assert.Equal(
            """{"type":"record","name":"com.example.Thing","fields":[{"name":"Id","type":{"type":"string","logicalType":"uuid"}},{"name":"day","type":{"type":"int","logicalType":"date"}},"""
            + """{"name":"At","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"Time","type":{"type":"long","logicalType":"time-micros"}},{"name":"Maybe","type":["null","int"],"default":null},"""
            + """{"name":"Text","type":["null","string"],"default":null},{"name":"State","type":{"type":"enum","name":"Streams.SchemaRegistry.Tests.Status","symbols":["New","Sent","DONE"]}},"""
            + """{"name":"Inner","type":["null","com.example.Thing"],"default":null},{"name":"Many","type":{"type":"array","items":{"type":"map","values":"long"}}}]}""",
            AvroSchema.Of<Thing>().ToString());
        Assert.Throws<NotSupportedException>(AvroSchema.Of<decimal>);
        Assert.Throws<NotSupportedException>(AvroSchema.Of<object>);
    }

    [Fact]
    public void Type_without_a_given_schema_comes_back()
    {
        var serde = AvroSerde.Of<Thing>(_client, Options with { Subject = SubjectNameStrategy.Record });
        var thing = new Thing
        {
            Id = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
            Day = new DateOnly(1969, 12, 31),
            At = DateTimeOffset.UnixEpoch.AddTicks(-10),
            Time = new TimeOnly(23, 59, 59, 999, 999),
            Maybe = 0,
            State = Status.Done,
            Inner = new Thing { Text = "" },
            Many = [new Dictionary<string, long> { ["a"] = long.MinValue, [""] = long.MaxValue }, new Dictionary<string, long>()],
        };
        Assert.Equivalent(thing, serde.Deserialize(Serialize(serde, thing)), strict: true);
    }

    [Fact]
    public void Writers_schema_is_resolved_to_the_readers()
    {
        var written = AvroSerde.Generic(_client, Options);
        var bytes = Serialize(written, new AvroRecord(AvroSchema.Parse(
            """{"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"gone","type":{"type":"array","items":"string"}},{"name":"b","type":"float"},{"name":"s","type":"string"},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}},{"name":"u","type":["int","string"]}]}"""))
        {
            ["a"] = 7,
            ["gone"] = new[] { "x", "y" },
            ["b"] = 1.5f,
            ["s"] = "abc",
            ["e"] = new AvroEnum("Y"),
            ["u"] = 5,
        });
        Assert.Equal("0e0402780279000000c03f", Convert.ToHexStringLower(bytes.AsSpan(5, 11)));

        var reader = AvroSchema.Parse("""
            {"type":"record","name":"Renamed","aliases":["A"],"fields":[{"name":"new","type":"string","default":"dflt"},{"name":"b","type":"double"},{"name":"alpha","aliases":["a"],"type":["null","long"]},
             {"name":"s","type":"bytes"},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","OTHER"],"default":"OTHER"}},{"name":"u","type":"double"},
             {"name":"list","type":{"type":"array","items":"int"},"default":[1,2]},{"name":"raw","type":"bytes","default":"\u00ff"}]}
            """);
        var record = AvroSerde.Generic(_client, Options, reader).Deserialize(bytes);
        Assert.Equal("dflt", record["new"]);
        Assert.Equal(1.5, record["b"]);
        Assert.Equal(7L, record["alpha"]);
        Assert.Equal("abc"u8.ToArray(), record["s"]);
        Assert.Equal(new AvroEnum("OTHER"), record["e"]);
        Assert.Equal(5.0, record["u"]);
        Assert.Equal(new object?[] { 1, 2 }, record["list"]);
        Assert.Equal(new byte[] { 255 }, record["raw"]);
        Assert.NotSame(record["list"], AvroSerde.Generic(_client, Options, reader).Deserialize(bytes)["list"]);
    }

    [Theory]
    [InlineData("""{"type":"record","name":"A","fields":[{"name":"a","type":"string"}]}""", "field 'a'")]
    [InlineData("""{"type":"record","name":"B","fields":[]}""", "cannot be read as B")]
    [InlineData("""{"type":"record","name":"A","fields":[{"name":"missing","type":"int"}]}""", "no default")]
    [InlineData("""{"type":"record","name":"A","fields":[{"name":"missing","type":"int","default":"x"}]}""", "the default of field 'missing'")]
    [InlineData("""{"type":"record","name":"A","fields":[{"name":"me","type":"A","default":{}}]}""", "deeper")]
    public void What_does_not_resolve_is_an_error_that_says_where(string reader, string expected)
    {
        var bytes = Serialize(AvroSerde.Generic(_client, Options), new AvroRecord(AvroSchema.Parse("""{"type":"record","name":"A","fields":[{"name":"a","type":"int"}]}""")) { ["a"] = 1 });
        var failure = Assert.Throws<SerializationException>(() => AvroSerde.Generic(_client, Options, AvroSchema.Parse(reader)).Deserialize(bytes));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Contains("schema 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decimals_are_twos_complement_big_endian()
    {
        var bytes = AvroSchema.Parse("""{"type":"bytes","logicalType":"decimal","precision":20,"scale":2}""");
        var fixedBytes = AvroSchema.Parse("""{"type":"record","name":"D","fields":[{"name":"Value","type":{"type":"fixed","name":"F","size":8,"logicalType":"decimal","precision":18,"scale":4}}]}""");
        var bare = AvroSerde.Of<decimal>(_client, Options, bytes);
        var boxed = AvroSerde.Of<Amount>(_client, Options, fixedBytes);
        foreach (var value in new[] { 0m, 0.01m, -0.01m, 1.5m, -128m, 127.99m, 12345678901234.56m, -1m })
        {
            Assert.Equal(value, bare.Deserialize(Serialize(bare, value)));
            Assert.Equal(value, boxed.Deserialize(Serialize(boxed, new Amount(value))).Value);
        }

        Assert.Equal("ffffffffffffd8f0", Convert.ToHexStringLower(Serialize(boxed, new Amount(-1m)).AsSpan(5)));
        Assert.Throws<SerializationException>(() => Serialize(bare, 0.001m));
        Assert.Throws<SerializationException>(() => Serialize(boxed, new Amount(decimal.MaxValue)));
    }

    [Fact]
    public void Plain_bytes_are_written_as_they_are()
    {
        var serde = AvroSerde.Of<byte[]>(_client, Options);
        Assert.Equal("00000000010102", Convert.ToHexStringLower(Serialize(serde, [1, 2])));
        Assert.Equal([1, 2], serde.Deserialize(Serialize(serde, [1, 2])));
        Assert.Empty(serde.Deserialize(Serialize(serde, [])));
    }

    [Fact]
    public async Task Newest_version_is_written_with_when_asked_for()
    {
        var newest = """{"type":"record","name":"Two","fields":[{"name":"b","type":"string"},{"name":"a","type":"long"}]}""";
        await _client.RegisterAsync("t-value", new RegistrySchema(SchemaType.Avro, newest), cancellationToken: Token);
        var own = AvroSchema.Parse("""{"type":"record","name":"Two","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}""");
        var serde = AvroSerde.Generic(_client, Options with { UseLatestVersion = true });
        Assert.Equal("0000000001" + "0278" + "0e", Convert.ToHexStringLower(Serialize(serde, new AvroRecord(own) { ["a"] = 7, ["b"] = "x" })));
        Assert.Equal([1], await _client.GetVersionsAsync("t-value", Token));
    }

    [Fact]
    public async Task References_are_loaded_before_what_refers_to_them()
    {
        await _client.RegisterAsync("inner", new RegistrySchema(SchemaType.Avro, """{"type":"record","name":"x.Inner","fields":[{"name":"n","type":"int"}]}"""), cancellationToken: Token);
        await _client.SetCompatibilityAsync("outer", SchemaCompatibility.None, Token);
        var id = await _client.RegisterAsync(
            "outer", new RegistrySchema(SchemaType.Avro, """{"type":"record","name":"Outer","fields":[{"name":"i","type":"x.Inner"}]}""", [new SchemaReference("x.Inner", "inner", 1)]), cancellationToken: Token);
        var record = AvroSerde.Generic(_client, Options).Deserialize([0, 0, 0, 0, (byte)id, 10]);
        Assert.Equal(5, record.Get<AvroRecord>("i")["n"]);
    }

    [Fact]
    public void Nested_record_can_be_written_by_itself()
    {
        var outer = AvroSchema.Parse(OrderSchema);
        var address = new AvroRecord(outer.Field("address")!.Schema.Branches[1]) { ["city"] = "Ulm", ["zip"] = 89073 };
        var serde = AvroSerde.Generic(_client, Options);
        Assert.Equal(address, serde.Deserialize(Serialize(serde, address)));
        Assert.Equal("""{"type":"record","name":"shop.Address","fields":[{"name":"city","type":"string"},{"name":"zip","type":"int"}]}""", address.Schema.ToString());
    }

    [Theory]
    [InlineData("066f2d31")] // cut off
    [InlineData("ffffffffffffffffff7f")] // a length past 64 bits
    [InlineData("ffffffffffffffffff01")] // a negative length
    [InlineData("feffffff0f")] // 2 GB of text
    public void Hostile_bytes_are_refused(string hex)
    {
        var serde = AvroSerde.Generic(_client, Options);
        Serialize(serde, GenericOrder(AvroSchema.Parse(OrderSchema), "o"));
        Assert.Throws<SerializationException>(() => serde.Deserialize(Convert.FromHexString("0000000001" + hex)));
    }

    [Fact]
    public void Every_cut_and_every_changed_byte_is_read_or_refused()
    {
        var serde = AvroSerde.Generic(_client, Options);
        var good = Serialize(serde, GenericOrder(AvroSchema.Parse(OrderSchema), "o-1"));
        for (var length = 0; length < good.Length; length++) Assert.Throws<SerializationException>(() => serde.Deserialize(good.AsSpan(0, length)));
        Assert.Throws<SerializationException>(() => serde.Deserialize([.. good, 0]));
        var refused = 0;
        for (var index = 5; index < good.Length; index++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var bad = good.ToArray();
                bad[index] ^= (byte)(1 << bit);
                try
                {
                    serde.Deserialize(bad);
                }
                catch (SerializationException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > 50, $"{refused} refused");
    }

    [Fact]
    public async Task Nesting_and_items_without_bytes_are_bounded()
    {
        var list = await _client.RegisterAsync("l", new RegistrySchema(SchemaType.Avro, """{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}"""), cancellationToken: Token);
        var nulls = await _client.RegisterAsync("n", new RegistrySchema(SchemaType.Avro, """{"type":"record","name":"N","fields":[{"name":"a","type":{"type":"array","items":{"type":"array","items":"null"}}}]}"""), cancellationToken: Token);
        var serde = AvroSerde.Generic(_client, Options);
        var deep = new byte[1_000_005];
        deep.AsSpan(5).Fill(2);
        deep[4] = (byte)list;
        Assert.Contains("deeper", Assert.Throws<SerializationException>(() => serde.Deserialize(deep)).Message, StringComparison.Ordinal);

        // Two thousand arrays of 32,768 nulls: eight bytes each, half a gigabyte of list entries.
        var many = new List<byte> { 0, 0, 0, 0, (byte)nulls, 0xa0, 0x1f };
        for (var count = 0; count < 2000; count++) many.AddRange([0x80, 0x80, 0x04, 0]);
        many.Add(0);
        Assert.Contains("without bytes", Assert.Throws<SerializationException>(() => serde.Deserialize([.. many])).Message, StringComparison.Ordinal);

        var self = new Thing();
        self.Inner = self;
        Assert.Contains("contain itself", Assert.Throws<SerializationException>(() => Serialize(AvroSerde.Of<Thing>(_client, Options), self)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Value_that_does_not_fit_names_the_field()
    {
        var schema = AvroSchema.Parse(OrderSchema);
        var order = GenericOrder(schema, "o");
        order["address"] = new AvroRecord(schema.Field("address")!.Schema.Branches[1]) { ["city"] = 7, ["zip"] = 1 };
        var failure = Assert.Throws<SerializationException>(() => Serialize(AvroSerde.Generic(_client, Options), order));
        Assert.Contains("Field 'address' of shop.Order: Field 'city' of shop.Address: A Int32 cannot be written as string", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => order["nothing"]);
    }

    [Fact]
    public void Branch_of_a_union_of_records_is_found_by_name_and_never_guessed()
    {
        var schema = AvroSchema.Parse("""
            {"type":"record","name":"Box","fields":[{"name":"Content","type":[
              {"type":"record","name":"Dog","fields":[{"name":"Name","type":"string"}]},
              {"type":"record","name":"Cat","fields":[{"name":"Name","type":"string"}]}]}]}
            """);
        var serde = AvroSerde.Of<Box>(_client, Options, schema);
        Assert.Equal("02" + "0478" + "79", Convert.ToHexStringLower(Serialize(serde, new Box(new Kitty("xy"))).AsSpan(5)));
        Assert.Contains("fits no branch", Assert.Throws<SerializationException>(() => Serialize(serde, new Box(new Amount(1)))).Message, StringComparison.Ordinal);
        var back = Assert.IsType<AvroRecord>(serde.Deserialize(Serialize(serde, new Box(new Kitty("xy")))).Content);
        Assert.Equal(("Cat", "xy"), (back.Schema.Name, back["Name"]));
    }

    [Fact]
    public void Reader_asks_the_registry_once_per_schema()
    {
        var bytes = Serialize(AvroSerde.Generic(_client, Options), GenericOrder(AvroSchema.Parse(OrderSchema), "o"));
        using var other = _registry.CreateClient();
        var serde = AvroSerde.Generic(other, Options);
        var before = _registry.Requests.Count;
        serde.Deserialize(bytes);
        serde.Deserialize(bytes);
        Assert.Equal(before + 1, _registry.Requests.Count);
        Assert.Equal(40403, Assert.Throws<SchemaRegistryException>(() => serde.Deserialize([0, 0, 0, 9, 9, 1])).ErrorCode);
    }

    private static AvroRecord GenericOrder(AvroSchema schema, string id) => new(schema)
    {
        ["id"] = id,
        ["count"] = -3,
        ["total"] = 12.5,
        ["weight"] = 0.25f,
        ["placed"] = 1_700_000_000_123,
        ["paid"] = true,
        ["note"] = "hällo",
        ["raw"] = new byte[] { 0, 255, 16 },
        ["status"] = new AvroEnum("SENT"),
        ["hash"] = new AvroFixed(new byte[] { 1, 2, 3, 4 }),
        ["tags"] = new List<object?> { "a", "bb" },
        ["attributes"] = new Dictionary<string, object?> { ["x"] = -64L },
        ["address"] = new AvroRecord(schema.Field("address")!.Schema.Branches[1]) { ["city"] = "Köln", ["zip"] = 50667 },
        ["next"] = null,
    };

    private static byte[] Serialize<T>(ISerde<T> serde, T value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        serde.Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }
}

public enum Status
{
    New,
    Sent,

    [AvroName("DONE")]
    Done,
}

public sealed record PlainOrder(
    string Id, int Count, double Total, float Weight, DateTimeOffset Placed, bool Paid, string? Note, byte[] Raw, Status Status, AvroFixed Hash, List<string> Tags,
    Dictionary<string, long> Attributes, Address? Address, PlainOrder? Next);

public sealed class Address
{
    public string City { get; set; } = "";

    public int Zip { get; init; }
}

public sealed record Amount(decimal Value);

public sealed record Box(object Content);

[AvroName("Cat")]
public sealed record Kitty(string Name);

[AvroName("com.example.Thing")]
public sealed class Thing
{
    public Guid Id { get; set; }

    [AvroName("day")]
    public DateOnly Day { get; set; } = new(1970, 1, 1);

    public DateTimeOffset At { get; set; } = DateTimeOffset.UnixEpoch;

    public TimeOnly Time { get; set; }

    public int? Maybe { get; set; }

    public string? Text { get; set; }

    public Status State { get; set; }

    public Thing? Inner { get; set; }

    public IReadOnlyList<IReadOnlyDictionary<string, long>> Many { get; set; } = [];
}
