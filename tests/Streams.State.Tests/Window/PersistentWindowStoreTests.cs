using System.Buffers.Binary;
using Streams.Core;
using Streams.State.RocksDb;
using Xunit;

namespace Streams.State.Tests.Window;

public sealed class PersistentWindowStoreTests : WindowStoreTests
{
    protected override bool OnDisk => true;

    [Fact]
    public void All_goes_by_segment_then_key_or_by_time_when_asked_to()
    {
        var store = Timestamped(Context(), retentionMs: 200_000);
        var byTime = Stores.TimestampedWindowStoreBuilder(
            Stores.PersistentTimestampedWindowStore("by time", TimeSpan.FromSeconds(200), TimeSpan.FromSeconds(1), orderByTime: true), Serdes.String, Serdes.Int64).Build();
        Opened(byTime, Context());
        foreach (var one in (ITimestampedWindowStore<string, long>[])[store, byTime])
        {
            one.Put("b", new(1, 0), 1000);
            one.Put("a", new(2, 0), 2000);
            one.Put("a", new(3, 0), 150_000);
            one.Put("b", new(4, 0), 500);
        }

        Assert.Equal(["a 2000", "b 500", "b 1000", "a 150000"], store.All().AsEnumerable().Select(entry => $"{entry.Key.Key} {entry.Key.Window.StartMs}"));
        Assert.Equal(["b 500", "b 1000", "a 2000", "a 150000"], byTime.All().AsEnumerable().Select(entry => $"{entry.Key.Key} {entry.Key.Window.StartMs}"));
    }

