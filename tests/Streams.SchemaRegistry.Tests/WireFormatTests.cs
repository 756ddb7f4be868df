using System.Buffers;
using Streams.Core;

namespace Streams.SchemaRegistry.Tests;

public sealed class WireFormatTests
{
    [Theory]
    [InlineData(1, "0000000001")]
    [InlineData(0x01020304, "0001020304")]
    [InlineData(int.MaxValue, "007fffffff")]
    public void Header_is_a_zero_and_the_id_big_endian(int id, string expected)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WireFormat.WriteHeader(id, buffer);
        Assert.Equal(expected, Convert.ToHexStringLower(buffer.WrittenSpan));
        var data = buffer.WrittenSpan;
        Assert.Equal(id, WireFormat.ReadHeader(ref data));
        Assert.True(data.IsEmpty);
    }

    [Theory]
    [InlineData(new[] { 0 }, "00")]
    [InlineData(new[] { 1 }, "0202")]
    [InlineData(new[] { 1, 0 }, "040200")]
    [InlineData(new[] { 100, 3, 0 }, "06c8010600")]
    public void Message_path_is_zigzag_varints(int[] path, string expected)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WireFormat.WriteMessagePath(path, buffer);
        buffer.Write("rest"u8);
        Assert.Equal(expected + "72657374", Convert.ToHexStringLower(buffer.WrittenSpan));
        var data = buffer.WrittenSpan;
        Assert.Equal(path, WireFormat.ReadMessagePath(ref data));
        Assert.Equal("rest"u8, data);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000001")]
    [InlineData("0100000001")]
    public void What_is_not_framed_is_refused(string hex) => Assert.Throws<SerializationException>(() =>
    {
        ReadOnlySpan<byte> data = Convert.FromHexString(hex);
        WireFormat.ReadHeader(ref data);
    });

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("ffffffffff")]
    [InlineData("01")]
    [InlineData("0201")]
    [InlineData("0402")]
    [InlineData("feffffff0f")]
    [InlineData("8202")]
    public void Path_that_is_cut_off_negative_or_too_deep_is_refused(string hex) => Assert.Throws<SerializationException>(() =>
    {
        ReadOnlySpan<byte> data = Convert.FromHexString(hex);
        WireFormat.ReadMessagePath(ref data);
    });

    [Fact]
    public void Subjects_are_named_by_strategy()
    {
        Assert.Equal("orders-key", SubjectNameStrategy.TopicKey("orders").SubjectFor(null));
        Assert.Equal("orders-value", SubjectNameStrategy.TopicValue("orders").SubjectFor("shop.Order"));
        Assert.Equal("shop.Order", SubjectNameStrategy.Record.SubjectFor("shop.Order"));
        Assert.Equal("orders-shop.Order", SubjectNameStrategy.TopicRecord("orders").SubjectFor("shop.Order"));
        Assert.Equal("any", SubjectNameStrategy.Fixed("any").SubjectFor(null));
        Assert.Throws<SerializationException>(() => SubjectNameStrategy.Record.SubjectFor(null));
    }
}
