using Streams.Core;
using Streams.State.Join;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.Join;

public abstract class OuterJoinStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("outer-join-tests-").FullName;
    private readonly List<IDisposable> _open = [];

    protected abstract bool OnDisk { get; }

    public void Dispose()
    {
        foreach (var store in Enumerable.Reverse(_open)) store.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private StoreContext Context() => new(_folder);

    private IOuterJoinStore<string, string, long> Open(StoreContext context, string name = "waiting")
    {
        var store = new OuterJoinStoreBuilder<string, string, long>(name, Serdes.String, Serdes.String, Serdes.Int64, OnDisk).Build();
        store.Init(context);
        _open.Add(store);
        return store;
    }

    private static List<string> List(IOuterJoinStore<string, string, long> store)
    {
        var found = new List<string>();
        using var all = store.All();
        while (all.MoveNext()) found.Add($"{all.Timestamp} {(all.IsLeft ? "left" : "right")} {all.Key}={(all.IsLeft ? all.Left : all.Right)}");
        return found;
    }

    [Fact]
    public void Bytes_are_kafkas()
    {
        var context = Context().At(1256);
        var store = Open(context);
        store.PutLeft("b", 1256, "b");
        store.RemoveIfPresent(isLeft: false, "b", 1256);
        store.RemoveIfPresent(isLeft: true, "b", 1256);
        Assert.Equal(2, context.Log.Records.Count);
        Assert.Equal("AAAAAAAABOgBYg==", Convert.ToBase64String(context.Log.Records[0].Key));
        Assert.Equal("AQAAAAEAAAACAWI=", Convert.ToBase64String(context.Log.Records[0].Value!));
        Assert.Equal(1256, context.Log.Records[0].Timestamp);
        Assert.Equal(context.Log.Records[0].Key, context.Log.Records[1].Key);
        Assert.Null(context.Log.Records[1].Value);
        store.PutRight("c", 1209, 100);
        Assert.Equal("AAAAAAAABLkAYw==", Convert.ToBase64String(context.Log.Records[2].Key));
        Assert.Equal([1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 100], context.Log.Records[2].Value!);
    }

    [Fact]
    public void Walk_goes_by_time_then_right_before_left_then_key_then_order_of_putting()
    {
        var store = Open(Context());
        Assert.Empty(List(store));
        store.PutLeft("b", 20, "1");
        store.PutLeft("a", 20, "2");
        store.PutRight("z", 20, 3);
        store.PutLeft("b", 20, "4");
        store.PutRight("a", 10, 5);
        Assert.Equal(["10 right a=5", "20 right z=3", "20 left a=2", "20 left b=1", "20 left b=4"], List(store));
        store.Delete(isLeft: false, "a", 10);
        store.RemoveIfPresent(isLeft: true, "b", 20);
        Assert.Equal(["20 right z=3", "20 left a=2"], List(store));
        store.PutLeft("e", 5, "early");
        store.RemoveIfPresent(isLeft: true, "e", 4);
        Assert.Equal(["5 left e=early", "20 right z=3", "20 left a=2"], List(store));
    }

    [Fact]
    public void Deleting_while_walking_is_safe()
    {
        var context = Context();
        var store = Open(context);
        for (var i = 0; i < 300; i++) store.PutLeft($"k{i % 7}", i / 2, $"{i}");
        store.Commit(context.Log.EndOffset);
        var seen = 0;
        using (var all = store.All())
        {
            (string Key, long Time)? last = null;
            while (all.MoveNext())
            {
                if (last is { } before) store.Delete(isLeft: true, before.Key, before.Time);
                last = (all.Key, all.Timestamp);
                seen++;
            }
        }

        Assert.Equal(300, seen);
        Assert.Single(List(store));
    }

    [Fact]
    public void Restore_brings_the_lists_back_and_refuses_what_is_none()
    {
        var context = Context();
        var store = Open(context);
        store.PutLeft("a", 7, "1");
        store.PutLeft("a", 7, "2");
        store.PutRight("b", 8, 3);
        store.Delete(isLeft: false, "b", 8);
        var restored = Open(Context(), "restored");
        using var batch = context.Log.Batch();
        restored.Restore(batch, 0, batch.Count);
        restored.Commit(batch.Count);
        Assert.Equal(["7 left a=1", "7 left a=2"], List(restored));

        using var badKey = Batches.Of([new Logged([1, 2], [1], 0)]);
        Assert.Throws<StateStoreException>(() => restored.Restore(badKey, 0, 1));
        byte[][] badValues = [[], [0, 0, 0, 0, 1], [1, 0xFF, 0, 0, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 1, 0x7F, 0, 0, 0, 1]];
        foreach (var value in badValues)
        {
            using var bad = Batches.Of([new Logged([0, 0, 0, 0, 0, 0, 0, 1, 1, (byte)'x'], value, 0)]);
            var damaged = Open(Context(), $"damaged{value.Length}{value.Sum(one => one)}");
            damaged.Restore(bad, 0, 1);
            damaged.Commit(1);
            Assert.Throws<StateStoreException>(() => List(damaged));
        }
    }
}

public sealed class InMemoryOuterJoinStoreTests : OuterJoinStoreTests
{
    protected override bool OnDisk => false;
}

public sealed class PersistentOuterJoinStoreTests : OuterJoinStoreTests
{
    protected override bool OnDisk => true;
}