    [Fact]
    public void A_late_write_into_a_segment_that_is_still_there_is_taken_but_not_shown()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 4000);
        store.Put("a", "1", 59_000);
        store.Put("a", "late", 1_000);
        Assert.Equal(0, context.Dropped);
        Assert.Equal(["59000=1"], List(store.Fetch("a", 0, 60_000)));
        store.Put("a", "2", 64_000);
        store.Put("a", "too late", 1_000);
        Assert.Equal(1, context.Dropped);
    }

    [Fact]
    public void After_a_change_of_retention_a_store_is_restored_from_its_changelog()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 100_000);
        store.Put("a", "1", 1_000);
        store.Commit(context.Log.EndOffset);
        store.Dispose();

        // Segments are longer now. What lies on disk is divided otherwise, and the changelog has all of it.
        store = Plain(Context(), retentionMs: 1_000_000);
        Assert.Null(store.ChangelogOffset);
        Assert.Empty(store.All().AsEnumerable());
        store.Put("b", "2", 2_000);
        store.Commit(1);
        store.Dispose();
        store = Plain(Context(), retentionMs: 1_000_000);
        Assert.Equal(1, store.ChangelogOffset);
        Assert.Equal(["2000=2"], List(store.Fetch("b", 0, long.MaxValue)));
        store.Dispose();

        // Without a changelog there is nothing to restore from, and another kind of store is a mistake in any case.
        Assert.Throws<StateStoreException>(() => Plain(Context(logging: false), retentionMs: 100_000));
        Assert.Throws<StateStoreException>(() => Plain(Context(), retentionMs: 100_000, duplicates: true));
        Assert.Equal(1, Plain(Context(), retentionMs: 1_000_000).ChangelogOffset);
    }

    [Fact]
    public void Stream_time_content_and_expiry_survive_a_restart()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 100_000);
        store.Put("a", "old", 1_000);
        store.Put("a", "mid", 70_000);
        store.Commit(context.Log.EndOffset);
        store.Put("a", "new", 170_000);
        store.Commit(context.Log.EndOffset);
        store.Dispose();

        context = Context();
        store = Plain(context, retentionMs: 100_000);
        Assert.Equal(["170000=new"], List(store.Fetch("a", 0, long.MaxValue)));
        store.Put("b", "late", 1_000);
        Assert.Equal(1, context.Dropped);
        store.Put("b", "fine", 100_000);
        Assert.Equal(["100000=fine"], List(store.Fetch("b", 0, long.MaxValue)));
    }

    [Fact]
    public void Expired_segments_leave_the_disk()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 60_000);
        for (var start = 0; start < 600_000; start += 1000)
        {
            store.Put($"k{start % 7}", "v", start);
            store.Commit(context.Log.EndOffset);
        }

        store.Commit(context.Log.EndOffset);
        store.Dispose();
        using var engine = RocksDbEngine.Open(Context(), "plain", "window, segments of 60000 ms,");
        using var iterator = engine.Iterate();
        var (count, dropped) = (0, 0);
        for (iterator.SeekToFirst(); iterator.IsValid; iterator.Next())
        {
            count++;

            // Stream time 599 s, retention 60 s: segments 8 (from 480 s) and 9 are left, with what got to disk at all before it expired.
            if (BinaryPrimitives.ReadUInt64BigEndian(iterator.Key) < 8) dropped++;
        }

        Assert.Equal(0, dropped);
        Assert.InRange(count, 60, 120);
    }

    [Fact]
    public void Entries_that_expire_before_they_are_applied_take_no_memory_and_never_reach_the_disk()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 1_000, duplicates: true);
        for (var i = 0; i < 50_000; i++) store.Put($"key-{i % 100}", $"value {i}", i);

        // 1,000 live ones, and at most as many again that the sweep has still to come to.
        Assert.InRange(store.UncommittedBytes, 1_000 * 50, 2_100 * 150);
        Assert.Equal(["49900=value 49900"], List(store.Fetch("key-0", 49_900, 50_000)));
        Assert.Equal(1_000, List(store.All()).Count);
        store.Commit(context.Log.EndOffset);
        store.Dispose();
        using (var engine = RocksDbEngine.Open(Context(), "plain", "window with duplicates, segments of 60000 ms,"))
        {
            Assert.Equal(50_000, engine.Offset);
            using var iterator = engine.Iterate();
            var count = 0;
            for (iterator.SeekToFirst(); iterator.IsValid; iterator.Next()) count++;
            Assert.InRange(count, 1_000, 2_100);
        }

        store = Plain(Context(), retentionMs: 1_000, duplicates: true);
        Assert.Equal(1_000, List(store.All()).Count);
    }

    [Fact]
    public void What_memory_had_to_let_go_is_found_on_disk()
    {
        // 16 MiB for everything leaves 4 MiB of table: less than the live windows take.
        var context = Context(memory: new StateMemory(16 << 20, 0));
        var store = Plain(context, retentionMs: 1_000_000, duplicates: true);
        const int Count = 60_000;
        for (var i = 0; i < Count; i++)
        {
            context.At(i, i);
            store.Put($"key-{i % 100}", $"value {i}", i * 10);
            if (i % 1_000 == 0) store.Commit(context.Log.EndOffset);
            if (i % 5_000 != 4_999) continue;
            var key = i % 100;
            var expected = Enumerable.Range(0, i + 1).Where(one => one % 100 == key).Select(one => $"{one * 10}=value {one}");
            Assert.Equal(expected, List(store.Fetch($"key-{key}", 0, long.MaxValue)));
            Assert.Equal(expected.TakeLast(3).Reverse(), List(store.BackwardFetch($"key-{key}", (i - 250) * 10, i * 10)));
        }
    }

    [Fact]
    public void Another_segment_interval_without_a_changelog_is_refused_rather_than_misread()
    {
        var store = Plain(Context(logging: false), retentionMs: 60_000);
        store.Put("a", "1", 0);
        store.Commit(null);
        store.Dispose();
        var failure = Assert.Throws<StateStoreException>(() => Plain(Context(logging: false), retentionMs: 600_000));
        Assert.Contains("segments of 60000 ms", failure.Message, StringComparison.Ordinal);
        Plain(Context(logging: false), retentionMs: 90_000).Dispose();
    }
}
