using System.Globalization;
using System.Text;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Testing;
using Xunit;

namespace Streams.Kafka.Tests.Producing;

public sealed class ManagedProducerTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>For clocks that go faster than requests.</summary>
    internal static readonly (string Name, string Value) PatientRequests = ("request.timeout.ms", "1000000000");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none", 0)]
    [InlineData("lz4", 1)]
    [InlineData("none", 2)]
    public async Task Records_come_once_and_in_order_whatever_the_broker_does(string codec, int salt)
    {
        const int Partitions = 4;
        const int PerPartition = 3_000;
        var seed = Environment.ProcessId + salt;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var cluster = new ScriptedCluster(Partitions);
        cluster.FaultOf = _ => random.Next(12) switch
        {
            0 => Fault.Refuses(ErrorCode.NotLeaderOrFollower),
            1 => Fault.Refuses(ErrorCode.NotEnoughReplicas),
            2 => Fault.KeepsButSays(ErrorCode.NotEnoughReplicasAfterAppend),
            3 => Fault.KeepsButSays(ErrorCode.RequestTimedOut),
            4 => Fault.CutsBefore(),
            5 => Fault.CutsAfter(),
            _ => Fault.None,
        };
        using var producer = cluster.NewProducer(
            TimeProvider.System,
            new ProducerOptions { ClientId = "test", Compression = codec, Linger = TimeSpan.FromMilliseconds(1), MaxBufferedBytes = 64 << 10 },
            settings: [("batch.size", "2000"), ("retry.backoff.ms", "1"), ("retry.backoff.max.ms", "5"), ("max.request.size", "5000")]);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() =>
        {
            for (var number = 0; number < PerPartition; number++)
            {
                for (var partition = 0; partition < Partitions; partition++) Send(producer, topic, partition, number);
                if (number % 500 == 250) producer.SendPending();
                if (number % 1000 == 999) producer.Flush(Token);
            }

            producer.Flush(Token);
        });
        for (var partition = 0; partition < Partitions; partition++)
        {
            Assert.Equal(Numbers(0, PerPartition), cluster.Keys(partition));
            Assert.Equal(PerPartition, producer.AcknowledgedOffset(topic, partition));
        }

        // The faults were there.
        Assert.True(Enumerable.Range(0, Partitions).Sum(partition => cluster.Partition(partition).Duplicates) > 0);
    }

    [Fact]
    public async Task Duplicate_sequence_number_is_an_acknowledgement()
    {
        await using var cluster = new ScriptedCluster();
        var first = true;
        cluster.FaultOf = _ => Once(ref first) ? Fault.KeepsButSays(ErrorCode.DuplicateSequenceNumber) : Fault.None;
        using var producer = cluster.NewProducer(TimeProvider.System);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        await RunAsync(() => producer.Flush(Token));
        Assert.Null(producer.AcknowledgedOffset(topic, 0));
        Send(producer, topic, 0, 1);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal(Numbers(0, 2), cluster.Keys());
        Assert.Equal(2, producer.AcknowledgedOffset(topic, 0));
    }

    /// <summary>KIP-360: what a leader without memory refuses is offered again with numbers of another epoch; the other partition keeps its own until its next batch.</summary>
    [Fact]
    public async Task Numbers_begin_again_when_the_broker_has_lost_count()
    {
        await using var cluster = new ScriptedCluster(partitions: 2);
        using var producer = cluster.NewProducer(TimeProvider.System, settings: ("retry.backoff.ms", "1"));
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        for (var number = 0; number < 4; number++)
        {
            if (number == 2) cluster.Partition(0).Forget();
            for (var partition = 0; partition < 2; partition++) Send(producer, topic, partition, number);
            await RunAsync(() => producer.Flush(Token));
        }

        const long Id = ScriptedCluster.FirstProducerId;
        Assert.Equal(Numbers(0, 4), cluster.Keys(0));
        Assert.Equal(Numbers(0, 4), cluster.Keys(1));
        Assert.Equal([(Id, 0, 0), (Id, 0, 1), (Id, 1, 0), (Id, 1, 1)], cluster.Partition(0).Batches);
        Assert.Equal([(Id, 0, 0), (Id, 0, 1), (Id, 0, 2), (Id, 1, 0)], cluster.Partition(1).Batches);
        Assert.Single(cluster.Requests<InitProducerIdRequest>());
    }

    [Fact]
    public async Task Producer_id_that_is_taken_is_given_up_for_another()
    {
        await using var cluster = new ScriptedCluster();
        var first = true;
        cluster.FaultOf = _ => Once(ref first) ? Fault.Refuses(ErrorCode.InvalidProducerEpoch) : Fault.None;
        using var producer = cluster.NewProducer(TimeProvider.System, settings: ("retry.backoff.ms", "1"));
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal([(ScriptedCluster.FirstProducerId + 1, 0, 0)], cluster.Partition().Batches);
    }

    [Fact]
    public async Task Batch_waits_for_company_until_the_linger_is_over()
    {
        await using var cluster = new ScriptedCluster();
        var clock = new ManualClock();
        using var producer = cluster.NewProducer(clock, new ProducerOptions { ClientId = "test", Linger = TimeSpan.FromMilliseconds(100) });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        clock.Advance(TimeSpan.FromMilliseconds(60));
        Send(producer, topic, 0, 1);
        clock.Advance(TimeSpan.FromMilliseconds(39));
        Assert.Empty(cluster.Requests<ProduceRequest>());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await UntilAsync(() => producer.AcknowledgedOffset(topic, 0) == 2);
        Assert.Single(cluster.Requests<ProduceRequest>());

        // The next one's time is its own.
        Send(producer, topic, 0, 2);
        clock.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Single(cluster.Requests<ProduceRequest>());
        producer.SendPending();
        await UntilAsync(() => producer.AcknowledgedOffset(topic, 0) == 3);
    }

    [Fact]
    public async Task Broker_that_throttles_is_left_alone_for_so_long()
    {
        await using var cluster = new ScriptedCluster { ThrottleTimeMs = 5_000 };
        var clock = new ManualClock();
        using var producer = cluster.NewProducer(clock);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        producer.SendPending();
        await UntilAsync(() => producer.AcknowledgedOffset(topic, 0) == 1);
        Send(producer, topic, 0, 1);
        producer.SendPending();
        clock.Advance(TimeSpan.FromMilliseconds(4_999));
        Assert.Single(cluster.Requests<ProduceRequest>());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await UntilAsync(() => producer.AcknowledgedOffset(topic, 0) == 2);
    }

    [Fact]
    public async Task Full_buffer_makes_senders_wait_for_acknowledgements()
    {
        const int Records = 100;
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, new ProducerOptions { ClientId = "test", MaxBufferedBytes = 5_000, Linger = TimeSpan.FromMinutes(10) });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        cluster.Answers.Reset();
        var sent = 0;
        var sending = RunAsync(() =>
        {
            for (var number = 0; number < Records; number++)
            {
                Send(producer, topic, 0, number, valueBytes: 1_000);
                Interlocked.Increment(ref sent);
            }
        });
        await UntilAsync(() => cluster.Requests<ProduceRequest>().Count > 0);
        Assert.Equal(4, Volatile.Read(ref sent));
        Assert.False(sending.IsCompleted);
        cluster.Answers.Set();
        await sending;
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal(Numbers(0, Records), cluster.Keys());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Waiting_ends_when_the_application_has_no_time_left(bool whileSending)
    {
        await using var cluster = new ScriptedCluster();
        using var closing = new CancellationTokenSource();
        using var producer = cluster.NewProducer(TimeProvider.System, new ProducerOptions { ClientId = "test", MaxBufferedBytes = 5_000, Closing = closing.Token });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        cluster.Answers.Reset();
        var waiting = RunAsync(() => Assert.Throws<ClusterUnavailableException>(() =>
        {
            for (var number = 0; number < (whileSending ? 100 : 1); number++) Send(producer, topic, 0, number, valueBytes: 1_000);
            producer.Flush(Token);
        }));
        await UntilAsync(() => cluster.Requests<ProduceRequest>().Count > 0);
        Assert.False(waiting.IsCompleted);
        await closing.CancelAsync();
        await waiting;
    }

    [Fact]
    public async Task Flush_that_is_not_answered_ends_and_the_next_one_goes_on()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, apiTimeout: TimeSpan.FromMilliseconds(50));
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        cluster.Answers.Reset();
        Send(producer, topic, 0, 0);
        await RunAsync(() => Assert.Throws<ClusterUnavailableException>(() => producer.Flush(Token)));
        Send(producer, topic, 0, 1);
        cluster.Answers.Set();
        await UntilAsync(() => producer.AcknowledgedOffset(topic, 0) >= 1);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal(Numbers(0, 2), cluster.Keys());
    }

    [Fact]
    public async Task Flush_observes_its_token()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        cluster.Answers.Reset();
        Send(producer, topic, 0, 0);
        using var cancelled = new CancellationTokenSource();
        var flushing = RunAsync(() => Assert.ThrowsAny<OperationCanceledException>(() => producer.Flush(cancelled.Token)));
        await UntilAsync(() => cluster.Requests<ProduceRequest>().Count > 0);
        await cancelled.CancelAsync();
        await flushing;
    }

    [Fact]
    public async Task Refused_batch_is_left_out_when_the_application_says_so_and_its_numbers_are_the_next_ones()
    {
        await using var cluster = new ScriptedCluster();
        var asked = new List<ProductionException>();
        using var producer = cluster.NewProducer(TimeProvider.System, new ProducerOptions
        {
            ClientId = "test",
            OnRefused = (topic, failure) =>
            {
                Assert.Equal(ScriptedCluster.Topic, topic);
                asked.Add(failure);
                return true;
            },
        });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        var first = true;
        cluster.FaultOf = _ => Once(ref first) ? Fault.Refuses(ErrorCode.InvalidRecord) : Fault.None;
        Send(producer, topic, 0, 0);
        Send(producer, topic, 0, 1);
        await RunAsync(() => producer.Flush(Token));
        Send(producer, topic, 0, 2);
        await RunAsync(() => producer.Flush(Token));
        var failure = Assert.Single(asked);
        Assert.True(failure.IsOfEarlierRecords);
        Assert.Contains("2 record(s) for out-0", failure.Message, StringComparison.Ordinal);
        Assert.Contains("INVALID_RECORD", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["2"], cluster.Keys());
        Assert.Equal([(ScriptedCluster.FirstProducerId, 0, 0)], cluster.Partition().Batches);
    }

    [Theory]
    [InlineData(ErrorCode.InvalidRecord)]
    [InlineData(ErrorCode.TopicAuthorizationFailed)]
    [InlineData(ErrorCode.UnknownServerError)]
    public async Task Refusal_is_thrown_by_the_next_call(ErrorCode code)
    {
        await using var cluster = new ScriptedCluster();
        var first = true;
        cluster.FaultOf = _ => Once(ref first) ? Fault.Refuses(code) : Fault.None;
        using var producer = cluster.NewProducer(TimeProvider.System);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        var failure = await RunAsync(() => Assert.Throws<ProductionException>(() => producer.Flush(Token)));
        Assert.True(failure.IsOfEarlierRecords);
        Assert.Contains(code.ProtocolName(), failure.Message, StringComparison.Ordinal);

        // Told once; a broker that failed in the middle may have the batch, so what follows cannot have its numbers.
        Send(producer, topic, 0, 1);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal([(ScriptedCluster.FirstProducerId, (short)(code == ErrorCode.UnknownServerError ? 1 : 0), 0)], cluster.Partition().Batches);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Batch_that_is_not_written_in_time_is_given_up_and_its_numbers_with_it(bool brokerAnswers)
    {
        await using var cluster = new ScriptedCluster();
        var clock = new ManualClock();
        var asked = 0;
        using var producer = cluster.NewProducer(clock, new ProducerOptions
        {
            ClientId = "test",
            OnRefused = (_, _) =>
            {
                asked++;
                return false;
            },
        }, settings: PatientRequests);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        cluster.FaultOf = _ => brokerAnswers ? Fault.Refuses(ErrorCode.NotEnoughReplicas) : Fault.CutsAfter();
        Send(producer, topic, 0, 0);
        var flushing = RunAsync(() => Assert.Throws<ProductionException>(() =>
        {
            while (true)
            {
                try
                {
                    producer.Flush(Token);
                    return;
                }
                catch (ClusterUnavailableException)
                {
                    // The clock goes faster than the time limit of a flush.
                }
            }
        }));
        await AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(500), () => flushing.IsCompleted);
        var failure = await flushing;
        Assert.True(failure.IsOfEarlierRecords);
        Assert.InRange(clock.GetUtcNow() - DateTimeOffset.UnixEpoch, TimeSpan.FromMinutes(2), TimeSpan.FromHours(2));

        // A silent broker has refused nothing.
        Assert.Equal(brokerAnswers ? 1 : 0, asked);
        cluster.FaultOf = _ => Fault.None;
        Send(producer, topic, 0, 1);
        producer.SendPending();
        await AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(100), () => producer.AcknowledgedOffset(topic, 0) is not null);
        Assert.Equal("1", cluster.Keys()[^1]);
        Assert.Equal((ScriptedCluster.FirstProducerId, 1, 0), cluster.Partition().Batches[^1]);
    }

    [Fact]
    public async Task Batch_too_large_for_its_topic_is_split()
    {
        const int Records = 1_000;
        await using var cluster = new ScriptedCluster { MaxBatchBytes = 3_000 };
        using var producer = cluster.NewProducer(TimeProvider.System);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        for (var number = 0; number < Records; number++) Send(producer, topic, 0, number, valueBytes: 20);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal(Numbers(0, Records), cluster.Keys());

        // It is learnt once.
        var requests = cluster.Requests<ProduceRequest>().Count;
        for (var number = 0; number < Records; number++) Send(producer, topic, 0, number, valueBytes: 20);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal(2 * Records, producer.AcknowledgedOffset(topic, 0));
        Assert.InRange(cluster.Requests<ProduceRequest>().Count - requests, 10, 50);
        Assert.All(cluster.Requests<ProduceRequest>().Skip(requests), request => Assert.InRange(request.TopicData[0].PartitionData[0].Records!.Value.Length, 1, 3_000));

        // One record is not less than itself.
        Send(producer, topic, 0, 0, valueBytes: 5_000);
        var failure = await RunAsync(() => Assert.Throws<ProductionException>(() => producer.Flush(Token)));
        Assert.Contains("MESSAGE_TOO_LARGE", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Record_larger_than_a_request_is_refused_at_once_and_larger_than_a_batch_goes_alone()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, settings: [("batch.size", "1000"), ("max.request.size", "10000")]);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        Send(producer, topic, 0, 1, valueBytes: 5_000);
        var failure = Assert.Throws<ProductionException>(() => Send(producer, topic, 0, 2, valueBytes: 10_000));
        Assert.False(failure.IsOfEarlierRecords);
        Send(producer, topic, 0, 3);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal(["0", "1", "3"], cluster.Keys());
    }

    [Fact]
    public async Task Partitions_of_one_leader_share_requests()
    {
        const int Partitions = 20;
        await using var cluster = new ScriptedCluster(Partitions);
        using var producer = cluster.NewProducer(TimeProvider.System, new ProducerOptions { ClientId = "test", Linger = TimeSpan.FromMinutes(10) });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        for (var partition = 0; partition < Partitions; partition++) Send(producer, topic, partition, 0);
        await RunAsync(() => producer.Flush(Token));
        Assert.Equal(Partitions, Assert.Single(cluster.Requests<ProduceRequest>()).TopicData[0].PartitionData.Count);
    }

    [Fact]
    public async Task Topic_that_cannot_be_looked_up_for_writing_fails_its_records()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        cluster.Instead = request => request is MetadataRequest
            ? new MetadataResponse { Topics = [new MetadataResponse.MetadataResponseTopic { Name = ScriptedCluster.Topic, ErrorCode = ErrorCode.TopicAuthorizationFailed }] }
            : null;
        Send(producer, topic, 0, 0);
        var failure = await RunAsync(() => Assert.Throws<ProductionException>(() => producer.Flush(Token)));
        Assert.Contains("TOPIC_AUTHORIZATION_FAILED", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Producer_that_gets_no_id_because_it_may_not_fails_its_records()
    {
        await using var cluster = new ScriptedCluster();
        cluster.Instead = request => request is InitProducerIdRequest ? new InitProducerIdResponse { ErrorCode = ErrorCode.ClusterAuthorizationFailed } : null;
        using var producer = cluster.NewProducer(TimeProvider.System);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        var failure = await RunAsync(() => Assert.Throws<ProductionException>(() => producer.Flush(Token)));
        Assert.Contains("CLUSTER_AUTHORIZATION_FAILED", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sending_allocates_nothing_per_record()
    {
        const int Records = 10_000;
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, new ProducerOptions { ClientId = "test", Linger = TimeSpan.FromMinutes(10) }, settings: ("batch.size", "1000000"));
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        var key = new byte[10];
        var value = new byte[20];
        var headers = Headers.Empty.Add("a", "b");
        long Fill()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var number = 0; number < Records; number++) producer.Send(topic, 0, new OutgoingRecord(key, true, value, true, OutgoingRecord.TimeOfWriting, headers));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Fill();
        producer.Flush(Token);
        var allocated = Fill();

        // Opening the batch makes the timer's time; that is all.
        Assert.InRange(allocated, 0, 1_000);
        producer.Flush(Token);
    }

    [Fact]
    public async Task Producer_that_is_disposed_sends_nothing_more_and_says_so()
    {
        await using var cluster = new ScriptedCluster();
        var producer = cluster.NewProducer(TimeProvider.System, new ProducerOptions { ClientId = "test", Linger = TimeSpan.FromMinutes(10) });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Send(producer, topic, 0, 0);
        cluster.Answers.Reset();
        producer.SendPending();
        await UntilAsync(() => cluster.Requests<ProduceRequest>().Count > 0);
        Send(producer, topic, 0, 1);
        producer.Dispose();
        producer.Dispose();
        cluster.Answers.Set();
        Assert.Throws<ObjectDisposedException>(() => Send(producer, topic, 0, 2));
        Assert.Throws<ObjectDisposedException>(() => producer.Flush(Token));
        await UntilAsync(() => cluster.Keys().Count == 1);
    }

    [Theory]
    [InlineData("acks", "1")]
    [InlineData("enable.idempotence", "false")]
    [InlineData("compression.type", "brotli")]
    [InlineData("max.in.flight.requests.per.connection", "6")]
    [InlineData("batch.size", "many")]
    [InlineData("retry.backoff.ms", "0")]
    [InlineData("request.timeout.ms", "0")]
    [InlineData("transactional.id", "mine")]
    [InlineData("batch.sise", "1")]
    public async Task Setting_that_is_not_allowed_or_known_is_refused(string name, string value)
    {
        await using var cluster = new ScriptedCluster();
        var failure = Assert.Throws<ConfigException>(() => cluster.NewProducer(TimeProvider.System, settings: (name, value)));
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
    }

    internal static void Send(IRecordProducer producer, ProducerTopic topic, int partition, int number, int valueBytes = 5) => producer.Send(
        topic, partition, new OutgoingRecord(Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)), true, new byte[valueBytes], true, 1_000 + number, null));

    internal static IEnumerable<string> Numbers(int start, int count) => Enumerable.Range(start, count).Select(number => number.ToString(CultureInfo.InvariantCulture));

    internal static Task RunAsync(Action action) => Task.Factory.StartNew(action, Token, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(_patience, Token);

    internal static Task<T> RunAsync<T>(Func<T> action) => Task.Factory.StartNew(action, Token, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(_patience, Token);

    internal static Task UntilAsync(Func<bool> condition) => AdvanceUntilAsync(null, default, condition);

    /// <summary>Looks until the condition holds, with the clock going on in between.</summary>
    internal static async Task AdvanceUntilAsync(ManualClock? clock, TimeSpan step, Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(_patience);
        while (!condition())
        {
            clock?.Advance(step);
            await Task.Delay(1, patience.Token);
        }
    }

    private static bool Once(ref bool first)
    {
        var was = first;
        first = false;
        return was;
    }
}
