using Xunit;

namespace Streams.State.Tests.Window;

public sealed class InMemoryWindowStoreTests : WindowStoreTests
{
    protected override bool OnDisk => false;

    [Fact]
    public void All_goes_by_time_then_key()
    {
        var store = Plain(Context());
        store.Put("b", "1", 1000);
        store.Put("a", "2", 2000);
        store.Put("a", "3", 1000);
        Assert.Equal(["a@1000/2000=3", "b@1000/2000=1", "a@2000/3000=2"], List(store.All()));
        Assert.Equal(["a@2000/3000=2", "b@1000/2000=1", "a@1000/2000=3"], List(store.BackwardAll()));
    }

    [Fact]
    public void A_write_of_the_retention_before_stream_time_is_too_late()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 4000);
        store.Put("a", "1", 40_000);
        store.Put("b", "2", 36_001);
        Assert.Equal(0, context.Dropped);
        store.Put("c", "3", 36_000);
        Assert.Equal(1, context.Dropped);
        Assert.Equal(["b@36001/37001=2", "a@40000/41000=1"], List(store.All()));
    }

    [Fact]
    public void Retention_less_than_the_window_is_refused_and_both_are_named()
    {
        var failure = Assert.Throws<ArgumentException>(() => Stores.InMemoryWindowStore("w", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(7)));
        Assert.Contains("00:00:05", failure.Message, StringComparison.Ordinal);
        Assert.Contains("00:00:07", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Stores.InMemoryWindowStore("w", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(-7)));
        Assert.Throws<ArgumentException>(() => Stores.InMemorySessionStore("s", TimeSpan.FromSeconds(-1)));
    }
}
