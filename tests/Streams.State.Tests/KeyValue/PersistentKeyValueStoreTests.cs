using System.Buffers.Binary;
using Streams.Core;
using Streams.State.Bytes;
using Streams.State.RocksDb;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.KeyValue;

public sealed class PersistentKeyValueStoreTests : KeyValueStoreTests
{
    private protected override bool Persistent => true;

    protected override KeyValueBytesStoreSupplier Supplier(string name, bool timestamped) =>
        timestamped ? Stores.PersistentTimestampedKeyValueStore(name) : Stores.PersistentKeyValueStore(name);

    [Fact]
    public void A_clean_close_keeps_content_and_offset()
    {
        var context = Context();
        var store = Timestamped(context, Serdes.String, Serdes.Int64);
        Assert.Null(store.ChangelogOffset);
        store.Put("a", new(1, 10));
        store.Put("b", new(2, 20));
        store.Delete("b");
        store.Commit(context.Log.EndOffset);
        store.Dispose();

        var again = Timestamped(Context(), Serdes.String, Serdes.Int64);
        Assert.Equal(3, again.ChangelogOffset);
        Assert.True(again.TryGet("a", out var a));
        Assert.Equal(new ValueAndTimestamp<long>(1, 10), a);
        Assert.Equal(["a"], Keys(again.All()));
    }

    [Fact]
    public void Uncommitted_writes_are_gone_after_a_close_and_the_store_is_at_a_commit()
    {
        var context = Context();
        var store = Plain(context, Serdes.String, Serdes.Int64);
        store.Put("a", 1);
        store.Commit(1);
        store.Dispose();

        store = Plain(context, Serdes.String, Serdes.Int64);
        store.Put("a", 2);
        store.Put("b", 2);
        Assert.True(store.UncommittedBytes > 0);
        store.Dispose();

        store = Plain(context, Serdes.String, Serdes.Int64);
        Assert.Equal(1, store.ChangelogOffset);
        Assert.True(store.TryGet("a", out var a));
        Assert.Equal(1, a);
        Assert.False(store.TryGet("b", out _));
    }

