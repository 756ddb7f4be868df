using Streams.Core;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.Session;

/// <summary>What every session store does, in memory and on disk.</summary>
public abstract class SessionStoreTests : IDisposable
{
    private readonly List<IDisposable> _open = [];

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("session-tests-").FullName;

    protected abstract bool OnDisk { get; }

    public void Dispose()
    {
        foreach (var store in Enumerable.Reverse(_open)) store.Dispose();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected StoreContext Context(StateMemory? memory = null) => new(Folder, memory: memory);

    private protected ISessionStore<string, string> Open(StoreContext context, long retentionMs = 100_000, bool caching = false, string name = "sessions")
    {
        var retention = TimeSpan.FromMilliseconds(retentionMs);
        var builder = Stores.SessionStoreBuilder(
            OnDisk ? Stores.PersistentSessionStore(name, retention) : Stores.InMemorySessionStore(name, retention), Serdes.String, Serdes.String);
        if (caching) builder.WithCachingEnabled();
        var store = builder.Build();
        store.Init(context);
        _open.Add(store);
        return store;
    }

    private protected static Windowed<string> Session(string key, long start, long end) => new(key, new Core.Window(start, end));

    private protected static List<string> List(IKeyValueIterator<Windowed<string>, string> iterator) =>
        [.. iterator.AsEnumerable().Select(entry => $"{entry.Key.Key}@{entry.Key.Window}={entry.Value}")];

    [Fact]
    public void Find_gives_sessions_that_end_late_enough_and_start_early_enough()
    {
        var store = Open(Context());
        store.Put(Session("a", 0, 10), "1");
        store.Put(Session("a", 20, 30), "2");
        store.Put(Session("a", 40, 50), "3");
        store.Put(Session("b", 20, 30), "other");
        Assert.Equal(["a@20/30=2"], List(store.FindSessions("a", 11, 39)));
        Assert.Equal(["a@0/10=1", "a@20/30=2", "a@40/50=3"], List(store.FindSessions("a", 10, 40)));
        Assert.Equal(["a@40/50=3", "a@20/30=2", "a@0/10=1"], List(store.BackwardFindSessions("a", 10, 40)));
        Assert.Empty(List(store.FindSessions("a", 51, 100)));
        Assert.Equal(["a@0/10=1", "a@20/30=2", "a@40/50=3"], List(store.Fetch("a")));
        Assert.Equal(["b@20/30=other"], List(store.Fetch("b", "c")));
        Assert.Equal(4, List(store.Fetch(default, default)).Count);
        Assert.Equal(["a@20/30=2", "b@20/30=other"], List(store.FindSessions(11, 49)));
        Assert.True(store.TryFetchSession("a", 20, 30, out var value));
        Assert.Equal("2", value);
        Assert.False(store.TryFetchSession("a", 21, 30, out _));
        Assert.False(store.TryFetchSession("a", 0, long.MaxValue, out _));
    }

    [Fact]
    public void Remove_and_null_delete_a_session()
    {
        var store = Open(Context());
        store.Put(Session("a", 0, 10), "1");
        store.Put(Session("a", 0, 20), "2");
        store.Remove(Session("a", 0, 10));
        store.Put(Session("a", 0, 20), null!);
        Assert.Empty(List(store.Fetch("a")));
        Assert.Throws<ArgumentNullException>(() => store.Put(new Windowed<string>(null!, new Core.Window(0, 1)), "x"));
        Assert.Throws<ArgumentException>(() => store.Put(Session("a", 5, 4), "x"));
    }

    [Fact]
    public void Changelog_has_key_end_and_start_at_the_context_time()
    {
        var context = Context().At(2159);
        var store = Open(context);
        store.Remove(Session("a", 1896, 1896));
        store.Put(Session("a", 1896, 2159), "x");
        Assert.Equal(Convert.FromBase64String("YQAAAAAAAAdoAAAAAAAAB2g="), context.Log.Records[0].Key);
        Assert.Null(context.Log.Records[0].Value);
        Assert.Equal(Convert.FromBase64String("YQAAAAAAAAhvAAAAAAAAB2g="), context.Log.Records[1].Key);
        Assert.Equal("x"u8.ToArray(), context.Log.Records[1].Value);
        Assert.All(context.Log.Records, record => Assert.Equal(2159, record.Timestamp));
    }

    [Fact]
    public void Retention_counts_from_the_end()
    {
        var context = Context();
        var store = Open(context, retentionMs: 1000);
        store.Put(Session("a", 0, 100_000), "long");
        store.Put(Session("a", 0, 99_001), "in");
        store.Put(Session("a", 0, 99_000), "out");
        Assert.Equal(["a@0/99001=in", "a@0/100000=long"], List(store.Fetch("a")));
        Assert.False(store.TryFetchSession("a", 0, 99_000, out _));
        store.Put(Session("a", 0, 400_000), "x");
        store.Put(Session("a", 0, 1_000), "late");
        store.Remove(Session("a", 0, 1_000));
        Assert.Equal(OnDisk ? 2 : 3, context.Dropped);
        Assert.Equal(["a@0/400000=x"], List(store.Fetch("a")));
        store.Put(Session("a", 0, long.MaxValue), "end");
        Assert.Equal([$"a@0/{long.MaxValue}=end"], List(store.FindSessions("a", 0, long.MaxValue)));
    }

    [Fact]
    public void Cache_forwards_merged_sessions_once_at_their_end()
    {
        var context = Context();
        var store = Open(context, caching: true);
        var seen = new List<string>();
        Assert.True(((ICachedStateStore<Windowed<string>, string>)store).SetFlushListener(
            (in Record<Windowed<string>, Change<string>> record) => seen.Add($"{record.Key} {record.Value} {record.Timestamp}"), sendOldValues: true));
        store.Put(Session("a", 10, 10), "1");
        store.Flush();
        store.Remove(Session("a", 10, 10));
        store.Put(Session("a", 10, 15), "2");
        store.Remove(Session("a", 10, 15));
        store.Put(Session("a", 10, 20), "3");
        Assert.Equal(["a@10/20=3"], List(store.FindSessions("a", 0, 100)));
        store.Flush();
        Assert.Equal(["[a@10/10] (1 <- null) 10", "[a@10/10] (null <- 1) 10", "[a@10/20] (3 <- null) 20"], seen);
        Assert.Equal(3, context.Log.Records.Count);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void Random_operations_agree_with_a_naive_model(int seed, bool caching)
    {
        var random = new Random(seed);
        var retention = random.Next(2) == 0 ? 5_000 : 200_000;
        var interval = Math.Max(retention / 2, 60_000);
        var context = Context(new StateMemory(16 << 20, 1 << 20));
        var store = Open(context, retention, caching, $"model{seed}");
        var model = new Dictionary<(string Key, long Start, long End), string>();
        var (streamTime, dropped) = (-1L, 0);
        string[] keys = ["", "a", "ab", "b", "\0", "zz"];
        for (var step = 0; step < 1000; step++)
        {
            var key = keys[random.Next(keys.Length)];
            var end = Math.Max(0, (step * (long)random.Next(20, 60)) - random.Next(0, random.Next(10) == 0 ? 150_000 : 4_000));
            var start = Math.Max(0, end - random.Next(3) * random.Next(2000));
            switch (random.Next(10))
            {
                case < 5:
                    var value = random.Next(5) == 0 ? null : $"v{step}";
                    streamTime = Math.Max(streamTime, end);
                    store.Put(Session(key, start, end), value!);
                    if (IsLate(end)) dropped++;
                    else if (value is null) model.Remove((key, start, end));
                    else model[(key, start, end)] = value;
                    break;
                case 5 when Live().Any():
                    var victim = Live().ElementAt(random.Next(Live().Count())).Key;
                    store.Remove(Session(victim.Key, victim.Start, victim.End));
                    model.Remove(victim);
                    break;
                case 6:
                    store.Flush();
                    store.Commit(context.Log.EndOffset);
                    if (OnDisk && random.Next(6) == 0)
                    {
                        store.Dispose();
                        store = Open(context, retention, caching, $"model{seed}");
                    }

                    break;
                case 7:
                    var (earliestEnd, latestStart) = (end - random.Next(3000), start + random.Next(3000));
                    var expected = Live().Where(entry => entry.Key.Key == key && entry.Key.End >= earliestEnd && entry.Key.Start <= latestStart)
                        .OrderBy(entry => entry.Key.End).ThenBy(entry => entry.Key.Start).Select(Text).ToList();
                    Assert.Equal(expected, List(store.FindSessions(key, earliestEnd, latestStart)));
                    Assert.Equal(Enumerable.Reverse(expected), List(store.BackwardFindSessions(key, earliestEnd, latestStart)));
                    break;
                case 8:
                    var ended = Kept().Where(entry => entry.Key.End <= end).Select(Text).Order(StringComparer.Ordinal);
                    Assert.Equal(ended, List(store.FindSessions(0, end)).Order(StringComparer.Ordinal));
                    break;
                default:
                    Assert.Equal(Live().Any(entry => entry.Key == (key, start, end)), store.TryFetchSession(key, start, end, out _));
                    break;
            }
        }

        Assert.True(dropped == context.Dropped, $"seed {seed}: {context.Dropped} dropped, expected {dropped}");
        store.Flush();
        var restored = Open(Context(), retention, name: $"model{seed}r");
        var batch = context.Log.Batch();
        restored.Restore(batch, 0, batch.Count);
        restored.Commit(batch.Count);
        Assert.Equal(List(store.Fetch(default, default)), List(restored.Fetch(default, default)));

        bool IsLate(long end) => OnDisk ? end / interval < Math.Max(0, streamTime - retention) / interval : end <= streamTime - retention;

        // Who asks for ended sessions sees them on disk as long as their segment is there.
        IEnumerable<KeyValuePair<(string Key, long Start, long End), string>> Kept() =>
            OnDisk ? model.Where(entry => entry.Key.End / interval >= Math.Max(0, streamTime - retention) / interval) : Live();

        IEnumerable<KeyValuePair<(string Key, long Start, long End), string>> Live() => model.Where(entry => entry.Key.End > streamTime - retention);

        static string Text(KeyValuePair<(string Key, long Start, long End), string> entry) => $"{entry.Key.Key}@{entry.Key.Start}/{entry.Key.End}={entry.Value}";
    }
}

public sealed class InMemorySessionStoreTests : SessionStoreTests
{
    protected override bool OnDisk => false;
}

public sealed class PersistentSessionStoreTests : SessionStoreTests
{
    protected override bool OnDisk => true;
}
