using System.Buffers;
using Streams.Dsl.Nodes;
using Xunit;

namespace Streams.Dsl.Tests;

/// <summary>The value format of table repartition topics (KIP-904); the cases table-group-* have recorded bytes of it.</summary>
public sealed class ChangeSerdeTests
{
    private static readonly ChangeSerde<string> _serde = new(Serdes.String);

    [Theory]
    [InlineData("new", null, true, "new\u0001")]
    [InlineData(null, "old", true, "old\u0000")]
    [InlineData("d", "b", true, "\u0002db\u0002")]
    [InlineData("d", "b", false, "\u0002db\u0000\u0005")]
    public void Bytes_are_those_of_Kafka_Streams(string? newValue, string? oldValue, bool isLatest, string bytes)
    {
        var output = new ArrayBufferWriter<byte>();
        _serde.Serialize(new Change<string>(newValue!, oldValue!, isLatest), output);
        Assert.Equal(bytes, System.Text.Encoding.Latin1.GetString(output.WrittenSpan));
        var read = _serde.Deserialize(output.WrittenSpan);
        Assert.Equal((newValue, oldValue, isLatest), (read.HasNew ? read.NewValue : null, read.HasOld ? read.OldValue : null, read.IsLatest));
    }

    [Fact]
    public void Long_values_have_a_longer_length()
    {
        var output = new ArrayBufferWriter<byte>();
        _serde.Serialize(new Change<string>(new string('n', 300), "o"), output);
        var read = _serde.Deserialize(output.WrittenSpan);
        Assert.Equal((300, "o"), (read.NewValue.Length, read.OldValue));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\u0006")]
    [InlineData("\u0003")]
    [InlineData("\u0002")]
    [InlineData("\u00c8\u0001ab\u0002")]
    [InlineData("\u0001ab\u0002")]
    [InlineData("\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u0002")]
    public void Bytes_that_are_no_change_are_refused(string bytes) =>
        Assert.Throws<SerializationException>(() => _serde.Deserialize(System.Text.Encoding.Latin1.GetBytes(bytes)));
}
