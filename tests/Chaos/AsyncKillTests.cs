using System.Globalization;
using System.Text;
using Streams.Core;
using Streams.Kafka;
using Xunit;

namespace Chaos;

/// <summary>kill -9 of a process in the middle of hundreds of asynchronous calls, and what has come out when it, started again, is through.</summary>
public sealed class AsyncKillTests
{
    private const int Keys = 1_000;
    private const int PerKey = 40;
    private const int Partitions = 4;
    private static readonly double[] _killedAt = [0.05, 0.4];
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    /// <summary>Every number of a key is there once, in order.</summary>
    [Theory]
    [InlineData("confluent")] // One library here and the other below: what is tried is the engine's, and processes take their time.
    public async Task Exactly_once_has_every_result_once_and_in_order(string library)
    {
        var (results, _) = await RunAsync("exactly-once", library);
        foreach (var (key, numbers) in results) Assert.True(numbers.SequenceEqual(Enumerable.Range(0, PerKey)), $"{key}: {string.Join(' ', numbers)}");
    }

    /// <summary>Every number of a key is there; after a kill it goes back to what was not committed, and never passes one over.</summary>
    [Theory]
    [InlineData("managed")]
    public async Task At_least_once_loses_no_result_and_repeats_from_where_it_was(string library)
    {
        var (results, kills) = await RunAsync("at-least-once", library);
        foreach (var (key, numbers) in results)
        {
            var goneBack = 0;
            var before = -1;
            foreach (var number in numbers)
            {
                if (number <= before) goneBack++;
                Assert.True(number <= before + 1 && goneBack <= kills, $"{key}: {string.Join(' ', numbers)}");
                before = number;
            }

            Assert.Equal(PerKey - 1, before);
        }
    }

    private static async Task<(Dictionary<string, List<int>> Results, int Kills)> RunAsync(string guarantee, string library)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var scene = new Scene(new ChaosOptions { Instances = 0, Seed = 0 });
        scene.StartBroker();
        await using var cluster = new KafkaCluster(scene.Bootstrap, ClientLibrary.Settings(library));
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([.. new[] { AsyncApplication.Input, AsyncApplication.Output }.Select(topic => new NewTopic(topic, Partitions, 1, new Dictionary<string, string>()))], cancellation);
        Feed(cluster, cancellation);

        var results = Enumerable.Range(0, Keys).ToDictionary(Key, _ => new List<int>());
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test", ReadCommitted = true });
        var positions = Enumerable.Range(0, Partitions).ToDictionary(partition => new TopicPartition(AsyncApplication.Output, partition), _ => 0L);
        consumer.Assign([.. positions.Keys.Select(partition => new TopicPartitionOffset(partition, 0))]);

        foreach (var share in _killedAt)
        {
            using var app = Start(scene, guarantee, library);
            ReadUntil(() => Different() >= share * Keys * PerKey, app);
            app.Kill();
            Assert.True(Different() < Keys * PerKey, "The application was through before it was killed.");
        }

        using (var app = Start(scene, guarantee, library))
        {
            ReadUntil(() => Different() == Keys * PerKey, app);
            app.Terminate();
            Assert.True(app.WaitForExit(_patience), "It did not end after SIGTERM.");
            Assert.Equal(0, app.ExitCode);
        }

        // What came after the last that was missing counts too.
        var ends = await admin.EndOffsetsAsync(positions.Keys, readCommitted: true, cancellation);
        ReadUntil(() => positions.All(position => position.Value >= ends[position.Key]), null);
        var read = results.Values.Sum(numbers => numbers.Count);
        TestContext.Current.TestOutputHelper!.WriteLine($"{guarantee}: {Keys * PerKey} records, killed {_killedAt.Length} times, {read} results, {read - Different()} of them repeated");
        return (results, _killedAt.Length);

        int Different() => results.Values.Sum(numbers => numbers.Count == 0 ? 0 : numbers.Max() + 1);

        void ReadUntil(Func<bool> isDone, Child? app)
        {
            var last = TimeProvider.System.GetTimestamp();
            while (!isDone())
            {
                cancellation.ThrowIfCancellationRequested();
                Assert.False(app is { HasExited: true }, "The application ended by itself:\n" + Log(scene));
                using var batch = consumer.Poll(TimeSpan.FromMilliseconds(50));
                if (batch is null)
                {
                    Assert.True(TimeProvider.System.GetElapsedTime(last) < _patience, $"Nothing has come for {_patience}; there are {Different()} results of {Keys * PerKey}.\n{Log(scene)}");
                    continue;
                }

                last = TimeProvider.System.GetTimestamp();
                positions[batch.Partition] = batch.NextOffset;
                for (var index = 0; index < batch.Count; index++)
                    results[Serdes.String.Deserialize(batch.Key(index))].Add(int.Parse(Serdes.String.Deserialize(batch.Value(index)), CultureInfo.InvariantCulture));
            }
        }
    }

    private static void Feed(KafkaCluster cluster, CancellationToken cancellation)
    {
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "feeder" });
        var topic = producer.GetTopic(AsyncApplication.Input);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (var number = 0; number < PerKey; number++)
        {
            for (var key = 0; key < Keys; key++)
            {
                var bytes = Encoding.UTF8.GetBytes(Key(key));
                producer.Send(topic, Murmur2.Partition(bytes, topic.PartitionCount), new OutgoingRecord(bytes, true, Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)), true, now, null));
            }
        }

        producer.Flush(cancellation);
    }

    private static Child Start(Scene scene, string guarantee, string library) =>
        Child.Start(
            LogFile(scene),
            null,
            ClientLibrary.Variable(library),
            Path.Combine(AppContext.BaseDirectory, "Chaos.dll"),
            "app",
            scene.Bootstrap,
            Path.Combine(scene.Folder, "state"),
            guarantee,
            Scene.SessionMs.ToString(CultureInfo.InvariantCulture),
            "0",
            "async");

    private static string LogFile(Scene scene) => Path.Combine(scene.Folder, "async.log");

    private static string Log(Scene scene)
    {
        using var log = new StreamReader(new FileStream(LogFile(scene), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return string.Join('\n', log.ReadToEnd().Split('\n').TakeLast(25));
    }

    private static string Key(int key) => "key-" + key.ToString(CultureInfo.InvariantCulture);
}
