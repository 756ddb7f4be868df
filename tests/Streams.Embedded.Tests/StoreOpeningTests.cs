using Streams.Core;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Stores that cannot be opened, and folders that are somebody else's.</summary>
public sealed class StoreOpeningTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-opening-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Why_a_store_could_not_be_opened_is_not_hidden_by_its_closing()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await using var app = new KafkaStreams(
            new Topology()
                .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "input")
                .AddProcessor<string, string>("reader", () => new Reader(), "source")
                .AddStateStore(new Unopenable(), "reader"),
            StatelessApplicationTests.Config(cluster, "opening") with { StateDirectory = _folder });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error, _patience);
        Assert.Equal("the disk is on fire", Assert.IsType<IOException>(app.Failure).Message);
    }

    private sealed class Reader : Processor<string, string>
    {
        public override void Process(in Record<string, string> record)
        {
        }
    }

    /// <summary>Cannot be opened, and will not be closed without having been.</summary>
    private sealed class Unopenable : IStoreBuilder, IStateStore
    {
        public string Name => "unopenable";

        public bool LoggingEnabled => false;

        public IReadOnlyDictionary<string, string> LogConfig { get; } = new Dictionary<string, string>();

        public ChangelogCleanup ChangelogCleanup => ChangelogCleanup.Compact;

        public TimeSpan? Retention => null;

        public bool IsPersistent => false;

        public long? ChangelogOffset => null;

        public long UncommittedBytes => 0;

        public IStateStore Build() => this;

        public void Init(IStateStoreContext context) => throw new IOException("the disk is on fire");

        public void Restore(RecordBatch batch, int from, int to)
        {
        }

        public void Flush()
        {
        }

        public void Commit(long? changelogOffset)
        {
        }

        public void Dispose() => throw new InvalidOperationException("it is not open");
    }
}
