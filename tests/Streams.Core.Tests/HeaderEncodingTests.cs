using System.Buffers;
using Xunit;

namespace Streams.Core.Tests;

public class HeaderEncodingTests
{
    [Fact]
    public void What_was_written_is_read()
    {
        var headers = Headers.Empty.Add("a", "1").Add("", (ReadOnlyMemory<byte>?)null).Add("a", new byte[300]).Add("ž", "");
        var buffer = new ArrayBufferWriter<byte>();
        HeaderEncoding.Write(headers, buffer);

        var read = HeaderEncoding.Read(buffer.WrittenSpan, headers.Count);

        Assert.Equal(headers.Select(Content), read.Select(Content));
        static string Content(Header header) => $"{header.Key}={(header.Value is { } value ? Convert.ToHexString(value.Span) : "null")}";
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("", -1)]
    [InlineData("0000", 2)]
    [InlineData("0000", int.MaxValue)]
    [InlineData("01", 1)]
    [InlineData("0261", 1)]
    [InlineData("026104", 1)]
    [InlineData("02610461", 1)]
    [InlineData("026103", 1)]
    [InlineData("FFFFFFFFFF", 1)]
    [InlineData("FFFFFFFF0F00", 1)]
    public void Lengths_that_do_not_fit_are_refused(string hex, int count) =>
        Assert.Throws<SerializationException>(() => HeaderEncoding.Read(Convert.FromHexString(hex), count));

    [Fact]
    public void Headers_are_immutable_and_keep_order_and_repetition()
    {
        var one = Headers.Empty.Add("a", "1");
        var two = one.Add("b", "2").Add("a", "3");

        Assert.Single(one);
        Assert.Equal(["a", "b", "a"], two.Select(header => header.Key));
        Assert.True(two.TryGetLast("a", out var last));
        Assert.Equal("3", last.ValueAsString());
        Assert.Equal(["b"], two.Remove("a").Select(header => header.Key));
        Assert.False(two.TryGetLast("c", out _));
        Assert.Same(Headers.Empty, Headers.From([]));
    }
}