    [Fact]
    public void Entries_are_laid_out_as_kafka_streams_has_them()
    {
        var context = Context();
        var store = Timestamped(context, Serdes.String, Serdes.Int32);
        store.Put("key", new(5, 0x0102030405060708));
        store.Commit(1);
        store.Dispose();

        using var engine = RocksDbEngine.Open(context, "timestamped", "timestamped-key-value");
        using var iterator = engine.Iterate();
        iterator.SeekToFirst();
        Assert.True(iterator.IsValid);
        Assert.Equal("key"u8.ToArray(), iterator.Key.ToArray());
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 5], iterator.Value.ToArray());
        iterator.Next();
        Assert.False(iterator.IsValid);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    public void Behaves_as_a_sorted_map_under_random_operations_commits_and_reopens(int seed, bool caching)
    {
        var random = new Random(seed);

        // The least memory there is, so that entries are evicted and batches applied all the time.
        var memory = new StateMemory(16 << 20, recordCacheBytes: caching ? 4096 : 0);
        var context = Context(memory: memory);
        var store = Plain(context, Serdes.ByteArray, Serdes.ByteArray, caching);
        var model = new SortedDictionary<byte[], byte[]>(Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right)));
        var committed = new Dictionary<byte[], byte[]>(model);
        for (var step = 0; step < 6000; step++)
        {
            context.At(step);
            var key = RandomKey(random);
            switch (random.Next(100))
            {
                case < 45:
                    var value = new byte[random.Next(50) == 0 ? random.Next(300_000) : random.Next(40)];
                    random.NextBytes(value);
                    store.Put(key, value);
                    model[key] = value;
                    break;
                case < 60:
                    store.Delete(key);
                    model.Remove(key);
                    break;
                case < 85:
                    Assert.True(store.TryGet(key, out var found) == model.TryGetValue(key, out var expected), $"seed {seed}, step {step}");
                    Assert.Equal(expected, found);
                    break;
                case < 95:
                    var bound = RandomKey(random);
                    var (low, high) = key.AsSpan().SequenceCompareTo(bound) <= 0 ? (key, bound) : (bound, key);
                    using (var range = random.Next(2) == 0 ? store.Range(low, high) : store.ReverseRange(low, high))
                    {
                        var inModel = model.Where(entry => Compare(entry.Key, low) >= 0 && Compare(entry.Key, high) <= 0).ToDictionary().Select(entry => entry.Key);
                        var walked = range.AsEnumerable().Select(entry => entry.Key).Take(5000).ToList();
                        if (walked.Count > 1 && Compare(walked[0], walked[1]) > 0) walked.Reverse();
                        Assert.Equal(inModel, walked);
                    }

                    break;
                case < 98:
                    store.Flush();
                    store.Commit(context.Log.EndOffset);
                    committed = new Dictionary<byte[], byte[]>(model);
                    break;
                default:
                    // Closed at a commit or before one: what comes back must be at that commit once the tail of the changelog is replayed.
                    var clean = random.Next(2) == 0;
                    if (clean)
                    {
                        store.Flush();
                        store.Commit(context.Log.EndOffset);
                        committed = new Dictionary<byte[], byte[]>(model);
                    }

                    var end = store.ChangelogOffset ?? 0;
                    store.Dispose();
                    context.Log.Truncate(end);
                    store = Plain(context, Serdes.ByteArray, Serdes.ByteArray, caching);
                    var from = store.ChangelogOffset ?? 0;
                    if (clean) Assert.Equal(end, from);
                    using (var tail = context.Log.Batch(from)) store.Restore(tail, 0, tail.Count);
                    store.Commit(end);
                    model.Clear();
                    foreach (var (at, was) in committed) model[at] = was;
                    Assert.Equal(model.Select(entry => entry.Key), Keys(store.All()));
                    break;
            }
        }

        Assert.Equal(model, store.All().AsEnumerable());
    }

    [Fact]
    public void A_crash_leaves_the_folder_at_a_commit_and_the_changelog_brings_the_rest()
    {
        var context = Context();
        var store = Timestamped(context, Serdes.Int32, Serdes.Int64);
        for (var commit = 0; commit < 200; commit++)
        {
            for (var i = 0; i < 50; i++) store.Put((commit * 7) + i, new(commit, commit));
            store.Commit(context.Log.EndOffset);
        }

        for (var i = 0; i < 500; i++) store.Put(i, new(-1, -1));

        // What a killed process leaves is what is in the files: copied here while the store is open.
        var crashed = Path.Combine(Folder, "crashed");
        CopyFolder(Path.Combine(Folder, "rocksdb"), Path.Combine(crashed, "rocksdb"));
        var after = new StoreContext(crashed);
        using var again = Stores.TimestampedKeyValueStoreBuilder(Supplier("timestamped", true), Serdes.Int32, Serdes.Int64).Build();
        again.Init(after);
        var from = again.ChangelogOffset ?? 0;
        Assert.InRange(from, 0, 10_000);
        context.Log.Truncate(10_000);
        using var tail = context.Log.Batch(from);
        again.Restore(tail, 0, tail.Count);
        again.Commit(10_000);

        store.Dispose();
        var expected = new SortedDictionary<int, long>();
        for (var commit = 0; commit < 200; commit++)
        {
            for (var i = 0; i < 50; i++) expected[(commit * 7) + i] = commit;
        }

        Assert.Equal(expected, again.All().AsEnumerable().Select(entry => new KeyValuePair<int, long>(entry.Key, entry.Value.Value)));
    }

    [Fact]
    public void Committed_writes_wait_in_memory_only_so_long()
    {
        var context = Context();
        var store = Plain(context, Serdes.Int32, Serdes.Int64);
        for (var commit = 1; commit <= TableStore<long>.WaitingCommitsMax; commit++)
        {
            store.Put(1, commit);
            store.Commit(commit);
        }

        store.Put(1, -1);
        store.Dispose();
        Assert.Equal(TableStore<long>.WaitingCommitsMax, Plain(context, Serdes.Int32, Serdes.Int64).ChangelogOffset);
    }

    [Fact]
    public void Without_a_changelog_every_commit_is_in_the_folder()
    {
        var context = Context(logging: false);
        var store = Plain(context, Serdes.Int32, Serdes.Int64);
        store.Put(1, 1);
        store.Commit(null);
        var crashed = Path.Combine(Folder, "crashed");
        CopyFolder(Path.Combine(Folder, "rocksdb"), Path.Combine(crashed, "rocksdb"));
        using var again = Stores.KeyValueStoreBuilder(Supplier("plain", false), Serdes.Int32, Serdes.Int64).Build();
        again.Init(new StoreContext(crashed, logging: false));
        Assert.True(again.TryGet(1, out _));
    }

    [Fact]
    public void A_large_restore_survives_reopening_and_stays_within_its_buffer()
    {
        var context = Context();
        var store = Plain(context, Serdes.Int32, Serdes.ByteArray);
        var value = new byte[1000];
        for (var batchIndex = 0; batchIndex < 20; batchIndex++)
        {
            var records = Enumerable.Range(0, 1000).Select(i =>
            {
                var key = new byte[4];
                BinaryPrimitives.WriteInt32BigEndian(key, ((batchIndex * 1000) + i) * 7919 % 20_000);
                return new Logged(key, value, i);
            });
            using var batch = Batches.Of(records, batchIndex * 1000);
            store.Restore(batch, 0, batch.Count);
            Assert.True(store.UncommittedBytes < RestoreBuffer.FullBytes + (2 << 20));
        }

        // Closed without a commit: each batch taken was at an offset of its own.
        store.Dispose();
        var again = Plain(context, Serdes.Int32, Serdes.ByteArray);
        Assert.Equal(20_000, again.ChangelogOffset);
        Assert.Equal(Enumerable.Range(0, 20_000), Keys(again.All()));
        Assert.InRange(again.ApproximateNumEntries, 15_000, 25_000);
    }

    [Fact]
    public void Memory_stays_within_its_share_and_everything_is_found()
    {
        var memory = new StateMemory(16 << 20, 0);
        var context = Context(memory: memory);
        context.Log.Discard = true;
        var store = Plain(context, Serdes.Int32, Serdes.ByteArray);
        for (var i = 0; i < 40_000; i++)
        {
            store.Put(i, new byte[300]);
            if (store.UncommittedBytes > 1 << 20) store.Commit(context.Log.EndOffset);
        }

        store.Commit(context.Log.EndOffset);
        for (var i = 0; i < 40_000; i += 7) Assert.True(store.TryGet(i, out _));
        Assert.Equal(40_000, Keys(store.All()).Count);
    }

    private static int Compare(byte[] left, byte[] right) => left.AsSpan().SequenceCompareTo(right);

    private static byte[] RandomKey(Random random)
    {
        // Few distinct bytes and short lengths: many keys are prefixes of others, and many repeat.
        var key = new byte[random.Next(7)];
        for (var i = 0; i < key.Length; i++) key[i] = (byte)(random.Next(3) switch { 0 => 0, 1 => 255, _ => random.Next(4) });
        return key;
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
