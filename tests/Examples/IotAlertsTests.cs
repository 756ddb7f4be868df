using IotAlerts;

namespace Examples;

public sealed class IotAlertsTests
{
    private static readonly DateTimeOffset _nine = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Silence_closes_the_last_minute_and_what_comes_for_it_is_late()
    {
        using var driver = new TopologyTestDriver(IotAlertsTopology.Build());
        var readings = driver.CreateInputTopic(IotAlertsTopology.Readings, Serdes.String, IotAlertsTopology.ReadingSerde);
        readings.PipeInput("boiler", new Reading(80), _nine.AddSeconds(10));
        readings.PipeInput("boiler", new Reading(70), _nine.AddSeconds(20));
        driver.AdvanceWallClockTime(IotAlertsTopology.Silence - TimeSpan.FromMilliseconds(1));
        Assert.DoesNotContain(IotAlertsTopology.Minutes, driver.ProducedTopicNames);
        driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(1));
        var alert = Assert.Single(driver.CreateOutputTopic(IotAlertsTopology.Alerts, Serdes.String, IotAlertsTopology.MinuteSerde).ReadRecordsToList());
        Assert.Equal(("09:00 boiler", new Minute(2, 150, 80)), (alert.Key, alert.Value));

        readings.PipeInput("boiler", new Reading(99), _nine.AddSeconds(30));
        driver.AdvanceWallClockTime(IotAlertsTopology.Silence);
        var late = Assert.Single(driver.CreateOutputTopic(IotAlertsTopology.LateReadings, Serdes.String, IotAlertsTopology.ReadingSerde).ReadRecordsToList());
        Assert.Equal(99, late.Value.Celsius);
        Assert.Single(driver.CreateOutputTopic(IotAlertsTopology.Minutes, Serdes.String, IotAlertsTopology.MinuteSerde).ReadRecordsToList());
    }

    [Fact]
    public async Task Program_agrees_with_its_check_and_its_readme() => ReadmeOutput.AssertShows("IotAlerts", await ExampleProcess.RunAsync("IotAlerts"));

    [Fact]
    public async Task Program_with_another_seed_agrees_with_its_check() =>
        Assert.Contains("check   a plain loop over the same readings agrees", await ExampleProcess.RunAsync("IotAlerts", "--seed", "2"), StringComparison.Ordinal);
}
