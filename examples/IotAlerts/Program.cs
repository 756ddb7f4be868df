using System.Globalization;
using IotAlerts;
using Streams.Client;
using Streams.Core;
using Streams.Embedded;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var seed = 1;
if (args is not [] && !(args is ["--seed", var text] && int.TryParse(text, out seed)))
{
    Console.Error.WriteLine("IotAlerts [--seed N]      default: seed 1");
    return 2;
}

// The one setting that decides where it all runs; for a Kafka cluster: new KafkaCluster("localhost:9092"), from Streams.Kafka.
await using var cluster = EmbeddedCluster.InMemory();
var stateFolder = Directory.CreateTempSubdirectory("iot-alerts-").FullName;
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
    using (var admin = cluster.CreateAdmin("iot-alerts"))
    {
        var topics = (string[])[IotAlertsTopology.Readings, IotAlertsTopology.Minutes, IotAlertsTopology.Alerts, IotAlertsTopology.LateReadings];
        await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, 2, -1, new Dictionary<string, string>()))], CancellationToken.None);
    }

    var sensors = new Sensors(seed);
    await WriteAsync(sensors.Readings);
    await using var app = new KafkaStreams(IotAlertsTopology.Build(), new StreamsConfig
    {
        ApplicationId = "iot-alerts",
        Cluster = cluster,
        StateDirectory = stateFolder,
        CommitInterval = TimeSpan.FromMilliseconds(200),
    });
    await app.StartAsync(CancellationToken.None);

    // Every minute is given once, the last ones because of the silence. Whatever comes for them after that is late.
    var expected = sensors.SumPlainly();
    var minutes = await ReadAsync(app, IotAlertsTopology.Minutes, IotAlertsTopology.MinuteSerde, expected.Count);
    await WriteAsync(sensors.Late);
    var late = await ReadAsync(app, IotAlertsTopology.LateReadings, IotAlertsTopology.ReadingSerde, sensors.Late.Count);
    var alerts = await ReadAsync(app, IotAlertsTopology.Alerts, IotAlertsTopology.MinuteSerde, expected.Values.Count(minute => minute.IsAlarming));
    await app.CloseAsync(TimeSpan.FromSeconds(60));

    foreach (var (label, minute) in alerts.OrderBy(alert => alert.Label, StringComparer.Ordinal))
        Console.WriteLine($"alert   {label}   average {minute.Average,4:N1}   highest {minute.Highest}");
    Console.WriteLine($"late    {late.Count} readings");
    var isEqual = minutes.Count == expected.Count && minutes.All(minute => expected.GetValueOrDefault(minute.Label) == minute.Value);
    Console.WriteLine($"check   {(isEqual ? "a plain loop over the same readings agrees" : "FAILED: a plain loop over the same readings has other minutes")}: {expected.Count} minutes of sensors");
    return isEqual && late.Count == sensors.Late.Count ? 0 : 1;
}

async Task WriteAsync(IReadOnlyList<Record<string, Reading>> readings)
{
    await using var producer = new Producer<string, Reading>(cluster, valueSerializer: IotAlertsTopology.ReadingSerde);
    foreach (var reading in readings) await producer.PostAsync(IotAlertsTopology.Readings, reading);
    await producer.FlushAsync();
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
