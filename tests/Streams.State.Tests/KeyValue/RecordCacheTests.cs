using Streams.Core;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.KeyValue;

/// <summary>KIP-63 over both engines: what is held back, when it leaves, and what downstream is told.</summary>
public sealed class RecordCacheTests
{
    private readonly List<string> _forwarded = [];

    [Fact]
    public void Only_the_last_write_of_a_key_is_logged_and_forwarded_at_flush()
    {
        var (store, context) = Open();
        context.At(1);
        store.Put("a", new(1, 1));
        context.At(2);
        store.Put("a", new(2, 2));
        context.At(3);
        store.Put("a", new(3, 3));
        Assert.Empty(context.Log.Records);
        Assert.True(store.TryGet("a", out var held));
        Assert.Equal(3, held.Value);
        Commit(store, context);
        Assert.Equal(["a: 3 <- none @3"], _forwarded);
        Assert.Single(context.Log.Records);
        Assert.Equal(3, context.Log.Records[0].Timestamp);

        context.At(4);
        store.Put("a", new(4, 4));
        context.At(5);
        store.Put("a", new(5, 2));
        Commit(store, context);
        Assert.Equal("a: 5 <- 3 @2", _forwarded[^1]);
    }

    [Fact]
    public void A_key_that_came_and_went_between_commits_was_never_there()
    {
        var (store, context) = Open();
        store.Put("a", new(1, 1));
        store.Delete("a");
        Commit(store, context);
        Assert.Empty(_forwarded);
        Assert.Empty(context.Log.Records);
        Assert.False(store.TryGet("a", out _));
        Assert.Equal(0, store.ApproximateNumEntries);
    }

    [Fact]
    public void Deleting_a_committed_key_forwards_the_deletion_at_the_records_time()
    {
        var (store, context) = Open();
        store.Put("a", new(1, 1));
        Commit(store, context);
        context.At(9);
        store.Put("a", new(2, 2));
        store.Delete("a");
        Commit(store, context);
        Assert.Equal("a: none <- 1 @9", _forwarded[^1]);
        Assert.Null(context.Log.Records[^1].Value);
    }

    [Fact]
    public void Flush_order_is_the_order_of_last_writes()
    {
        var (store, context) = Open();
        foreach (var key in new[] { "a", "b", "c", "a" }) store.Put(key, new(1, 1));
        Commit(store, context);
        Assert.Equal(["b", "c", "a"], _forwarded.Select(text => text[..1]));
    }

    [Fact]
    public void Past_its_bytes_the_cache_flushes_everything()
    {
        var (store, context) = Open(new StateMemory(recordCacheBytes: 1000));
        var count = 0;
        while (_forwarded.Count == 0) store.Put($"key-{count++}", new(1, 1));
        Assert.Equal(count, _forwarded.Count);
        Assert.InRange(count, 3, 20);
        Assert.Equal(count, context.Log.Records.Count);
    }

    [Fact]
    public void Old_values_are_left_out_when_nobody_wants_them()
    {
        var (store, context) = Open(sendOldValues: false);
        store.Put("a", new(1, 1));
        Commit(store, context);
        store.Put("a", new(2, 2));
        Commit(store, context);
        Assert.Equal("a: 2 <- none @2", _forwarded[^1]);
    }

    [Fact]
    public void Late_forwards_see_the_coordinates_of_the_write()
    {
        var (store, context) = Open();
        context.At(1, offset: 100);
        store.Put("a", new(1, 1));
        context.At(2, offset: 200);
        var offsets = new List<long>();
        ((ICachedStateStore<string, long>)store).SetFlushListener((in Record<string, Change<long>> _) => offsets.Add(context.Coordinates.Offset), true);
        store.Flush();
        Assert.Equal([100], offsets);
        Assert.Equal(200, context.Coordinates.Offset);
    }

    [Fact]
    public void Without_cache_memory_there_is_no_cache()
    {
        var context = new StoreContext(memory: new StateMemory(recordCacheBytes: 0));
        var store = Stores.TimestampedKeyValueStoreBuilder(Stores.InMemoryKeyValueStore("s"), Serdes.String, Serdes.Int64).WithCachingEnabled().Build();
        store.Init(context);
        Assert.False(((ICachedStateStore<string, long>)store).SetFlushListener((in Record<string, Change<long>> _) => { }, true));
        store.Put("a", new(1, 1));
        Assert.Single(context.Log.Records);
    }

