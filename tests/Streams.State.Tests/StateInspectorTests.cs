using Streams.Core;
using Streams.State.RocksDb;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests;

public sealed class StateInspectorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("inspector-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("outer-join")]
    [InlineData("join-buffer")]
    [InlineData("key-value")]
    public void Keys_of_kinds_without_segments_are_shown_whole(string kind)
    {
        var key = "0123456789abcdef"u8.ToArray();
        var entry = Assert.Single(Stored(kind, key, "value"u8));
        Assert.Equal(key, entry.Key.ToArray());
        Assert.Equal(key, entry.UserKey.ToArray());
        Assert.Equal("value"u8.ToArray(), entry.Value.ToArray());
        Assert.Null(entry.From);
        Assert.Null(entry.Timestamp);
    }

    [Fact]
    public void Deletions_that_a_versioned_store_has_noted_are_told_from_empty_values()
    {
        var deletion = Assert.Single(Stored("versioned-key-value, segments of 900000 ms,", [0, 0, 0, 0, 0, 0, 0, 1, (byte)'k', 0, 0, 0, 0, 0, 0, 0, 5], [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 0]));
        Assert.Equal(((long?)5, (long?)9, true), (deletion.From, deletion.To, deletion.IsDeletion));
        Assert.Equal("k"u8.ToArray(), deletion.UserKey.ToArray());
        Assert.Empty(deletion.Value.ToArray());
    }

    /// <summary>What does not fit its kind is shown, whatever it is.</summary>
    [Theory]
    [InlineData("versioned-key-value, segments of 900000 ms,")]
    [InlineData("window, segments of 60000 ms,")]
    [InlineData("timestamped-window with duplicates, segments of 60000 ms,")]
    [InlineData("session, segments of 60000 ms,")]
    [InlineData("something new")]
    public void Entries_too_short_for_their_kind_are_shown_as_they_are(string kind)
    {
        for (var length = 0; length < 16; length++)
        {
            var entry = Assert.Single(Stored(kind, new byte[length], Enumerable.Repeat((byte)7, length + 8).ToArray()));
            Assert.True(entry.Key.Length <= length);
            Directory.Delete(Path.Combine(_folder, "rocksdb"), recursive: true);
        }
    }

    private List<StoredEntry> Stored(string kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        using (var engine = RocksDbEngine.Open(new StoreContext(_folder), "store", kind))
        {
            engine.BatchPut(key, value);
            engine.BatchWrite(1, -1);
            engine.Persist();
        }

        return [.. StateInspector.Read(new StoredStore("store", new TaskId(0, 0), Path.Combine(_folder, "rocksdb", "store")))];
    }
}
