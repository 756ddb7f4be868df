using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>What becomes of an application when something fails: threads replaced, instances closed, a cluster that goes away.</summary>
public sealed class FailureTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-failure-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>E-128: a thread takes the place of the one that failed.</summary>
    [Fact]
    public async Task Replaced_thread_loses_nothing_at_least_once()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 500).Select(number => ($"k{number}", $"{number}")));
        var thrown = 0;
        await using var app = new KafkaStreams(
            Copying(value =>
            {
                if (value == "250" && Interlocked.Increment(ref thrown) <= 2) throw new FormatException();
            }),
            Config(cluster, "one") with { UncaughtExceptionHandler = _ => StreamThreadExceptionResponse.ReplaceThread });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => TestTopics.ReadAll(cluster, "output").Select(record => record.Value).Distinct().Count() == 500, _patience);
        Assert.Equal(KafkaStreamsState.Running, app.State);
        Assert.Equal(3, thrown);
        Assert.Single(app.MetadataForLocalThreads());
    }

    /// <summary>E-128: the instance ends with the error, its group goes on.</summary>
    [Fact]
    public async Task Failing_instance_closes_alone_and_the_other_takes_over()
    {
        await using var cluster = await NewClusterAsync();
        await using var one = new KafkaStreams(Copying(value => throw new FormatException(value)), Config(cluster, "one") with { UncaughtExceptionHandler = _ => StreamThreadExceptionResponse.ShutdownClient });
        await one.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => one.State == KafkaStreamsState.Running, _patience);
        await using var two = new KafkaStreams(Copying(_ => { }), Config(cluster, "two"));
        await two.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number}", $"{number}")));
        await TestTopics.WaitUntilAsync(() => one.State == KafkaStreamsState.Error, _patience);
        Assert.IsType<ProcessorException>(one.Failure);
        await TestTopics.WaitUntilAsync(() => TestTopics.ReadAll(cluster, "output").Select(record => record.Value).Distinct().Count() == 100, _patience);
        Assert.Equal(KafkaStreamsState.Running, two.State);
    }

    /// <summary>E-128: every instance ends.</summary>
    [Fact]
    public async Task Whole_application_closes_when_the_handler_says_so()
    {
        await using var cluster = await NewClusterAsync();
        var handler = static (Exception failure) => StreamThreadExceptionResponse.ShutdownApplication;
        await using var one = new KafkaStreams(Copying(_ => { }), Config(cluster, "one") with { UncaughtExceptionHandler = handler });
        await using var two = new KafkaStreams(Copying(_ => { }), Config(cluster, "two") with { UncaughtExceptionHandler = handler });
        await using var three = new KafkaStreams(Copying(value => throw new FormatException(value)), Config(cluster, "three") with { UncaughtExceptionHandler = handler });
        foreach (var app in (KafkaStreams[])[one, two, three]) await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => three.TasksByThread.Values.Sum(tasks => tasks.Count) > 0 && three.State == KafkaStreamsState.Running, _patience);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number}", $"{number}")));

        await TestTopics.WaitUntilAsync(() => one.State == KafkaStreamsState.Error && two.State == KafkaStreamsState.Error && three.State == KafkaStreamsState.Error, _patience);
        Assert.IsType<ProcessorException>(three.Failure);
        Assert.IsType<ApplicationShutdownException>(one.Failure);
        Assert.IsType<ApplicationShutdownException>(two.Failure);
    }

    /// <summary>
    /// A member that is late to fetch the assignment with the bad news, when the others have acted on it and left the group, used to join alone and go on for ever.
    /// </summary>
    [Fact]
    public async Task Member_that_is_late_to_hear_closes_with_the_whole_application()
    {
        await using var cluster = await NewClusterAsync();
        var handler = static (Exception failure) => StreamThreadExceptionResponse.ShutdownApplication;
        var joins = 0;
        var joinsBefore = int.MaxValue;
        KafkaStreams? one = null;
        KafkaStreams? three = null;
        await using var counting = new CoordinatedCluster(cluster, beforeJoin: () => Task.FromResult(Interlocked.Increment(ref joins)), beforeSync: () => Task.CompletedTask);
        await using var late = new CoordinatedCluster(cluster, beforeJoin: () => Task.CompletedTask, beforeSync: async () =>
        {
            if (Volatile.Read(ref joinsBefore) == int.MaxValue) return;
            await TestTopics.WaitUntilAsync(
                () => Volatile.Read(ref joins) >= Volatile.Read(ref joinsBefore) + 2 || (one!.State == KafkaStreamsState.Error && three!.State == KafkaStreamsState.Error), _patience);
        });
        await using var first = one = new KafkaStreams(Copying(_ => { }), Config(counting, "one") with { UncaughtExceptionHandler = handler });
        await using var two = new KafkaStreams(Copying(_ => { }), Config(late, "two") with { UncaughtExceptionHandler = handler });
        await using var third = three = new KafkaStreams(Copying(value => throw new FormatException(value)), Config(cluster, "three") with { UncaughtExceptionHandler = handler });
        KafkaStreams[] apps = [one, two, three];
        foreach (var app in apps) await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(
            () => apps.All(app => app.State == KafkaStreamsState.Running && app.TasksByThread.Values.Sum(tasks => tasks.Count) == 1), _patience);
        Volatile.Write(ref joinsBefore, Volatile.Read(ref joins));
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number}", $"{number}")));

        await TestTopics.WaitUntilAsync(() => apps.All(app => app.State == KafkaStreamsState.Error), _patience);
        Assert.IsType<ProcessorException>(three.Failure);
        Assert.IsType<ApplicationShutdownException>(one.Failure);
        Assert.IsType<ApplicationShutdownException>(two.Failure);
    }

    [Fact]
    public async Task Handler_that_throws_closes_the_instance_with_the_first_error()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "input", [("k", "v")]);
        await using var app = new KafkaStreams(
            Copying(_ => throw new FormatException()), Config(cluster, "one") with { UncaughtExceptionHandler = _ => throw new InvalidOperationException("the handler itself") });
        await Assert.ThrowsAsync<ProcessorException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal(KafkaStreamsState.Error, app.State);
    }

    /// <summary>As Kafka Streams' handler, this one is asked about whatever ends an application.</summary>
    [Fact]
    public async Task Handler_is_asked_when_a_source_topic_is_missing_and_may_wait_for_it()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "output", 1);
        var asked = new List<Exception>();
        await using var app = new KafkaStreams(Copying(_ => { }), Config(cluster, "one") with
        {
            UncaughtExceptionHandler = failure =>
            {
                lock (asked) asked.Add(failure);
                return StreamThreadExceptionResponse.ReplaceThread;
            },
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() =>
        {
            lock (asked) return asked.Count >= 2;
        }, _patience);
        Assert.All(asked.ToArray(), failure => Assert.Contains("'input'", Assert.IsType<TopologyException>(failure).Message, StringComparison.Ordinal));
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
    }

    [Theory]
    [InlineData(StreamThreadExceptionResponse.ReplaceThread)]
    [InlineData(StreamThreadExceptionResponse.ShutdownClient)]
    [InlineData(StreamThreadExceptionResponse.ShutdownApplication)]
    public async Task Handler_is_asked_when_global_stores_fail_and_the_instance_closes_whatever_it_says(StreamThreadExceptionResponse response)
    {
        await using var cluster = await NewClusterAsync();
        var asked = 0;
        var builder = new StreamsBuilder();
        builder.GlobalTable<string, string>("missing");
        builder.Stream<string, string>("input").To("output");
        await using var app = new KafkaStreams(builder.Build(), Config(cluster, "one") with
        {
            UncaughtExceptionHandler = failure =>
            {
                Assert.Contains("'missing'", failure.Message, StringComparison.Ordinal);
                asked++;
                return response;
            },
        });
        await Assert.ThrowsAsync<TopologyException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, asked);
        Assert.Equal(KafkaStreamsState.Error, app.State);
    }

    /// <summary>There is nothing to replace any more, and what is not committed is processed again by the next start.</summary>
    [Fact]
    public async Task Thread_that_fails_while_it_closes_is_judged_by_the_handler_too()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "input", [("k", "v")]);
        using var entered = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        await using (var app = new KafkaStreams(
            Copying(_ =>
            {
                entered.Set();
                goOn.Wait(_patience);
                throw new FormatException();
            }),
            Config(cluster, "one") with { UncaughtExceptionHandler = _ => StreamThreadExceptionResponse.ReplaceThread }))
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            Assert.True(entered.Wait(_patience, TestContext.Current.CancellationToken));
            Assert.False(await app.CloseAsync(TimeSpan.Zero));
            goOn.Set();
            Assert.True(await app.CloseAsync(_patience));
            Assert.Null(app.Failure);
            Assert.Equal(KafkaStreamsState.NotRunning, app.State);
        }

        await using var next = new KafkaStreams(Copying(_ => { }), Config(cluster, "one"));
        await next.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitForCountAsync(cluster, "output", 1, _patience);
    }

    /// <summary>The rack also says where standbys are to be, so it is no setting of a client alone.</summary>
    [Fact]
    public async Task Rack_may_be_set_on_an_embedded_broker()
    {
        await using var cluster = await NewClusterAsync();
        await using var app = new KafkaStreams(Copying(_ => { }), Config(cluster, "one") with { ClientRack = "here" });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State is KafkaStreamsState.Running or KafkaStreamsState.Error, _patience);
        Assert.Null(app.Failure);
    }

    /// <summary>A cluster that does not answer is waited for, and asked ever less often; when it is back the application goes on.</summary>
    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce)]
    [InlineData(ProcessingGuarantee.ExactlyOnce)]
    public async Task Cluster_that_is_away_is_waited_for_without_spinning(ProcessingGuarantee guarantee)
    {
        await using var cluster = await NewClusterAsync();
        var away = true;
        var flushes = 0;
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at != ProducerStep.BeforeFlush) return;
            Interlocked.Increment(ref flushes);
            if (Volatile.Read(ref away)) throw new ClusterUnavailableException("away for the test");
        });
        await using var app = new KafkaStreams(Copying(_ => { }), Config(faulty, "one") with { ProcessingGuarantee = guarantee, CommitInterval = TimeSpan.FromMilliseconds(20) });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 10).Select(number => ($"k{number}", $"{number}")));
        await TestTopics.WaitUntilAsync(() => Volatile.Read(ref flushes) >= 5, _patience);
        var started = TimeProvider.System.GetTimestamp();
        var before = Volatile.Read(ref flushes);
        await TestTopics.WaitUntilAsync(() => Volatile.Read(ref flushes) >= before + 5, _patience);

        // Two threads, each of them once per commit interval at most: a thread that spins would be through in no time.
        Assert.True(TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromMilliseconds(20), "the commit is tried without a pause");
        Volatile.Write(ref away, false);
        await TestTopics.WaitUntilAsync(() => TestTopics.ReadCommitted(cluster, "output").Count == 10, _patience);
        Assert.Equal(KafkaStreamsState.Running, app.State);
    }

    /// <summary>Time-outs of HTTP calls are cancellations, and no sign that the application closes.</summary>
    [Fact]
    public async Task Cancellation_in_user_code_is_the_handlers_to_judge()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "input", [("a", "slow"), ("b", "fast")]);
        await using var app = new KafkaStreams(
            Copying(value =>
            {
                if (value == "slow") throw new TaskCanceledException("no answer in time");
            }),
            Config(cluster, "one") with { ProcessingExceptionHandler = (context, failure) => context.NodeName == "copy" && failure is TaskCanceledException ? ErrorResponse.Continue : ErrorResponse.Fail });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error || TestTopics.ReadAll(cluster, "output").Count == 1, _patience);
        Assert.Null(app.Failure);
    }

    /// <summary>It used to be said that it failed in a punctuator.</summary>
    [Fact]
    public async Task Handler_that_fails_itself_over_an_unreadable_record_ends_with_an_error_that_names_the_record()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        TestTopics.Produce(cluster, "input", [("a", "8 bytes!"), ("b", "unreadable")]);
        var topology = new Topology()
            .AddSource("source", new SourceOptions<string, long> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.Int64 }, "input")
            .AddSink("sink", "output", new SinkOptions<string, long> { KeySerializer = Serdes.String, ValueSerializer = Serdes.Int64 }, "source");
        await using var app = new KafkaStreams(topology, Config(cluster, "one") with { DeserializationExceptionHandler = (_, _) => throw new FormatException("the handler") });
        var failure = await Assert.ThrowsAsync<ProcessorException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal(new RecordMetadata("input", 0, 1), failure.Record);
        Assert.Equal("source", failure.NodeName);
    }

    /// <summary>Records are read, and those that cannot be judged, as they are taken in: a cluster that does not take the dead letter then used to end the application.</summary>
    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce)]
    [InlineData(ProcessingGuarantee.ExactlyOnce)]
    public async Task Dead_letter_that_the_cluster_does_not_take_is_written_again(ProcessingGuarantee guarantee)
    {
        await using var cluster = await NewClusterAsync();
        await TestTopics.CreateAsync(cluster, "dead", 1);
        var refusals = 3;
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at == ProducerStep.BeforeSend && Interlocked.Decrement(ref refusals) >= 0) throw new ClusterUnavailableException("away for the test");
        });
        var topology = new Topology()
            .AddSource("source", new SourceOptions<string, long> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.Int64 }, "input")
            .AddSink("sink", "output", new SinkOptions<string, long> { KeySerializer = Serdes.String, ValueSerializer = Serdes.Int64 }, "source");
        await using var app = new KafkaStreams(topology, Config(faulty, "one") with
        {
            ProcessingGuarantee = guarantee,
            DeadLetterTopic = "dead",
            DeserializationExceptionHandler = ErrorHandlers.LogAndContinue,
        });
        TestTopics.Produce(cluster, "input", [("a", "unreadable"), ("b", "8 bytes!"), ("c", "unreadable"), ("d", "8 bytes!")]);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(
            () => app.State == KafkaStreamsState.Error || (TestTopics.ReadCommitted(cluster, "dead").Count == 2 && TestTopics.ReadCommitted(cluster, "output").Count == 2), _patience);
        Assert.Null(app.Failure);
    }

    /// <summary>
    /// A commit that waits for acknowledgements does not outlive the membership: without transactions, what the cluster took after that would come behind the next owner's records.
    /// </summary>
    [Fact]
    public async Task What_waits_for_the_cluster_when_the_membership_is_lost_is_given_up()
    {
        await using var cluster = await NewClusterAsync();
        await using var silent = new SilentCluster(cluster);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number}", $"{number}")));
        await using var app = new KafkaStreams(Copying(_ => { }), Config(silent, "one"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error || TestTopics.ReadCommitted(cluster, "output").Count >= 100, _patience);
        Assert.Null(app.Failure);
        Assert.True(silent.IsGivenUp);
        Assert.Equal(Enumerable.Range(0, 100).Select(number => $"{number}").Order(), TestTopics.ReadCommitted(cluster, "output").Select(record => record.Value).Order());
    }

    /// <summary>KIP-572: the patience with a cluster that does not answer has an end.</summary>
    [Fact]
    public async Task Cluster_that_stays_away_past_the_task_timeout_is_an_error()
    {
        await using var cluster = await NewClusterAsync();
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at == ProducerStep.BeforeFlush) throw new ClusterUnavailableException("away for good");
        });
        TestTopics.Produce(cluster, "input", [("k", "v")]);
        await using var app = new KafkaStreams(Copying(_ => { }), Config(faulty, "one") with { TaskTimeout = TimeSpan.FromMilliseconds(300) });
        var failure = await Assert.ThrowsAsync<ClusterUnavailableException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal("away for good", failure.Message);
    }

    private static async Task<EmbeddedCluster> NewClusterAsync()
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 3);
        await TestTopics.CreateAsync(cluster, "output", 1);
        return cluster;
    }

    private StreamsConfig Config(ICluster cluster, string instance) => new()
    {
        ApplicationId = "failing",
        Cluster = cluster,
        CommitInterval = TimeSpan.FromMilliseconds(50),
        HeartbeatInterval = TimeSpan.FromMilliseconds(50),
        StateDirectory = Path.Combine(_folder, instance),
    };

    private static Topology Copying(Action<string> before) => new Topology()
        .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "input")
        .AddProcessor<string, string>("copy", () => new Copy(before), "source")
        .AddSink("sink", "output", new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "copy");

    private sealed class Copy(Action<string> before) : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            before(record.Value);
            Forward(in record);
        }
    }
}
