using Streams.Core;
using Streams.State.Suppression;
using Streams.State.Tests.Support;
using Xunit;

namespace Streams.State.Tests.Suppression;

public sealed class SuppressionBufferTests
{
    private static readonly RecordCoordinates Somewhere = new("IN", 0, 0, 0, true);

    private static ISuppressionBuffer<string, string> Open(StoreContext context)
    {
        var buffer = new SuppressionBufferBuilder<string, string>("buffer", Serdes.String, Serdes.String).Build();
        buffer.Init(context);
        return buffer;
    }

    private static void Put(ISuppressionBuffer<string, string> buffer, long time, string key, string? old, string? @new, long timestamp = 0, long offset = 0, Headers? headers = null, string topic = "IN") =>
        buffer.Put(
            time,
            new Record<string, Change<string>>(key, true, new Change<string>(@new!, old!), true, timestamp, headers),
            Somewhere with { Topic = topic, Offset = offset, Timestamp = timestamp });

    private static List<string> Take(ISuppressionBuffer<string, string> buffer, long latest)
    {
        var taken = new List<string>();
        while (buffer.TryTakeFirst(latest, out var record, out _)) taken.Add($"{record.Key} {record.Value} {record.Timestamp}");
        return taken;
    }

    [Fact]
    public void Changes_come_out_by_time_then_key_bytes_and_not_before_their_time()
    {
        using var buffer = Open(new StoreContext());
        Assert.Equal(long.MaxValue, buffer.MinTime);
        Put(buffer, 1000, "c", null, "3");
        Put(buffer, 2000, "a", null, "1");
        Put(buffer, 1000, "b", null, "2", timestamp: 7);
        Assert.Equal((3, 1000L), (buffer.Count, buffer.MinTime));
        Assert.Empty(Take(buffer, 999));
        Assert.Equal(["b (2 <- null) 7", "c (3 <- null) 0"], Take(buffer, 1999));
        Assert.Equal(["a (1 <- null) 0"], Take(buffer, long.MaxValue));
        Assert.Equal((0, 0L, long.MaxValue), (buffer.Count, buffer.SizeBytes, buffer.MinTime));
    }

    [Fact]
    public void A_second_change_replaces_the_first_but_keeps_its_time_and_prior_value()
    {
        using var buffer = Open(new StoreContext());
        Put(buffer, 1000, "a", "before", "1");
        Put(buffer, 9000, "a", "1", null, timestamp: 5);
        Assert.True(buffer.TryGetPrior("a", out var prior, out var hasPrior, out _));
        Assert.Equal(("before", true), (prior, hasPrior));
        Put(buffer, 3000, "b", null, "x");
        Assert.True(buffer.TryGetPrior("b", out _, out hasPrior, out _));
        Assert.False(hasPrior);
        Assert.False(buffer.TryGetPrior("c", out _, out _, out _));
        Assert.Equal(["a (null <- 1) 5"], Take(buffer, 1000));
    }

