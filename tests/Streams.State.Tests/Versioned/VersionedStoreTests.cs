using Streams.Core;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.Versioned;

public abstract class VersionedStoreTests : IDisposable
{
    private const long NotPut = IVersionedKeyValueStore<string, string>.NotPut;
    private const long Undefined = IVersionedKeyValueStore<string, string>.ValidToUndefined;

    private readonly string _folder = Directory.CreateTempSubdirectory("versioned-tests-").FullName;
    private readonly List<IDisposable> _open = [];

    protected abstract bool OnDisk { get; }

    public void Dispose()
    {
        foreach (var store in Enumerable.Reverse(_open)) store.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private StoreContext Context() => new(_folder, memory: new StateMemory(16 << 20, 0));

    private IVersionedKeyValueStore<string, string> Open(StoreContext context, long retentionMs = 10_000, string name = "versions")
    {
        var retention = TimeSpan.FromMilliseconds(retentionMs);
        var store = Stores.VersionedKeyValueStoreBuilder(
            OnDisk ? Stores.PersistentVersionedKeyValueStore(name, retention) : Stores.InMemoryVersionedKeyValueStore(name, retention), Serdes.String, Serdes.String).Build();
        store.Init(context);
        _open.Add(store);
        return store;
    }

    private static string Get(IVersionedKeyValueStore<string, string> store, string key, long? asOf = null)
    {
        VersionedRecord<string> found;
        var has = asOf is { } time ? store.TryGet(key, time, out found) : store.TryGet(key, out found);
        return has ? $"{found.Value}@{found.Timestamp}-{found.ValidTo}" : "none";
    }

    [Fact]
    public void A_look_up_finds_the_version_of_its_time()
    {
        var store = Open(Context());
        Assert.Equal(Undefined, store.Put("a", "1", 1000));
        Assert.Equal(Undefined, store.Put("a", "3", 3000));
        Assert.Equal(3000, store.Put("a", "2", 2000));
        Assert.Equal("3@3000-", Get(store, "a"));
        Assert.Equal("none", Get(store, "a", 999));
        Assert.Equal("1@1000-2000", Get(store, "a", 1000));
        Assert.Equal("1@1000-2000", Get(store, "a", 1999));
        Assert.Equal("2@2000-3000", Get(store, "a", 2000));
        Assert.Equal("3@3000-", Get(store, "a", 3000));
        Assert.Equal("3@3000-", Get(store, "a", long.MaxValue));
        Assert.Equal("none", Get(store, "b"));
        Assert.Equal("none", Get(store, "a", long.MinValue));
    }

    [Fact]
    public void A_deletion_holds_from_its_time_until_the_next_version()
    {
        var store = Open(Context());
        store.Put("a", "1", 1000);
        Assert.Equal(Undefined, store.PutTombstone("a", 3000));
        Assert.Equal("none", Get(store, "a"));
        Assert.Equal("1@1000-3000", Get(store, "a", 2999));
        Assert.Equal("none", Get(store, "a", 3000));
        Assert.Equal(3000, store.Put("a", "2", 2000));
        Assert.Equal(Undefined, store.Put("a", "4", 4000));
        Assert.Equal("none", Get(store, "a", 3500));
        Assert.Equal(4000, store.Put("a", "3.5", 3500));
        Assert.Equal("none", Get(store, "a", 3499));
        Assert.Equal("3.5@3500-4000", Get(store, "a", 3999));
        Assert.True(store.Delete("a", 3600, out var previous));
        Assert.Equal(new VersionedRecord<string>("3.5", 3500, 4000), previous);
        Assert.Equal("none", Get(store, "a", 3700));
        Assert.Equal("4@4000-", Get(store, "a"));
        Assert.Equal(Undefined, store.Put("a", null!, 4000));
        Assert.Equal("none", Get(store, "a"));
        Assert.False(store.Delete("x", 100, out _));
    }

    [Fact]
    public void Same_time_replaces()
    {
        var store = Open(Context());
        store.Put("a", "1", 1000);
        store.Put("a", "2", 2000);
        Assert.Equal(2000, store.Put("a", "1b", 1000));
        Assert.Equal(Undefined, store.Put("a", "2b", 2000));
        Assert.Equal("1b@1000-2000", Get(store, "a", 1500));
        Assert.Equal("2b@2000-", Get(store, "a"));
        Assert.Equal(2000, store.PutTombstone("a", 1000));
        Assert.Equal("none", Get(store, "a", 1500));
        Assert.Equal(Undefined, store.PutTombstone("a", 2000));
        Assert.Equal(Undefined, store.Put("a", "2c", 2000));
        Assert.Equal("2c@2000-", Get(store, "a"));
    }

    [Fact]
    public void A_version_older_than_history_retention_is_not_put_but_logged_and_counted()
    {
        var context = Context();
        var store = Open(context, retentionMs: 1000);
        store.Put("a", "1", 5000);
        Assert.Equal(Undefined, store.Put("b", "edge", 4000));
        Assert.Equal(NotPut, store.Put("b", "late", 3999));
        Assert.Equal(NotPut, store.PutTombstone("b", 0));
        Assert.Equal(2, context.Dropped);
        Assert.Equal(["a=1@5000", "b=edge@4000", "b=late@3999", "b=@0"], context.Log.Records.Select(record =>
            $"{System.Text.Encoding.UTF8.GetString(record.Key)}={(record.Value is null ? "" : System.Text.Encoding.UTF8.GetString(record.Value))}@{record.Timestamp}"));
        Assert.Equal("edge@4000-", Get(store, "b"));

        // The latest never expires; what was before it does.
        store.Put("a", "2", 5500);
        store.Put("c", "x", 100_000);
        Assert.Equal("2@5500-", Get(store, "a"));
        Assert.Equal("2@5500-", Get(store, "a", 6000));
        Assert.Equal("none", Get(store, "a", 5400));
    }

    [Fact]
    public void The_end_of_time_does_not_overflow()
    {
        var store = Open(Context(), retentionMs: (long)TimeSpan.MaxValue.TotalMilliseconds);
        store.Put("a", "1", 0);
        store.Put("a", "2", long.MaxValue - 1);
        Assert.Equal("2@9223372036854775806-", Get(store, "a"));
        Assert.Equal("none", Get(store, "a", 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("a", "x", -1));
        Assert.Throws<ArgumentNullException>(() => store.Put(null!, "x", 1));
    }

    [Fact]
    public void Caching_is_refused() =>
        Assert.Throws<NotSupportedException>(() => Stores.VersionedKeyValueStoreBuilder(
            Stores.PersistentVersionedKeyValueStore("v", TimeSpan.FromSeconds(1)), Serdes.String, Serdes.String).WithCachingEnabled());

    [Theory]
    [InlineData(1, 3_000)]
    [InlineData(2, 40_000)]
    [InlineData(3, 1_000_000)]
    public void Random_operations_agree_with_a_naive_model(int seed, long retention)
    {
        var random = new Random(seed);
        var context = Context();
        var store = Open(context, retention);
        string[] keys = ["", "a", "a\0\0\0\0\0\0\0\0", "ab", "b"];
        var model = keys.ToDictionary(key => key, _ => new SortedDictionary<long, string?>());
        var (streamTime, dropped) = (-1L, 0);
        for (var step = 0; step < 1200; step++)
        {
            var key = keys[random.Next(keys.Length)];
            var time = Math.Max(0, (step * 25L) - random.Next(random.Next(4) == 0 ? 8_000 : 400));
            switch (random.Next(8))
            {
                case < 4:
                    var value = random.Next(4) == 0 ? null : $"v{step}";
                    var expected = NotPut;
                    if (time < streamTime - retention)
                    {
                        dropped++;
                    }
                    else
                    {
                        streamTime = Math.Max(streamTime, time);
                        model[key][time] = value;
                        expected = model[key].Keys.Where(other => other > time).DefaultIfEmpty(Undefined).First();
                    }

                    Assert.Equal(expected, value is null ? store.PutTombstone(key, time) : store.Put(key, value, time));
                    break;
                case 4:
                    store.Commit(context.Log.EndOffset);
                    if (OnDisk && random.Next(5) == 0)
                    {
                        store.Dispose();
                        store = Open(context, retention);
                    }

                    break;
                case 5:
                    Assert.Equal(Expected(key, long.MaxValue), Get(store, key));
                    break;
                default:
                    var asOf = time + random.Next(100);
                    var latest = model[key].LastOrDefault();
                    var visible = asOf >= streamTime - retention || (latest.Value is not null && latest.Key <= asOf);
                    Assert.Equal(visible ? Expected(key, asOf) : "none", Get(store, key, asOf));
                    break;
            }
        }

        Assert.Equal(dropped, context.Dropped);
        var restored = Open(Context(), retention, "restored");
        using var batch = context.Log.Batch();
        restored.Restore(batch, 0, batch.Count);
        restored.Commit(batch.Count);
        foreach (var key in keys)
        {
            Assert.Equal(Get(store, key), Get(restored, key));
            for (var time = Math.Max(0, streamTime - retention); time <= streamTime; time += 97) Assert.Equal(Get(store, key, time), Get(restored, key, time));
        }

        string Expected(string key, long asOf)
        {
            var version = model[key].LastOrDefault(entry => entry.Key <= asOf);
            if (version.Value is null) return "none";
            var next = model[key].Keys.Where(other => other > version.Key).Select(other => $"{other}").FirstOrDefault();
            return $"{version.Value}@{version.Key}-{next}";
        }
    }
}

public sealed class InMemoryVersionedStoreTests : VersionedStoreTests
{
    protected override bool OnDisk => false;
}

public sealed class PersistentVersionedStoreTests : VersionedStoreTests
{
    protected override bool OnDisk => true;
}
