using Streams.SchemaRegistry.Avro;

namespace Streams.SchemaRegistry.Tests;

public sealed class AvroSchemaTests
{
    [Theory]
    [InlineData("{")]
    [InlineData("7")]
    [InlineData("\"nothing\"")]
    [InlineData("{}")]
    [InlineData("""{"type":"record","name":"A"}""")]
    [InlineData("""{"type":"record","fields":[]}""")]
    [InlineData("""{"type":"record","name":"1A","fields":[]}""")]
    [InlineData("""{"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}""")]
    [InlineData("""{"type":"record","name":"A","fields":[{"name":"a","type":{"type":"record","name":"A","fields":[]}}]}""")]
    [InlineData("""{"type":"record","name":"A","fields":7}""")]
    [InlineData("""{"type":"record","name":"A","fields":[7]}""")]
    [InlineData("""{"type":"enum","name":"E","symbols":["A","A"]}""")]
    [InlineData("""{"type":"enum","name":"E","symbols":["A"],"default":"B"}""")]
    [InlineData("""{"type":"enum","name":"E","symbols":[7]}""")]
    [InlineData("""{"type":"fixed","name":"F","size":-1}""")]
    [InlineData("""{"type":"fixed","name":"F","size":"x"}""")]
    [InlineData("""["int","int"]""")]
    [InlineData("""["int",["string"]]""")]
    [InlineData("[]")]
    [InlineData("""{"type":"array"}""")]
    [InlineData("""{"type":"record","name":"int","fields":[]}""")]
    public void What_is_no_schema_is_refused(string json) => Assert.Throws<FormatException>(() => AvroSchema.Parse(json));

    [Fact]
    public void Nesting_is_bounded() =>
        Assert.Throws<FormatException>(() => AvroSchema.Parse(string.Concat(Enumerable.Repeat("""{"type":"array","items":""", 1000)) + "\"int\"" + new string('}', 1000)));

    [Fact]
    public void Names_are_resolved_in_their_namespace()
    {
        var schema = AvroSchema.Parse("""
            {"type":"record","name":"Outer","namespace":"a.b","fields":[
              {"name":"x","type":{"type":"enum","name":"E","symbols":["S"]}},
              {"name":"y","type":{"type":"record","name":"c.Inner","fields":[{"name":"f","type":{"type":"fixed","name":"F","size":2}},{"name":"g","type":"F"}]}},
              {"name":"z","type":"c.F"}, {"name":"again","type":"E"}]}
            """);
        Assert.Equal("a.b.Outer", schema.FullName);
        Assert.Equal("a.b.E", schema.Fields[0].Schema.FullName);
        Assert.Equal("c.F", schema.Fields[1].Schema.Fields[0].Schema.FullName);
        Assert.Same(schema.Fields[1].Schema.Fields[0].Schema, schema.Fields[2].Schema);
        Assert.Same(schema.Fields[0].Schema, schema.Fields[3].Schema);
    }

    [Theory]
    [InlineData("""{"type":"string","logicalType":"date"}""", null)]
    [InlineData("""{"type":"int","logicalType":"date"}""", "date")]
    [InlineData("""{"type":"bytes","logicalType":"decimal"}""", null)]
    [InlineData("""{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}""", null)]
    [InlineData("""{"type":"bytes","logicalType":"decimal","precision":3,"scale":3}""", "decimal")]
    [InlineData("""{"type":"long","logicalType":"of-tomorrow"}""", null)]
    public void Logical_type_that_does_not_fit_has_no_effect(string json, string? expected) => Assert.Equal(expected, AvroSchema.Parse(json).LogicalType);

    [Fact]
    public void Text_is_kept_without_white_space()
    {
        Assert.Equal("""{"type":"record","doc":"ü","name":"A","fields":[]}""", AvroSchema.Parse("""{ "type" : "record", "doc":"ü",  "name":"A", "fields":[] }""").ToString());
        Assert.Equal("\"string\"", AvroSchema.Parse("string").ToString());
        Assert.Equal("\"string\"", AvroSchema.Parse(" \"string\" ").ToString());
    }
}
