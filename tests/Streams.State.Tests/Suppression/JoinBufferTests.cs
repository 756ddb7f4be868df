using Streams.Core;
using Streams.State.Suppression;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.Suppression;

public abstract class JoinBufferTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("join-buffer-tests-").FullName;
    private readonly List<IDisposable> _open = [];

    protected abstract bool OnDisk { get; }

    public void Dispose()
    {
        foreach (var store in Enumerable.Reverse(_open)) store.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected StoreContext Context() => new(_folder);

    private protected ITimeOrderedBuffer<string, string> Open(StoreContext context, string name = "buffer")
    {
        var buffer = new JoinBufferBuilder<string, string>(name, Serdes.String, Serdes.String, OnDisk).Build();
        buffer.Init(context);
        _open.Add(buffer);
        return buffer;
    }

    private static void Put(ITimeOrderedBuffer<string, string> buffer, long time, string key, string value, long offset = 0) =>
        buffer.Put(time, new Record<string, string>(key, value, time), new RecordCoordinates("IN", 0, offset, time, true));

    private static List<string> Take(ITimeOrderedBuffer<string, string> buffer, long latest)
    {
        var taken = new List<string>();
        while (buffer.TryTakeFirst(latest, out var record, out _)) taken.Add($"{record.Key}={record.Value}@{record.Timestamp}");
        return taken;
    }

    [Fact]
    public void Changelog_is_what_kafka_streams_wrote_for_the_same_records()
    {
        var context = Context();
        var buffer = Open(context);
        Put(buffer, 121, "c", "a,b,a", 0);
        Put(buffer, 0, "b", "q", 1);
        Put(buffer, 2468, "d", "q", 2);
        Assert.Equal(["b=q@0", "c=a,b,a@121"], Take(buffer, 1968));
        string?[][] expected =
        [
            ["AAAAAAAAAAB5YwAAAAE=", "AAAAAAAAAHkAAAAAAAAAAAAAAAJJTgAAAAAAAAAA//////////8AAAAFYSxiLGEAAAAAAAAAAA=="],
            ["AAAAAAAAAAAAYgAAAAI=", "AAAAAAAAAAAAAAAAAAAAAQAAAAJJTgAAAAAAAAAA//////////8AAAABcQAAAAAAAAAA"],
            ["AAAAAAAAAAmkZAAAAAM=", "AAAAAAAACaQAAAAAAAAAAgAAAAJJTgAAAAAAAAAA//////////8AAAABcQAAAAAAAAAA"],
            ["AAAAAAAAAAAAYgAAAAI=", null],
            ["AAAAAAAAAAB5YwAAAAE=", null],
        ];
        Assert.Equal(expected, context.Log.Records.Select(record => new[] { Convert.ToBase64String(record.Key), record.Value is null ? null : Convert.ToBase64String(record.Value) }));
        Assert.All(context.Log.Records, record => Assert.Equal((OutgoingRecord.TimeOfWriting, null), (record.Timestamp, record.Headers)));
    }

    [Fact]
    public void Records_come_out_by_time_and_late_ones_first()
    {
        var buffer = Open(Context());
        Assert.Equal((0, long.MaxValue), (buffer.Count, buffer.MinTime));
        Put(buffer, 10, "a", "1");
        Put(buffer, 10, "a", "2");
        Put(buffer, 30, "a", "3");
        Assert.Empty(Take(buffer, 9));
        Assert.Equal(10, buffer.MinTime);
        Assert.Equal(["a=1@10", "a=2@10"], Take(buffer, 29));
        Put(buffer, 5, "b", "late");
        Assert.Equal((2, 5L), (buffer.Count, buffer.MinTime));
        Assert.Equal(["b=late@5", "a=3@30"], Take(buffer, long.MaxValue));
        Assert.Equal((0, 0L, long.MaxValue), (buffer.Count, buffer.SizeBytes, buffer.MinTime));
        Put(buffer, 1, "c", "again");
        Assert.Equal(["c=again@1"], Take(buffer, 1));
    }

    [Fact]
    public void Restored_records_are_counted_and_new_ones_do_not_overwrite_them()
    {
        var context = Context();
        var buffer = Open(context);
        Put(buffer, 10, "a", "1");
        Put(buffer, 20, "a", "2");
        Take(buffer, 10);
        Put(buffer, 20, "b", "3");
        var restored = Open(Context(), "restored");
        using var batch = context.Log.Batch();
        restored.Restore(batch, 0, batch.Count);
        restored.Commit(batch.Count);
        Put(restored, 20, "z", "4");
        Put(restored, 20, "a", "5");
        Assert.Equal(4, restored.Count);
        Assert.Equal(["a=2@20", "a=5@20", "b=3@20", "z=4@20"], Take(restored, 20).Order());
        Assert.Equal((0, 0L), (restored.Count, restored.SizeBytes));
    }

    [Fact]
    public void Agrees_with_a_sorted_list_over_commits()
    {
        var random = new Random(3);
        var context = Context();
        var buffer = Open(context);
        var model = new List<(long Time, string Key, int Number)>();
        for (var step = 0; step < 1500; step++)
        {
            if (random.Next(3) > 0)
            {
                var (time, key) = (random.Next(20 + step), $"k{random.Next(9)}");
                Put(buffer, time, key, $"{step}");
                model.Add((time, key, step));
            }
            else
            {
                var latest = random.Next(step + 1);
                var due = model.Where(entry => entry.Time <= latest).OrderBy(entry => entry.Time).ThenBy(entry => entry.Key, StringComparer.Ordinal).ThenBy(entry => entry.Number).ToList();
                Assert.Equal(due.Select(entry => $"{entry.Key}={entry.Number}@{entry.Time}"), Take(buffer, latest));
                model.RemoveAll(due.Contains);
            }

            if (random.Next(20) == 0) buffer.Commit(context.Log.EndOffset);
            Assert.Equal(model.Count, buffer.Count);
        }
    }
}

public sealed class InMemoryJoinBufferTests : JoinBufferTests
{
    protected override bool OnDisk => false;
}

public sealed class PersistentJoinBufferTests : JoinBufferTests
{
    protected override bool OnDisk => true;

    [Fact]
    public void A_reopened_buffer_has_what_was_committed()
    {
        var context = Context();
        var buffer = Open(context);
        buffer.Put(7, new Record<string, string>("a", "1", 7), new RecordCoordinates("IN", 0, 0, 7, true));
        buffer.Commit(1);
        buffer.Dispose();
        buffer = Open(Context());
        Assert.Equal((1, 7L), (buffer.Count, buffer.MinTime));
        Assert.True(buffer.SizeBytes > 0);
        Assert.True(buffer.TryTakeFirst(7, out var record, out _));
        Assert.Equal("1", record.Value);
        Assert.Equal((0, 0L), (buffer.Count, buffer.SizeBytes));
    }
}
