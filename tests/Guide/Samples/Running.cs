using Broker.Lite;
using Streams.Embedded;
using Streams.Kafka;

namespace Guide.Samples;

/// <summary>docs/guide/running.md and broker-lite.md.</summary>
public sealed class Running
{
    [Fact]
    public void RocksDb_is_tuned_by_its_own_options()
    {
        // <snippet rocksdb-options>
        var config = new StreamsConfig
        {
            ApplicationId = "visits",
            BootstrapServers = "localhost:9092",
            RocksDbOptions = new Dictionary<string, string> { ["compression"] = "kLZ4Compression", ["max_background_jobs"] = "4" },
            RocksDbOptionsOfStore = store => store == "visits-by-page"
                ? new Dictionary<string, string> { ["block_based_table_factory"] = "{block_size=16384}" }
                : null,
        };
        // </snippet>

        config.Validate();
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("visits").GroupByKey().Count(Materialized.As("visits-by-page")).ToStream().To("counts");
        using (var driver = new TopologyTestDriver(builder.Build(), config))
        {
            driver.CreateInputTopic<string, string>("visits").PipeInput("home", "x");
            Assert.Equal([1], driver.CreateOutputTopic<string, long>("counts").ReadValuesToList());
        }

        var wrong = config with { RocksDbOptions = new Dictionary<string, string> { ["compresion"] = "kLZ4Compression" } };
        var failure = Assert.Throws<StateStoreException>(() => new TopologyTestDriver(builder.Build(), wrong));
        Assert.Contains("compresion", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'visits-by-page'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Same_topology_over_the_wire()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var folder = Folders.New();
        using var deleteAtEnd = new TemporaryFolder(folder);           // after the broker, which writes to it until it is gone

        // <snippet broker-in-process>
        await using var broker = EmbeddedCluster.With(new BrokerOptions
        {
            Port = 0,                                                  // the system picks one; null: no listener
            DataDirectory = Path.Combine(folder, "broker"),            // null: in memory
            Settings = new Dictionary<string, string> { ["auto.create.topics.enable"] = "false", ["num.partitions"] = "4" },
        });
        await broker.StartAsync(cancellationToken);
        var servers = broker.Broker.EndPoint!.ToString();              // for any Kafka client, such as kcat -b
        // </snippet>

        using (var admin = broker.CreateAdmin("guide"))
            await admin.CreateTopicsAsync([new NewTopic("lines", 2, -1, new Dictionary<string, string>()), new NewTopic("word-counts", 2, -1, new Dictionary<string, string>())], cancellationToken);
        Topics.Produce(broker, "lines", [("k", "hello world hello")]);
        var topology = GettingStarted.WordCount();

        // <snippet kafka-config>
        var config = new StreamsConfig
        {
            ApplicationId = "word-count",
            BootstrapServers = servers,                                // or Cluster = EmbeddedCluster.At("./data")
            NumStreamThreads = 2,
            StateDirectory = Path.Combine(folder, "state"),
            CommitInterval = TimeSpan.FromSeconds(1),
        };
        // </snippet>

        var counts = new Dictionary<string, long>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = Topics.StopWhenAsync(stop, () => Topics.Counts(broker, "word-counts").Values.Sum() == 3, seen => counts = seen, broker);
        await using (var app = new KafkaStreams(topology, config with { HeartbeatInterval = TimeSpan.FromMilliseconds(100) })) await app.RunAsync(stop.Token);
        await watching;
        Assert.Equal(2, counts["hello"]);
        Assert.Equal(1, counts["world"]);
    }

    [Fact]
    public void Kafka_with_security()
    {
        // <snippet kafka-cluster>
        var cluster = new KafkaCluster("kafka-1:9093,kafka-2:9093", new Dictionary<string, string>
        {
            ["security.protocol"] = "SASL_SSL",
            ["sasl.mechanism"] = "SCRAM-SHA-512",
            ["sasl.username"] = "word-count",
            ["sasl.password"] = Environment.GetEnvironmentVariable("KAFKA_PASSWORD") ?? "",
        });
        // </snippet>
        Assert.Contains("kafka-1:9093", cluster.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Kafka_with_managed_clients()
    {
        // <snippet kafka-managed>
        var cluster = new KafkaCluster("kafka-1:9092", new Dictionary<string, string> { ["client.library"] = "managed" });
        // </snippet>
        Assert.Contains("kafka-1:9092", cluster.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Kafka_with_tokens()
    {
        var security = new Dictionary<string, string> { ["security.protocol"] = "SASL_SSL", ["sasl.mechanism"] = "OAUTHBEARER" };
        var identity = new Identity(TimeSpan.FromHours(1));

        // <snippet kafka-tokens>
        var cluster = new KafkaCluster("kafka-1:9093", security, async cancellation =>
        {
            var (token, expiresAt) = await identity.SignInAsync("word-count", cancellation);
            return new OAuthBearerToken(token, expiresAt, "word-count");
        });
        // </snippet>
        Assert.Contains("OAUTHBEARER", cluster.Description, StringComparison.Ordinal);
    }

    private sealed class Identity(TimeSpan life)
    {
        public Task<(string Token, DateTimeOffset ExpiresAt)> SignInAsync(string name, CancellationToken cancellation) =>
            Task.FromResult((name, TimeProvider.System.GetUtcNow() + life)).WaitAsync(cancellation);
    }

    [Fact]
    public void Faults_of_the_settings_are_told_together()
    {
        // <snippet config-faults>
        var config = new StreamsConfig { ApplicationId = "word count", NumStreamThreads = 0 };
        var failure = Assert.Throws<ConfigException>(config.Validate);
        // </snippet>

        // <output config-message>
        const string Message = """
            3 setting(s) cannot be used:
              - application.id is 'word count': 1 to 200 characters of a-z, A-Z, 0-9, '.', '_' and '-' are allowed, because it begins topic and folder names
              - neither BootstrapServers (bootstrap.servers) nor Cluster is set: say where to run, for example BootstrapServers = "localhost:9092" or Cluster = EmbeddedCluster.At("./data")
              - num.stream.threads is 0: 1 to 256 are allowed
            """;
        // </output>
        Assert.Equal(Message, failure.Message);
    }

    [Fact]
    public void Handlers()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, long>("in").MapValues(value => 100 / value, Named.As("divide")).To("out");
        var topology = builder.Build();
        var log = new List<string>();

        // <snippet error-handlers>
        var config = new StreamsConfig
        {
            ApplicationId = "divider",
            BootstrapServers = "localhost:9092",
            DeserializationExceptionHandler = (context, failure) =>
            {
                log.Add($"{context.Record?.Topic}-{context.Record?.Partition}@{context.Record?.Offset}: {failure.GetType().Name}");
                return ErrorResponse.Continue;
            },
            ProcessingExceptionHandler = (context, failure) =>
            {
                log.Add($"{context.NodeName}: {failure.GetType().Name}");
                return failure is DivideByZeroException ? ErrorResponse.Continue : ErrorResponse.Fail;
            },
        };

        using var driver = new TopologyTestDriver(topology, config);
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "not eight bytes");
        driver.CreateInputTopic<string, long>("in").PipeInput("k", 0);
        driver.CreateInputTopic<string, long>("in").PipeInput("k", 5);

        Assert.Equal([20], driver.CreateOutputTopic<string, long>("out").ReadValuesToList());
        Assert.Equal(["in-0@0: SerializationException", "divide: DivideByZeroException"], log);
        // </snippet>
    }

    [Fact]
    public void Dead_letters()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, long>("in").MapValues(value => 100 / value, Named.As("divide")).To("out");
        var topology = builder.Build();

        // <snippet dead-letters>
        var config = new StreamsConfig
        {
            ApplicationId = "divider",
            BootstrapServers = "localhost:9092",
            DeadLetterTopic = "divider-dead-letters",
            DeserializationExceptionHandler = ErrorHandlers.LogAndContinue,
            ProcessingExceptionHandler = ErrorHandlers.LogAndContinue,
        };

        using var driver = new TopologyTestDriver(topology, config);
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "not eight bytes");

        var dead = driver.CreateOutputTopic<string, string>("divider-dead-letters").ReadRecord();
        Assert.Equal("not eight bytes", dead.Value);
        Assert.True(dead.Headers.TryGetLast(DeadLetterRecord.TopicHeader, out var topic));
        Assert.Equal("in", topic.ValueAsString());
        // </snippet>
    }

    [Fact]
    public void Exactly_once()
    {
        // <snippet exactly-once>
        var config = new StreamsConfig
        {
            ApplicationId = "payments",
            BootstrapServers = "localhost:9092",
            ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
            UncaughtExceptionHandler = failure => failure is ProcessorException
                ? StreamThreadExceptionResponse.ReplaceThread
                : StreamThreadExceptionResponse.ShutdownClient,
        };

        config.Validate();
        Assert.Equal(TimeSpan.FromMilliseconds(100), config.CommitInterval);
        // </snippet>
    }

    [Fact]
    public void Own_assignor()
    {
        var config = new StreamsConfig { ApplicationId = "workers", BootstrapServers = "localhost:9092", TaskAssignor = new WorkersFirst() };
        config.Validate();
    }

    // <snippet own-assignor>
    public sealed class WorkersFirst : ITaskAssignor
    {
        public TaskAssignment Assign(ApplicationState state)
        {
            var workers = state.Instances.Values.Where(instance => instance.NumProcessingThreads > 0 && instance.ClientTags.GetValueOrDefault("role") == "worker").ToList();
            if (workers.Count == 0) return state.DefaultAssignment();
            var shares = state.Tasks.Keys.Order().Index().ToLookup(task => workers[task.Index % workers.Count].InstanceId, task => task.Item);
            return new TaskAssignment([.. workers.Select(worker => new InstanceAssignment(worker.InstanceId, [.. shares[worker.InstanceId]], []))]);
        }
    }
    // </snippet>
}
