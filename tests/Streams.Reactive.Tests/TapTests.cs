using System.Reactive.Concurrency;
using System.Reactive.Linq;
using Streams.Core;
using Streams.Dsl;
using Streams.Testing;

namespace Streams.Reactive.Tests;

/// <summary>Taps under the test driver, where everything happens on the test's thread.</summary>
public sealed class TapTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Observer_sees_records_with_key_value_time_and_headers_before_the_pipe_returns()
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, string>("in").MapValues(value => value.ToUpperInvariant()).Tap();
        var seen = new Recorder<Record<string, string>>();
        using var subscription = tap.ToObservable().Subscribe(seen);
        using (var driver = new TopologyTestDriver(builder.Build()))
        {
            var input = driver.CreateInputTopic<string, string>("in");
            input.PipeInput("k", "a", 17, Headers.Empty.Add("h", "x"));
            var record = Assert.Single(seen.Items);
            Assert.Equal(("k", "A", 17L, "x"), (record.Key, record.Value, record.Timestamp, record.Headers[0].ValueAsString()));
            Assert.False(seen.IsCompleted);
        }

        Assert.True(seen.IsCompleted);
    }

    [Fact]
    public void Observers_see_what_passes_from_their_subscription_to_its_end()
    {
        var builder = new StreamsBuilder();
        var records = builder.Stream<string, string>("in").ToObservable().Select(record => record.Value);
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, string>("in");
        Recorder<string> early = new(), late = new();

        input.PipeInput("k", "unseen");
        using var first = records.Subscribe(early);
        input.PipeInput("k", "a");
        using var second = records.Subscribe(late);
        input.PipeInput("k", "b");
        first.Dispose();
        input.PipeInput("k", "c");

        Assert.Equal(["a", "b"], early.Items);
        Assert.Equal(["b", "c"], late.Items);
        Assert.False(early.IsCompleted);
    }

    [Fact]
    public void Operators_of_virtual_time_see_records_at_the_time_they_are_piped()
    {
        var builder = new StreamsBuilder();
        var scheduler = new HistoricalScheduler();
        var sums = builder.Stream<string, long>("in").ToObservable(new TapOptions { Scheduler = scheduler })
            .Select(record => record.Value)
            .Buffer(TimeSpan.FromSeconds(10), scheduler)
            .Select(buffer => buffer.Sum());
        var seen = new Recorder<long>();
        using var subscription = sums.Subscribe(seen);
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");

        // --1-2---|--3----|--------|
        input.PipeInput("k", 1);
        scheduler.AdvanceBy(TimeSpan.FromSeconds(4));
        input.PipeInput("k", 2);
        scheduler.AdvanceBy(TimeSpan.FromSeconds(8));
        input.PipeInput("k", 3);
        scheduler.AdvanceBy(TimeSpan.FromSeconds(8));
        scheduler.AdvanceBy(TimeSpan.FromSeconds(10));

        Assert.Equal([3, 3, 0], seen.Items);
    }

    [Fact]
    public void Table_gives_new_rows_and_deletions()
    {
        var builder = new StreamsBuilder();
        var seen = new Recorder<Record<string, long>>();
        using var subscription = builder.Table<string, long>("in").ToObservable().Subscribe(seen);
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        input.PipeInput("a", 1);
        input.PipeTombstone("a");
        Assert.Equal([(true, 1L), (false, 0L)], seen.Items.Select(record => (record.HasValue, record.Value)));
    }

    [Fact]
    public void Full_buffer_holds_the_task_up_until_half_of_it_is_free_and_nothing_is_lost()
    {
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, long>("in");
        var tap = stream.Tap(new TapOptions { Capacity = 4 });
        stream.To("out");
        using var reader = tap.OpenReader();
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        for (var number = 0; number < 10; number++) input.PipeInput("k", number);

        Assert.Equal(4, driver.ProcessedRecords);
        Assert.Equal(4, reader.Count);
        Assert.True(reader.TryRead(out var record) && record.Value == 0);
        driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(1));
        Assert.Equal(4, driver.ProcessedRecords);
        Assert.True(reader.TryRead(out record) && record.Value == 1);
        driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(1));
        Assert.Equal(6, driver.ProcessedRecords);

        var rest = new List<long>();
        while (reader.TryRead(out record))
        {
            rest.Add(record.Value);
            Assert.InRange(tap.WaitingRecords, 0, 4);
            driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal([2, 3, 4, 5, 6, 7, 8, 9], rest);
        Assert.Equal(0, tap.DroppedRecords);
        Assert.Equal(10, driver.CreateOutputTopic<string, long>("out").ReadValuesToList().Count);
    }

    [Fact]
    public void Task_that_is_held_up_fires_no_callbacks()
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, long>("in").Process(() => new Ticker()).Tap(new TapOptions { Capacity = 2 });
        using var reader = tap.OpenReader();
        using var driver = new TopologyTestDriver(builder.Build());
        for (var second = 0; second < 10; second++) driver.AdvanceWallClockTime(TimeSpan.FromSeconds(1));
        Assert.Equal(2, tap.WaitingRecords);
    }

    [Fact]
    public void What_one_record_gives_is_taken_in_whole()
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, long>("in").FlatMapValues(count => Enumerable.Range(0, (int)count)).Tap(new TapOptions { Capacity = 4 });
        using var reader = tap.OpenReader();
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        input.PipeInput("k", 9);
        input.PipeInput("k", 9);
        Assert.Equal(9, reader.Count);
    }

    [Theory]
    [InlineData(TapOverflow.DropOldest, new[] { 3L, 4L })]
    [InlineData(TapOverflow.DropNewest, new[] { 0L, 1L })]
    public void Full_buffer_that_drops_holds_nobody_up_and_counts(TapOverflow overflow, long[] kept)
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, long>("in").Tap(new TapOptions { Capacity = 100 });
        using var small = tap.OpenReader(capacity: 2, overflow);
        using var large = tap.OpenReader();
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        for (var number = 0; number < 5; number++)
        {
            input.PipeInput("k", number);
            Assert.InRange(small.Count, 0, 2);
        }

        Assert.Equal((3L, 0L, 3L), (small.DroppedRecords, large.DroppedRecords, tap.DroppedRecords));
        Assert.Equal(5, large.Count);
        Assert.Equal(kept, Drain(small));
    }

    [Fact]
    public void Reader_that_is_disposed_lets_the_task_go_on()
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, long>("in").Tap(new TapOptions { Capacity = 1 });
        var reader = tap.OpenReader();
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        input.PipeInput("k", 1);
        input.PipeInput("k", 2);
        Assert.Equal(1, driver.ProcessedRecords);
        reader.Dispose();
        input.PipeInput("k", 3);
        Assert.Equal(3, driver.ProcessedRecords);
        Assert.Equal(0, tap.Subscriptions);
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void Records_of_a_tap_after_commit_are_seen_when_the_task_commits()
    {
        var builder = new StreamsBuilder();
        var seen = new Recorder<long>();
        var tap = builder.Stream<string, long>("in").Tap(new TapOptions { Delivery = TapDelivery.AfterCommit, Capacity = 3 });
        using var subscription = tap.ToObservable().Select(record => record.Value).Subscribe(seen);
        using var driver = new TopologyTestDriver(builder.Build(), options: new TopologyTestDriverOptions { CommitEachRecord = false });
        var input = driver.CreateInputTopic<string, long>("in");
        input.PipeInput("k", 1);
        input.PipeInput("k", 2);
        Assert.Empty(seen.Items);
        Assert.Equal(2, tap.WaitingRecords);
        driver.Commit();
        Assert.Equal([1, 2], seen.Items);
        Assert.Equal(0, tap.WaitingRecords);
    }

    [Fact]
    public void Subscriber_that_throws_in_the_driver_fails_the_call()
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, long>("in").Tap();
        using var subscription = tap.ToObservable().Subscribe(_ => throw new InvalidOperationException("asserted"));
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        var failure = Assert.Throws<ProcessorException>(() => input.PipeInput("k", 1));
        Assert.Equal("asserted", failure.InnerException?.Message);
        Assert.Equal((1L, 0), (tap.FailedSubscribers, tap.Subscriptions));
    }

    [Fact]
    public async Task Loop_reads_to_the_end_of_the_application()
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, long>("in").Tap();
        await using var records = tap.ToAsyncEnumerable().GetAsyncEnumerator(Token);
        Assert.Equal(1, tap.Subscriptions);
        var next = records.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        using (var driver = new TopologyTestDriver(builder.Build()))
        {
            driver.CreateInputTopic<string, long>("in").PipeInput("k", 7);
            Assert.True(await next);
            Assert.Equal(7, records.Current.Value);
            next = records.MoveNextAsync().AsTask();
        }

        Assert.False(await next);
        await records.DisposeAsync();
        Assert.Equal(0, tap.Subscriptions);
    }

    [Fact]
    public async Task Loop_that_is_left_or_cancelled_unsubscribes()
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, long>("in").Tap();
        using var driver = new TopologyTestDriver(builder.Build());
        var unused = tap.ToAsyncEnumerable().GetAsyncEnumerator(Token);
        Assert.Equal(1, tap.Subscriptions);
        await unused.DisposeAsync();
        Assert.Equal(0, tap.Subscriptions);

        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using (var records = tap.ToAsyncEnumerable().GetAsyncEnumerator(cancellation.Token))
        {
            var next = records.MoveNextAsync().AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        }

        Assert.Equal(0, tap.Subscriptions);
    }

    [Fact]
    public void Wrong_options_are_all_named()
    {
        var stream = new StreamsBuilder().Stream<string, long>("in");
        var failure = Assert.Throws<ArgumentException>(() => stream.Tap(new TapOptions { Capacity = 0, Overflow = (TapOverflow)9 }));
        Assert.Contains("Capacity is 0", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Overflow is 9", failure.Message, StringComparison.Ordinal);
        var tap = stream.Tap();
        Assert.Throws<ArgumentOutOfRangeException>(() => tap.OpenReader(capacity: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => tap.ToObservable(overflow: (TapOverflow)9));
        Assert.Throws<ArgumentNullException>(() => tap.ToObservable().Subscribe((IObserver<Record<string, long>>)null!));
    }

    private static List<long> Drain(TapReader<Record<string, long>> reader)
    {
        var values = new List<long>();
        while (reader.TryRead(out var record)) values.Add(record.Value);
        return values;
    }

    /// <summary>Sends something each second of the wall clock.</summary>
    private sealed class Ticker : Processor<string, long, string, long>
    {
        public override void Process(in Record<string, long> record) => Forward(in record);

        protected override void Init() =>
            Context.Schedule(TimeSpan.FromSeconds(1), PunctuationType.WallClockTime, now => Forward(new Record<string, long>("tick", now, now)));
    }
}
