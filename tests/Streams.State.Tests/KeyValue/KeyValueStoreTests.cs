using Streams.Core;
using Streams.State.KeyValue;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.KeyValue;

/// <summary>What every key-value store does, whatever it is made of.</summary>
public abstract class KeyValueStoreTests : IDisposable
{
    private readonly List<IDisposable> _open = [];

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("store-tests-").FullName;

    public void Dispose()
    {
        foreach (var store in Enumerable.Reverse(_open)) store.Dispose();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected abstract KeyValueBytesStoreSupplier Supplier(string name, bool timestamped);

    private protected abstract bool Persistent { get; }

    private protected StoreContext Context(bool logging = true, StateMemory? memory = null) => new(Folder, logging, memory);

    private protected IKeyValueStore<K, V> Plain<K, V>(StoreContext context, ISerde<K> keys, ISerde<V> values, bool caching = false)
    {
        var builder = Stores.KeyValueStoreBuilder(Supplier("plain", timestamped: false), keys, values);
        if (caching) builder.WithCachingEnabled();
        var store = builder.Build();
        store.Init(context);
        _open.Add(store);
        return store;
    }

    private protected ITimestampedKeyValueStore<K, V> Timestamped<K, V>(StoreContext context, ISerde<K> keys, ISerde<V> values, bool caching = false)
    {
        var builder = Stores.TimestampedKeyValueStoreBuilder(Supplier("timestamped", timestamped: true), keys, values);
        if (caching) builder.WithCachingEnabled();
        var store = builder.Build();
        store.Init(context);
        _open.Add(store);
        return store;
    }

    [Fact]
    public void Get_finds_what_was_put_and_nothing_else()
    {
        var store = Plain(Context(), Serdes.String, Serdes.Int64);
        Assert.False(store.TryGet("a", out _));
        store.Put("a", 1);
        store.Put("b", 0);
        store.Put("", 7);
        Assert.True(store.TryGet("a", out var a));
        Assert.True(store.TryGet("b", out var zero));
        Assert.True(store.TryGet("", out var empty));
        Assert.Equal((1, 0, 7), (a, zero, empty));
        store.Put("a", 2);
        Assert.True(store.TryGet("a", out a));
        Assert.Equal(2, a);
        Assert.False(store.TryGet("aa", out _));
    }

    [Fact]
    public void Delete_gives_the_previous_value_and_leaves_nothing()
    {
        var store = Plain(Context(), Serdes.String, Serdes.String);
        store.Put("a", "x");
        Assert.True(store.Delete("a", out var previous));
        Assert.Equal("x", previous);
        Assert.False(store.TryGet("a", out _));
        Assert.False(store.Delete("a", out _));
        store.Put("b", "y");
        store.Put("b", null!);
        Assert.False(store.TryGet("b", out _));
    }

    [Fact]
    public void Put_if_absent_writes_only_once()
    {
        var store = Plain(Context(), Serdes.String, Serdes.String);
        Assert.True(store.PutIfAbsent("a", "x", out _));
        Assert.False(store.PutIfAbsent("a", "y", out var existing));
        Assert.Equal("x", existing);
    }

    [Fact]
    public void A_null_key_is_refused()
    {
        var store = Plain(Context(), Serdes.String, Serdes.String);
        Assert.Throws<ArgumentNullException>(() => store.Put(null!, "x"));
        Assert.Throws<ArgumentNullException>(() => store.TryGet(null!, out _));
        Assert.Throws<ArgumentNullException>(() => store.Delete(null!));
    }

    [Fact]
    public void Changing_an_object_after_put_changes_nothing_in_the_store()
    {
        var store = Plain(Context(), Serdes.String, Serdes.ByteArray);
        byte[] value = [1, 2, 3];
        store.Put("a", value);
        value[0] = 9;
        Assert.True(store.TryGet("a", out var read));
        Assert.Equal([1, 2, 3], read);
        read[1] = 9;
        Assert.True(store.TryGet("a", out read));
        Assert.Equal([1, 2, 3], read);
    }

    [Fact]
    public void Ranges_are_inclusive_in_byte_order_and_go_both_ways()
    {
        var store = Plain(Context(), Serdes.Int32, Serdes.String);
        foreach (var key in new[] { 5, -1, 3, 0, int.MaxValue, 4 }) store.Put(key, $"v{key}");

        // Two's complement: negative numbers come last.
        Assert.Equal([0, 3, 4, 5, int.MaxValue, -1], Keys(store.All()));
        Assert.Equal([-1, int.MaxValue, 5, 4, 3, 0], Keys(store.ReverseAll()));
        Assert.Equal([3, 4, 5], Keys(store.Range(3, 5)));
        Assert.Equal([5, 4, 3], Keys(store.ReverseRange(3, 5)));
        Assert.Equal([0, 3], Keys(store.Range(default, 3)));
        Assert.Equal([5, int.MaxValue, -1], Keys(store.Range(5, default)));
        Assert.Equal([], Keys(store.Range(5, 3)));
        Assert.Equal([], Keys(store.ReverseRange(5, 3)));
        Assert.Equal([], Keys(store.Range(1, 2)));
    }

    [Fact]
    public void Prefix_scan_gives_keys_with_the_prefix_only()
    {
        var store = Plain(Context(), Serdes.ByteArray, Serdes.Int32);
        byte[][] keys = [[1], [1, 0], [1, 255], [1, 255, 255], [2], [255], [255, 255], [255, 255, 1]];
        for (var i = 0; i < keys.Length; i++) store.Put(keys[i], i);
        Assert.Equal([0, 1, 2, 3], Values(store.PrefixScan([1], Serdes.ByteArray)));
        Assert.Equal([2, 3], Values(store.PrefixScan([1, 255], Serdes.ByteArray)));
        Assert.Equal([6, 7], Values(store.PrefixScan([255, 255], Serdes.ByteArray)));
        Assert.Equal(keys.Length, Values(store.PrefixScan([], Serdes.ByteArray)).Count);
        Assert.Equal([], Values(store.PrefixScan([3], Serdes.ByteArray)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_iterator_goes_on_while_the_store_is_written_and_committed(bool commit)
    {
        var context = Context();
        var store = Plain(context, Serdes.Int32, Serdes.Int32);
        for (var i = 0; i < 1000; i += 2) store.Put(i, i);
        store.Commit(context.Log.EndOffset);
        var seen = new List<int>();
        using (var iterator = store.All())
        {
            while (iterator.MoveNext())
            {
                var key = iterator.Key;
                Assert.Equal(key, iterator.Value);
                seen.Add(key);
                if (key % 2 == 0) store.Put(key + 1, key + 1);
                if (key % 4 == 0) store.Delete(key);
                if (commit && key % 100 == 0) store.Commit(context.Log.EndOffset);
            }
        }

        Assert.Equal(Enumerable.Range(0, 1000), seen);
        Assert.Equal(750, Keys(store.All()).Count);
    }

    [Fact]
    public void An_iterator_says_when_it_is_not_on_an_entry_or_closed()
    {
        var store = Plain(Context(), Serdes.Int32, Serdes.Int32);
        store.Put(1, 1);
        var iterator = store.All();
        Assert.Throws<InvalidOperationException>(() => iterator.Key);
        Assert.True(iterator.MoveNext());
        Assert.False(iterator.MoveNext());
        Assert.False(iterator.MoveNext());
        Assert.Throws<InvalidOperationException>(() => iterator.Value);
        iterator.Dispose();
        iterator.Dispose();
        Assert.Throws<ObjectDisposedException>(() => iterator.MoveNext());

        var open = store.All();
        store.Dispose();
        Assert.Throws<ObjectDisposedException>(() => open.MoveNext());
        Assert.Throws<ObjectDisposedException>(() => store.TryGet(1, out _));
        open.Dispose();
    }

    [Fact]
    public void Every_write_is_logged_in_order_with_the_records_time()
    {
        var context = Context();
        var store = Plain(context, Serdes.String, Serdes.Int32);
        context.At(10);
        store.Put("a", 1);
        context.At(5);
        store.Put("a", 2);
        store.Delete("b");
        store.Delete("a", out _);
        Assert.Equal(
            ["a=00000001@10", "a=00000002@5", "b=null@5", "a=null@5"],
            context.Log.Records.Select(Text));
    }

    [Fact]
    public void Timestamped_stores_log_the_bare_value_at_the_values_time()
    {
        var context = Context();
        context.At(99);
        var store = Timestamped(context, Serdes.String, Serdes.Int32);
        store.Put("a", new ValueAndTimestamp<int>(1, 42));
        store.Delete("a");
        Assert.Equal(["a=00000001@42", "a=null@99"], context.Log.Records.Select(Text));
    }

    [Fact]
    public void A_timestamped_put_of_a_null_value_deletes()
    {
        var context = Context();
        var store = Timestamped(context, Serdes.String, Serdes.String);
        store.Put("a", new ValueAndTimestamp<string>("x", 1));
        store.Put("a", new ValueAndTimestamp<string>(null!, 2));
        Assert.False(store.TryGet("a", out _));
        Assert.Null(context.Log.Records[^1].Value);
    }

    [Fact]
    public void Without_logging_nothing_is_logged()
    {
        var context = Context(logging: false);
        var store = Plain(context, Serdes.String, Serdes.Int32);
        store.Put("a", 1);
        store.Flush();
        store.Commit(null);
        Assert.Empty(context.Log.Records);
        Assert.True(store.TryGet("a", out _));
    }

    [Fact]
    public void A_serialiser_that_throws_leaves_the_store_as_it_was()
    {
        var context = Context();
        var store = Plain(context, Serdes.String, Serdes.From(new ThrowingSerializer(), Serdes.ByteArray));
        store.Put("a", [1]);
        Assert.Throws<SerializationException>(() => store.Put("a", [66]));
        Assert.True(store.TryGet("a", out var value));
        Assert.Equal([1], value);
        Assert.Single(context.Log.Records);
    }

    [Fact]
    public void Huge_values_and_values_of_changing_size_are_kept()
    {
        var context = Context();
        var store = Plain(context, Serdes.Int32, Serdes.ByteArray);
        var random = new Random(7);
        var sizes = new[] { 0, 1, 8, 9, 100, 4096, 70_000, 600_000, 3_000_000, 5, 0, 600_001, 64 };
        var last = new Dictionary<int, byte[]>();
        foreach (var size in sizes)
        {
            for (var key = 0; key < 3; key++)
            {
                var value = new byte[size];
                random.NextBytes(value);
                store.Put(key, value);
                last[key] = value;
            }

            store.Commit(context.Log.EndOffset);
            foreach (var (key, value) in last)
            {
                Assert.True(store.TryGet(key, out var read));
                Assert.True(value.AsSpan().SequenceEqual(read));
            }
        }
    }

    [Fact]
    public void Restoring_brings_back_values_times_and_deletions()
    {
        var context = Context();
        var store = Timestamped(context, Serdes.String, Serdes.Int64);
        using (var batch = Batches.Of([
            new Logged("a"u8.ToArray(), [0, 0, 0, 0, 0, 0, 0, 1], 10),
            new Logged("b"u8.ToArray(), [0, 0, 0, 0, 0, 0, 0, 2], 20),
            new Logged("a"u8.ToArray(), [0, 0, 0, 0, 0, 0, 0, 3], 30),
            new Logged("b"u8.ToArray(), null, 40),
            new Logged("c"u8.ToArray(), [0, 0, 0, 0, 0, 0, 0, 4], 50),
        ]))
        {
            store.Restore(batch, 0, 4);
            store.Restore(batch, 4, 5);
        }

        Assert.True(store.TryGet("a", out var a));
        Assert.Equal(new ValueAndTimestamp<long>(3, 30), a);
        Assert.False(store.TryGet("b", out _));
        Assert.Equal(["a", "c"], Keys(store.All()));
        store.Commit(5);
        Assert.Equal(5, store.ChangelogOffset);
        Assert.Equal(["a", "c"], Keys(store.All()));
        Assert.Empty(context.Log.Records);
    }

    [Fact]
    public void Restoring_onto_entries_that_were_read_replaces_them()
    {
        var context = Context();
        var store = Plain(context, Serdes.String, Serdes.String);
        using var first = Batches.Of([new Logged("a"u8.ToArray(), "old"u8.ToArray(), 1)]);
        store.Restore(first, 0, 1);
        store.Commit(1);
        Assert.True(store.TryGet("a", out _));
        Assert.False(store.TryGet("b", out _));
        using var second = Batches.Of([new Logged("a"u8.ToArray(), "new"u8.ToArray(), 1), new Logged("b"u8.ToArray(), "b"u8.ToArray(), 1)], 1);
        store.Restore(second, 0, 2);
        Assert.True(store.TryGet("a", out var a));
        Assert.True(store.TryGet("b", out var b));
        Assert.Equal(("new", "b"), (a, b));
    }

    [Fact]
    public void Restoring_a_record_without_key_is_an_error()
    {
        var store = Plain(Context(), Serdes.String, Serdes.String);
        using var batch = new RecordBatch(new TopicPartition("log", 3), new byte[1], Batches.Pooled([new RecordSlice(17, 0, 0, -1, 0, 1, 0, 0)]), 1, 18);
        var error = Assert.Throws<StateStoreException>(() => store.Restore(batch, 0, 1));
        Assert.Contains("17", error.Message, StringComparison.Ordinal);
        Assert.Contains("plain", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changelog_replayed_into_an_empty_store_gives_the_same_content()
    {
        var random = new Random(11);
        var context = Context();
        var store = Timestamped(context, Serdes.Int32, Serdes.String, caching: true);
        for (var i = 0; i < 5000; i++)
        {
            context.At(i);
            var key = random.Next(300);
            if (random.Next(4) == 0) store.Delete(key);
            else store.Put(key, new ValueAndTimestamp<string>($"v{i}", i));
            if (i % 700 != 0) continue;
            store.Flush();
            store.Commit(context.Log.EndOffset);
        }

        store.Flush();
        var expected = store.All().AsEnumerable().ToList();
        Assert.NotEmpty(expected);

        var copy = Stores.TimestampedKeyValueStoreBuilder(Stores.InMemoryKeyValueStore("copy"), Serdes.Int32, Serdes.String).Build();
        copy.Init(Context());
        using var batch = context.Log.Batch();
        copy.Restore(batch, 0, batch.Count);
        Assert.Equal(expected, copy.All().AsEnumerable());
    }

    [Fact]
    public void Reading_and_writing_a_hot_key_allocates_nothing()
    {
        var context = Context();
        context.Log.Discard = true;
        var store = (TimestampedKeyValueStore<int, long>)Timestamped(context, Serdes.Int32, Serdes.Int64);
        void Work(int from, int count)
        {
            for (var i = from; i < from + count; i++)
            {
                var key = i % 1000;
                store.TryGet(key, out var value, out var slot);
                store.Put(in slot, key, new ValueAndTimestamp<long>(value.Value + 1, i));
            }
        }

        Work(0, 50_000);
        store.Commit(1);
        Work(0, 50_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Work(0, 50_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(store.TryGet(5, out var count));
        Assert.Equal(150, count.Value);
    }

    [Fact]
    public void A_stale_slot_is_looked_up_again()
    {
        var store = (TimestampedKeyValueStore<string, long>)Timestamped(Context(), Serdes.String, Serdes.Int64);
        store.TryGet("a", out _, out var slot);
        store.Put("b", new ValueAndTimestamp<long>(1, 1));
        store.Put(in slot, "a", new ValueAndTimestamp<long>(2, 2));
        store.TryGet("b", out _, out slot);
        store.Delete("b");
        store.Put(in slot, "b", new ValueAndTimestamp<long>(3, 3));
        Assert.Equal([2, 3], Values(store.All()).Select(entry => entry.Value));
    }

    private protected static List<K> Keys<K, V>(IKeyValueIterator<K, V> iterator) => [.. iterator.AsEnumerable().Select(entry => entry.Key)];

    private protected static List<V> Values<K, V>(IKeyValueIterator<K, V> iterator) => [.. iterator.AsEnumerable().Select(entry => entry.Value)];

    private protected static string Text(Logged record) =>
        $"{System.Text.Encoding.UTF8.GetString(record.Key)}={(record.Value is null ? "null" : Convert.ToHexString(record.Value))}@{record.Timestamp}";

    private sealed class ThrowingSerializer : ISerializer<byte[]>
    {
        public void Serialize(byte[] value, System.Buffers.IBufferWriter<byte> output)
        {
            Serdes.ByteArray.Serialize(value, output);
            if (value is [66]) throw new SerializationException("no");
        }
    }
}
