using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Testing;
using Xunit;
using static Streams.Kafka.Tests.Producing.ManagedProducerTests;

namespace Streams.Kafka.Tests.Producing;

public sealed class ManagedTransactionTests
{
    private static readonly ProducerOptions _options = new() { ClientId = "test", TransactionalId = "tx", Linger = TimeSpan.FromMinutes(10) };
    private static readonly GroupMembership _membership = new("group", 3, "member", "instance");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Transaction_asks_for_what_it_needs_and_for_no_more()
    {
        const int Partitions = 5;
        await using var cluster = new ScriptedCluster(Partitions);
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        Assert.Throws<InvalidOperationException>(producer.BeginTransaction);
        await RunAsync(() => producer.InitTransactions(Token));
        Assert.Throws<InvalidOperationException>(() => Send(producer, topic, 0, 0));
        for (var round = 0; round < 2; round++)
        {
            producer.BeginTransaction();
            for (var partition = 0; partition < Partitions; partition++) Send(producer, topic, partition, round);
            await RunAsync(() =>
            {
                producer.Flush(Token);
                Send(producer, topic, 0, 10 + round);
                producer.SendOffsetsToTransaction([new OffsetCommit(new TopicPartition("in", 1), 42, "text")], _membership, Token);
                producer.CommitTransaction(Token);
            });
        }

        // One request for all partitions, in a version for clients; none for those that are in already.
        Assert.All(cluster.Requests<AddPartitionsToTxnRequest>(), request => Assert.Equal(Partitions, Assert.Single(request.V3AndBelowTopics).Partitions.Count));
        Assert.Equal(2, cluster.Requests<AddPartitionsToTxnRequest>().Count);
        Assert.All(cluster.VersionsOf<AddPartitionsToTxnRequest>(), version => Assert.InRange(version, 0, 3));
        Assert.All(cluster.Requests<TxnOffsetCommitRequest>(), request =>
        {
            Assert.Equal(("group", 3, "member", "instance"), (request.GroupId, request.GenerationId, request.MemberId, request.GroupInstanceId));
            Assert.Equal(42, request.Topics[0].Partitions[0].CommittedOffset);
        });
        Assert.All(cluster.Requests<ProduceRequest>(), request => Assert.Equal("tx", request.TransactionalId));
        Assert.Equal([true, true], cluster.Requests<EndTxnRequest>().Select(request => request.Committed));
        Assert.Equal(["0", "10", "1", "11"], cluster.Keys(0));

        // A transaction without anything in it is nothing to the cluster.
        producer.BeginTransaction();
        await RunAsync(() => producer.CommitTransaction(Token));
        producer.BeginTransaction();
        await RunAsync(() => producer.AbortTransaction(Token));
        Assert.Equal(2, cluster.Requests<EndTxnRequest>().Count);
    }

    /// <summary>A broker that has taken the question and says nothing is waited for no longer than the caller, the application or the time limit wants.</summary>
    [Theory]
    [InlineData("caller")]
    [InlineData("application")]
    [InlineData("time")]
    public async Task Start_of_transactions_that_nobody_answers_ends(string by)
    {
        await using var cluster = new ScriptedCluster();
        using var answers = new ManualResetEventSlim();
        using var asked = new ManualResetEventSlim();
        cluster.Instead = request =>
        {
            if (request is not InitProducerIdRequest) return null;
            asked.Set();
            answers.Wait(Token);
            return null;
        };
        using var ending = new CancellationTokenSource();
        using var producer = cluster.NewProducer(
            TimeProvider.System, by == "application" ? _options with { Closing = ending.Token } : _options, by == "time" ? TimeSpan.FromMilliseconds(50) : null);
        var waiting = RunAsync(() =>
        {
            var failure = Record.Exception(() => producer.InitTransactions(by == "caller" ? ending.Token : Token));
            if (by == "caller") Assert.IsAssignableFrom<OperationCanceledException>(failure);
            else Assert.Contains("ransactions", Assert.IsType<ClusterUnavailableException>(failure).Message, StringComparison.Ordinal);
        });
        await UntilAsync(() => asked.IsSet);
        if (by != "time") await ending.CancelAsync();
        await waiting;
        answers.Set();

        // What came of it is asked again by whoever goes on.
        using var next = cluster.NewProducer(TimeProvider.System, _options);
        await RunAsync(() => next.InitTransactions(Token));
        Assert.True(cluster.Requests<InitProducerIdRequest>().Count >= 2);
    }

