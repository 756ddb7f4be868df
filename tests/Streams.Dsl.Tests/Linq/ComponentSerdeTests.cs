using Streams.Dsl.Serialization;
using Xunit;

namespace Streams.Dsl.Tests.Linq;

public sealed class ComponentSerdeTests
{
    [Fact]
    public void Tuple_is_its_parts_with_their_lengths()
    {
        Assert.Equal([0, 0, 0, 1, (byte)'a', 0, 0, 0, 4, 0, 0, 0, 7], Bytes(("a", 7)));
        Assert.Equal(("a", 7), RoundTrip(("a", 7)));
    }

    [Fact]
    public void Record_struct_nested_record_and_missing_parts_come_back()
    {
        var value = new Outer(new Inner("x", null), 3, null, Guid.Parse("0af76519-16cd-43dd-8448-eb211c80319c"));
        Assert.Equal(value, RoundTrip(value));
        var empty = new Outer(null, null, "t", Guid.Empty);
        Assert.Equal(empty, RoundTrip(empty));
    }

    [Fact]
    public void Anonymous_type_comes_back() => Assert.Equal(new { Text = "a", Number = 5L }, RoundTrip(new { Text = "a", Number = 5L }));

    [Fact]
    public void Tuple_of_more_than_seven_parts_comes_back() => Assert.Equal((1, 2, 3, 4, 5, 6, 7, 8, "9"), RoundTrip((1, 2, 3, 4, 5, 6, 7, 8, "9")));

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 9, 1 })]
    [InlineData(new byte[] { 0x7f, 0xff, 0xff, 0xff, 1 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xfe })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0, 0, 0, 1, 65, 0, 0, 0, 4, 0, 0, 0, 7, 1 })]
    public void Bytes_that_are_no_such_tuple_are_refused(byte[] data)
    {
        Assert.True(ComponentSerdes.TryMake<(string, int)>(new SerdeRegistry(), out var serde));
        Assert.Throws<SerializationException>(() => serde.Deserialize(data));
    }

    [Fact]
    public void Records_own_check_of_its_arguments_is_what_is_thrown()
    {
        Assert.True(ComponentSerdes.TryMake<Checked>(new SerdeRegistry(), out var serde));
        Assert.Throws<ArgumentOutOfRangeException>(() => serde.Deserialize([0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]));
    }

    [Fact]
    public void Types_that_are_more_than_their_parts_have_no_serde()
    {
        Assert.False(ComponentSerdes.TryMake<WithMore>(new SerdeRegistry(), out _));
        Assert.False(ComponentSerdes.TryMake<Chain>(new SerdeRegistry(), out _));
        Assert.False(ComponentSerdes.TryMake<PlainClass>(new SerdeRegistry(), out _));
        Assert.False(ComponentSerdes.TryMake<(string, PlainClass)>(new SerdeRegistry(), out _));
        Assert.False(ComponentSerdes.TryMake<object>(new SerdeRegistry(), out _));
        Assert.False(ComponentSerdes.TryMake<List<int>>(new SerdeRegistry(), out _));
    }

    [Fact]
    public void Value_that_is_a_record_has_no_serde_at_a_topic_of_others()
    {
        var builder = new StreamsBuilder();
        var failure = Assert.Throws<TopologyException>(() => { builder.Stream<string, Inner>("in").To("out"); builder.Build(); });
        Assert.Contains("Inner", failure.Message, StringComparison.Ordinal);
    }

    private static byte[] Bytes<T>(T value)
    {
        Assert.True(ComponentSerdes.TryMake<T>(new SerdeRegistry(), out var serde));
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        serde.Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static T RoundTrip<T>(T value)
    {
        Assert.True(ComponentSerdes.TryMake<T>(new SerdeRegistry(), out var serde));
        return serde.Deserialize(Bytes(value));
    }

    private sealed record Outer(Inner? Inner, int? Number, string? Text, Guid Id);

    private readonly record struct Inner(string Text, string? Other);

    private sealed record Checked
    {
        public Checked(int number)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(number);
            Number = number;
        }

        public int Number { get; }
    }

    private sealed record WithMore(int Number)
    {
        public string More { get; set; } = "";
    }

    private sealed record Chain(int Number, Chain? Next);

    private sealed class PlainClass(int number)
    {
        public int Number { get; } = number;
    }
}