    [Fact]
    public void Committing_what_was_not_flushed_is_an_error()
    {
        var (store, _) = Open();
        store.Put("a", new(1, 1));
        Assert.Throws<InvalidOperationException>(() => store.Commit(0));
    }

    [Fact]
    public void A_listener_that_writes_to_its_own_store_is_flushed_too()
    {
        var (store, context) = Open();
        ((ICachedStateStore<string, long>)store).SetFlushListener(
            (in Record<string, Change<long>> record) =>
            {
                _forwarded.Add(record.Key);
                if (record.Key.Length < 3) store.Put(record.Key + "x", new(1, 1));
            },
            true);
        store.Put("a", new(1, 1));
        Commit(store, context);
        Assert.Equal(["a", "ax", "axx"], _forwarded);
    }

    [Fact]
    public void A_listener_that_deletes_its_key_and_flushes_again_leaves_a_sound_store()
    {
        var (store, context) = Open();
        ((ICachedStateStore<string, long>)store).SetFlushListener(
            (in Record<string, Change<long>> record) =>
            {
                if (!record.Value.HasNew) return;
                store.Delete(record.Key);
                store.Flush();
            },
            true);
        foreach (var key in new[] { "a", "b", "c" }) store.Put(key, new(1, 1));
        Commit(store, context);
        Assert.Equal(0, store.ApproximateNumEntries);
        for (var i = 0; i < 100; i++) store.Put($"k{i}", new(i, i));
        for (var i = 0; i < 100; i++) Assert.True(store.TryGet($"k{i}", out var value) && value.Value == i);
    }

    [Fact]
    public void Restoring_over_held_writes_is_an_error()
    {
        var (store, _) = Open();
        store.Put("a", new(1, 1));
        using var batch = Batches.Of([new Logged("a"u8.ToArray(), new byte[8], 1)]);
        Assert.Throws<InvalidOperationException>(() => store.Restore(batch, 0, 1));
    }

    [Fact]
    public void Ranges_see_held_writes_and_deletions()
    {
        var (store, context) = Open();
        store.Put("a", new(1, 1));
        store.Put("b", new(2, 2));
        Commit(store, context);
        store.Delete("a");
        store.Put("c", new(3, 3));
        using var iterator = store.All();
        Assert.Equal(["b", "c"], iterator.AsEnumerable().Select(entry => entry.Key));
        Assert.Equal(2, store.ApproximateNumEntries);
    }

    [Fact]
    public void Mutable_values_are_forwarded_as_they_were()
    {
        var context = new StoreContext();
        var store = Stores.TimestampedKeyValueStoreBuilder(Stores.InMemoryKeyValueStore("s"), Serdes.String, Serdes.ByteArray).WithCachingEnabled().Build();
        store.Init(context);
        var forwarded = new List<string>();
        ((ICachedStateStore<string, byte[]>)store).SetFlushListener(
            (in Record<string, Change<byte[]>> record) =>
                forwarded.Add($"{Convert.ToHexString(record.Value.NewValue ?? [])} <- {(record.Value.HasOld ? Convert.ToHexString(record.Value.OldValue) : "none")}"),
            true);
        store.Put("a", new([1], 1));
        store.Flush();
        store.Put("a", new([2, 2], 1));
        store.Put("a", new([3, 3, 3], 1));
        store.Flush();
        store.Delete("a");
        store.Flush();
        Assert.Equal(["01 <- none", "030303 <- 01", " <- 030303"], forwarded);
    }

    private (ITimestampedKeyValueStore<string, long> Store, StoreContext Context) Open(StateMemory? memory = null, bool sendOldValues = true)
    {
        var context = new StoreContext(memory: memory);
        var store = Stores.TimestampedKeyValueStoreBuilder(Stores.InMemoryKeyValueStore("s"), Serdes.String, Serdes.Int64).WithCachingEnabled().Build();
        store.Init(context);
        Assert.True(((ICachedStateStore<string, long>)store).SetFlushListener(Note, sendOldValues));
        return (store, context);
    }

    private static void Commit(IStateStore store, StoreContext context)
    {
        store.Flush();
        store.Commit(context.Log.EndOffset);
    }

    private void Note(in Record<string, Change<long>> record)
    {
        var change = record.Value;
        _forwarded.Add($"{record.Key}: {(change.HasNew ? change.NewValue : "none")} <- {(change.HasOld ? change.OldValue : "none")} @{record.Timestamp}");
    }
}