    [Fact]
    public async Task Partitions_are_in_the_transaction_before_anything_is_sent_to_them()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        var busy = 5;
        cluster.Instead = request =>
        {
            if (request is ProduceRequest) Assert.Equal(0, busy);
            return request is AddPartitionsToTxnRequest && busy > 0 && --busy >= 0 ? Added(ErrorCode.ConcurrentTransactions) : null;
        };
        producer.BeginTransaction();
        Send(producer, topic, 0, 0);
        await RunAsync(() => producer.CommitTransaction(Token));
        Assert.Equal(["0"], cluster.Keys());
        Assert.Equal(6, cluster.Requests<AddPartitionsToTxnRequest>().Count);
    }

    [Fact]
    public async Task Abort_drops_what_was_not_sent_and_the_next_transaction_has_none_of_it()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        producer.BeginTransaction();
        Send(producer, topic, 0, 0);
        await RunAsync(() => producer.Flush(Token));
        Send(producer, topic, 0, 1);
        await RunAsync(() => producer.AbortTransaction(Token));
        Assert.False(Assert.Single(cluster.Requests<EndTxnRequest>()).Committed);

        producer.BeginTransaction();
        Send(producer, topic, 0, 2);
        await RunAsync(() => producer.CommitTransaction(Token));
        Assert.Equal(["0", "2"], cluster.Keys());

        // Nothing was in doubt: the same epoch, and its numbers go on.
        Assert.Single(cluster.Requests<InitProducerIdRequest>());
        Assert.Equal([(ScriptedCluster.FirstProducerId, 0, 0), (ScriptedCluster.FirstProducerId, 0, 1)], cluster.Partition().Batches);
    }

    [Fact]
    public async Task Abort_waits_for_what_is_on_its_way()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        producer.BeginTransaction();
        Send(producer, topic, 0, 0);
        cluster.Answers.Reset();
        producer.SendPending();
        await UntilAsync(() => cluster.Requests<ProduceRequest>().Count == 1);
        var aborting = RunAsync(() => producer.AbortTransaction(Token));
        Assert.Empty(cluster.Requests<EndTxnRequest>());
        cluster.Answers.Set();
        await aborting;
        Assert.Single(cluster.Requests<EndTxnRequest>());
    }

    [Fact]
    public async Task Abort_with_a_batch_in_doubt_raises_the_epoch()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        producer.BeginTransaction();
        cluster.FaultOf = _ => Fault.CutsAfter();
        Send(producer, topic, 0, 0);
        producer.SendPending();
        await UntilAsync(() => cluster.Partition().Batches.Count == 1);
        await RunAsync(() => producer.AbortTransaction(Token));
        cluster.FaultOf = _ => Fault.None;

        // It keeps its id, and says who it is: should another producer have taken over, that one is not fenced (KIP-360).
        var again = cluster.Requests<InitProducerIdRequest>()[^1];
        Assert.Equal((2, ScriptedCluster.FirstProducerId, 0), (cluster.Requests<InitProducerIdRequest>().Count, again.ProducerId, again.ProducerEpoch));
        Assert.Single(cluster.Requests<EndTxnRequest>());
        producer.BeginTransaction();
        Send(producer, topic, 0, 1);
        await RunAsync(() => producer.CommitTransaction(Token));
        Assert.Equal((ScriptedCluster.FirstProducerId, 1, 0), cluster.Partition().Batches[^1]);
    }

    [Theory]
    [InlineData(ErrorCode.ProducerFenced, typeof(TaskMigratedException))]
    [InlineData(ErrorCode.InvalidProducerEpoch, typeof(TaskMigratedException))]
    [InlineData(ErrorCode.OutOfOrderSequenceNumber, typeof(TransactionAbortedException))]
    [InlineData(ErrorCode.UnknownProducerId, typeof(TransactionAbortedException))]
    [InlineData(ErrorCode.InvalidTxnState, typeof(TransactionAbortedException))]
    [InlineData(ErrorCode.TransactionAbortable, typeof(TransactionAbortedException))]
    [InlineData(ErrorCode.TopicAuthorizationFailed, typeof(ProductionException))]
    [InlineData(ErrorCode.MessageTooLarge, typeof(ProductionException))]
    public async Task Refused_batch_ends_the_transaction(ErrorCode code, Type expected)
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options with { OnRefused = (_, _) => throw new InvalidOperationException("not in transactions") });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        producer.BeginTransaction();
        cluster.FaultOf = _ => Fault.Refuses(code);
        Send(producer, topic, 0, 0);
        var failure = await RunAsync(() => Assert.Throws(expected, () => producer.Flush(Token)));
        Assert.Contains(code.ProtocolName(), failure.Message, StringComparison.Ordinal);

        // Not once: nothing but giving the transaction up helps.
        Assert.Throws(expected, () => Send(producer, topic, 0, 1));
        await RunAsync(() => Assert.Throws(expected, () => producer.CommitTransaction(Token)));
        Assert.Empty(cluster.Requests<EndTxnRequest>());
        cluster.FaultOf = _ => Fault.None;
        await RunAsync(() => producer.AbortTransaction(Token));
        producer.BeginTransaction();
        Send(producer, topic, 0, 2);
        await RunAsync(() => producer.CommitTransaction(Token));
        Assert.Equal(["2"], cluster.Keys());
    }

    [Theory]
    [InlineData(ErrorCode.ProducerFenced, typeof(TaskMigratedException))]
    [InlineData(ErrorCode.TransactionalIdAuthorizationFailed, typeof(ProductionException))]
    [InlineData(ErrorCode.InvalidTxnState, typeof(TransactionAbortedException))]
    public async Task Partition_that_cannot_be_added_ends_the_transaction(ErrorCode code, Type expected)
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        cluster.Instead = request => request is AddPartitionsToTxnRequest ? Added(code) : null;
        producer.BeginTransaction();
        Send(producer, topic, 0, 0);
        await RunAsync(() => Assert.Throws(expected, () => producer.CommitTransaction(Token)));
        Assert.Empty(cluster.Requests<ProduceRequest>());
    }

    [Theory]
    [InlineData(ErrorCode.IllegalGeneration, typeof(TaskMigratedException))]
    [InlineData(ErrorCode.FencedInstanceId, typeof(TaskMigratedException))]
    [InlineData(ErrorCode.GroupAuthorizationFailed, typeof(ProductionException))]
    public async Task Refused_offsets_are_told_and_can_be_sent_again(ErrorCode code, Type expected)
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        await RunAsync(() => producer.InitTransactions(Token));
        producer.BeginTransaction();
        cluster.Instead = request => request is TxnOffsetCommitRequest
            ? new TxnOffsetCommitResponse { Topics = [new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic { Name = "in", Partitions = [new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition { ErrorCode = code }] }] }
            : null;
        OffsetCommit[] offsets = [new OffsetCommit(new TopicPartition("in", 0), 1, "")];
        await RunAsync(() => Assert.Throws(expected, () => producer.SendOffsetsToTransaction(offsets, _membership, Token)));

        // The next generation's are taken in the same transaction.
        cluster.Instead = _ => null;
        await RunAsync(() =>
        {
            producer.SendOffsetsToTransaction(offsets, _membership with { GenerationId = 4 }, Token);
            producer.CommitTransaction(Token);
        });
        Assert.True(Assert.Single(cluster.Requests<EndTxnRequest>()).Committed);
    }

    [Theory]
    [InlineData(ErrorCode.NotCoordinator)]
    [InlineData(ErrorCode.CoordinatorNotAvailable)]
    [InlineData(ErrorCode.CoordinatorLoadInProgress)]
    [InlineData(ErrorCode.ConcurrentTransactions)]
    public async Task Coordinator_that_is_not_ready_is_asked_again(ErrorCode code)
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        var seen = new HashSet<Type>();
        cluster.Instead = request => request switch
        {
            _ when !seen.Add(request.GetType()) => null,
            InitProducerIdRequest => new InitProducerIdResponse { ErrorCode = code },
            AddPartitionsToTxnRequest => Added(code),
            AddOffsetsToTxnRequest => new AddOffsetsToTxnResponse { ErrorCode = code },
            EndTxnRequest => throw new IOException("cut"),
            _ => null,
        };
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() =>
        {
            producer.InitTransactions(Token);
            producer.BeginTransaction();
            Send(producer, topic, 0, 0);
            producer.SendOffsetsToTransaction([new OffsetCommit(new TopicPartition("in", 0), 1, "")], _membership, Token);
            producer.CommitTransaction(Token);
        });
        Assert.Equal(["0"], cluster.Keys());
        Assert.Equal(2, cluster.Requests<EndTxnRequest>().Count);
        if (code is ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable) Assert.True(cluster.Requests<FindCoordinatorRequest>().Count >= 4);
    }

    [Fact]
    public async Task Batch_that_is_not_written_in_time_ends_the_transaction()
    {
        await using var cluster = new ScriptedCluster();
        var clock = new ManualClock();
        using var producer = cluster.NewProducer(clock, _options, settings: PatientRequests);
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        producer.BeginTransaction();
        cluster.FaultOf = _ => Fault.Refuses(ErrorCode.NotEnoughReplicas);
        Send(producer, topic, 0, 0);
        producer.SendPending();
        Exception? failure = null;
        await AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(500), () => (failure = Record.Exception(producer.SendPending)) is not null);
        Assert.IsType<TransactionAbortedException>(failure);
        Assert.Contains("NOT_ENOUGH_REPLICAS", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_timeout_that_is_too_long_is_a_setting_to_change()
    {
        await using var cluster = new ScriptedCluster();
        using var producer = cluster.NewProducer(TimeProvider.System, _options);
        cluster.Instead = request => request is InitProducerIdRequest ? new InitProducerIdResponse { ErrorCode = ErrorCode.InvalidTransactionTimeout } : null;
        var failure = await RunAsync(() => Assert.Throws<ConfigException>(() => producer.InitTransactions(Token)));
        Assert.Contains("transaction.timeout.ms", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commit_ends_when_the_application_has_no_time_left_and_giving_up_is_still_possible()
    {
        await using var cluster = new ScriptedCluster();
        using var closing = new CancellationTokenSource();
        using var producer = cluster.NewProducer(TimeProvider.System, _options with { Closing = closing.Token });
        var topic = producer.GetTopic(ScriptedCluster.Topic);
        await RunAsync(() => producer.InitTransactions(Token));
        producer.BeginTransaction();
        Send(producer, topic, 0, 0);
        await RunAsync(() => producer.Flush(Token));
        cluster.Instead = request => request is EndTxnRequest ? new EndTxnResponse { ErrorCode = ErrorCode.CoordinatorNotAvailable } : null;
        var committing = RunAsync(() => Assert.Throws<ClusterUnavailableException>(() => producer.CommitTransaction(Token)));
        await UntilAsync(() => cluster.Requests<EndTxnRequest>().Count > 0);
        Assert.False(committing.IsCompleted);
        await closing.CancelAsync();
        await committing;
        cluster.Instead = _ => null;
        await RunAsync(() => producer.AbortTransaction(Token));
        Assert.False(cluster.Requests<EndTxnRequest>()[^1].Committed);
    }

    private static AddPartitionsToTxnResponse Added(ErrorCode code) => new()
    {
        ResultsByTopicV3AndBelow =
        [
            new AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult
            {
                Name = ScriptedCluster.Topic,
                ResultsByPartition = [new AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult { PartitionErrorCode = code }],
            },
        ],
    };
}
