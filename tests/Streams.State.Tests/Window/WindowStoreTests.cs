using System.Buffers.Binary;
using System.Text;
using Streams.Core;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.Window;

/// <summary>What every window store does, in memory and on disk.</summary>
public abstract class WindowStoreTests : IDisposable
{
    private readonly List<IDisposable> _open = [];

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("window-tests-").FullName;

    protected abstract bool OnDisk { get; }

    public void Dispose()
    {
        foreach (var store in Enumerable.Reverse(_open)) store.Dispose();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected StoreContext Context(bool logging = true, StateMemory? memory = null) => new(Folder, logging, memory);

    private protected IWindowStore<string, string> Plain(StoreContext context, long retentionMs = 10_000, long sizeMs = 1_000, bool duplicates = false, bool caching = false, string name = "plain")
    {
        var (retention, size) = (TimeSpan.FromMilliseconds(retentionMs), TimeSpan.FromMilliseconds(sizeMs));
        var supplier = OnDisk ? Stores.PersistentWindowStore(name, retention, size, duplicates) : Stores.InMemoryWindowStore(name, retention, size, duplicates);
        var builder = Stores.WindowStoreBuilder(supplier, Serdes.String, Serdes.String);
        if (caching) builder.WithCachingEnabled();
        return Opened(builder.Build(), context);
    }

    private protected ITimestampedWindowStore<string, long> Timestamped(StoreContext context, long retentionMs = 10_000, bool caching = false, bool orderByTime = false)
    {
        var (retention, size) = (TimeSpan.FromMilliseconds(retentionMs), TimeSpan.FromMilliseconds(Math.Min(1_000, retentionMs)));
        var supplier = OnDisk
            ? Stores.PersistentTimestampedWindowStore("timestamped", retention, size, orderByTime: orderByTime)
            : Stores.InMemoryWindowStore("timestamped", retention, size);
        var builder = Stores.TimestampedWindowStoreBuilder(supplier, Serdes.String, Serdes.Int64);
        if (caching) builder.WithCachingEnabled();
        return Opened(builder.Build(), context);
    }

    private protected TStore Opened<TStore>(TStore store, StoreContext context)
        where TStore : IStateStore
    {
        store.Init(context);
        _open.Add(store);
        return store;
    }

    private protected static List<string> List<V>(IKeyValueIterator<Windowed<string>, V> iterator) =>
        [.. iterator.AsEnumerable().Select(entry => $"{entry.Key.Key}@{entry.Key.Window}={entry.Value}")];

    private protected static List<string> List<V>(IKeyValueIterator<long, V> iterator) => [.. iterator.AsEnumerable().Select(entry => $"{entry.Key}={entry.Value}")];

    private protected static byte[] Key(string key, long start, int sequence = 0)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(key) + 12];
        Encoding.UTF8.GetBytes(key, bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan()[^12..], start);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan()[^4..], sequence);
        return bytes;
    }

    [Fact]
    public void Fetch_gives_windows_that_start_in_the_range_both_ends_included()
    {
        var store = Plain(Context());
        foreach (var start in (long[])[1000, 2000, 3000, 4000]) store.Put("a", $"v{start}", start);
        store.Put("ab", "other", 2000);
        store.Put("", "empty", 2000);
        Assert.Equal(["2000=v2000", "3000=v3000"], List(store.Fetch("a", 2000, 3000)));
        Assert.Equal(["3000=v3000", "2000=v2000"], List(store.BackwardFetch("a", 2000, 3000)));
        Assert.Equal(["2000=v2000"], List(store.Fetch("a", 1001, 2999)));
        Assert.Empty(List(store.Fetch("a", 2001, 2999)));
        Assert.Empty(List(store.Fetch("a", 3000, 2000)));
        Assert.Empty(List(store.Fetch("b", long.MinValue, long.MaxValue)));
        Assert.Equal(4, List(store.Fetch("a", long.MinValue, long.MaxValue)).Count);
        Assert.Equal(["2000=empty"], List(store.Fetch("", 0, long.MaxValue)));
        Assert.True(store.TryFetch("a", 3000, out var value));
        Assert.Equal("v3000", value);
        Assert.False(store.TryFetch("a", 3001, out _));
        Assert.False(store.TryFetch("a", -1, out _));
        Assert.False(store.TryFetch("a", long.MaxValue, out _));
    }

    [Fact]
    public void A_put_replaces_and_null_or_delete_removes()
    {
        var context = Context();
        var store = Plain(context);
        store.Put("a", "1", 1000);
        store.Put("a", "2", 1000);
        Assert.Equal(["a@1000/2000=2"], List(store.All()));
        store.Put("a", null!, 1000);
        Assert.Empty(List(store.All()));
        store.Put("a", "3", 1000);
        store.Delete("a", 1000);
        store.Delete("a", 1000);
        Assert.Empty(List(store.All()));
        Assert.Equal(6, context.Log.Records.Count);
        Assert.Throws<ArgumentNullException>(() => store.Put(null!, "v", 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("a", "v", -1));
    }

    [Fact]
    public void Changelog_has_key_start_and_sequence_and_the_context_time()
    {
        var context = Context().At(1275);
        var store = Plain(context);
        store.Put("c", "v", 1000);
        store.Delete("c", 1000);
        Assert.Equal(Convert.FromBase64String("YwAAAAAAAAPoAAAAAA=="), context.Log.Records[0].Key);
        Assert.Equal("v"u8.ToArray(), context.Log.Records[0].Value);
        Assert.Equal(1275, context.Log.Records[0].Timestamp);
        Assert.Equal(new Logged(context.Log.Records[0].Key, null, 1275), context.Log.Records[1] with { Key = context.Log.Records[0].Key });
    }

    [Fact]
    public void A_timestamped_value_is_logged_without_its_time_at_its_time()
    {
        var context = Context().At(5000);
        var store = Timestamped(context);
        store.Put("d", new(2, 2947), 2000);
        var logged = Assert.Single(context.Log.Records);
        Assert.Equal(Convert.FromBase64String("ZAAAAAAAAAfQAAAAAA=="), logged.Key);
        Assert.Equal(Convert.FromBase64String("AAAAAAAAAAI="), logged.Value);
        Assert.Equal(2947, logged.Timestamp);
        Assert.True(store.TryFetch("d", 2000, out var value));
        Assert.Equal(new ValueAndTimestamp<long>(2, 2947), value);
    }

    [Fact]
    public void Duplicates_stand_side_by_side_in_order_of_arrival_and_null_uses_up_a_number()
    {
        var context = Context().At(12321);
        var store = Plain(context, duplicates: true, caching: true);
        store.Put("c", "first", 12000);
        store.Put("c", "second", 12000);
        store.Put("d", "other", 12000);
        store.Put("c", null!, 12000);
        store.Put("c", "third", 12000);
        Assert.Equal(["12000=first", "12000=second", "12000=third"], List(store.Fetch("c", 12000, 12000)));
        Assert.Equal(["12000=third", "12000=second", "12000=first"], List(store.BackwardFetch("c", 0, 20000)));
        Assert.True(store.TryFetch("c", 12000, out var first));
        Assert.Equal("first", first);
        Assert.Equal([1, 2, 3, 4, 5], context.Log.Records.Select(record => BinaryPrimitives.ReadInt32BigEndian(record.Key.AsSpan()[^4..])));
        Assert.Null(context.Log.Records[3].Value);
        Assert.Equal(Key("c", 12000, 4), context.Log.Records[3].Key);
    }

    [Fact]
    public void Duplicates_are_all_there_after_a_restore_and_new_ones_join_them()
    {
        var context = Context();
        var store = Plain(context, duplicates: true);
        for (var i = 0; i < 5; i++) store.Put("k", $"v{i}", 7000);
        var restored = Plain(Context(), duplicates: true, name: "restored");
        restored.Restore(context.Log.Batch(), 0, 5);
        restored.Commit(5);
        Assert.Equal(5, List(restored.Fetch("k", 7000, 7000)).Count);

        // The numbers start over: without care the first new one would overwrite the first restored one.
        restored.Put("k", "new", 7000);
        Assert.Equal(["7000=v0", "7000=v1", "7000=v2", "7000=v3", "7000=v4", "7000=new"], List(restored.Fetch("k", 7000, 7000)));
    }

    [Fact]
    public void Retention_hides_what_is_as_old_and_counts_what_comes_too_late()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 4000);
        store.Put("a", "1", 36_000);
        store.Put("b", "2", 37_000);
        Assert.Equal(2, List(store.All()).Count);
        store.Put("c", "3", 40_000);
        Assert.Equal(["b@37000/38000=2", "c@40000/41000=3"], List(store.All()));
        Assert.False(store.TryFetch("a", 36_000, out _));
        Assert.Empty(List(store.Fetch("a", 0, long.MaxValue)));
        Assert.Equal(0, context.Dropped);

        // Late by more than any segment: dropped, counted, and still logged as Kafka's stores do.
        store.Put("z", "late", 300_000);
        Assert.Equal(["z@300000/301000=late"], List(store.All()));
        store.Put("a", "x", 10_000);
        store.Put("a", null!, 10_000);
        Assert.Equal(2, context.Dropped);
        Assert.Equal(6, context.Log.Records.Count);
        Assert.Null(context.Log.Records[^1].Value);
        Assert.Equal(Key("a", 10_000), context.Log.Records[^1].Key);
    }

    [Fact]
    public void Keys_that_begin_alike_are_told_apart_in_ranges()
    {
        var store = Plain(Context(), retentionMs: long.MaxValue / 20_000);

        // The suffix of one key reads like the rest of another.
        string[] keys = ["a", "a\0", "a\0\0", "a\0\0\0\0\0\0\0\0", "a\0\0\0\0\0\0\0\0\0\0\0\0", "aa", "b", "", "\0"];
        foreach (var key in keys)
        {
            store.Put(key, "x", 0);
            store.Put(key, "y", 1);
            store.Put(key, "z", 256);
        }

        foreach (var key in keys)
        {
            Assert.Equal(["0=x", "1=y", "256=z"], List(store.Fetch(key, 0, 1000)));
            Assert.Equal(["1=y", "0=x"], List(store.BackwardFetch(key, 0, 255)));
            foreach (var to in keys)
            {
                var expected = keys.Where(one => string.CompareOrdinal(one, key) >= 0 && string.CompareOrdinal(one, to) <= 0).Order(StringComparer.Ordinal).ToList();
                var found = store.Fetch(key, to, 0, 256).AsEnumerable().Select(entry => entry.Key.Key).ToList();
                Assert.Equal(3 * expected.Count, found.Count);
                Assert.Equal(expected, found.Distinct().Order(StringComparer.Ordinal));
            }
        }
    }

    [Fact]
    public void Times_near_the_end_of_time_do_not_overflow()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 10_000);
        store.Put("a", "first", 0);
        store.Put("a", "last", long.MaxValue);
        store.Put("a", "before", long.MaxValue - 9_999);
        store.Put("a", "hidden", long.MaxValue - 10_000);
        Assert.Equal([$"{long.MaxValue - 9_999}=before", $"{long.MaxValue}=last"], List(store.Fetch("a", long.MinValue, long.MaxValue)));
        using var all = store.BackwardAll();
        Assert.True(all.MoveNext());
        Assert.Equal(new Core.Window(long.MaxValue, long.MaxValue), all.Key.Window);
        store.Commit(context.Log.EndOffset);
        Assert.Equal(2, List(store.All()).Count);

        var huge = Plain(Context(), retentionMs: (long)TimeSpan.MaxValue.TotalMilliseconds, name: "huge");
        huge.Put("a", "x", 0);
        huge.Put("a", "y", (long)TimeSpan.MaxValue.TotalMilliseconds - 1);
        Assert.Equal(2, List(huge.All()).Count);
        huge.Put("a", "z", long.MaxValue);
        Assert.Equal([$"{long.MaxValue}=z"], List(huge.Fetch("a", 0, long.MaxValue)));
    }

    [Fact]
    public void Expired_changelog_records_move_stream_time_and_nothing_else()
    {
        var context = Context();
        var store = Plain(context, retentionMs: 4000);
        store.Put("a", "1", 1000);
        store.Put("b", "2", 400_000);
        store.Put("c", "3", 2_000);
        var restored = Plain(Context(), retentionMs: 4000, name: "restored");
        restored.Restore(context.Log.Batch(), 0, 3);
        restored.Commit(3);
        Assert.Equal(["b@400000/401000=2"], List(restored.All()));
        Assert.Equal(3, restored.ChangelogOffset ?? 3);
        var late = Context();
        Assert.Empty(List(restored.Fetch("a", 0, 399_000)));
        restored.Put("d", "4", 1000);
        Assert.Equal(["b@400000/401000=2"], List(restored.All()));
        Assert.Equal(0, late.Dropped);
    }

    [Fact]
    public void A_changelog_key_that_is_no_window_is_refused()
    {
        var store = Plain(Context());
        Assert.Throws<StateStoreException>(() => store.Restore(Batches.Of([new Logged([1, 2, 3], [1], 0)]), 0, 1));
        Assert.Throws<StateStoreException>(() => store.Restore(Batches.Of([new Logged([.. Enumerable.Repeat((byte)0xFF, 12)], [1], 0)]), 0, 1));
    }

    [Fact]
    public void Iterators_see_no_entry_of_a_disposed_or_unmoved_place()
    {
        var store = Plain(Context());
        store.Put("a", "1", 1000);
        var fetched = store.Fetch("a", 0, 2000);
        Assert.Throws<InvalidOperationException>(() => fetched.Key);
        Assert.True(fetched.MoveNext());
        fetched.Dispose();
        fetched.Dispose();
        Assert.Throws<ObjectDisposedException>(() => fetched.Value);
        var all = store.All();
        Assert.Throws<InvalidOperationException>(() => all.Value);
        Assert.True(all.MoveNext());
        Assert.False(all.MoveNext());
        Assert.Throws<InvalidOperationException>(() => all.Key);

        // The cursor behind the first is in use again; the first must not know.
        using var again = store.Fetch("a", 0, 2000);
        fetched.Dispose();
        Assert.True(again.MoveNext());
        Assert.Equal("1", again.Value);
    }

    [Fact]
    public void Writes_during_a_walk_do_not_break_it()
    {
        var store = Plain(Context(), retentionMs: 100_000);
        for (var i = 0; i < 50; i++) store.Put("k", $"{i}", i * 1000);
        using var walk = store.Fetch("k", 0, long.MaxValue);
        var seen = 0;
        while (walk.MoveNext())
        {
            seen++;
            store.Delete("k", walk.Key);
            store.Put("other", "x", walk.Key);
        }

        Assert.Equal(50, seen);
        Assert.Empty(List(store.Fetch("k", 0, long.MaxValue)));
        Assert.Equal(50, List(store.Fetch("other", 0, long.MaxValue)).Count);
    }

    [Fact]
    public void Cache_holds_back_all_but_the_last_write_and_knows_the_value_before()
    {
        var context = Context().At(1);
        var store = Timestamped(context, caching: true);
        var seen = new List<string>();
        Assert.True(((ICachedStateStore<Windowed<string>, long>)store).SetFlushListener(
            (in Record<Windowed<string>, Change<long>> record) => seen.Add($"{record.Key} {record.Value} {record.Timestamp}"), sendOldValues: true));
        store.Put("a", new(1, 10), 1000);
        store.Put("a", new(2, 20), 1000);
        store.Put("a", new(7, 15), 2000);
        Assert.Empty(context.Log.Records);
        Assert.Equal(["a@1000/2000=ValueAndTimestamp { Value = 2, Timestamp = 20 }", "a@2000/3000=ValueAndTimestamp { Value = 7, Timestamp = 15 }"], List(store.All()));
        store.Flush();
        store.Commit(context.Log.EndOffset);
        Assert.Equal(["[a@1000/2000] (2 <- null) 20", "[a@2000/3000] (7 <- null) 15"], seen);
        Assert.Equal([Key("a", 1000), Key("a", 2000)], context.Log.Records.Select(record => record.Key));
        seen.Clear();
        store.Put("a", new(3, 30), 1000);
        store.Delete("a", 2000);
        context.At(99);
        store.Put("b", new(1, 5), 2000);
        store.Delete("b", 2000);
        store.Flush();
        Assert.Equal(["[a@1000/2000] (3 <- 2) 30", "[a@2000/3000] (null <- 7) 1"], seen);
        Assert.Equal(4, context.Log.Records.Count);
    }

    [Theory]
    [InlineData(1, false, false)]
    [InlineData(2, false, true)]
    [InlineData(3, true, false)]
    [InlineData(4, true, false)]
    public void Random_operations_agree_with_a_naive_model(int seed, bool duplicates, bool caching)
    {
        var random = new Random(seed);
        var retention = random.Next(2) == 0 ? 5_000 : 200_000;
        var interval = OnDisk ? Math.Max(retention / 2, 60_000) : Math.Max(retention / 2, 1_000);
        var name = $"model{seed}";
        var context = Context(memory: new StateMemory(16 << 20, 1 << 20));
        var store = Plain(context, retention, 1000, duplicates, caching, name);
        var model = new List<(string Key, long Start, int Order, string Value)>();
        var (streamTime, order, dropped) = (-1L, 0, 0);

        // The order of "" and "\0" depends on sequence numbers, which the model does not have.
        string[] keys = duplicates ? ["", "a", "ab", "abc", "b", "zz"] : ["", "a", "ab", "abc", "b", "\0", "zz"];
        for (var step = 0; step < 1000; step++)
        {
            var key = keys[random.Next(keys.Length)];
            var start = Math.Max(0, (step * (long)random.Next(20, 60)) - random.Next(0, random.Next(10) == 0 ? 150_000 : 4_000));
            switch (random.Next(12))
            {
                case < 6:
                    streamTime = Math.Max(streamTime, start);
                    store.Put(key, $"v{step}", start);
                    if (IsLate(start)) dropped++;
                    else Write(key, start, $"v{step}");
                    break;
                case 6:
                    store.Put(key, null!, start);

                    // A store on disk that keeps duplicates does not see nulls at all.
                    if (duplicates && OnDisk) break;
                    streamTime = Math.Max(streamTime, start);
                    if (IsLate(start)) dropped++;
                    else if (!duplicates) model.RemoveAll(entry => entry.Key == key && entry.Start == start);
                    break;
                case 7:
                    store.Flush();
                    store.Commit(context.Log.EndOffset);
                    if (OnDisk && random.Next(6) == 0)
                    {
                        store.Dispose();
                        store = Plain(context, retention, 1000, duplicates, caching, name);
                    }

                    break;
                case 8:
                    var (from, to) = (start - random.Next(3000), start + random.Next(3000));
                    Assert.Equal(Expected(entry => entry.Key == key && entry.Start >= from && entry.Start <= to).Select(Text), Windows(store.Fetch(key, from, to), key));
                    Assert.Equal(
                        Expected(entry => entry.Key == key && entry.Start >= from && entry.Start <= to).Select(Text).Reverse(), Windows(store.BackwardFetch(key, from, to), key));
                    break;
                case 9:
                    var other = keys[random.Next(keys.Length)];
                    Assert.Equal(
                        Walked(Expected(entry => string.CompareOrdinal(entry.Key, key) >= 0 && string.CompareOrdinal(entry.Key, other) <= 0 && entry.Start <= start), reverse: false),
                        List(store.Fetch(key, other, 0, start)));
                    break;
                case 10:
                    Assert.Equal(Walked(Expected(_ => true), reverse: random.Next(1) == 1), List(store.All()));
                    Assert.Equal(Walked(Expected(_ => true), reverse: true), List(store.BackwardAll()));
                    break;
                default:
                    var found = Expected(entry => entry.Key == key && entry.Start == start).ToList();
                    Assert.Equal(found.Count > 0, store.TryFetch(key, start, out var value));
                    if (found.Count > 0) Assert.Equal(found[0].Value, value);
                    break;
            }
        }

        Assert.True(dropped == context.Dropped, $"seed {seed}: {context.Dropped} dropped, expected {dropped}");

        // What the changelog has is what the store has.
        store.Flush();
        var restored = Plain(Context(), retention, 1000, duplicates, caching: false, name + "r");
        var batch = context.Log.Batch();
        restored.Restore(batch, 0, batch.Count);
        restored.Commit(batch.Count);
        Assert.Equal(List(store.All()), List(restored.All()));

        bool IsLate(long start) => OnDisk ? start / interval < Math.Max(0, streamTime - retention) / interval : start <= streamTime - retention;

        void Write(string key, long start, string value)
        {
            if (!duplicates) model.RemoveAll(entry => entry.Key == key && entry.Start == start);
            model.Add((key, start, duplicates ? order++ : 0, value));
        }

        IEnumerable<(string Key, long Start, int Order, string Value)> Expected(Func<(string Key, long Start, int Order, string Value), bool> wanted) =>
            model.Where(entry => entry.Start > streamTime - retention && wanted(entry)).OrderBy(entry => entry.Start).ThenBy(entry => entry.Order);

        IEnumerable<string> Walked(IEnumerable<(string Key, long Start, int Order, string Value)> entries, bool reverse)
        {
            var ordered = OnDisk
                ? entries.OrderBy(entry => entry.Start / interval).ThenBy(entry => Key(entry.Key, entry.Start, entry.Order), Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)))
                : entries.OrderBy(entry => entry.Start).ThenBy(entry => entry.Key, StringComparer.Ordinal).ThenBy(entry => entry.Order);
            var texts = ordered.Select(Text);
            return reverse ? texts.Reverse() : texts;
        }

        static string Text((string Key, long Start, int Order, string Value) entry) => $"{entry.Key}@{entry.Start}/{entry.Start + 1000}={entry.Value}";

        static List<string> Windows(IKeyValueIterator<long, string> iterator, string key) =>
            [.. iterator.AsEnumerable().Select(entry => $"{key}@{entry.Key}/{entry.Key + 1000}={entry.Value}")];
    }
}
