using Broker.Lite.Coordination;
using Broker.Lite.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Lite.Tests.Coordination;

public sealed class BrokerLoopTests
{
    private readonly BrokerLoop _loop = new(NullLogger.Instance);
    private readonly ManualClock _clock = new();

    [Fact]
    public void Item_posted_to_an_idle_loop_has_run_when_post_returns()
    {
        var ran = false;
        _loop.Post(() => ran = true);
        Assert.True(ran);
    }

    [Fact]
    public void Item_posted_by_an_item_runs_after_it()
    {
        var order = new List<string>();
        _loop.Post(() =>
        {
            _loop.Post(() => order.Add("second"));
            order.Add("first");
        });
        Assert.Equal(["first", "second"], order);
    }

    [Fact]
    public async Task Items_of_many_threads_run_one_at_a_time()
    {
        const int Threads = 8;
        const int Each = 5_000;
        var inside = 0;
        var overlaps = 0;
        var ran = 0;
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                _loop.Post(() =>
                {
                    if (Interlocked.Increment(ref inside) != 1)
                        overlaps++;
                    ran++; // not interlocked: the loop is what makes it exact
                    Interlocked.Decrement(ref inside);
                });
            }
        })));
        await _loop.InvokeAsync(() => { });
        Assert.Equal((0, Threads * Each), (overlaps, ran));
    }

    [Fact]
    public async Task Failing_item_reports_to_its_caller_and_the_loop_goes_on()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _loop.InvokeAsync(int () => throw new InvalidOperationException()));
        _loop.Post(() => throw new InvalidOperationException());
        Assert.Equal(3, await _loop.InvokeAsync(() => 3));
    }

    [Fact]
    public async Task What_is_due_has_happened_when_an_item_looks_even_if_the_clock_is_late()
    {
        var late = new LateClock();
        using var timers = new LoopTimers(_loop, late);
        var fired = 0;
        await _loop.InvokeAsync(() => { timers.Schedule(100, () => fired++); timers.Schedule(100, () => throw new InvalidOperationException()); });
        late.Now += TimeSpan.FromMilliseconds(99);
        Assert.Equal(0, await _loop.InvokeAsync(() => fired));
        late.Now += TimeSpan.FromMilliseconds(1);
        Assert.Equal(1, await _loop.InvokeAsync(() => fired));
        Assert.Equal(1, await _loop.InvokeAsync(() => fired));
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_deadlines()
    {
        using var timers = new LoopTimers(_loop, _clock);
        var fired = new List<int>();
        timers.Schedule(300, () => fired.Add(300));
        timers.Schedule(100, () => fired.Add(100));
        timers.Schedule(200, () => fired.Add(200));
        _clock.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Equal([100, 200], fired);
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal([100, 200, 300], fired);
    }

    [Fact]
    public void Timer_moved_later_fires_later_and_moved_earlier_fires_earlier()
    {
        using var timers = new LoopTimers(_loop, _clock);
        var fired = 0;
        var timer = timers.Schedule(100, () => fired++);
        timer.Move(500);
        _clock.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Equal(0, fired);
        timer.Move(1000);
        timer.Move(10);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(1, fired);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void Timers_fire_at_their_last_deadline_and_only_once_whatever_was_done_to_them()
    {
        var seed = Environment.ProcessId;
        var random = new Random(seed);
        using var timers = new LoopTimers(_loop, _clock);
        var expected = new Dictionary<int, long>();
        var fired = new List<(int Id, long At)>();
        var live = new List<(int Id, LoopTimer Timer)>();
        for (var step = 0; step < 20_000; step++)
        {
            switch (random.Next(4))
            {
                case 0 when live.Count < 3000:
                    var id = step;
                    var delay = random.Next(5000);
                    expected[id] = timers.NowMs + delay;
                    live.Add((id, timers.Schedule(delay, () => fired.Add((id, timers.NowMs)))));
                    break;
                case 1 when live.Count > 0:
                    var (movedId, moved) = live[random.Next(live.Count)];
                    if (!moved.IsPending)
                        break;
                    delay = random.Next(5000);
                    moved.Move(delay);
                    expected[movedId] = timers.NowMs + delay;
                    break;
                case 2 when live.Count > 0:
                    var index = random.Next(live.Count);
                    if (live[index].Timer.IsPending)
                        expected.Remove(live[index].Id);
                    live[index].Timer.Cancel();
                    live.RemoveAt(index);
                    break;
                default:
                    _clock.Advance(TimeSpan.FromMilliseconds(random.Next(20)));
                    break;
            }
        }

        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(expected.Count == fired.Count, $"seed {seed}: {expected.Count} expected, {fired.Count} fired");
        Assert.All(fired, entry => Assert.True(expected[entry.Id] == entry.At, $"seed {seed}: timer {entry.Id} fired at {entry.At}, not {expected[entry.Id]}"));
    }

    /// <summary>A clock whose timers never fire by themselves.</summary>
    private sealed class LateClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer();

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
