using System.Globalization;
using FraudDetection;
using Streams.Client;
using Streams.Core;
using Streams.Embedded;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var (paymentCount, seed) = (1_500, 1);
for (var index = 0; index < args.Length; index += 2)
{
    var hasNumber = int.TryParse(args.ElementAtOrDefault(index + 1), out var number);
    if (args[index] == "--payments" && hasNumber && number is > 0 and <= 3_000) paymentCount = number;
    else if (args[index] == "--seed" && hasNumber) seed = number;
    else
    {
        Console.Error.WriteLine("FraudDetection [--payments N] [--seed N]      default: 1500 payments (3000 at most), seed 1");
        return 2;
    }
}

// The one setting that decides where it all runs; for a Kafka cluster: new KafkaCluster("localhost:9092"), from Streams.Kafka.
await using var cluster = EmbeddedCluster.InMemory();
var stateFolder = Directory.CreateTempSubdirectory("fraud-detection-").FullName;
try
{
    return await RunAsync();
}
finally
{
    Directory.Delete(stateFolder, recursive: true);
}

async Task<int> RunAsync()
{
    using (var admin = cluster.CreateAdmin("fraud-detection"))
    {
        var topics = (string[])[FraudDetectionTopology.Payments, FraudDetectionTopology.Alerts, FraudDetectionTopology.LatePayments];
        await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, 4, -1, new Dictionary<string, string>()))], CancellationToken.None);
    }

    var cards = new Cards(seed, paymentCount);
    await using (var producer = new Producer<string, Payment>(cluster, valueSerializer: FraudDetectionTopology.PaymentSerde))
    {
        foreach (var payment in cards.Payments) await producer.PostAsync(FraudDetectionTopology.Payments, payment);
        await producer.FlushAsync();
    }

    await using var app = new KafkaStreams(FraudDetectionTopology.Build(), new StreamsConfig
    {
        ApplicationId = "fraud-detection",
        Cluster = cluster,
        StateDirectory = stateFolder,
        ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
        CommitInterval = TimeSpan.FromMilliseconds(200),
    });
    await app.StartAsync(CancellationToken.None);
    var expected = cards.FindPlainly();
    var alerts = await ReadAsync(app, FraudDetectionTopology.Alerts, FraudDetectionTopology.SpreeSerde, expected.Count);
    var late = await ReadAsync(app, FraudDetectionTopology.LatePayments, FraudDetectionTopology.PaymentSerde, cards.Late);
    await app.CloseAsync(TimeSpan.FromSeconds(60));

    foreach (var (label, spree) in alerts.OrderBy(alert => alert.Label, StringComparer.Ordinal))
        Console.WriteLine($"{label}   {spree.Payments,2} payments   {spree.Total,6:N0}   {string.Join(" ", spree.Countries)}");
    foreach (var (card, payment) in late.OrderBy(record => record.Label, StringComparer.Ordinal)) Console.WriteLine($"too late   {card}   {payment.Id}");

    // Each spree once, with the same contents.
    var isEqual = alerts.Count == expected.Count && alerts.All(alert => expected.TryGetValue(alert.Label, out var spree)
        && (spree.Payments, spree.Total) == (alert.Value.Payments, alert.Value.Total) && spree.Countries.SequenceEqual(alert.Value.Countries));
    Console.WriteLine($"check   {(isEqual ? "a plain loop over the same payments agrees" : "FAILED: a plain loop over the same payments finds other sprees")}: {expected.Count} alerts");
    return isEqual && late.Count == cards.Late ? 0 : 1;
}

// What a topic has, once there is as much as there must be, or nothing comes any more.
async Task<List<(string Label, V Value)>> ReadAsync<V>(KafkaStreams app, string topic, ISerde<V> serde, int count)
{
    var read = new List<(string, V)>();
    if (count == 0) return read;
    using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
    await using var consumer = new Consumer<string, V>(cluster, new ConsumerSettings { GroupId = "report-" + topic, AutoOffsetReset = OffsetReset.Earliest }, valueDeserializer: serde);
    await consumer.SubscribeAsync([topic]);
    try
    {
        await foreach (var result in consumer.ReadAllAsync(patience.Token))
        {
            read.Add((result.Key, result.Value));
            if (read.Count == count) break;
        }
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine($"{read.Count} of {count} records came to '{topic}' within 60 seconds{(app.Failure is null ? "" : ": " + app.Failure)}");
    }

    return read;
}
