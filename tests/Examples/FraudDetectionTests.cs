using FraudDetection;

namespace Examples;

public sealed class FraudDetectionTests
{
    private static readonly DateTimeOffset _nine = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Spree_in_two_countries_is_one_alert_once_it_is_over()
    {
        using var driver = new TopologyTestDriver(FraudDetectionTopology.Build());
        Pay(driver, "card", "p1", 600, "AT", 0);
        Pay(driver, "card", "p1", 600, "AT", 0.5);
        Pay(driver, "card", "p3", 500, "US", 6);
        Assert.Empty(Alerts(driver));

        // Between both, within the pause of each: the two sprees are one.
        Pay(driver, "card", "p2", 50, "AT", 3);
        Pay(driver, "other", "p4", 5, "AT", 12.9);
        Assert.Empty(Alerts(driver));
        Pay(driver, "other", "p5", 5, "AT", 13.1);
        var (label, spree) = Assert.Single(Alerts(driver));
        Assert.Equal("09:00:00 card", label);
        Assert.Equal((3, 1150m), (spree.Payments, spree.Total));
        Assert.Equal(["AT", "US"], spree.Countries);
    }

    [Fact]
    public void Payment_that_comes_too_late_goes_to_its_own_topic_with_the_reason()
    {
        using var driver = new TopologyTestDriver(FraudDetectionTopology.Build());
        Pay(driver, "card", "p1", 5, "AT", 30);
        Pay(driver, "card", "p2", 5, "AT", 10);
        var late = Assert.Single(driver.CreateOutputTopic(FraudDetectionTopology.LatePayments, Serdes.String, FraudDetectionTopology.PaymentSerde).ReadRecordsToList());
        Assert.Equal("p2", late.Value.Id);
        Assert.Contains("__streams.dropped.reason=Late", late.Headers.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_agrees_with_its_check_and_its_readme() => ReadmeOutput.AssertShows("FraudDetection", await ExampleProcess.RunAsync("FraudDetection"));

    [Fact]
    public async Task Program_with_another_seed_agrees_with_its_check() =>
        Assert.Contains("check   a plain loop over the same payments agrees", await ExampleProcess.RunAsync("FraudDetection", "--seed", "2", "--payments", "2500"), StringComparison.Ordinal);

    private static void Pay(TopologyTestDriver driver, string card, string id, decimal amount, string country, double minutes) => driver
        .CreateInputTopic(FraudDetectionTopology.Payments, Serdes.String, FraudDetectionTopology.PaymentSerde)
        .PipeInput(card, new Payment(id, amount, country), _nine.AddMinutes(minutes));

    private static List<(string Label, Spree Spree)> Alerts(TopologyTestDriver driver) => driver.ProducedTopicNames.Contains(FraudDetectionTopology.Alerts)
        ? [.. driver.CreateOutputTopic(FraudDetectionTopology.Alerts, Serdes.String, FraudDetectionTopology.SpreeSerde).ReadRecordsToList().Select(alert => (alert.Key, alert.Value))]
        : [];
}
