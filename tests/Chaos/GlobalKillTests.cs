using System.Globalization;
using System.Text;
using Streams.Core;
using Streams.Kafka;
using Xunit;

namespace Chaos;

/// <summary>kill -9 of a process while its global store is filled, while it is kept up to date, and after; what it answers when it is there again.</summary>
public sealed class GlobalKillTests
{
    private const int Keys = 20_000;
    private const int Partitions = 3;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private readonly Dictionary<string, string?> _truth = [];
    private int _round;

    [Theory]
    [InlineData("managed")] // The default library's restoring is tried by the runs with faults and the application suites.
    public async Task Global_store_is_right_after_a_kill_whenever_it_comes(string library)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var scene = new Scene(new ChaosOptions { Instances = 0, Seed = 0 });
        scene.StartBroker();
        await using var cluster = new KafkaCluster(scene.Bootstrap, ClientLibrary.Settings(library));
        using var admin = cluster.CreateAdmin("test");
        var topics = (string[])[GlobalApplication.Facts, GlobalApplication.Questions, GlobalApplication.Answers];
        await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, Partitions, 1, new Dictionary<string, string>()))], cancellation);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        for (var round = 0; round < 5; round++) Change(producer, Enumerable.Range(0, Keys));

        // While it is filled, as soon as it says so; and once more, on what is left of the first.
        for (var kill = 0; kill < 2; kill++)
        {
            using var filling = new Watched(scene, library, "reads ");
            await filling.SeenAsync(cancellation);
            filling.Process.Kill();
        }

        // While it follows changes: killed behind one that it has answered with, in the middle of those that come after.
        using (var following = new Watched(scene, library, "to Running"))
        {
            await following.SeenAsync(cancellation);
            Change(producer, Enumerable.Range(0, 500));
            await AskUntilRightAsync(cluster, producer, [Key(1), Key(77)], cancellation);
            Change(producer, Enumerable.Range(0, Keys));
            following.Process.Kill();
        }

        // While nobody ran, some facts changed and some were deleted.
        Change(producer, Enumerable.Range(100, 50));
        Delete(producer, Enumerable.Range(200, 50));
        using var last = new Watched(scene, library, "to Running");
        await last.SeenAsync(cancellation);

        // All there was at its start is in it before the first question is answered: no answer may be old.
        var answers = await AskAsync(cluster, producer, [.. _truth.Keys, "nobody"], cancellation);
        Assert.Equal(Keys + 1, answers.Count);
        Assert.Equal("unknown", answers["nobody"]);
        Assert.All(_truth, fact => Assert.Equal(fact.Value ?? "unknown", answers[fact.Key]));
        last.Process.Terminate();
        Assert.True(last.Process.WaitForExit(_patience), "It did not end after SIGTERM.");
        Assert.Equal(0, last.Process.ExitCode);
    }

    private static string Key(int number) => "fact-" + number.ToString(CultureInfo.InvariantCulture);

    private void Change(IRecordProducer producer, IEnumerable<int> numbers)
    {
        _round++;
        foreach (var number in numbers)
        {
            // Long enough that filling the store takes its time.
            var value = $"{_round}/{number} {new string('x', 100)}";
            Send(producer, GlobalApplication.Facts, Key(number), value);
            _truth[Key(number)] = value;
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    private void Delete(IRecordProducer producer, IEnumerable<int> numbers)
    {
        foreach (var number in numbers)
        {
            Send(producer, GlobalApplication.Facts, Key(number), null);
            _truth[Key(number)] = null;
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    private static void Send(IRecordProducer producer, string topicName, string key, string? value)
    {
        var topic = producer.GetTopic(topicName);
        var bytes = Encoding.UTF8.GetBytes(key);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        producer.Send(topic, Murmur2.Partition(bytes, topic.PartitionCount), new OutgoingRecord(bytes, true, value is null ? default : Encoding.UTF8.GetBytes(value), value is not null, now, null));
    }

    // There is no order between two topics: a running application may answer before it has read the change.
    private async Task AskUntilRightAsync(KafkaCluster cluster, IRecordProducer producer, List<string> facts, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(_patience);
        while (true)
        {
            var answers = await AskAsync(cluster, producer, facts, timeout.Token);
            if (facts.TrueForAll(fact => answers[fact] == _truth[fact])) return;
        }
    }

    // Asks each fact once, in a round of its own, and returns the answers to that round.
    private async Task<Dictionary<string, string>> AskAsync(KafkaCluster cluster, IRecordProducer producer, List<string> facts, CancellationToken cancellation)
    {
        using var admin = cluster.CreateAdmin("test");
        var partitions = Enumerable.Range(0, Partitions).Select(partition => new TopicPartition(GlobalApplication.Answers, partition)).ToList();
        var ends = await admin.EndOffsetsAsync(partitions, readCommitted: false, cancellation);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test" });
        consumer.Assign([.. ends.Select(end => new TopicPartitionOffset(end.Key, end.Value))]);
        var round = $"round {++_round}";
        foreach (var fact in facts) Send(producer, GlobalApplication.Questions, round, fact);
        producer.Flush(cancellation);

        var answers = new Dictionary<string, string>();
        while (answers.Count < facts.Count)
        {
            cancellation.ThrowIfCancellationRequested();
            using var batch = consumer.Poll(TimeSpan.FromMilliseconds(100));
            for (var index = 0; index < (batch?.Count ?? 0); index++)
            {
                if (Serdes.String.Deserialize(batch!.Key(index)) != round) continue;
                var parts = Serdes.String.Deserialize(batch.Value(index)).Split(": ", 2);
                answers[parts[0]] = parts[1];
            }
        }

        return answers;
    }

    /// <summary>The application as a process, and the moment at which it has logged a text.</summary>
    private sealed class Watched : IDisposable
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly string _text;

        public Watched(Scene scene, string library, string text)
        {
            _text = text;
            Process = Child.Start(
                Path.Combine(scene.Folder, "global.log"),
                line =>
                {
                    if (line.Contains(text, StringComparison.Ordinal)) _seen.TrySetResult();
                },
                ClientLibrary.Variable(library),
                Path.Combine(AppContext.BaseDirectory, "Chaos.dll"),
                "app",
                scene.Bootstrap,
                Path.Combine(scene.Folder, "state"),
                "at-least-once",
                Scene.SessionMs.ToString(CultureInfo.InvariantCulture),
                "0",
                "global");
        }

        public Child Process { get; }

        public async Task SeenAsync(CancellationToken cancellation)
        {
            try
            {
                await _seen.Task.WaitAsync(_patience, cancellation);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"The application has not said '{_text}' within {_patience}.");
            }
        }

        public void Dispose() => Process.Dispose();
    }
}
