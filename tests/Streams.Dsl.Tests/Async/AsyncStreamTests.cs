using System.Collections.Concurrent;
using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests.Async;

/// <summary>Asynchronous operators on the driver's virtual time.</summary>
public sealed class AsyncStreamTests
{
    [Fact]
    public void Result_goes_on_when_its_call_ends()
    {
        using var lab = new Lab((value, delay, _) => delay(10, value + "!"), new());
        lab.Pipe("k", "a", 5);
        Assert.Empty(lab.Out());
        Assert.Equal(1, lab.Driver.PendingAsyncCalls);
        lab.Advance(9);
        Assert.Empty(lab.Out());
        lab.Advance(1);
        Assert.Equal(["k=a!@5"], lab.Out());
        Assert.Equal(0, lab.Driver.PendingAsyncCalls);
    }

    [Fact]
    public void Call_that_is_done_at_once_needs_no_time()
    {
        using var lab = new Lab((value, _, _) => Task.FromResult(value + "!"), new());
        lab.Pipe("k", "a").Pipe("k", "b");
        Assert.Equal(["k=a!@0", "k=b!@0"], lab.Out());
    }

    [Fact]
    public void Records_of_a_key_are_called_for_one_after_another_and_others_overtake()
    {
        using var lab = new Lab((value, delay, _) => delay(value == "slow" ? 100 : 10, value), new());
        lab.Pipe("k", "slow").Pipe("k", "second").Pipe("other", "fast");
        lab.Advance(10);
        Assert.Equal(["other=fast@0"], lab.Out());
        Assert.Equal(["slow", "fast"], lab.Called);
        lab.Advance(90);
        Assert.Equal(["k=slow@0"], lab.Out());
        lab.Advance(10);
        Assert.Equal(["k=second@0"], lab.Out());
    }

    [Fact]
    public void Order_of_the_partition_holds_results_back_but_not_calls()
    {
        using var lab = new Lab((value, delay, _) => delay(value == "slow" ? 100 : 10, value), new() { Order = AsyncOrder.Partition });
        lab.Pipe("a", "slow").Pipe("a", "two").Pipe("b", "three");
        Assert.Equal(["slow", "two", "three"], lab.Called);
        lab.Advance(10);
        Assert.Empty(lab.Out());
        lab.Advance(90);
        Assert.Equal(["a=slow@0", "a=two@0", "b=three@0"], lab.Out());
    }

    [Fact]
    public void Without_order_results_go_on_as_they_come()
    {
        using var lab = new Lab((value, delay, _) => delay(value == "slow" ? 100 : 10, value), new() { Order = AsyncOrder.None });
        lab.Pipe("a", "slow").Pipe("a", "fast");
        lab.Advance(10);
        Assert.Equal(["a=fast@0"], lab.Out());
        lab.Advance(90);
        Assert.Equal(["a=slow@0"], lab.Out());
    }

    [Theory]
    [InlineData(AsyncOrder.Key)]
    [InlineData(AsyncOrder.Partition)]
    [InlineData(AsyncOrder.None)]
    public void No_more_calls_run_at_a_time_than_allowed(AsyncOrder order)
    {
        using var lab = new Lab((value, delay, _) => delay(10, value), new() { MaxConcurrency = 3, Order = order });
        for (var index = 0; index < 10; index++) lab.Pipe($"k{index}", "v");
        Assert.Equal(3, lab.Called.Count);
        lab.Advance(10);
        Assert.Equal(6, lab.Called.Count);
        lab.Advance(10).Advance(10).Advance(10);
        Assert.Equal(10, lab.Out().Count);
    }

    [Fact]
    public void Task_does_not_commit_while_a_call_is_under_way()
    {
        using var lab = new Lab((value, delay, _) => delay(value == "slow" ? 50 : 10, value), new());
        lab.Pipe("a", "slow").Pipe("b", "fast");
        lab.Advance(10);
        Assert.Single(lab.Out());
        lab.Driver.Commit();
        Assert.Equal(1, lab.Driver.PendingAsyncCalls);
        Assert.Throws<InvalidOperationException>(lab.Driver.Restart);
        lab.Advance(40);
        lab.Driver.Restart();
        Assert.Single(lab.Out());
    }