    [Fact]
    public void Changelog_is_what_kafka_streams_wrote_for_the_same_changes()
    {
        // From a recording of a count over windows: first change, update, and the tombstones of what was let go.
        var context = new StoreContext();
        var buffer = new SuppressionBuffer<Windowed<string>, long>("buffer", WindowedSerdes.TimeWindowed(Serdes.String, 1000), Serdes.Int64);
        buffer.Init(context);
        Hold("c", 1000, 0, 1, 1267, 0);
        Flush();
        Hold("c", 1000, 1, 2, 1276, 1);
        Flush();
        (string Key, long Start, long Time)[] held = [("b", 0, 59), ("d", 0, 137), ("c", 0, 0), ("a", 1000, 1592), ("a", 2000, 2269), ("b", 2000, 2926), ("d", 16000, 16653)];
        foreach (var (key, start, time) in held[..6])
        {
            Hold(key, start, 0, 1, time, 9);
            Flush();
        }

        context.Log.Records.RemoveRange(2, context.Log.Records.Count - 2);
        Hold("d", 16000, 0, 1, 16653, 11);
        while (buffer.TryTakeFirst(13653, out _, out _))
        {
        }

        Flush();
        string?[][] expected =
        [
            ["YwAAAAAAAAPo", "AAAAAAAABPMAAAAAAAAAAAAAAAJJTgAAAAAAAAAAAAAACAAAAAAAAAAA/////gAAAAgAAAAAAAAAAQAAAAAAAAfQ"],
            ["YwAAAAAAAAPo", "AAAAAAAABPwAAAAAAAAAAQAAAAJJTgAAAAAAAAAAAAAACAAAAAAAAAAAAAAACAAAAAAAAAABAAAACAAAAAAAAAACAAAAAAAAB9A="],
            ["ZAAAAAAAAD6A", "AAAAAAAAQQ0AAAAAAAAACwAAAAJJTgAAAAAAAAAAAAAACAAAAAAAAAAA/////gAAAAgAAAAAAAAAAQAAAAAAAEJo"],
            ["YgAAAAAAAAfQ", null],
            ["YwAAAAAAAAAA", null],
            ["YQAAAAAAAAPo", null],
            ["ZAAAAAAAAAAA", null],
            ["YwAAAAAAAAPo", null],
            ["YgAAAAAAAAAA", null],
            ["YQAAAAAAAAfQ", null],
        ];
        Assert.Equal(expected, context.Log.Records.Select(record => new[] { Convert.ToBase64String(record.Key), record.Value is null ? null : Convert.ToBase64String(record.Value) }));
        Assert.All(context.Log.Records, record => Assert.Equal(OutgoingRecord.TimeOfWriting, record.Timestamp));
        foreach (var record in context.Log.Records)
        {
            if (record.Value is null)
            {
                Assert.Null(record.Headers);
                continue;
            }

            var header = Assert.Single(record.Headers!);
            Assert.Equal("v", header.Key);
            Assert.Equal([3], header.Value!.Value.ToArray());
        }

        void Hold(string key, long start, long old, long @new, long timestamp, long offset) => buffer.Put(
            start + 1000,
            new Record<Windowed<string>, Change<long>>(new Windowed<string>(key, new Core.Window(start, start + 1000)), true, new Change<long>(@new, true, old, true), true, timestamp),
            new RecordCoordinates("IN", 0, offset, timestamp, true));

        void Flush()
        {
            buffer.Flush();
            buffer.Commit(context.Log.EndOffset);
        }
    }

    [Fact]
    public void Absent_values_and_deletions_have_kafkas_bytes()
    {
        var context = new StoreContext();
        using var buffer = Open(context);
        Put(buffer, 0, "b", null, "abc", timestamp: 0, offset: 3, topic: "T");
        buffer.Flush();
        Assert.Equal("AAAAAAAAAAAAAAAAAAAAAwAAAAFUAAAAAAAAAAD//////////wAAAANhYmMAAAAAAAAAAA==", Convert.ToBase64String(context.Log.Records[^1].Value!));
        Put(buffer, 1725, "d", "xa", "q", timestamp: 1725, offset: 5, topic: "T");
        buffer.Flush();
        Assert.Equal("AAAAAAAABr0AAAAAAAAABQAAAAFUAAAAAAAAAAAAAAACeGH////+AAAAAXEAAAAAAAAGvQ==", Convert.ToBase64String(context.Log.Records[^1].Value!));
        Put(buffer, 0, "d", "q", "d", timestamp: 0, offset: 11, topic: "T");
        buffer.Flush();
        Assert.Equal("AAAAAAAAAAAAAAAAAAAACwAAAAFUAAAAAAAAAAAAAAACeGEAAAABcQAAAAFkAAAAAAAABr0=", Convert.ToBase64String(context.Log.Records[^1].Value!));
        Put(buffer, 2910, "c", null, null, timestamp: 2910, offset: 10, topic: "T");
        buffer.Flush();
        Assert.Equal("AAAAAAAAC14AAAAAAAAACgAAAAFUAAAAAAAAAAD///////////////8AAAAAAAALXg==", Convert.ToBase64String(context.Log.Records[^1].Value!));
    }

