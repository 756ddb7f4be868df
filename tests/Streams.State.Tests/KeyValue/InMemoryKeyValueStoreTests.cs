using Streams.Core;
using Xunit;

namespace Streams.State.Tests.KeyValue;

public sealed class InMemoryKeyValueStoreTests : KeyValueStoreTests
{
    private protected override bool Persistent => false;

    protected override KeyValueBytesStoreSupplier Supplier(string name, bool timestamped) => Stores.InMemoryKeyValueStore(name);

    [Fact]
    public void Lru_map_drops_the_least_recently_used_with_a_tombstone()
    {
        var context = Context();
        var store = Stores.KeyValueStoreBuilder(Stores.LruMap("lru", 2), Serdes.String, Serdes.Int32).Build();
        store.Init(context);
        store.Put("a", 1);
        store.Put("b", 2);
        Assert.True(store.TryGet("a", out _));
        store.Put("c", 3);
        Assert.False(store.TryGet("b", out _));
        Assert.True(store.TryGet("a", out _));
        Assert.Equal("b=null@0", Text(context.Log.Records[^1]));
        store.Delete("a");
        store.Put("d", 4);
        Assert.True(store.TryGet("c", out _));
        Assert.Throws<NotSupportedException>(() => store.All());

        var copy = Stores.KeyValueStoreBuilder(Stores.LruMap("lru", 1), Serdes.String, Serdes.Int32).Build();
        copy.Init(Context());
        using var batch = context.Log.Batch();
        copy.Restore(batch, 0, batch.Count);
        Assert.True(copy.TryGet("d", out _));
        Assert.False(copy.TryGet("c", out _));
        Assert.Equal(1, copy.ApproximateNumEntries);
    }
}
