using Xunit;

namespace Streams.Testing.Tests;

public class ManualClockTests
{
    [Fact]
    public void Clock_stands_still_until_advanced()
    {
        var clock = new ManualClock();
        Assert.Equal(0, clock.NowMs);

        clock.Advance(TimeSpan.FromMilliseconds(1500));

        Assert.Equal(1500, clock.NowMs);
        Assert.Equal(TimeSpan.FromMilliseconds(1500), clock.GetElapsedTime(DateTimeOffset.UnixEpoch.UtcTicks));
        Assert.Throws<ArgumentOutOfRangeException>(() => clock.Advance(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_time_with_the_clock_at_it()
    {
        var clock = new ManualClock();
        var fired = new List<string>();
        using var periodic = clock.CreateTimer(_ => fired.Add($"p{clock.NowMs}"), null, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20));
        using var once = clock.CreateTimer(_ => fired.Add($"o{clock.NowMs}"), null, TimeSpan.FromMilliseconds(25), Timeout.InfiniteTimeSpan);

        clock.Advance(TimeSpan.FromMilliseconds(55));

        Assert.Equal(["p10", "o25", "p30", "p50"], fired);
        Assert.Equal(55, clock.NowMs);
    }

    [Fact]
    public void Stopped_and_disposed_timers_do_not_fire()
    {
        var clock = new ManualClock();
        var fired = 0;
        var stopped = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        var disposed = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        stopped.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        disposed.Dispose();

        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(0, fired);
        stopped.Dispose();
    }

    [Fact]
    public async Task Delay_on_the_clock_ends_when_it_is_advanced()
    {
        var clock = new ManualClock();
        var delay = Task.Delay(TimeSpan.FromHours(1), clock, TestContext.Current.CancellationToken);
        Assert.False(delay.IsCompleted);

        clock.Advance(TimeSpan.FromHours(1));

        await delay;
    }
}
