using System.Reactive.Linq;
using Streams.Embedded;
using Streams.Reactive;

namespace Guide.Samples;

/// <summary>docs/guide/reactive.md.</summary>
public sealed class ReactiveSample
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Tap()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var shown = new List<string>();

        // <snippet reactive-tap>
        var builder = new StreamsBuilder();
        var alerts = builder.Stream<string, double>("temperatures")
            .Filter(celsius => celsius > 80)
            .Tap();                                     // the end of this branch, and a handle for the program

        using var screen = alerts.ToObservable(capacity: 100, TapOverflow.DropOldest)
            .Where(record => record.Value > 95)
            .Subscribe(record => shown.Add($"{record.Key}: {record.Value}"));
        // </snippet>

        var log = new List<double>();
        var reading = ReadAsync();

        // <snippet reactive-test>
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, double>("temperatures");
        input.PipeInput("boiler", 82);
        input.PipeInput("boiler", 97);
        Assert.Equal(["boiler: 97"], shown);
        // </snippet>
        input.PipeInput("boiler", 20);
        input.PipeInput("boiler", 90);
        await reading.WaitAsync(_patience, cancellationToken);
        Assert.Equal([82, 97, 90], log);
        Assert.Equal(1, alerts.Subscriptions);

        async Task ReadAsync()
        {
            // <snippet reactive-loop>
            await foreach (var record in alerts.ToAsyncEnumerable().WithCancellation(cancellationToken))
            {
                log.Add(record.Value);
                if (log.Count == 3) break;                  // leaves the subscription
            }
            // </snippet>
        }
    }

    [Fact]
    public async Task Source()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = EmbeddedCluster.InMemory();
        using (var admin = cluster.CreateAdmin("guide"))
            await admin.CreateTopicsAsync([new NewTopic("readings", 1, -1, new Dictionary<string, string>())], cancellationToken);
        var sensor = new[] { new Reading("kitchen", 20.5), new Reading("attic", 31), new Reading("kitchen", 21) }.ToObservable();
        var builder = new StreamsBuilder();

        // <snippet reactive-source>
        var source = RecordSource.From(sensor, reading => reading.Room, reading => reading.Celsius);
        builder.Stream("readings", source)              // writes to the topic while the application runs, and reads it
            .GroupByKey()
            .Reduce((_, latest) => latest, Materialized.As("latest"));
        // </snippet>

        await using var app = new KafkaStreams(builder.Build(), new StreamsConfig { ApplicationId = "guide-source", Cluster = cluster, StateDirectory = Folders.New() });
        await app.StartAsync(cancellationToken);
        await source.Completion.WaitAsync(_patience, cancellationToken);
        Assert.Equal(3, source.WrittenRecords);
    }

    [Fact]
    public void View()
    {
        var builder = new StreamsBuilder();
        var prices = new Dictionary<string, double>();
        var ready = 0;

        // <snippet reactive-view>
        var view = builder.Table<string, double>("prices", materialized: Materialized.As("prices-store")).LiveView();

        using var following = view.ToObservable().Subscribe(change =>
        {
            switch (change.Kind)
            {
                case ViewChangeKind.Row:                // the table as it is …
                case ViewChangeKind.Update:             // … and each change from then on
                    if (change.Record.HasValue) prices[change.Record.Key] = change.Record.Value;
                    else prices.Remove(change.Record.Key);
                    break;
                case ViewChangeKind.Ready:              // all rows of a partition have come
                    ready++;
                    break;
                case ViewChangeKind.Lost:               // the partition has gone to another instance
                    prices.Clear();                     // (with several partitions: those of change.Partition)
                    break;
            }
        });
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, double>("prices");
        input.PipeInput("bread", 2.5);
        input.PipeInput("milk", 1.2);
        input.PipeTombstone("bread");
        Assert.Equal([new KeyValuePair<string, double>("milk", 1.2)], prices);
        Assert.Equal(1, ready);
    }

    private sealed record Reading(string Room, double Celsius);
}
