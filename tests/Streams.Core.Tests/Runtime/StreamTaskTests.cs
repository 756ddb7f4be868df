using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Runtime;

public class StreamTaskTests
{
    private readonly List<string> _seen = [];

    [Fact]
    public void Partition_with_the_earliest_record_goes_first()
    {
        using var harness = new TaskHarness(TwoTopics());
        harness.Enqueue("a", new Raw("a", "1", 10), new Raw("a", "2", 30), new Raw("a", "3", 31));
        harness.Enqueue("b", new Raw("b", "1", 20), new Raw("b", "2", 40));

        harness.Task.Process(100);

        Assert.Equal(["a1", "b1", "a2", "a3", "b2"], _seen);
    }

    [Fact]
    public void Failure_in_Init_is_not_put_on_a_punctuator()
    {
        var topology = new Topology().AddSource("source", Options.Texts, "a").AddProcessor<string, string>("asking", () => new AsksForAStore(), "source");
        var failure = Assert.Throws<ProcessorException>(() => new TaskHarness(topology));
        Assert.StartsWith("Operator 'asking' (task 0_0) failed in Init", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'nope'", failure.Message, StringComparison.Ordinal);
        Assert.Null(failure.Record);
    }

    private sealed class AsksForAStore : Processor<string, string>
    {
        protected override void Init() => Context.GetStateStore<IKeyValueStore<string, string>>("nope");

        public override void Process(in Record<string, string> record)
        {
        }
    }

    [Fact]
    public void Builder_that_makes_no_store_or_one_of_another_name_is_named_with_the_store()
    {
        var nothing = Assert.Throws<StateStoreException>(() => new TaskHarness(With(static () => null!)));
        Assert.Contains("'mine'", nothing.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(DescribedStore), nothing.Message, StringComparison.Ordinal);

        var store = new NamedStore("yours");
        var other = Assert.Throws<StateStoreException>(() => new TaskHarness(With(() => store)));
        Assert.Contains("'mine'", other.Message, StringComparison.Ordinal);
        Assert.Contains("'yours'", other.Message, StringComparison.Ordinal);
        Assert.True(store.IsDisposed);
        new TaskHarness(With(static () => new NamedStore("mine"))).Dispose();

        static Topology With(Func<IStateStore> make) => new Topology()
            .AddSource("source", Options.Texts, "a")
            .AddProcessor("p", () => new PassOn<string, string>(), "source")
            .AddStateStore(new DescribedStore("mine") { LoggingEnabled = false, Make = make }, "p");
    }

    /// <summary>E-125: of equal times, the partition that was added first.</summary>
    [Fact]
    public void Equal_times_are_taken_in_the_order_of_the_partitions()
    {
        using var harness = new TaskHarness(TwoTopics());
        harness.Enqueue("b", new Raw("b", "1", 10), new Raw("b", "2", 10));
        harness.Enqueue("a", new Raw("a", "1", 10), new Raw("a", "2", 10));

        harness.Task.Process(100);

        Assert.Equal(["a1", "a2", "b1", "b2"], _seen);
    }

    [Fact]
    public void Result_does_not_depend_on_how_many_records_are_asked_for_at_a_time()
    {
        var random = new Random(7);
        var records = Enumerable.Range(0, 200).Select(index => (Topic: random.Next(2) == 0 ? "a" : "b", Raw: new Raw("k", $"{index}", random.Next(50)))).ToList();

        Assert.Equal(Run(1), Run(1000));

        List<string> Run(int maxRecords)
        {
            _seen.Clear();
            using var harness = new TaskHarness(TwoTopics());
            foreach (var (topic, raw) in records) harness.Enqueue(topic, raw);
            while (harness.Task.Process(maxRecords) > 0)
            {
            }

            Assert.Equal(records.Count, _seen.Count);
            return [.. _seen];
        }
    }

    /// <summary>E-124, KIP-695.</summary>
    [Fact]
    public void Task_waits_for_an_empty_partition_only_while_the_broker_has_or_may_have_more()
    {
        long? end = null;
        using var harness = new TaskHarness(TwoTopics(), endOffset: _ => end);
        harness.Enqueue("a", new Raw("a", "1", 10));

        Assert.Equal(0, harness.Task.Process(10));
        end = 5;
        Assert.Equal(0, harness.Task.Process(10));
        end = 0;
        Assert.Equal(1, harness.Task.Process(10));
    }

    [Fact]
    public void Task_that_never_idles_does_not_ask()
    {
        using var harness = new TaskHarness(TwoTopics(), maxTaskIdle: TimeSpan.FromMilliseconds(-1), endOffset: _ => throw new InvalidOperationException());
        harness.Enqueue("a", new Raw("a", "1", 10));

        Assert.Equal(1, harness.Task.Process(10));
    }

    [Fact]
    public void Task_idles_so_long_for_a_partition_that_is_read_to_its_end()
    {
        using var harness = new TaskHarness(TwoTopics(), maxTaskIdle: TimeSpan.FromMilliseconds(100));
        harness.Enqueue("a", new Raw("a", "1", 10));

        Assert.Equal(0, harness.Task.Process(10));
        harness.Clock.NowMs = 99;
        Assert.Equal(0, harness.Task.Process(10));
        harness.Clock.NowMs = 100;
        Assert.Equal(1, harness.Task.Process(10));
    }

    /// <summary>E-02.</summary>
    [Fact]
    public void Stream_time_has_advanced_when_the_processor_sees_the_record_and_never_goes_back()
    {
        using var harness = new TaskHarness(Topics(new Sink<string, string>((_, context) => _seen.Add($"{context.CurrentStreamTimeMs}"))));

        harness.Process("in", new Raw("k", "v", 5), new Raw("k", "v", 3), new Raw("k", "v", 9));

        Assert.Equal(["5", "5", "9"], _seen);
    }

    [Fact]
    public void Commit_request_ends_the_round_after_the_current_record()
    {
        using var harness = new TaskHarness(Topics(new Sink<string, string>((record, context) =>
        {
            _seen.Add(record.Value);
            if (record.Value == "b") context.Commit();
        })));
        harness.Enqueue("in", new Raw("k", "a", 1), new Raw("k", "b", 2), new Raw("k", "c", 3));

        Assert.Equal(2, harness.Task.Process(10));
        Assert.True(harness.Task.CommitRequested);
        Assert.Equal(2, Assert.Single(harness.Task.PrepareCommit()).Offset);
        harness.Task.CompleteCommit();
        Assert.False(harness.Task.CommitRequested);
        Assert.Equal(1, harness.Task.Process(10));
        Assert.Equal(["a", "b", "c"], _seen);
    }

    [Fact]
    public void Commit_keeps_partition_time_and_processor_values_for_the_next_owner()
    {
        var supplied = new Relay<string, string>((_, relay) => relay.Task.Task.SetProcessorValue("last", 42));
        OffsetCommit commit;
        using (var first = new TaskHarness(Topics(supplied)))
        {
            first.Process("in", new Raw("k", "v", 500), new Raw("k", "v", 400));
            commit = Assert.Single(first.Task.PrepareCommit());
        }

        using var second = new TaskHarness(
            Topics(new Sink<string, string>((_, context) => _seen.Add($"{context.CurrentStreamTimeMs}"))),
            committed: new Dictionary<TopicPartition, OffsetCommit> { [commit.Partition] = commit });

        Assert.Equal(2, commit.Offset);
        Assert.Equal(500, second.Task.Context.StreamTime);
        Assert.Equal(42, second.Task.Context.ProcessorValues["last"]);
        second.Process("in", new Raw("k", "v", 100));
        Assert.Equal(["500"], _seen);
    }

    [Fact]
    public void Metadata_of_other_tools_does_no_harm()
    {
        var partition = new TopicPartition("in", 0);
        using var harness = new TaskHarness(
            Topics(new PassOn<string, string>()),
            committed: new Dictionary<TopicPartition, OffsetCommit> { [partition] = new(partition, 7, "reset by hand") });

        Assert.Equal(-1, harness.Task.Context.StreamTime);
    }

    /// <summary>E-123, and that what is around the punctuation is as it was.</summary>
    [Fact]
    public void Punctuator_has_no_record_and_the_next_record_has_its_own_again()
    {
        var relay = new Relay<string, string>(
            (record, self) => _seen.Add($"{record.Value}:{self.Task.RecordMetadata?.Offset}"),
            self => self.Task.Schedule(TimeSpan.FromMilliseconds(10), PunctuationType.StreamTime, now => _seen.Add($"tick{now}:{self.Task.RecordMetadata?.Offset}")));
        using var harness = new TaskHarness(Topics(relay));

        harness.Process("in", new Raw("k", "a", 5), new Raw("k", "b", 12), new Raw("k", "c", 13));

        Assert.Equal(["a:0", "tick5:", "b:1", "tick12:", "c:2"], _seen);
    }

    /// <summary>E-122.</summary>
    [Fact]
    public void Schedules_can_be_made_while_processing_and_ended_in_the_callback()
    {
        ICancellable? schedule = null;
        var relay = new Relay<string, string>((_, self) => schedule ??= self.Task.Schedule(TimeSpan.FromMilliseconds(10), PunctuationType.WallClockTime, now =>
        {
            _seen.Add($"{now}");
            if (now >= 20) schedule!.Cancel();
        }));
        using var harness = new TaskHarness(Topics(relay));

        harness.Process("in", new Raw("k", "v", 1));
        foreach (var now in (long[])[9, 10, 20, 30, 40])
        {
            harness.Clock.NowMs = now;
            harness.Task.PunctuateWallClock();
        }

        Assert.Equal(["10", "20"], _seen);
        Assert.Equal(long.MaxValue, harness.Task.NextWallClockPunctuation);
    }

    /// <summary>E-133, CVE-2026-111496.</summary>
    [Fact]
    public void Timestamp_at_the_end_of_the_range_does_not_hang_a_stream_time_schedule()
    {
        var relay = new Relay<string, string>(
            (_, _) => { },
            self => self.Task.Schedule(TimeSpan.FromMilliseconds(10), PunctuationType.StreamTime, now => _seen.Add($"{now}")));
        using var harness = new TaskHarness(Topics(relay));

        harness.Process("in", new Raw("k", "v", long.MaxValue), new Raw("k", "v", 5));

        Assert.Equal([$"{long.MaxValue}"], _seen);
    }

    [Fact]
    public void Failure_names_the_operator_that_failed_not_its_parents()
    {
        var topology = Failing(new Sink<string, string>((_, _) => throw new FormatException("no good")));
        using var harness = new TaskHarness(topology);

        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 1)));

        Assert.Equal("fails", failure.NodeName);
        Assert.IsType<FormatException>(failure.InnerException);
        Assert.Equal(new RecordMetadata("in", 0, 0), failure.Record);
    }

    [Fact]
    public void Handler_that_says_continue_lets_the_records_other_children_have_it()
    {
        var asked = new List<string>();
        var policy = new ErrorPolicy
        {
            Processing = (context, failure) =>
            {
                asked.Add($"{context.NodeName}:{failure.Message}");
                return ErrorResponse.Continue;
            },
        };
        using var harness = new TaskHarness(Failing(new Sink<string, string>((_, _) => throw new FormatException("no good"))), errors: policy);

        harness.Process("in", new Raw("k", "v", 1), new Raw("k", "w", 2));

        Assert.Equal(["fails:no good", "fails:no good"], asked);
        Assert.Equal(["v", "w"], _seen);
        Assert.Equal(2, harness.Task.Context.DroppedRecords);
    }

    [Fact]
    public void Handler_that_says_fail_is_asked_once()
    {
        var asked = 0;
        var policy = new ErrorPolicy
        {
            Processing = (_, _) =>
            {
                asked++;
                return ErrorResponse.Fail;
            },
        };
        using var harness = new TaskHarness(Failing(new Sink<string, string>((_, _) => throw new FormatException())), errors: policy);

        Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 1)));

        Assert.Equal(1, asked);
    }

    [Fact]
    public void Failing_init_and_punctuator_are_named()
    {
        var failure = Assert.Throws<ProcessorException>(() => new TaskHarness(Topics(new Relay<string, string>((_, _) => { }, _ => throw new FormatException()))));
        Assert.Equal("node", failure.NodeName);

        using var harness = new TaskHarness(Topics(new Relay<string, string>(
            (_, _) => { },
            self => self.Task.Schedule(TimeSpan.FromMilliseconds(1), PunctuationType.StreamTime, _ => throw new FormatException()))));
        failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "v", 1)));
        Assert.Equal("node", failure.NodeName);
        Assert.Null(failure.Record);
    }

    [Fact]
    public void Named_child_alone_gets_the_record()
    {
        var topology = new Topology()
            .AddSource("source", Options.Texts, "in")
            .AddProcessor("choose", () => new Relay<string, string>((record, self) => self.SendTo(in record, record.Value)), "source")
            .AddProcessor("left", () => new Sink<string, string>((_, _) => _seen.Add("left")), "choose")
            .AddProcessor("right", () => new Sink<string, string>((_, _) => _seen.Add("right")), "choose");
        using var harness = new TaskHarness(topology);

        harness.Process("in", new Raw("k", "right", 1), new Raw("k", "left", 2));
        var failure = Assert.Throws<ProcessorException>(() => harness.Process("in", new Raw("k", "nobody", 3)));

        Assert.Equal(["right", "left"], _seen);
        Assert.Contains("left, right", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wiring_of_types_that_do_not_fit_names_both_nodes_and_types()
    {
        var topology = new Topology()
            .AddSource("texts", Options.Texts, "in")
            .AddProcessor("numbers", () => new PassOn<string, long>(), "texts");

        var failure = Assert.Throws<TopologyException>(() => new TaskHarness(topology));

        foreach (var part in (string[])["'texts'", "'numbers'", "<string, string>", "<string, long>"]) Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parent_that_forwards_nothing_is_named()
    {
        var topology = new Topology()
            .AddSource("source", Options.Texts, "in")
            .AddProcessor("end", () => new Sink<string, string>((_, _) => { }), "source")
            .AddProcessor("after", () => new PassOn<string, string>(), "end");

        var failure = Assert.Throws<TopologyException>(() => new TaskHarness(topology));

        Assert.Contains("'end'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'after'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shared_processor_instance_is_refused()
    {
        var shared = new PassOn<string, string>();
        var topology = Topics(shared);
        using var first = new TaskHarness(topology);

        var failure = Assert.Throws<TopologyException>(() => new TaskHarness(topology));

        Assert.Contains("same instance", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'node'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Close_reaches_every_node_also_when_one_fails()
    {
        var topology = new Topology()
            .AddSource("source", Options.Texts, "in")
            .AddProcessor("one", () => new Relay<string, string>((_, _) => { }, closed: () => throw new FormatException()), "source")
            .AddProcessor("two", () => new Relay<string, string>((_, _) => { }, closed: () => _seen.Add("two")), "source");
        var harness = new TaskHarness(topology);

        var failure = Assert.Throws<AggregateException>(harness.Dispose);

        Assert.IsType<FormatException>(Assert.Single(failure.InnerExceptions));
        Assert.Equal(["two"], _seen);
    }

    [Fact]
    public void Sink_writes_to_the_partition_of_the_keys_hash()
    {
        var topology = new Topology().AddSource("source", Options.Texts, "in").AddSink("sink", "out", Options.TextSink, "source");
        using var harness = new TaskHarness(topology, producer: new FakeProducer(4));

        harness.Process("in", new Raw("a", "1", 1), new Raw("b", null, 2));

        Assert.Equal(
            [$"out-{Murmur2.Partition("a"u8, 4)}:a=1@1", $"out-{Murmur2.Partition("b"u8, 4)}:b=null@2"],
            harness.Producer.Written);
    }

    [Fact]
    public void Sink_heeds_partitioner_and_topic_extractor()
    {
        var options = Options.TextSink with
        {
            Partitioner = (string _, in Record<string, string> record, int count) => record.Value == "last" ? count - 1 : null,
            TopicExtractor = (in Record<string, string> record, RecordMetadata? source) => $"{source!.Value.Topic}-{record.Key}",
        };
        var topology = new Topology().AddSource("source", Options.Texts, "in").AddSink("sink", options, "source");
        using var harness = new TaskHarness(topology, producer: new FakeProducer(4));

        harness.Process("in", new Raw("a", "last", 1));
        Assert.Equal(["in-a-3:a=last@1"], harness.Producer.Written);
    }

    [Fact]
    public void Partition_that_does_not_exist_is_an_error_with_the_choice_in_it()
    {
        var options = Options.TextSink with { Partitioner = (string _, in Record<string, string> _, int count) => count };
        using var harness = new TaskHarness(new Topology().AddSource("source", Options.Texts, "in").AddSink("sink", "out", options, "source"));

        var failure = Assert.Throws<ProductionException>(() => harness.Process("in", new Raw("a", "v", 1)));

        Assert.Contains("'sink'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("partition 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_output_topic_is_named_with_its_sink()
    {
        using var harness = new TaskHarness(new Topology().AddSource("source", Options.Texts, "in").AddSink("sink", "missing", Options.TextSink, "source"));

        var failure = Assert.Throws<ProductionException>(() => harness.Process("in", new Raw("a", "v", 1)));

        Assert.Contains("'sink'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'missing'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Record_with_a_negative_time_is_not_written()
    {
        var topology = new Topology()
            .AddSource("source", Options.Texts, "in")
            .AddProcessor("past", () => new Relay<string, string>((record, self) => self.Send(record.WithTimestamp(-5))), "source")
            .AddSink("sink", "out", Options.TextSink, "past");
        using var harness = new TaskHarness(topology);

        var failure = Assert.Throws<ProductionException>(() => harness.Process("in", new Raw("a", "v", 1)));

        Assert.Contains("timestamp -5", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Record_that_cannot_be_serialised_is_left_out_when_the_handler_says_so()
    {
        var sink = new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = new Picky() };
        var topology = new Topology().AddSource("source", Options.Texts, "in").AddSink("sink", "out", sink, "source");
        using (var strict = new TaskHarness(topology))
        {
            var failure = Assert.Throws<ProductionException>(() => strict.Process("in", new Raw("a", "bad", 1)));
            Assert.Contains("offset 0", failure.Message, StringComparison.Ordinal);
        }

        using var harness = new TaskHarness(topology, errors: new ErrorPolicy { Production = (_, _, _) => ErrorResponse.Continue });
        harness.Process("in", new Raw("a", "good", 1), new Raw("a", "bad", 2), new Raw("a", "good", 3));

        Assert.Equal(["out-0:a=good@1", "out-0:a=good@3"], harness.Producer.Written);
        Assert.Equal(1, harness.Task.Context.DroppedRecords);
    }

    /// <summary>From batch to producer through source, four processors and sink.</summary>
    [Fact]
    public void Hot_path_allocates_nothing_per_record()
    {
        var topology = new Topology().AddSource("source", new SourceOptions<int, long> { KeyDeserializer = Serdes.Int32, ValueDeserializer = Serdes.Int64 }, "in");
        var parent = "source";
        foreach (var name in (string[])["one", "two", "three", "four"])
        {
            topology.AddProcessor(name, () => new PassOn<int, long>(), parent);
            parent = name;
        }

        topology.AddSink("sink", "out", new SinkOptions<int, long> { KeySerializer = Serdes.Int32, ValueSerializer = Serdes.Int64 }, parent);
        using var harness = new TaskHarness(topology, producer: new FakeProducer(8, keepsRecords: false));
        harness.Task.Enqueue(Batch(0, 2000));
        harness.Task.Process(2000);

        const int Records = 10_000;
        harness.Task.Enqueue(Batch(2000, Records));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var processed = harness.Task.Process(Records);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(Records, processed);
        Assert.Equal(Records + 2000, harness.Producer.Count);

        // A batch gives its memory back when it ends; that is per batch, not per record.
        Assert.InRange(allocated, 0, 1024);
    }

    private static RecordBatch Batch(long firstOffset, int count)
    {
        var buffer = new byte[12];
        var slices = System.Buffers.ArrayPool<RecordSlice>.Shared.Rent(count);
        for (var index = 0; index < count; index++) slices[index] = new RecordSlice(firstOffset + index, index, 0, 4, 4, 8, 0, 0);
        return new RecordBatch(new TopicPartition("in", 0), buffer, slices, count, firstOffset + count);
    }

    private static Topology Topics(Processor<string, string> node) => new Topology()
        .AddSource("source", Options.Texts, "in")
        .AddProcessor("node", () => node, "source");

    private Topology TwoTopics() => new Topology()
        .AddSource("source", Options.Texts, "a", "b")
        .AddProcessor("seen", () => new Sink<string, string>((record, _) => _seen.Add(record.Key + record.Value)), "source");

    private Topology Failing(Processor<string, string> fails) => new Topology()
        .AddSource("source", Options.Texts, "in")
        .AddProcessor("relay", () => new PassOn<string, string>(), "source")
        .AddProcessor("fails", () => fails, "relay")
        .AddProcessor("seen", () => new Sink<string, string>((record, _) => _seen.Add(record.Value)), "relay");

    private sealed class Picky : ISerializer<string>
    {
        public void Serialize(string value, System.Buffers.IBufferWriter<byte> output)
        {
            if (value == "bad") throw new FormatException("bad value");
            Serdes.String.Serialize(value, output);
        }
    }
}
