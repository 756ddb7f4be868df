namespace Kafka.Protocol.Tests.Errors;

public sealed class ErrorCodesTests
{
    [Fact]
    public void Table_has_every_code_of_the_enum_once_and_in_order()
    {
        Assert.Equal(Enum.GetValues<ErrorCode>().OrderBy(c => (short)c), ErrorCodes.All.Select(e => e.Code));
        Assert.Equal(ErrorCodes.All.Count, ErrorCodes.All.Select(e => e.Name).Distinct(StringComparer.Ordinal).Count());
        foreach (var entry in ErrorCodes.All)
        {
            Assert.Same(entry, ErrorCodes.Describe(entry.Code));
            Assert.Equal(entry.Code.ToString().ToUpperInvariant(), entry.Name.Replace("_", string.Empty, StringComparison.Ordinal));
        }
    }

    // A sample over the whole range, from the protocol guide: a row lost or doubled shifts the rest.
    [Theory]
    [InlineData(-1, "UNKNOWN_SERVER_ERROR", false)]
    [InlineData(0, "NONE", false)]
    [InlineData(3, "UNKNOWN_TOPIC_OR_PARTITION", true)]
    [InlineData(16, "NOT_COORDINATOR", true)]
    [InlineData(27, "REBALANCE_IN_PROGRESS", false)]
    [InlineData(35, "UNSUPPORTED_VERSION", false)]
    [InlineData(41, "NOT_CONTROLLER", true)]
    [InlineData(51, "CONCURRENT_TRANSACTIONS", true)]
    [InlineData(69, "GROUP_ID_NOT_FOUND", false)]
    [InlineData(79, "MEMBER_ID_REQUIRED", false)]
    [InlineData(88, "UNSTABLE_OFFSET_COMMIT", true)]
    [InlineData(90, "PRODUCER_FENCED", false)]
    [InlineData(100, "UNKNOWN_TOPIC_ID", true)]
    [InlineData(113, "STALE_MEMBER_EPOCH", false)]
    [InlineData(120, "TRANSACTION_ABORTABLE", false)]
    [InlineData(133, "SHARE_SESSION_LIMIT_REACHED", true)]
    public void Codes_have_the_names_of_the_protocol_guide(short code, string name, bool retriable)
    {
        Assert.Equal(name, ((ErrorCode)code).ProtocolName());
        Assert.Equal(retriable, ((ErrorCode)code).IsRetriable());
        Assert.True(ErrorCodes.TryParse(name, out var parsed));
        Assert.Equal((ErrorCode)code, parsed);
    }

    [Theory]
    [InlineData(short.MinValue)]
    [InlineData(-2)]
    [InlineData(134)]
    [InlineData(short.MaxValue)]
    public void Code_nobody_knows_keeps_its_number(short code)
    {
        Assert.Equal($"UNKNOWN_{code}", ((ErrorCode)code).ProtocolName());
        Assert.False(((ErrorCode)code).IsRetriable());
        Assert.False(ErrorCodes.TryParse($"UNKNOWN_{code}", out _));
    }
}
