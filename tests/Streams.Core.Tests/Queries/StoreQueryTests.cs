using Xunit;

namespace Streams.Core.Tests.Queries;

public sealed class StoreQueryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Limit_that_would_hide_every_entry_is_refused_where_the_query_is_made(int limit)
    {
        Assert.Throws<ArgumentOutOfRangeException>(nameof(limit), () => StoreQuery.Range<string, long>(limit: limit));
        Assert.Throws<ArgumentOutOfRangeException>(nameof(limit), () => StoreQuery.Windows<string, long>("k", 0, 1, limit));
        Assert.Throws<ArgumentOutOfRangeException>(nameof(limit), () => StoreQuery.AllWindows<string, long>(0, 1, limit));
        Assert.Throws<ArgumentOutOfRangeException>(nameof(limit), () => StoreQuery.Sessions<string, long>("k", limit));
    }

    [Fact]
    public void Request_refuses_what_no_store_can_be_asked()
    {
        var request = StateQueryRequest.Of("store", StoreQuery.Key<string, long>("k"));
        Assert.Throws<ArgumentNullException>(() => request with { PositionBound = null! });
        Assert.Throws<ArgumentOutOfRangeException>(() => request with { IsolationLevel = (IsolationLevel)99 });
        Assert.Null((request with { IsolationLevel = null }).IsolationLevel);
    }
}
