using System.Buffers;
using System.Buffers.Binary;
using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Dsl.Tests;

/// <summary>Operators through which every record goes take no memory per record: from a batch to the producer, without serdes that make objects.</summary>
public sealed class AllocationTests
{
    private const int WarmUp = 30_000;
    private const int Records = 20_000;
    private const int Keys = 64;

    private static readonly Dictionary<string, Action<StreamsBuilder>> _operators = new()
    {
        ["filter"] = static builder => builder.Stream<int, long>("in").Filter(static (key, _) => key >= 0).FilterNot(static (_, value) => value < 0).To("out"),
        ["mapValues"] = static builder => builder.Stream<int, long>("in").MapValues(static value => value + 1).MapValues(static (key, value) => value + key).To("out"),
        ["map and peek"] = static builder => builder.Stream<int, long>("in").Map(static (key, value) => KeyValue.Pair(key + 1, value)).Peek(static (_, _) => { }).To("out"),
        ["split and merge"] = static builder =>
        {
            var branches = builder.Stream<int, long>("in").Split(Named.As("b-")).Branch(static (key, _) => key % 2 == 0, Branched.As("even")).DefaultBranch(Branched.As("odd"));
            branches["b-even"].Merge(branches["b-odd"]).To("out");
        },
        ["count"] = static builder => builder.Stream<int, long>("in").GroupByKey().Count(Materialized.As("counts")).ToStream().To("out"),
        ["count through a cache"] = static builder => builder.Stream<int, long>("in").GroupByKey().Count(Materialized.As("counts").WithCachingEnabled()).ToStream().To("out"),
        ["reduce"] = static builder => builder.Stream<int, long>("in").GroupByKey().Reduce(static (one, other) => one + other).ToStream().To("out"),
        ["count in windows"] = static builder => builder.Stream<int, long>("in").GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromDays(1), TimeSpan.Zero)).Count().ToStream(static windowed => windowed.Key).To("out"),
        ["table through filter and mapValues"] = static builder =>
            builder.Table<int, long>("in").Filter(static (key, _) => key >= 0).MapValues(static value => value * 2).ToStream().To("out"),
        ["join with a table"] = static builder => builder.Stream<int, long>("in").LeftJoin(
            builder.Table<int, long>("table"), static (long value, long? row) => value + (row ?? 0)).To("out"),
    };

    public static TheoryData<string> Operators => [.. _operators.Keys];

    [Theory]
    [MemberData(nameof(Operators))]
    public void Nothing_is_allocated_per_record(string name)
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { DefaultStoreType = StoreType.InMemory });
        _operators[name](builder);
        using var harness = new TaskHarness(builder.Build(), producer: new FakeProducer(8, keepsRecords: false));
        harness.Task.Enqueue(Batch(0, WarmUp));
        harness.Task.Process(WarmUp);
        Commit(harness);

        harness.Task.Enqueue(Batch(WarmUp, Records));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var processed = harness.Task.Process(Records);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Commit(harness);

        Assert.Equal(Records, processed);
        Assert.True(harness.Producer.Count > 0, "nothing came out, so nothing was measured");

        // A batch gives its memory back when it ends, and tables grow by doubling; neither is per record.
        Assert.InRange(allocated, 0, 16 * 1024);
    }

    private static void Commit(TaskHarness harness)
    {
        harness.Task.PrepareCommit();
        harness.Task.CompleteCommit();
    }

    // All records have their bytes in common but for the key, of which there are few.
    private static RecordBatch Batch(long firstOffset, int count)
    {
        var buffer = new byte[(Keys * sizeof(int)) + sizeof(long)];
        for (var key = 0; key < Keys; key++) BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(key * sizeof(int)), key);
        var slices = ArrayPool<RecordSlice>.Shared.Rent(count);
        for (var index = 0; index < count; index++)
            slices[index] = new RecordSlice(firstOffset + index, firstOffset + index, index % Keys * sizeof(int), sizeof(int), Keys * sizeof(int), sizeof(long), 0, 0);
        return new RecordBatch(new TopicPartition("in", 0), buffer, slices, count, firstOffset + count);
    }
}
