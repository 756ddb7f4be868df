using Xunit;

namespace Streams.Core.Tests.Diagnostics;

public sealed class SensorTests
{
    private readonly Sensor _sensor = new();

    public SensorTests() => _sensor.Roll(1_000_000);

    [Fact]
    public void Average_maximum_and_minimum_are_of_what_was_recorded()
    {
        foreach (var value in (double[])[4, 1, 7]) _sensor.Record(value);
        Assert.Equal(4, _sensor.Average(1_000_001));
        Assert.Equal(7, _sensor.Max(1_000_001));
        Assert.Equal(1, _sensor.Min(1_000_001));
    }

    [Fact]
    public void Nothing_recorded_has_no_average_and_a_rate_of_zero()
    {
        Assert.True(double.IsNaN(_sensor.Average(1_000_500)));
        Assert.True(double.IsNaN(_sensor.Max(1_000_500)));
        Assert.Equal(0, _sensor.Rate(1_000_500));
    }

    [Fact]
    public void Rate_is_never_taken_over_less_than_a_window()
    {
        for (var index = 0; index < 300; index++) _sensor.Record(1);
        Assert.Equal(10, _sensor.Rate(1_000_010));
    }

    [Fact]
    public void Last_window_still_counts_when_the_next_has_begun()
    {
        _sensor.Record(10);
        _sensor.Roll(1_030_000);
        _sensor.Record(20);
        Assert.Equal(15, _sensor.Average(1_031_000));
        Assert.Equal(10, _sensor.Min(1_031_000));
        Assert.Equal(20, _sensor.Max(1_031_000));
    }

    [Fact]
    public void What_is_two_windows_old_is_forgotten_also_when_the_writer_has_stopped()
    {
        _sensor.Record(10);
        Assert.Equal(10, _sensor.Average(1_059_999));
        Assert.True(double.IsNaN(_sensor.Average(1_060_000)));
        _sensor.Roll(1_090_000);
        Assert.True(double.IsNaN(_sensor.Average(1_090_001)));
        Assert.Equal(1, _sensor.Total);
    }

    [Fact]
    public void Many_records_at_once_count_with_their_mean()
    {
        _sensor.RecordMany(4, 8);
        _sensor.Record(7);
        Assert.Equal(5, _sensor.Total);
        Assert.Equal(3, _sensor.Average(1_000_001));
        Assert.Equal(2, _sensor.Min(1_000_001));
        _sensor.RecordMany(0, 0);
        Assert.Equal(5, _sensor.Total);
    }

    [Fact]
    public void Share_is_time_spent_of_time_passed()
    {
        _sensor.RecordMany(10, 15_000);
        Assert.Equal(0.5, _sensor.Share(1_030_000 - 1), 3);
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        _sensor.Record(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var index = 0; index < 1000; index++)
        {
            _sensor.Record(index);
            _sensor.Roll(1_000_000 + (index * 100));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
