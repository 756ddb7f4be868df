using Xunit;

namespace Streams.Core.Tests.Serialization;

public class SerdesTests
{
    [Fact]
    public void Number_of_the_wrong_width_is_refused()
    {
        Assert.Throws<SerializationException>(() => Serdes.Int64.Deserialize(new byte[7]));
        Assert.Throws<SerializationException>(() => Serdes.Int64.Deserialize(new byte[9]));
        Assert.Throws<SerializationException>(() => Serdes.Int32.Deserialize([]));
        Assert.Throws<SerializationException>(() => Serdes.Double.Deserialize(new byte[4]));
        Assert.Throws<SerializationException>(() => Serdes.Guid.Deserialize("not a guid"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("02")]
    [InlineData("01")]
    [InlineData("017fffffff")]
    [InlineData("01ffffffff")]
    [InlineData("0100000001")]
    [InlineData("010000000100000002aa")]
    [InlineData("0100000001fffffffe")]
    [InlineData("0100000000aa")]
    [InlineData("000000000000000000")]
    public void List_of_texts_with_hostile_lengths_is_refused(string hex) =>
        Assert.Throws<SerializationException>(() => Serdes.List(Serdes.String).Deserialize(Convert.FromHexString(hex)));

    [Theory]
    [InlineData("0100000000")]
    [InlineData("007fffffff")]
    [InlineData("00ffffffff")]
    [InlineData("00000000007fffffff")]
    [InlineData("0000000000ffffffff")]
    [InlineData("000000000000000001aa")]
    [InlineData("00000000010000000000000001")]
    public void List_of_numbers_with_hostile_lengths_is_refused(string hex) =>
        Assert.Throws<SerializationException>(() => Serdes.List(Serdes.Int64).Deserialize(Convert.FromHexString(hex)));

    [Fact]
    public void Built_in_serdes_are_found_for_nullable_forms_and_not_for_other_types()
    {
        Assert.True(Serdes.TryGetBuiltIn<string>(out _));
        Assert.True(Serdes.TryGetBuiltIn<long?>(out _));
        Assert.True(Serdes.TryGetBuiltIn<Guid>(out _));
        Assert.False(Serdes.TryGetBuiltIn<DateTime>(out _));
        Assert.False(Serdes.TryGetBuiltIn<object>(out _));
    }

    [Fact]
    public void Buffer_grows_and_refuses_to_go_back()
    {
        var buffer = new SerdeBuffer(4);
        Serdes.String.Serialize(new string('ž', 1000), buffer);
        Assert.Equal(2000, buffer.WrittenCount);
        buffer.Clear();
        Assert.Equal(0, buffer.WrittenCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(int.MaxValue));
    }
}