    [Fact]
    public void Call_that_takes_too_long_fails_also_when_it_heeds_no_token()
    {
        using var lab = new Lab((_, _, _) => new TaskCompletionSource<string>().Task, new() { Timeout = TimeSpan.FromMilliseconds(50) });
        lab.Pipe("k", "v");
        var failure = Assert.Throws<ProcessorException>(() => lab.Advance(50));
        Assert.IsType<TimeoutException>(failure.InnerException);
        Assert.Equal(new RecordMetadata("in", 0, 0), failure.Record);
    }

    [Fact]
    public void Failed_call_is_made_again_after_growing_delays()
    {
        var calls = 0;
        using var lab = new Lab((value, _, _) => ++calls < 4 ? throw new FormatException("not yet") : Task.FromResult(value), new() { MaxRetries = 3, RetryDelay = TimeSpan.FromMilliseconds(10) });
        lab.Pipe("k", "v");
        Assert.Equal(1, calls);
        lab.Advance(10);
        Assert.Equal(2, calls);
        lab.Advance(19);
        Assert.Equal(2, calls);
        lab.Advance(1);
        Assert.Equal(3, calls);
        lab.Advance(40);
        Assert.Equal(["k=v@0"], lab.Out());
    }

    [Fact]
    public void Failure_that_is_not_worth_a_retry_is_not_retried()
    {
        var calls = 0;
        using var lab = new Lab((_, _, _) => { calls++; throw new FormatException("bad"); }, new() { MaxRetries = 3, IsRetriable = failure => failure is TimeoutException });
        Assert.Throws<ProcessorException>(() => lab.Pipe("k", "v"));
        Assert.Equal(1, calls);
    }

    [Fact]
    public void Failed_record_is_left_out_when_the_handler_says_continue_and_the_next_of_its_key_goes_on()
    {
        RecordMetadata? seen = null;
        var config = new StreamsConfig
        {
            ApplicationId = "app",
            ProcessingExceptionHandler = (context, _) =>
            {
                seen = context.Record;
                return ErrorResponse.Continue;
            },
        };
        using var lab = new Lab((value, delay, _) => value == "bad" ? throw new FormatException("bad") : delay(1, value), new(), config);
        lab.Pipe("k", "good").Pipe("k", "bad", 7).Pipe("k", "better", 8);
        lab.Advance(1).Advance(1).Advance(1);
        Assert.Equal(["k=good@0", "k=better@8"], lab.Out());
        Assert.Equal(new RecordMetadata("in", 0, 1), seen);
        Assert.Equal(1, lab.Driver.DroppedRecordsBecause(DropReason.Processing));
    }

    [Fact]
    public void Calls_on_other_threads_are_waited_for()
    {
        using var lab = new Lab((value, _, _) => Task.Run(() => value + "!"), new());
        for (var index = 0; index < 100; index++) lab.Pipe($"k{index % 7}", $"{index}");
        lab.Driver.WaitForAsyncCalls(TimeSpan.FromSeconds(30));
        var out_ = lab.Out();
        Assert.Equal(100, out_.Count);
        for (var key = 0; key < 7; key++)
        {
            var numbers = out_.Where(each => each.StartsWith($"k{key}=", StringComparison.Ordinal)).Select(each => int.Parse(each.Split('=', '!')[1], null)).ToList();
            Assert.Equal(numbers.Order(), numbers);
        }
    }

    [Fact]
    public void Closing_cancels_calls()
    {
        CancellationToken token = default;
        var lab = new Lab((_, _, cancellation) => { token = cancellation; return new TaskCompletionSource<string>().Task; }, new());
        lab.Pipe("k", "v");
        lab.Dispose();
        Assert.True(token.IsCancellationRequested);
    }

