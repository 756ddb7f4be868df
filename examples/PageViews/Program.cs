using System.Globalization;
using PageViews;
using Streams.Client;
using Streams.Core;
using Streams.Embedded;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var (viewCount, seed) = (10_000, 1);
for (var index = 0; index < args.Length; index += 2)
{
    var hasNumber = int.TryParse(args.ElementAtOrDefault(index + 1), out var number);
    if (args[index] == "--views" && hasNumber && number > 0) viewCount = number;
    else if (args[index] == "--seed" && hasNumber) seed = number;
    else
    {
        Console.Error.WriteLine("PageViews [--views N] [--seed N]      default: 10000 views, seed 1");
        return 2;
    }
}

// The one setting that decides where it all runs; for a Kafka cluster: new KafkaCluster("localhost:9092"), from Streams.Kafka.
await using var cluster = EmbeddedCluster.InMemory();
var stateFolder = Directory.CreateTempSubdirectory("page-views-").FullName;
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
    using (var admin = cluster.CreateAdmin("page-views"))
    {
        var topics = (string[])[PageViewsTopology.Views, PageViewsTopology.Regions, PageViewsTopology.ViewsByRegion];
        await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, 4, -1, new Dictionary<string, string>()))], CancellationToken.None);
    }

    var visitors = new Visitors(seed, viewCount);
    var moves = WriteAsync(PageViewsTopology.Regions, visitors.Moves, Serdes.String);
    var views = WriteAsync(PageViewsTopology.Views, visitors.Views, PageViewsTopology.PageViewSerde);
    await Task.WhenAll(moves, views);

    await using var app = new KafkaStreams(PageViewsTopology.Build(), new StreamsConfig
    {
        ApplicationId = "page-views",
        Cluster = cluster,
        StateDirectory = stateFolder,
        CommitInterval = TimeSpan.FromMilliseconds(200),
    });
    await app.StartAsync(CancellationToken.None);
    var counts = await ReadCountsAsync(app);
    await app.CloseAsync(TimeSpan.FromSeconds(60));

    foreach (var window in counts.GroupBy(count => count.Key.Split(' ')[0]).OrderBy(window => window.Key, StringComparer.Ordinal))
        Console.WriteLine($"{window.Key}   {string.Join("   ", window.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Key.Split(' ')[1]} {count.Value,5:N0}"))}");

    var plain = visitors.CountPlainly();
    var isEqual = plain.Count == counts.Count && plain.All(count => counts.GetValueOrDefault(count.Key) == count.Value);
    Console.WriteLine($"check   {(isEqual ? "a plain loop over the same views agrees" : "FAILED: a plain loop over the same views has other counts")}: {plain.Values.Sum():N0} views");
    return isEqual ? 0 : 1;
}

async Task WriteAsync<V>(string topic, IReadOnlyList<Record<string, V>> records, ISerde<V> serde)
{
    await using var producer = new Producer<string, V>(cluster, valueSerializer: serde);
    foreach (var record in records) await producer.PostAsync(topic, record);
    await producer.FlushAsync();
}

// The last count of each window and region, until all views are in one of them.
async Task<Dictionary<string, long>> ReadCountsAsync(KafkaStreams app)
{
    using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
    await using var consumer = new Consumer<string, long>(cluster, new ConsumerSettings { GroupId = "report", AutoOffsetReset = OffsetReset.Earliest });
    await consumer.SubscribeAsync([PageViewsTopology.ViewsByRegion]);
    var counts = new Dictionary<string, long>();
    try
    {
        await foreach (var result in consumer.ReadAllAsync(patience.Token))
        {
            counts[result.Key] = result.Value;
            if (counts.Values.Sum() == viewCount) break;
        }
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine($"not all views were counted within 60 seconds{(app.Failure is null ? "" : ": " + app.Failure)}");
    }

    return counts;
}