    [Fact]
    public void Restore_brings_back_what_was_held_and_its_order()
    {
        var context = new StoreContext();
        using var buffer = Open(context);
        var headers = Headers.Empty.Add("h", "1").Add("null", (ReadOnlyMemory<byte>?)null);
        Put(buffer, 500, "a", "old", "1", timestamp: 3, headers: headers);
        Put(buffer, 400, "b", null, "2");
        Put(buffer, 300, "c", null, "3");
        buffer.Flush();
        Assert.Equal(["c (3 <- null) 0"], Take(buffer, 300));
        Put(buffer, 100, "b", "2", null);
        buffer.Flush();
        buffer.Commit(context.Log.EndOffset);

        using var restored = Open(new StoreContext());
        using var batch = context.Log.Batch();
        restored.Restore(batch, 0, batch.Count);
        Assert.Equal((buffer.Count, buffer.SizeBytes, buffer.MinTime), (restored.Count, restored.SizeBytes, restored.MinTime));
        Assert.True(restored.TryTakeFirst(400, out var b, out _));
        Assert.Equal("b (null <- 2)", $"{b.Key} {b.Value}");
        Assert.True(restored.TryTakeFirst(500, out var a, out var coordinates));
        Assert.Equal("a (1 <- old) 3", $"{a.Key} {a.Value} {a.Timestamp}");
        Assert.Equal(headers.Select(header => header.ValueAsString()), a.Headers.Select(header => header.ValueAsString()));
        Assert.Equal(Somewhere with { Timestamp = 3 }, coordinates);
    }

    [Fact]
    public void Hostile_changelog_records_are_refused()
    {
        var context = new StoreContext();
        using var buffer = Open(context);
        Put(buffer, 500, "a", "old", "new", headers: Headers.Empty.Add("h", "1"));
        buffer.Flush();
        var good = context.Log.Records[0];
        for (var length = 0; length < good.Value!.Length; length++)
        {
            using var cut = Batches.Of([good with { Value = good.Value[..length] }]);
            Assert.Throws<StateStoreException>(() => buffer.Restore(cut, 0, 1));
        }

        var random = new Random(5);
        for (var round = 0; round < 2000; round++)
        {
            var value = (byte[])good.Value.Clone();
            value[random.Next(value.Length)] = (byte)random.Next(256);
            using var batch = Batches.Of([good with { Value = value }]);
            try
            {
                buffer.Restore(batch, 0, 1);
            }
            catch (StateStoreException)
            {
                // Refused is one of the two outcomes; anything else but a restore is a fault.
            }
        }

        using var old = Batches.Of([good with { Headers = null }]);
        Assert.Contains("format", Assert.Throws<StateStoreException>(() => buffer.Restore(old, 0, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Commit_without_flush_is_refused()
    {
        using var buffer = Open(new StoreContext());
        Put(buffer, 500, "a", null, "1");
        Assert.Throws<InvalidOperationException>(() => buffer.Commit(1));
        buffer.Flush();
        buffer.Commit(1);
    }

    [Fact]
    public void Without_logging_nothing_is_kept_for_the_changelog()
    {
        using var buffer = Open(new StoreContext(logging: false));
        Put(buffer, 500, "a", null, "1");
        buffer.Commit(null);
        Assert.Single(Take(buffer, 500));
    }

    [Fact]
    public void Size_is_kafkas_and_returns_to_zero()
    {
        using var buffer = Open(new StoreContext());
        Put(buffer, 500, "ab", null, "12345");

        // Time 8, key 2, value 5, context: time 8, offset 8, partition 4, topic 2.
        Assert.Equal(37, buffer.SizeBytes);
        Put(buffer, 500, "ab", "12345", "123456");
        Assert.Equal(43, buffer.SizeBytes);
        Assert.Single(Take(buffer, 500));
        Assert.Equal(0, buffer.SizeBytes);
    }
}
