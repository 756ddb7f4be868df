using Streams.Core;
using Streams.Dsl;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests;

/// <summary>The end of an application keeps its time-out, also when the cluster does not answer any more, with either library's clients.</summary>
public abstract class ClosingTests(string library)
{
    private const int Records = 100;

    /// <summary>An application leaves itself a twelfth of it for what cannot be interrupted.</summary>
    private static readonly TimeSpan _closeTimeout = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce, false)]
    [InlineData(ProcessingGuarantee.ExactlyOnce, false)]
    [InlineData(ProcessingGuarantee.AtLeastOnce, true)]
    [InlineData(ProcessingGuarantee.ExactlyOnce, true)]
    public async Task Close_keeps_its_timeout_when_the_last_commit_has_no_broker_or_one_that_says_nothing(ProcessingGuarantee guarantee, bool isSilent)
    {
        var folder = Directory.CreateTempSubdirectory("streams-closing");
        try
        {
            await using var relay = new Relay();
            await using var broker = await relay.StartBrokerAsync([], Token);
            var bootstrap = relay.Address;
            await ProduceAsync(bootstrap, library);
            var builder = new StreamsBuilder();
            builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("counts")).ToStream().To("out");
            await using var app = new KafkaStreams(builder.Build(), new StreamsConfig
            {
                ApplicationId = "closing",
                BootstrapServers = bootstrap,
                ClientProperties = Library.Settings(library),
                StateDirectory = folder.FullName,
                ProcessingGuarantee = guarantee,

                // Everything that is processed still has to be committed at the end.
                CommitInterval = TimeSpan.FromMinutes(5),
                TransactionTimeout = TimeSpan.FromMinutes(10),
            });
            await app.StartAsync(Token);
            var started = TimeProvider.System.GetTimestamp();
            while (app.ProcessedRecords < Records)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(started) < _patience, $"{app.ProcessedRecords} of {Records} records; the application is {app.State}: {app.Failure}");
                await Task.Delay(20, Token);
            }

            if (isSilent) relay.Stall();
            else await broker.DisposeAsync();
            started = TimeProvider.System.GetTimestamp();
            Assert.True(await app.CloseAsync(_closeTimeout), $"not closed after {_closeTimeout}");
            Assert.Equal(KafkaStreamsState.NotRunning, app.State);
            TestContext.Current.TestOutputHelper!.WriteLine($"closed after {TimeProvider.System.GetElapsedTime(started)}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Topic_lookup_and_flush_end_when_the_application_has_no_time_left()
    {
        // It takes connections and says nothing, which is the most patient of ways to be away.
        await using var silent = new ScriptedBroker((_, _, _) => []);
        await using var cluster = new KafkaCluster(silent.Address.ToString()!, Library.Settings(library));
        using var closing = new CancellationTokenSource();
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test", Closing = closing.Token });
        var lookup = Task.Run(() => Assert.Throws<ClusterUnavailableException>(() => producer.GetTopic("out")), Token);
        Assert.False(lookup.IsCompleted);
        await closing.CancelAsync();
        var failure = await lookup.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Contains("before the application closed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_waits_for_nobody_when_the_application_has_no_time_left()
    {
        using var mock = new MockCluster();
        mock.CreateTopic("out", 1);
        await using var cluster = new KafkaCluster(mock.BootstrapServers, Library.Settings(library));
        using var closing = new CancellationTokenSource();
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test", TransactionalId = "tx", Closing = closing.Token });
        producer.InitTransactions(Token);
        producer.BeginTransaction();
        producer.Send(producer.GetTopic("out"), 0, new OutgoingRecord("k"u8, true, "v"u8, true, 1, null));
        await closing.CancelAsync();
        Assert.Throws<ClusterUnavailableException>(() => producer.CommitTransaction(Token));

        // Giving up is still possible while the cluster answers: readers need not wait for the time-out.
        producer.AbortTransaction(Token);
    }

    private static async Task ProduceAsync(string bootstrap, string library)
    {
        await using var cluster = new KafkaCluster(bootstrap, Library.Settings(library));
        using (var admin = cluster.CreateAdmin("test"))
            await admin.CreateTopicsAsync([new NewTopic("in", 1, 1, new Dictionary<string, string>()), new NewTopic("out", 1, 1, new Dictionary<string, string>())], Token);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        var topic = producer.GetTopic("in");
        for (var number = 0; number < Records; number++) producer.Send(topic, 0, new OutgoingRecord("k"u8, true, "v"u8, true, 1, null));
        producer.Flush(Token);
    }
}

/// <inheritdoc/>
public sealed class ClosingTestsWithConfluent() : ClosingTests(Library.Confluent);

/// <inheritdoc/>
public sealed class ClosingTestsWithManaged() : ClosingTests(Library.Managed);
