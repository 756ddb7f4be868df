using Xunit;

namespace Streams.Core.Tests.Runtime;

public class CommitMetadataTests
{
    [Fact]
    public void What_was_encoded_is_decoded()
    {
        var values = new Dictionary<string, long> { ["lastEmitted"] = 12345, ["ž"] = -1 };

        Assert.True(CommitMetadata.TryDecode(CommitMetadata.Encode(1_700_000_000_000, values), out var time, out var decoded));

        Assert.Equal(1_700_000_000_000, time);
        Assert.Equal(values, decoded);
    }

    [Fact]
    public void Time_alone_takes_nine_bytes_as_in_Kafka_Streams()
    {
        var text = CommitMetadata.Encode(1, new Dictionary<string, long>());

        Assert.Equal("02" + "0000000000000001", Convert.ToHexString(Convert.FromBase64String(text)));
        Assert.True(CommitMetadata.TryDecode(text, out var time, out var values));
        Assert.Equal(1, time);
        Assert.Empty(values);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64!")]
    [InlineData("AQ==")]
    [InlineData("CQAAAAAAAAAB")]
    public void Text_of_others_is_ignored(string text)
    {
        Assert.False(CommitMetadata.TryDecode(text, out var time, out var values));
        Assert.Equal(-1, time);
        Assert.Empty(values);
    }

    [Theory]
    [InlineData("02000000000000000100000001")]
    [InlineData("020000000000000001000000017fffffff61")]
    [InlineData("02000000000000000100000001ffffffff61")]
    [InlineData("02000000000000000100000002000000016100000000000000ff")]
    public void Lengths_that_do_not_fit_are_refused(string hex) =>
        Assert.False(CommitMetadata.TryDecode(Convert.ToBase64String(Convert.FromHexString(hex)), out _, out _));

    [Fact]
    public void Text_longer_than_a_broker_keeps_is_ignored() =>
        Assert.False(CommitMetadata.TryDecode(Convert.ToBase64String(new byte[8192]), out _, out _));
}
