using Xunit;

namespace Streams.Core.Tests.Diagnostics;

public sealed class SampledSensorTests
{
    private const long NowMs = 1_000_000;
    private readonly SteppingTime _time = new();

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(1000)]
    public void Every_operation_is_counted_once_the_next_turn_begins(int operations)
    {
        var sensor = new SampledSensor(_time);
        sensor.Roll(NowMs);
        for (var each = 0; each < operations; each++) Operate(sensor, nanoseconds: 200);
        sensor.Roll(NowMs + 1);
        Assert.Equal(operations, sensor.Sensor.Total);
        Assert.Equal(200, sensor.Sensor.Average(NowMs + 1), 6);
    }

    [Fact]
    public void Clock_is_read_for_one_in_sixteen()
    {
        var sensor = new SampledSensor(_time);
        sensor.Roll(NowMs);
        for (var each = 0; each < 1600; each++) Operate(sensor, nanoseconds: 200);
        Assert.Equal(2 * 100, _time.Reads);
    }

    [Fact]
    public void First_of_each_turn_is_timed()
    {
        var sensor = new SampledSensor(_time);
        foreach (var nanoseconds in (int[])[100, 300, 500])
        {
            sensor.Roll(NowMs);
            Operate(sensor, nanoseconds);
        }

        Assert.Equal(300, sensor.Sensor.Average(NowMs), 6);
        Assert.Equal(500, sensor.Sensor.Max(NowMs), 6);
    }

    [Fact]
    public void Operation_that_throws_leaves_the_next_one_timed()
    {
        var sensor = new SampledSensor(_time);
        sensor.Roll(NowMs);
        Assert.True(sensor.WantsTime());
        Operate(sensor, nanoseconds: 700);
        Assert.Equal(1, sensor.Sensor.Total);
        Assert.Equal(700, sensor.Sensor.Max(NowMs), 6);
    }

    private void Operate(SampledSensor sensor, int nanoseconds)
    {
        if (!sensor.WantsTime()) return;
        var mark = sensor.Mark();
        _time.Ticks += nanoseconds;
        sensor.Record(mark);
    }

    private sealed class SteppingTime : TimeProvider
    {
        public long Ticks { get; set; }

        public int Reads { get; private set; }

        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp()
        {
            Reads++;
            return Ticks;
        }
    }
}
