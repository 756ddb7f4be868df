using System.Globalization;
using Xunit;

namespace Simulation;

/// <summary>Two hundred schedules. <c>SIM_SEEDS</c> says how many, <c>SIM_SEED</c> which one alone.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void EverySchedule_WhateverGoesWrong_EndsExact()
    {
        var (first, count) = Setting("SIM_SEED") is { } one ? (one, 1) : (1, Setting("SIM_SEEDS") ?? 200);
        var series = Series.Run(first, count, failed => output.WriteLine(Series.Describe(failed)));
        output.WriteLine(series.ToString());
        Assert.True(series.Failed.Count == 0, series + "\n" + string.Join('\n', series.Failed.Take(3).Select(Series.Describe)));
    }

    [Fact]
    public void Schedule_WithTheSameSeed_IsTheSame()
    {
        foreach (var seed in (int[])[3, 4, 5])
        {
            var first = Schedule.Run(seed);
            var second = Schedule.Run(seed);
            Assert.True(first.Steps > 100, Series.Describe(first));
            Assert.Equal((first.Fingerprint, first.Steps), (second.Fingerprint, second.Steps));
        }
    }

    private static int? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
