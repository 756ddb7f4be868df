using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Runtime;

public class RecordQueueTests
{
    private readonly List<string> _seen = [];

    [Fact]
    public void Absent_keys_and_values_reach_the_topology_as_absent()
    {
        using var harness = new TaskHarness(Reading(Options.Texts));

        harness.Process("in", new Raw(null, "v", 1), new Raw("k", null, 2), new Raw("", "", 3));

        Assert.Equal(["null=v@1", "k=null@2", "=@3"], _seen);
    }

    [Fact]
    public void Null_value_of_a_struct_is_unreadable_in_a_stream()
    {
        using var harness = new TaskHarness(Reading(Options.Numbers));

        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", null, 1)));

        Assert.Equal("source", failure.NodeName);
        Assert.Equal(new RecordMetadata("in", 0, 0), failure.Record);
        Assert.Contains("int cannot be null", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Null_value_of_a_struct_is_a_tombstone_in_a_table()
    {
        using var harness = new TaskHarness(Reading(Options.Numbers with { AllowAbsentValue = true }));

        harness.Process("in", new Raw("k", null, 1));

        Assert.Equal(["k=null@1"], _seen);
    }

    [Fact]
    public void Unreadable_record_stops_the_task_by_default_and_says_where()
    {
        using var harness = new TaskHarness(Reading(Options.Numbers));

        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "1", 1), new Raw("k", "bad", 2)));

        Assert.Equal(new RecordMetadata("in", 0, 1), failure.Record);
        Assert.IsType<SerializationException>(failure.InnerException);
    }

    [Fact]
    public void Unreadable_record_is_left_out_when_the_handler_says_so_and_its_bytes_are_shown()
    {
        ErrorHandlerContext? told = null;
        var policy = new ErrorPolicy
        {
            Deserialization = (context, _) =>
            {
                told = context;
                return ErrorResponse.Continue;
            },
        };
        using var harness = new TaskHarness(Reading(Options.Numbers), errors: policy);

        harness.Process("in", new Raw("k", "1", 1), new Raw("x", "bad", 2), new Raw("k", "3", 3));

        Assert.Equal(["k=1@1", "k=3@3"], _seen);
        Assert.Equal(1, harness.Task.Context.DroppedRecords);
        Assert.Equal("x"u8.ToArray(), told!.SourceRawKey!.Value.ToArray());
        Assert.Equal("bad"u8.ToArray(), told.SourceRawValue!.Value.ToArray());
        Assert.Equal(new RecordMetadata("in", 0, 1), told.Record);
    }

    /// <summary>E-109.</summary>
    [Fact]
    public void Run_of_unreadable_records_moves_the_position_to_commit()
    {
        using var harness = new TaskHarness(Reading(Options.Numbers), errors: new ErrorPolicy { Deserialization = (_, _) => ErrorResponse.Continue });

        harness.Process("in", new Raw("k", "bad", 1), new Raw("k", "worse", 2));

        Assert.Empty(_seen);
        Assert.Equal(2, Assert.Single(harness.Task.PrepareCommit()).Offset);
        Assert.Equal(2, harness.Task.Context.DroppedRecords);
    }

    [Fact]
    public void Position_follows_the_batch_past_control_records_and_gaps()
    {
        using var harness = new TaskHarness(Reading(Options.Texts));
        var partition = new TopicPartition("in", 0);

        harness.Task.Enqueue(Batches.Of(partition, 5, 9, new Raw("k", "v", 1)));
        Assert.Equal(5, harness.Task.Queue(partition).Position);
        harness.Task.Process(10);
        Assert.Equal(9, harness.Task.Queue(partition).Position);

        harness.Task.Enqueue(Batches.Of(partition, 9, 12));
        Assert.Equal(12, harness.Task.Queue(partition).Position);
        Assert.Equal(0, harness.Task.Process(10));
    }

    [Fact]
    public void Negative_timestamp_stops_the_task_by_default()
    {
        using var harness = new TaskHarness(Reading(Options.Texts));

        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", -1)));

        Assert.Contains("timestamp -1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Negative_timestamp_is_skipped_replaced_or_overridden_as_the_policy_says()
    {
        Raw[] records = [new("k", "a", 5), new("k", "b", -1), new("k", "c", 3)];
        Assert.Equal(["k=a@5", "k=c@3"], Run(TimestampPolicy.SkipOnInvalid));
        Assert.Equal(["k=a@5", "k=b@5", "k=c@3"], Run(TimestampPolicy.UsePartitionTimeOnInvalid));
        Assert.Equal(["k=a@77", "k=b@77", "k=c@77"], Run(TimestampPolicy.WallClock));

        List<string> Run(TimestampPolicy policy)
        {
            _seen.Clear();
            using var harness = new TaskHarness(Reading(Options.Texts with { TimestampPolicy = policy }));
            harness.Clock.NowMs = 77;
            harness.Process("in", records);
            return [.. _seen];
        }
    }

    [Fact]
    public void Extractor_sees_record_and_partition_time_and_a_negative_answer_drops()
    {
        var partitionTimes = new List<long>();
        var options = Options.Numbers with
        {
            TimestampExtractor = (in Record<string, int> record, long partitionTime) =>
            {
                partitionTimes.Add(partitionTime);
                return record.Value;
            },
        };
        using var harness = new TaskHarness(Reading(options));

        harness.Process("in", new Raw("k", "100", 1), new Raw("k", "-5", 2), new Raw("k", "50", 3), new Raw("k", "200", 4));

        Assert.Equal(["k=100@100", "k=50@50", "k=200@200"], _seen);
        Assert.Equal([-1, 100, 100, 100], partitionTimes);
        Assert.Equal(1, harness.Task.Context.DroppedRecords);
    }

    [Fact]
    public void Failing_extractor_names_source_and_record()
    {
        var options = Options.Texts with { TimestampExtractor = (in Record<string, string> _, long _) => throw new FormatException("no date") };
        using var harness = new TaskHarness(Reading(options));

        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 1)));

        Assert.Equal("source", failure.NodeName);
        Assert.IsType<FormatException>(failure.InnerException);
    }

    [Fact]
    public void Counts_and_bytes_follow_what_is_waiting()
    {
        using var harness = new TaskHarness(Reading(Options.Texts));
        var queue = harness.Task.Queues[0];

        harness.Enqueue("in", new Raw("k", "v", 1), new Raw("k", "v", 2));
        harness.Enqueue("in", new Raw("key", "value", 3));
        Assert.Equal((3, 12L), (queue.Count, queue.Bytes));
        harness.Task.Process(2);
        Assert.Equal((1, 8L), (queue.Count, queue.Bytes));
        queue.Clear();
        Assert.Equal((0, 0L, false), (queue.Count, queue.Bytes, queue.HasHead));
    }

    private Topology Reading<V>(SourceOptions<string, V> options) => new Topology()
        .AddSource("source", options, "in")
        .AddProcessor(
            "seen",
            () => new Sink<string, V>((record, _) => _seen.Add($"{(record.HasKey ? record.Key : "null")}={(record.HasValue ? record.Value : "null")}@{record.Timestamp}")),
            "source");
}
