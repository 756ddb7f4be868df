using Xunit;

namespace Chaos;

/// <summary>Short runs; long ones by command (see <see cref="Program"/>).</summary>
public sealed class ChaosTests
{
    [Fact]
    public Task Exactly_once_is_exact_whatever_is_killed_and_paused() => RunAsync(isExactlyOnce: true, seconds: 12, records: 60_000);

    [Fact]
    public Task At_least_once_loses_nothing() => RunAsync(isExactlyOnce: false, seconds: 8, records: 40_000);

    private static async Task RunAsync(bool isExactlyOnce, int seconds, int records)
    {
        var output = TestContext.Current.TestOutputHelper!;
        var options = new ChaosOptions { IsExactlyOnce = isExactlyOnce, Duration = TimeSpan.FromSeconds(seconds), Records = records };
        var wrong = await ChaosRun.RunAsync(options, output.WriteLine, TestContext.Current.CancellationToken);
        Assert.True(wrong.Count == 0, $"seed {options.Seed}: {string.Join("\n", wrong)}");
    }
}
