using System.Text.RegularExpressions;
using Streams.Core;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>A whole application on an embedded broker: join, process, commit, restart, scale.</summary>
public sealed class StatelessApplicationTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Threads_say_in_the_log_how_much_they_have_done()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 300).Select(number => ($"k{number}", "x")));
        using var log = new TaskLog();
        using var quiet = new TaskLog();
        await using (var app = new KafkaStreams(UpperCase(), Config(cluster, "app") with { LoggerFactory = log, LogSummaryInterval = TimeSpan.FromMilliseconds(50) }))
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitForCountAsync(cluster, "output", 300, _patience);

            // Once with the records, and then without any.
            await TestTopics.WaitUntilAsync(() => log.Count(" processed 0 record(s)") > 0 && Regex.Matches(log.ToString(), @" processed (\d+) record\(s\).* polled (\d+) record").Sum(line => int.Parse(line.Groups[1].Value, null) + int.Parse(line.Groups[2].Value, null)) == 600, _patience);
        }

        await using (var app = new KafkaStreams(UpperCase(), Config(cluster, "app") with { LoggerFactory = quiet, LogSummaryInterval = TimeSpan.Zero }))
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            TestTopics.Produce(cluster, "input", [("k", "x")]);
            await TestTopics.WaitForCountAsync(cluster, "output", 301, _patience);
        }

        Assert.Equal(0, quiet.Count(" polled "));
    }

    [Fact]
    public async Task Records_of_a_key_keep_their_order()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 4);
        await TestTopics.CreateAsync(cluster, "output", 3);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 20_000).Select(number => ($"k{number % 97}", $"{number:D6}")));
        await using var app = new KafkaStreams(UpperCase(), Config(cluster, "app") with { NumStreamThreads = 2 });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitForCountAsync(cluster, "output", 20_000, _patience);

        foreach (var key in TestTopics.ReadAll(cluster, "output").GroupBy(record => record.Key))
            Assert.Equal(key.Select(record => record.Value).Order(StringComparer.Ordinal), key.Select(record => record.Value));
    }

    [Fact]
    public async Task Missing_source_topic_ends_the_application_with_an_error_that_names_it()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await using var app = new KafkaStreams(UpperCase(), Config(cluster, "app"));
        var failure = await Assert.ThrowsAsync<TopologyException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains("'input'", failure.Message, StringComparison.Ordinal);
        Assert.Equal(KafkaStreamsState.Error, app.State);
    }

    [Fact]
    public async Task Failing_user_code_ends_the_application_and_names_operator_and_record()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        TestTopics.Produce(cluster, "input", [("k", "fine"), ("k", "boom"), ("k", "never")]);
        await using var app = new KafkaStreams(UpperCase(), Config(cluster, "app"));
        var failure = await Assert.ThrowsAsync<ProcessorException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal("upper", failure.NodeName);
        Assert.Equal(new RecordMetadata("input", 0, 1), failure.Record);
    }

    [Fact]
    public async Task Failing_record_is_left_out_when_the_handler_says_continue()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        TestTopics.Produce(cluster, "input", [("k", "fine"), ("k", "boom"), ("k", "more")]);
        await using var app = new KafkaStreams(UpperCase(), Config(cluster, "app") with { ProcessingExceptionHandler = (_, _) => ErrorResponse.Continue });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitForCountAsync(cluster, "output", 2, _patience);
        Assert.Equal(["FINE", "MORE"], TestTopics.ReadAll(cluster, "output").Select(record => record.Value));
    }

    [Theory]
    [InlineData(IsolationLevel.ReadUncommitted)]
    [InlineData(IsolationLevel.ReadCommitted)]
    public async Task Records_of_aborted_transactions_are_left_out_when_asked_to_without_exactly_once_too(IsolationLevel isolation)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        using (var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "upstream", TransactionalId = "upstream" }))
        {
            producer.InitTransactions(TestContext.Current.CancellationToken);
            var topic = producer.GetTopic("input");
            foreach (var (value, commits) in ((string, bool)[])[("one", true), ("taken back", false), ("two", true)])
            {
                producer.BeginTransaction();
                producer.Send(topic, 0, new OutgoingRecord("k"u8, true, System.Text.Encoding.UTF8.GetBytes(value), true, 1, null));
                producer.Flush(TestContext.Current.CancellationToken);
                if (commits) producer.CommitTransaction(TestContext.Current.CancellationToken);
                else producer.AbortTransaction(TestContext.Current.CancellationToken);
            }
        }

        string[] expected = isolation == IsolationLevel.ReadCommitted ? ["ONE", "TWO"] : ["ONE", "TAKEN BACK", "TWO"];
        await using var app = new KafkaStreams(UpperCase(), Config(cluster, "isolation") with { InputIsolationLevel = isolation });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitForCountAsync(cluster, "output", expected.Length, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Equal(expected, TestTopics.ReadAll(cluster, "output").Select(record => record.Value));
    }

    internal static StreamsConfig Config(EmbeddedCluster cluster, string applicationId) => new()
    {
        ApplicationId = applicationId,
        Cluster = cluster,
        CommitInterval = TimeSpan.FromMilliseconds(100),
        HeartbeatInterval = TimeSpan.FromMilliseconds(50),
        StateDirectory = Path.Combine(Path.GetTempPath(), "streams-tests", Guid.NewGuid().ToString("n")),
    };

    private static Topology UpperCase() => new Topology()
        .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "input")
        .AddProcessor<string, string>("upper", () => new UpperCaseProcessor(), "source")
        .AddSink("sink", "output", new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "upper");

    private sealed class UpperCaseProcessor : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            if (record.Value == "boom") throw new FormatException("boom is not a word");
            Forward(record.WithValue(record.Value.ToUpperInvariant()));
        }
    }
}
