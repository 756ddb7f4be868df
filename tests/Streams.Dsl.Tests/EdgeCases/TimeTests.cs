using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>Timestamps of results, the order of inputs, and callbacks as time passes: E-29 to E-32, E-45, E-70 and E-120 to E-123.</summary>
public sealed class TimeTests
{
    /// <summary>E-29: the time is the aggregate's, the headers are of the record that made time pass; a window whose aggregate was deleted gives nothing.</summary>
    [Fact]
    public void Final_result_has_the_time_of_the_aggregate_and_the_headers_of_the_trigger()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms())).EmitStrategy(EmitStrategy.OnWindowClose)
            .Aggregate(() => "", (_, value, all) => value == "x" ? null! : all + value, Materialized.As("kept").WithRetention(1000.Ms())).ToOut());
        var input = lab.Driver.CreateInputTopic<string, string>("in");
        input.PipeInput(new TestRecord<string, string>("k", "a", 7, Headers.Empty.Add("from", "first")));
        input.PipeInput(new TestRecord<string, string>("k", "b", 3, Headers.Empty.Add("from", "second")));
        input.PipeInput(new TestRecord<string, string>("gone", "x", 4));
        input.PipeInput(new TestRecord<string, string>("trigger", "t", 10, Headers.Empty.Add("from", "trigger")));

        var record = Assert.Single(lab.Driver.CreateOutputTopic<string, string>("out").ReadRecordsToList());

        Assert.Equal(("k[0,10]", "ab", 7L), (record.Key, record.Value, record.Timestamp));
        Assert.Equal("trigger", Assert.Single(record.Headers).ValueAsString());
    }

    /// <summary>E-31, at the edge: <c>time + difference &lt; streamTime − grace</c> is dropped, equality is not.</summary>
    [Fact]
    public void Sliding_window_takes_what_is_exactly_as_late_as_difference_and_grace_allow()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SlidingWindows.OfTimeDifferenceAndGrace(10.Ms(), 5.Ms())).Count().ToOut());
        lab.Pipe("in", "k", "v", 95);
        lab.Pipe("in", "now", "v", 100);
        lab.Out<long>();

        // Its own window [75,85] has closed, those that it shares with the record at 95 have not.
        lab.Pipe("in", "k", "v", 85);
        Assert.Equal("k[85,95]=2@95 k[86,96]=1@95", lab.Out<long>());
        var dropped = lab.Driver.DroppedRecords;
        lab.Pipe("in", "k", "v", 84);
        Assert.Equal("", lab.Out<long>());
        Assert.Equal(dropped + 1, lab.Driver.DroppedRecords);
    }

    /// <summary>E-32: an extractor that answers below zero leaves the record out; windows never begin below zero.</summary>
    [Fact]
    public void Record_with_a_negative_time_is_left_out_and_counted()
    {
        using var lab = new Lab(static builder => builder
            .Stream<string, string>("in", new Consumed<string, string> { TimestampExtractor = static (in Record<string, string> record, long _) => record.Value == "bad" ? -1 : record.Timestamp })
            .GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()).AdvanceBy(3.Ms())).Count().ToOut());

        lab.Pipe("in", "k", "bad", 5);
        Assert.Equal("", lab.Out<long>());
        Assert.Equal(1, lab.Driver.DroppedRecords);
        lab.Pipe("in", "k", "v", 2);
        Assert.Equal("k[0,10]=1@2", lab.Out<long>());
    }

    /// <summary>E-32, for the time on the topic itself.</summary>
    [Theory]
    [InlineData(TimestampPolicy.SkipOnInvalid, "", 1)]
    [InlineData(TimestampPolicy.UsePartitionTimeOnInvalid, "k=v@20", 0)]
    public void Policy_says_what_becomes_of_a_negative_time(TimestampPolicy policy, string expected, long dropped)
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in", new Consumed<string, string> { TimestampPolicy = policy }).To("out"));
        lab.Pipe("in", "k", "first", 20);
        lab.Out();

        lab.Pipe("in", "k", "v", -1);

        Assert.Equal(expected, lab.Out());
        Assert.Equal(dropped, lab.Driver.DroppedRecords);
    }

    /// <summary>E-45.</summary>
    [Fact]
    public void Result_of_a_session_is_from_its_end()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapAndGrace(5.Ms(), 100.Ms())).Count().ToOut());
        lab.Pipe("in", "k", "v", 10);
        lab.Pipe("in", "k", "v", 7);

        Assert.Equal("k[10,10]=1@10 k[10,10]=null@10 k[7,10]=2@10", lab.Out<long>());
    }

    /// <summary>E-70: both wait at once, and the earlier goes first whatever came first. The first half of the topology lets both wait.</summary>
    [Fact]
    public void Table_row_of_an_earlier_time_is_there_for_a_stream_record_that_was_written_before_it()
    {
        using var lab = new Lab(static builder =>
        {
            builder.Stream<string, string>("start").Process(static () => new WritesLateFirst()).To(static (in Record<string, string> record, RecordMetadata? _) => record.Value);
            builder.Stream<string, string>("stream").Join(builder.Table<string, string>("table"), (one, other) => $"{one}+{other}").To("out");
        });

        lab.Pipe("start", "k", "go", 9);

        Assert.Equal("k=stream+table@5", lab.Out());
    }

    /// <summary>E-120.</summary>
    [Fact]
    public void Stream_time_callback_fires_with_the_first_record_then_on_multiples_and_once_for_a_leap()
    {
        using var lab = Ticking(PunctuationType.StreamTime);
        lab.Pipe("in", "k", "v", 25);
        Assert.Equal("tick=v@25", lab.Out());
        lab.Pipe("in", "k", "v", 29);
        Assert.Equal("", lab.Out());
        lab.Pipe("in", "k", "v", 30);
        Assert.Equal("tick=v@30", lab.Out());
        lab.Pipe("in", "k", "v", 75);
        Assert.Equal("tick=v@75", lab.Out());
        lab.Pipe("in", "k", "v", 79);
        Assert.Equal("", lab.Out());
        lab.Pipe("in", "k", "v", 80);
        Assert.Equal("tick=v@80", lab.Out());
    }

    /// <summary>E-121.</summary>
    [Fact]
    public void Wall_clock_callback_fires_once_after_a_stall_and_keeps_its_phase()
    {
        using var lab = Ticking(PunctuationType.WallClockTime);
        lab.Driver.AdvanceWallClockTime(9.Ms());
        Assert.Equal("", lab.Out());
        lab.Driver.AdvanceWallClockTime(1.Ms());
        Assert.Equal("tick=v@10", lab.Out());
        lab.Driver.AdvanceWallClockTime(35.Ms());
        Assert.Equal("tick=v@45", lab.Out());
        lab.Driver.AdvanceWallClockTime(4.Ms());
        Assert.Equal("", lab.Out());
        lab.Driver.AdvanceWallClockTime(1.Ms());
        Assert.Equal("tick=v@50", lab.Out());
    }

    /// <summary>E-122: two processors with a schedule each; one cancels itself in its callback and makes another in Process.</summary>
    [Fact]
    public void Callback_may_cancel_itself_and_Process_may_schedule()
    {
        using var lab = new Lab(static builder =>
        {
            var stream = builder.Stream<string, string>("in");
            stream.Process(static () => new Once()).To("out");
            stream.Process(static () => new Tick(PunctuationType.StreamTime)).To("other");
        });
        lab.Pipe("in", "k", "v", 5);
        Assert.Equal("once=v@5", lab.Out());
        lab.Pipe("in", "k", "v", 40);
        Assert.Equal("", lab.Out());
        lab.Pipe("in", "k", "again", 41);
        Assert.Equal("once=v@41", lab.Out());
        lab.Pipe("in", "k", "v", 50);
        Assert.Equal("", lab.Out());
        Assert.Equal("tick=v@5 tick=v@40 tick=v@50", lab.Out("other"));
    }

    private static Lab Ticking(PunctuationType type) => new(builder => builder.Stream<string, string>("in").Process(() => new Tick(type)).To("out"));

    private sealed class Tick(PunctuationType type) : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
        }

        protected override void Init() => Context.Schedule(10.Ms(), type, time => Forward(new Record<string, string>("tick", "v", time)));
    }

    private sealed class Once : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            if (record.Value == "again") Start();
        }

        protected override void Init() => Start();

        private void Start()
        {
            ICancellable? schedule = null;
            schedule = Context.Schedule(10.Ms(), PunctuationType.StreamTime, time =>
            {
                Forward(new Record<string, string>("once", "v", time));
                schedule!.Cancel();
            });
        }
    }

    private sealed class WritesLateFirst : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            Forward(new Record<string, string>(record.Key, "stream", 5));
            Forward(new Record<string, string>(record.Key, "table", 3));
        }
    }
}