    [Fact]
    public void Records_made_by_a_call_may_have_other_keys_and_are_repartitioned()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in")
            .ProcessAsync<string, string, string, string>(async (record, _) =>
            {
                await Task.Yield();
                return [.. record.Value.Split(' ').Select(word => new Record<string, string>(word, word, record.Timestamp))];
            })
            .GroupByKey().Count().ToStream().To("out");
        using var driver = new TopologyTestDriver(builder.Build(), options: new() { PartitionsPerTopic = 2 });
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "a b a");
        driver.WaitForAsyncCalls(TimeSpan.FromSeconds(30));
        Assert.Equal(new Dictionary<string, long> { ["a"] = 2, ["b"] = 1 }, driver.CreateOutputTopic<string, long>("out").ReadKeyValuesToMap());
    }

    [Fact]
    public void Filter_keeps_what_the_call_says()
    {
        using var test = DslTest.Stream(stream => stream.FilterAsync((_, value, _) => Task.FromResult(value.Length > 1)));
        test.Pipe("k", "a").Pipe("k", "bb");
        Assert.Equal(["k=bb@0"], test.Out());
    }

    [Fact]
    public void Absent_struct_keeps_its_place_without_a_call()
    {
        var builder = new StreamsBuilder();
        var calls = 0;
        builder.Table<string, long>("in").ToStream().MapValuesAsync(async (long value, CancellationToken _) =>
        {
            calls++;
            await Task.Yield();
            return value + 1;
        }).To("out");
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        input.PipeInput("k", 1);
        input.PipeTombstone("k", 5);
        driver.WaitForAsyncCalls(TimeSpan.FromSeconds(30));
        var records = driver.CreateOutputTopic<string, long>("out").ReadRecordsToList();
        Assert.Equal([true, false], records.Select(record => record.HasValue));
        Assert.Equal(1, calls);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(10_001, 0)]
    [InlineData(4, 3)]
    public void Impossible_limits_are_refused(int concurrency, int pending)
    {
        var builder = new StreamsBuilder();
        Assert.Throws<TopologyException>(() => builder.Stream<string, string>("in")
            .MapValuesAsync((value, _) => Task.FromResult(value), new() { MaxConcurrency = concurrency, MaxPending = pending }));
    }

    private delegate Task<string> Delayed(int milliseconds, string result);

    private sealed class Lab : IDisposable
    {
        private readonly ConcurrentQueue<string> _called = new();

        public Lab(Func<string, Delayed, CancellationToken, Task<string>> call, AsyncOptions options, StreamsConfig? config = null)
        {
            TopologyTestDriver? driver = null;
            var builder = new StreamsBuilder();
            builder.Stream<string, string>("in").MapValuesAsync(
                (value, cancellation) =>
                {
                    _called.Enqueue(value);
                    return call(value, (milliseconds, result) => DelayAsync(driver!.Clock, milliseconds, result, cancellation), cancellation);
                },
                options).To("out");
            Driver = driver = new TopologyTestDriver(builder.Build(), config);
        }

        public TopologyTestDriver Driver { get; }

        public List<string> Called => [.. _called];

        public Lab Pipe(string key, string value, long timestamp = 0)
        {
            Driver.CreateInputTopic<string, string>("in").PipeInput(key, value, timestamp);
            return this;
        }

        public Lab Advance(int milliseconds)
        {
            Driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(milliseconds));
            return this;
        }

        public IReadOnlyList<string> Out() =>
            [.. Driver.CreateOutputTopic<string, string>("out").ReadRecordsToList().Select(record => $"{record.Key}={record.Value}@{record.Timestamp}")];

        public void Dispose() => Driver.Dispose();

        private static async Task<string> DelayAsync(TimeProvider time, int milliseconds, string result, CancellationToken cancellation)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), time, cancellation);
            return result;
        }
    }
}
