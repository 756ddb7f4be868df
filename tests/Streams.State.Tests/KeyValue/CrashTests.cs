using System.Buffers.Binary;
using Streams.Core;
using Streams.State.Bytes;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.KeyValue;

public sealed class CrashTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("crash-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(5)]
    [InlineData(130)]
    [InlineData(333)]
    public void A_killed_process_leaves_a_store_that_the_changelog_completes(int commits)
    {
        CrashingChild.RunAndKill(_folder, commits);

        using var store = Stores.TimestampedKeyValueStoreBuilder(Stores.PersistentTimestampedKeyValueStore("s"), Serdes.Int32, Serdes.Int64).Build();
        store.Init(new StoreContext(_folder));
        var from = (int)((store.ChangelogOffset ?? 0) / CrashingChild.RecordsPerCommit);
        Assert.Equal(0, (store.ChangelogOffset ?? 0) % CrashingChild.RecordsPerCommit);

        // Five batches were due by then; that not even the first is on disk would be a tail without bound.
        if (commits >= 5 * TableStore<long>.WaitingCommitsMax) Assert.True(from >= TableStore<long>.WaitingCommitsMax, $"offset of commit {from}");

        // Before the tail is replayed, nothing committed at the offset is missing; what is there beyond it is from later commits.
        var before = store.All().AsEnumerable().ToDictionary(entry => entry.Key, entry => entry.Value.Value);
        for (var key = 0; key < CrashingChild.KeyCount; key++)
        {
            var expected = LastCommitOf(key, from);
            var found = before.GetValueOrDefault(key);
            Assert.True(found >= expected, $"key {key}: {found} after offset of commit {from}");
        }

        // The changelog as a broker has it: up to a commit at or after everything in the folder.
        var end = (int)Math.Max(commits, before.Count == 0 ? 0 : before.Values.Max());
        for (var commit = from + 1; commit <= end; commit++)
        {
            using var batch = Batches.Of(RecordsOf(commit), (commit - 1L) * CrashingChild.RecordsPerCommit);
            store.Restore(batch, 0, batch.Count);
        }

        store.Commit((long)end * CrashingChild.RecordsPerCommit);
        var after = store.All().AsEnumerable().Select(entry => (entry.Key, entry.Value.Value, entry.Value.Timestamp)).ToList();
        var model = Enumerable.Range(0, CrashingChild.KeyCount).Select(key => (key, (long)LastCommitOf(key, end))).Where(entry => entry.Item2 > 0).Select(entry => (entry.key, entry.Item2, entry.Item2));
        Assert.Equal(model, after);
    }

    private static int LastCommitOf(int key, int upTo)
    {
        for (var commit = upTo; commit > 0; commit--)
        {
            if (commit % 7 == key % 7) return commit;
        }

        return 0;
    }

    private static IEnumerable<Logged> RecordsOf(int commit)
    {
        for (var key = commit % 7; key < CrashingChild.KeyCount; key += 7)
        {
            var keyBytes = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32BigEndian(keyBytes, key);
            var value = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(value, commit);
            yield return new Logged(keyBytes, value, commit);
        }
    }
}
