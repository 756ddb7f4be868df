using Broker.Lite.Coordination;
using Broker.Lite.Metadata;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Lite.Tests.Coordination;

public sealed class TransactionTests
{
    private const sbyte ReadCommitted = 1;

    [Fact]
    public async Task Committed_records_are_seen_once_the_transaction_has_ended_and_not_before()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.SendAsync("t", 0, "a", "b");
        await broker.ProduceAsync("t", Batches.Of("later"));

        var open = await FetchAsync(broker, "t", 0);
        Assert.Equal((0L, 3L, 0), (open.LastStableOffset, open.HighWatermark, open.Records!.Value.Length));
        Assert.Equal(0, await LatestAsync(broker, "t", ReadCommitted));
        Assert.Equal(3, await LatestAsync(broker, "t", 0));

        await producer.CommitAsync();
        Assert.Equal(["a", "b", "later"], await CommittedAsync(broker, "t"));
        Assert.Equal(4, await LatestAsync(broker, "t", ReadCommitted)); // the marker takes an offset
    }

    [Fact]
    public async Task Aborted_records_are_listed_so_that_clients_drop_them()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.SendAsync("t", 0, "a");
        await broker.ProduceAsync("t", Batches.Of("other"));
        await producer.AbortAsync();
        await producer.SendAsync("t", 0, "b");
        await producer.CommitAsync();

        var fetched = await FetchAsync(broker, "t", 0);
        var aborted = Assert.Single(fetched.AbortedTransactions!);
        Assert.Equal((producer.Id, 0L), (aborted.ProducerId, aborted.FirstOffset));
        Assert.Equal(["other", "b"], await CommittedAsync(broker, "t"));
        Assert.Empty((await FetchAsync(broker, "t", 3)).AbortedTransactions!);
    }

    [Fact]
    public async Task Read_committed_fetch_is_parked_until_the_marker_however_much_it_waits_for()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.SendAsync("t", 0, new string('x', 5000));
        var request = TestBroker.Fetch("t", 0, maxWaitMs: 10_000, minBytes: 4000);
        request.IsolationLevel = ReadCommitted;
        var fetching = broker.SendAsync(request);
        await broker.ParkedFetchesAsync("t", 1);
        Assert.False(fetching.IsCompleted);
        await producer.CommitAsync();
        Assert.True((await fetching).Responses[0].Partitions[0].Records!.Value.Length > 5000);
    }

    [Fact]
    public async Task Transaction_spans_partitions_and_topics()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("u", 3);
        var producer = await ProducerAsync(broker);
        await producer.SendAsync("t", 0, "a");
        await producer.SendAsync("u", 2, "b");
        await producer.CommitAsync();
        Assert.Equal(["a"], await CommittedAsync(broker, "t"));
        Assert.Equal(["b"], await CommittedAsync(broker, "u", 2));
        Assert.Equal(0, await LatestAsync(broker, "u", 0)); // partition 0 was not in it: no marker
    }

    [Fact]
    public async Task Batch_for_a_partition_that_is_not_in_the_transaction_is_refused()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("u");
        var producer = await ProducerAsync(broker);
        Assert.Equal(ErrorCode.InvalidTxnState, (await producer.WriteAsync("t", 0, "never added")).ErrorCode);
        await producer.SendAsync("t", 0, "a");
        Assert.Equal(ErrorCode.InvalidTxnState, (await producer.WriteAsync("u", 0, "not this one")).ErrorCode);
        await producer.CommitAsync();
        Assert.Equal(ErrorCode.InvalidTxnState, (await producer.WriteAsync("t", 0, "after the end")).ErrorCode);
        Assert.Equal(["a"], await CommittedAsync(broker, "t"));
        Assert.Equal(2, await LatestAsync(broker, "t", ReadCommitted));
    }

    [Fact]
    public async Task Batch_repeated_after_the_end_is_answered_with_its_offset_and_changes_nothing()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.AddAsync("t");
        var request = TestBroker.Produce("t", producer.Batch(0, "a"));
        request.TransactionalId = "tx";
        await broker.SendAsync(request);
        await producer.CommitAsync();

        request = TestBroker.Produce("t", producer.Batch(0, "a"));
        request.TransactionalId = "tx";
        var repeated = (await broker.SendAsync(request)).Responses[0].PartitionResponses[0];
        Assert.Equal((ErrorCode.None, 0L), (repeated.ErrorCode, repeated.BaseOffset));
        Assert.Equal(2, await LatestAsync(broker, "t", ReadCommitted));
    }

    [Fact]
    public async Task Transactional_batch_without_transactional_id_is_refused()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.AddAsync("t");
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, (await broker.ProduceAsync("t", producer.Batch(0, "x"))).ErrorCode);
    }

    [Fact]
    public async Task Second_producer_of_an_id_aborts_and_fences_the_first()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("u");
        var first = await ProducerAsync(broker);
        await first.SendAsync("t", 0, "zombie");
        var second = await ProducerAsync(broker);
        Assert.Equal(first.Id, second.Id);
        Assert.True(second.Epoch > first.Epoch);

        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await first.WriteAsync("t", 0, "late")).ErrorCode);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await first.WriteAsync("u", 0, "elsewhere")).ErrorCode);
        Assert.Equal(ErrorCode.ProducerFenced, await first.AddAsync("t"));
        Assert.Equal(ErrorCode.ProducerFenced, await first.AddOffsetsAsync("g"));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, await first.CommitOffsetAsync("g", "t", 1));
        Assert.Equal(ErrorCode.ProducerFenced, await first.EndAsync(commit: true));
        Assert.Equal(ErrorCode.ProducerFenced, await first.InitAsync(asItself: true));

        await second.SendAsync("t", 0, "b");
        await second.CommitAsync();
        Assert.Equal(["b"], await CommittedAsync(broker, "t"));
    }

    [Fact]
    public async Task Fenced_producer_hears_the_error_that_its_version_knows()
    {
        await using var broker = await StartAsync(new BrokerOptions { Port = 0 });
        var first = await ProducerAsync(broker);
        await first.SendAsync("t", 0, "a");
        await ProducerAsync(broker);
        using var client = new RawClient(broker.Port);
        var end = new EndTxnRequest { TransactionalId = "tx", ProducerId = first.Id, ProducerEpoch = first.Epoch, Committed = true };
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await client.CallAsync(end, 1, 1)).ErrorCode);
        Assert.Equal(ErrorCode.ProducerFenced, (await client.CallAsync(end, 2, 2)).ErrorCode);
        var init = new InitProducerIdRequest { TransactionalId = "tx", TransactionTimeoutMs = 1000, ProducerId = first.Id, ProducerEpoch = first.Epoch };
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await client.CallAsync(init, 3, 3)).ErrorCode);
        Assert.Equal(ErrorCode.ProducerFenced, (await client.CallAsync(init, 4, 4)).ErrorCode);
    }

    [Fact]
    public async Task Producer_that_recovers_as_itself_keeps_its_id_and_may_ask_twice()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.SendAsync("t", 0, "a");
        var (id, before) = (producer.Id, producer.Epoch);
        Assert.Equal(ErrorCode.None, await producer.InitAsync(asItself: true));
        var after = producer.Epoch;
        Assert.Equal(id, producer.Id);
        Assert.True(after > before);

        producer.Epoch = before; // the answer was lost
        Assert.Equal(ErrorCode.None, await producer.InitAsync(asItself: true));
        Assert.Equal(after, producer.Epoch);
        await producer.SendAsync("t", 0, "b");
        await producer.CommitAsync();
        Assert.Equal(["b"], await CommittedAsync(broker, "t"));
    }

    [Fact]
    public async Task Transaction_that_is_open_too_long_is_aborted_and_its_producer_fenced()
    {
        await using var broker = await StartAsync();
        var producer = new TestProducer(broker, "tx") { TimeoutMs = 5000 };
        await producer.InitAsync();
        broker.Clock.Advance(TimeSpan.FromSeconds(60)); // nothing is open yet
        await producer.SendAsync("t", 0, "a");
        broker.Clock.Advance(TimeSpan.FromMilliseconds(4999));
        await producer.SendAsync("t", 0, "b");
        Assert.Equal(0, await LatestAsync(broker, "t", ReadCommitted));
        broker.Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(3, await LatestAsync(broker, "t", ReadCommitted));
        Assert.Equal(ErrorCode.ProducerFenced, await producer.EndAsync(commit: true));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await producer.WriteAsync("t", 0, "c")).ErrorCode);
        Assert.Empty(await CommittedAsync(broker, "t"));
        Assert.Equal(ErrorCode.None, await producer.InitAsync());
    }

    [Fact]
    public async Task Time_out_of_a_transaction_that_ended_does_nothing_to_the_next_one()
    {
        await using var broker = await StartAsync();
        var producer = new TestProducer(broker, "tx") { TimeoutMs = 5000 };
        await producer.InitAsync();
        await producer.SendAsync("t", 0, "a");
        broker.Clock.Advance(TimeSpan.FromSeconds(4));
        await producer.CommitAsync();
        await producer.SendAsync("t", 0, "b");
        broker.Clock.Advance(TimeSpan.FromSeconds(4));
        await producer.CommitAsync();
        Assert.Equal(["a", "b"], await CommittedAsync(broker, "t"));
    }

    [Theory]
    [InlineData("tx", 0, ErrorCode.InvalidTransactionTimeout)]
    [InlineData("tx", -1, ErrorCode.InvalidTransactionTimeout)]
    [InlineData("tx", 900_001, ErrorCode.InvalidTransactionTimeout)]
    [InlineData("tx", int.MaxValue, ErrorCode.InvalidTransactionTimeout)]
    [InlineData("tx", 900_000, ErrorCode.None)]
    [InlineData("", 1000, ErrorCode.InvalidRequest)]
    public async Task Transactional_id_and_time_out_are_checked(string transactionalId, int timeoutMs, ErrorCode expected)
    {
        await using var broker = await StartAsync();
        Assert.Equal(expected, await new TestProducer(broker, transactionalId) { TimeoutMs = timeoutMs }.InitAsync());
    }

    [Fact]
    public async Task Repeated_ends_are_no_errors_and_contradicting_ones_are()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.CommitAsync(); // nothing was added
        await producer.AbortAsync();
        await producer.SendAsync("t", 0, "a");
        await producer.CommitAsync();
        await producer.CommitAsync();
        Assert.Equal(ErrorCode.InvalidTxnState, await producer.EndAsync(commit: false));
        await producer.SendAsync("t", 0, "b");
        await producer.AbortAsync();
        await producer.AbortAsync();
        Assert.Equal(ErrorCode.InvalidTxnState, await producer.EndAsync(commit: true));
        Assert.Equal(["a"], await CommittedAsync(broker, "t"));
        Assert.Equal(4, await LatestAsync(broker, "t", ReadCommitted));
    }

    [Fact]
    public async Task Whoever_is_not_the_producer_is_refused()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        foreach (var stranger in new[] { new TestProducer(broker, "tx") { Id = producer.Id + 1, Epoch = producer.Epoch }, new TestProducer(broker, "unknown") { Id = producer.Id, Epoch = 0 } })
        {
            Assert.Equal(ErrorCode.InvalidProducerIdMapping, await stranger.AddAsync("t"));
            Assert.Equal(ErrorCode.InvalidProducerIdMapping, await stranger.AddOffsetsAsync("g"));
            Assert.Equal(ErrorCode.InvalidProducerIdMapping, await stranger.CommitOffsetAsync("g", "t", 0));
            Assert.Equal(ErrorCode.InvalidProducerIdMapping, await stranger.EndAsync(commit: true));
            Assert.Equal(ErrorCode.InvalidProducerIdMapping, (await stranger.WriteAsync("t", 0, "x")).ErrorCode);
        }

        Assert.Null(broker.Server.State.View.Find(TopicName.ConsumerOffsets));
        producer.Epoch++;
        Assert.Equal(ErrorCode.ProducerFenced, await producer.AddAsync("t"));
    }

    [Fact]
    public async Task Partitions_are_added_all_or_none()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        var response = await broker.SendAsync(new AddPartitionsToTxnRequest
        {
            V3AndBelowTransactionalId = "tx",
            V3AndBelowProducerId = producer.Id,
            V3AndBelowProducerEpoch = producer.Epoch,
            V3AndBelowTopics = [new() { Name = "t", Partitions = [0, 1] }, new() { Name = TopicName.TransactionState, Partitions = [0] }],
        });
        Assert.Equal(
            [ErrorCode.OperationNotAttempted, ErrorCode.UnknownTopicOrPartition, ErrorCode.TopicAuthorizationFailed],
            response.ResultsByTopicV3AndBelow.SelectMany(topic => topic.ResultsByPartition).Select(result => result.PartitionErrorCode));
        Assert.Equal(ErrorCode.InvalidTxnState, (await producer.WriteAsync("t", 0, "x")).ErrorCode);
    }

    [Fact]
    public async Task Offsets_count_when_the_transaction_is_committed()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        Assert.Equal(ErrorCode.None, await new TestMember(broker, "g").CommitAsync("t", 1));
        Assert.Equal(ErrorCode.None, await producer.AddOffsetsAsync("g"));
        Assert.Equal(ErrorCode.None, await producer.CommitOffsetAsync("g", "t", 7));

        Assert.Equal((1, ErrorCode.None), await OffsetAsync(broker, "g", "t"));
        Assert.Equal((-1, ErrorCode.UnstableOffsetCommit), await OffsetAsync(broker, "g", "t", requireStable: true));
        await producer.CommitAsync();
        Assert.Equal((7, ErrorCode.None), await OffsetAsync(broker, "g", "t", requireStable: true));

        await producer.AddOffsetsAsync("g");
        await producer.CommitOffsetAsync("g", "t", 9);
        await producer.AbortAsync();
        Assert.Equal((7, ErrorCode.None), await OffsetAsync(broker, "g", "t", requireStable: true));
    }

    [Fact]
    public async Task Offsets_need_their_group_in_the_transaction()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        Assert.Equal(ErrorCode.InvalidTxnState, await producer.CommitOffsetAsync("g", "t", 7));
        await producer.SendAsync("t", 0, "a");
        Assert.Equal(ErrorCode.InvalidTxnState, await producer.CommitOffsetAsync("g", "t", 7));
        Assert.Equal(ErrorCode.InvalidGroupId, await producer.AddOffsetsAsync(""));
        Assert.Equal(ErrorCode.None, await producer.AddOffsetsAsync("g"));
        Assert.Equal(ErrorCode.None, await producer.CommitOffsetAsync("g", "t", 7));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await producer.CommitOffsetAsync("g", "t", 7, partition: 5));
    }

    [Fact]
    public async Task Consumer_that_lost_its_partitions_cannot_commit_in_a_transaction()
    {
        await using var broker = await StartAsync();
        var member = new TestMember(broker, "g");
        await member.JoinAndSyncAloneAsync();
        var producer = await ProducerAsync(broker);
        await producer.AddOffsetsAsync("g");
        Assert.Equal(ErrorCode.None, await producer.CommitOffsetAsync("g", "t", 1, member: member));
        member.Generation--;
        Assert.Equal(ErrorCode.IllegalGeneration, await producer.CommitOffsetAsync("g", "t", 2, member: member));
        member.Generation++;
        member.Id += "x";
        Assert.Equal(ErrorCode.UnknownMemberId, await producer.CommitOffsetAsync("g", "t", 2, member: member));
        Assert.Equal(ErrorCode.UnknownMemberId, await producer.CommitOffsetAsync("g", "t", 2, member: member, instanceId: "i"));
        Assert.Equal(ErrorCode.None, await producer.CommitOffsetAsync("g", "t", 3)); // a producer older than KIP-447
        await producer.CommitAsync();
        Assert.Equal((3, ErrorCode.None), await OffsetAsync(broker, "g", "t"));
    }

    [Fact]
    public async Task Commit_after_the_one_in_the_transaction_wins_over_it()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.AddOffsetsAsync("g");
        await producer.CommitOffsetAsync("g", "t", 7);
        await new TestMember(broker, "g").CommitAsync("t", 5);
        await producer.CommitAsync();
        Assert.Equal((5, ErrorCode.None), await OffsetAsync(broker, "g", "t"));
    }

    [Fact]
    public async Task Deleting_a_topic_ends_its_part_in_open_transactions()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("u");
        var producer = await ProducerAsync(broker);
        await producer.SendAsync("t", 0, "a");
        await producer.SendAsync("u", 0, "b");
        await producer.AddOffsetsAsync("g");
        await producer.CommitOffsetAsync("g", "u", 1);
        await broker.SendAsync(new DeleteTopicsRequest { Topics = [new() { Name = "u" }] });
        await producer.CommitAsync();
        Assert.Equal(["a"], await CommittedAsync(broker, "t"));
        Assert.Equal((-1, ErrorCode.None), await OffsetAsync(broker, "g", "u", requireStable: true));
    }

    [Fact]
    public async Task Open_transaction_and_pending_offsets_survive_a_restart()
    {
        using var folder = new TestFolder();
        var clock = new ManualClock();
        long id;
        short epoch;
        await using (var broker = await StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            var producer = await ProducerAsync(broker);
            (id, epoch) = (producer.Id, producer.Epoch);
            await producer.SendAsync("t", 0, "a");
            await producer.AddOffsetsAsync("g");
            await producer.CommitOffsetAsync("g", "t", 7);
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            Assert.Equal((-1, ErrorCode.UnstableOffsetCommit), await OffsetAsync(broker, "g", "t", requireStable: true));
            Assert.Equal(0, await LatestAsync(broker, "t", ReadCommitted));
            var producer = new TestProducer(broker, "tx") { Id = id, Epoch = epoch };
            var request = TestBroker.Produce("t", producer.Batch(1, "b"));
            request.TransactionalId = "tx";
            Assert.Equal(ErrorCode.None, (await broker.SendAsync(request)).Responses[0].PartitionResponses[0].ErrorCode);
            await producer.CommitAsync();
            Assert.Equal(["a", "b"], await CommittedAsync(broker, "t"));
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            Assert.Equal((7, ErrorCode.None), await OffsetAsync(broker, "g", "t", requireStable: true));
            Assert.Equal(["a", "b"], await CommittedAsync(broker, "t"));
            var producer = await ProducerAsync(broker);
            Assert.Equal((id, epoch + 1), (producer.Id, (int)producer.Epoch));
        }
    }

    [Fact]
    public async Task Time_out_counts_from_the_begin_across_a_restart()
    {
        using var folder = new TestFolder();
        var clock = new ManualClock();
        await using (var broker = await StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            var producer = await ProducerAsync(broker);
            await producer.SendAsync("t", 0, "a");
        }

        clock.Advance(TimeSpan.FromSeconds(59));
        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            Assert.Equal(0, await LatestAsync(broker, "t", ReadCommitted));
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(2, await LatestAsync(broker, "t", ReadCommitted));
            Assert.Empty(await CommittedAsync(broker, "t"));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Decided_transaction_whose_markers_are_missing_is_completed_by_the_next_start(bool commit)
    {
        using var folder = new TestFolder();
        await using (var broker = await StartAsync(new BrokerOptions { DataDirectory = folder.Path }))
        {
            await broker.CreateTopicAsync("u");
            var producer = await ProducerAsync(broker);
            await producer.SendAsync("t", 0, "a");
            await producer.SendAsync("u", 0, "b");
            await producer.AddOffsetsAsync("g");
            await producer.CommitOffsetAsync("g", "t", 7);

            // What is on disk when the broker dies between its decision and the markers, or after the first of them.
            var state = broker.Server.State;
            var decided = state.Transactions.Find("tx")! with { State = commit ? TransactionState.PrepareCommit : TransactionState.PrepareAbort };
            var journal = new TransactionTopic(state.Catalog, broker.Clock, NullLogger.Instance);
            Assert.Equal(ErrorCode.None, journal.Append("tx", TransactionTopicFormat.Entry(decided)));
            var type = commit ? ControlRecordType.Commit : ControlRecordType.Abort;
            state.View.Find("u", 0)!.AppendMarker(TransactionMarker.Build(type, decided.ProducerId, decided.ProducerEpoch, 0, 1));
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }))
        {
            Assert.Equal(commit ? ["a"] : [], await CommittedAsync(broker, "t"));
            Assert.Equal(commit ? ["b"] : [], await CommittedAsync(broker, "u"));
            Assert.Equal((commit ? 7 : -1, ErrorCode.None), await OffsetAsync(broker, "g", "t", requireStable: true));
            Assert.Equal(commit ? "CompleteCommit" : "CompleteAbort", (await DescribeAsync(broker, "tx")).TransactionState);
            var producer = await ProducerAsync(broker);
            await producer.SendAsync("t", 0, "next");
            await producer.CommitAsync();
            Assert.Equal(commit ? ["a", "next"] : ["next"], await CommittedAsync(broker, "t"));
        }
    }

    [Fact]
    public async Task Completion_that_cannot_be_written_is_tried_again_and_holds_off_the_next_transaction()
    {
        await using var broker = await StartAsync();
        var state = broker.Server.State;
        var journal = new FailingJournal(new TransactionTopic(state.Catalog, broker.Clock, NullLogger.Instance));
        using var timers = new LoopTimers(state.Loop, broker.Clock);
        var coordinator = new TransactionCoordinator(
            new TransactionOptions { MaxTimeoutMs = 1000, IdExpirationMs = 1000, IdExpirationCheckIntervalMs = 1000 },
            state.Catalog,
            new OffsetsTopic(state.Catalog, broker.Clock, NullLogger.Instance),
            state.Offsets,
            journal,
            [],
            timers,
            broker.Clock,
            NullLogger.Instance);
        var (_, id, epoch) = coordinator.Initialise("tx", 1000, -1, -1);
        Assert.Equal(ErrorCode.None, coordinator.AddPartitions("tx", id, epoch, [new OffsetPartition("t", 0)]));

        journal.FailFromState = TransactionState.PrepareCommit;
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, coordinator.End("tx", id, epoch, isCommit: true));
        Assert.Equal(TransactionState.Ongoing, coordinator.Find("tx")!.State);

        journal.FailFromState = TransactionState.CompleteCommit;
        Assert.Equal(ErrorCode.None, coordinator.End("tx", id, epoch, isCommit: true)); // it is decided, and durably so
        Assert.Equal(ErrorCode.ConcurrentTransactions, coordinator.End("tx", id, epoch, isCommit: true));
        Assert.Equal(ErrorCode.InvalidTxnState, coordinator.End("tx", id, epoch, isCommit: false));
        Assert.Equal(ErrorCode.ConcurrentTransactions, coordinator.AddPartitions("tx", id, epoch, [new OffsetPartition("t", 0)]));
        Assert.Equal(ErrorCode.ConcurrentTransactions, coordinator.Initialise("tx", 1000, -1, -1).Error);
        broker.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TransactionState.PrepareCommit, coordinator.Find("tx")!.State);

        journal.FailFromState = null;
        broker.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TransactionState.CompleteCommit, coordinator.Find("tx")!.State);
        Assert.Equal(ErrorCode.None, coordinator.End("tx", id, epoch, isCommit: true));
        Assert.Equal(1, await LatestAsync(broker, "t", ReadCommitted)); // one marker, however often it was tried
    }

    [Fact]
    public async Task Producer_gets_a_new_id_when_its_epochs_are_used_up()
    {
        using var folder = new TestFolder();
        long id;
        await using (var broker = await StartAsync(new BrokerOptions { DataDirectory = folder.Path }))
        {
            id = (await ProducerAsync(broker)).Id;
            var state = broker.Server.State;
            var used = state.Transactions.Find("tx")! with { ProducerEpoch = short.MaxValue - 2 };
            new TransactionTopic(state.Catalog, broker.Clock, NullLogger.Instance).Append("tx", TransactionTopicFormat.Entry(used));
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }))
        {
            var last = await ProducerAsync(broker);
            Assert.Equal((id, short.MaxValue - 1), (last.Id, (int)last.Epoch));
            await last.SendAsync("t", 0, "a");
            var next = await ProducerAsync(broker); // fenced with the very last epoch
            Assert.NotEqual(id, next.Id);
            Assert.Equal(0, next.Epoch);
            Assert.Equal(ErrorCode.InvalidProducerIdMapping, await last.EndAsync(commit: true));
            await next.SendAsync("t", 0, "b");
            await next.CommitAsync();
            Assert.Equal(["b"], await CommittedAsync(broker, "t"));
        }
    }

    [Fact]
    public async Task Transactional_id_that_nobody_uses_is_forgotten()
    {
        using var folder = new TestFolder();
        var clock = new ManualClock();
        await using (var broker = await StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            var idle = await ProducerAsync(broker);
            var busy = new TestProducer(broker, "busy") { TimeoutMs = 900_000 };
            await busy.InitAsync();
            broker.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromHours(2));
            await busy.SendAsync("t", 0, "a");
            await busy.CommitAsync();
            Assert.Equal(ErrorCode.None, (await DescribeAsync(broker, "tx")).ErrorCode);
            broker.Clock.Advance(TimeSpan.FromHours(3));
            Assert.Equal(ErrorCode.TransactionalIdNotFound, (await DescribeAsync(broker, "tx")).ErrorCode);
            Assert.Equal(ErrorCode.None, (await DescribeAsync(broker, "busy")).ErrorCode);
            Assert.Equal(ErrorCode.InvalidProducerIdMapping, await idle.AddAsync("t"));
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
            Assert.Equal(["busy"], (await broker.SendAsync(new ListTransactionsRequest())).TransactionStates.Select(one => one.TransactionalId));
    }

    [Fact]
    public async Task Transactions_and_producers_can_be_listed_and_described()
    {
        await using var broker = await StartAsync();
        var open = await ProducerAsync(broker);
        await open.SendAsync("t", 0, "a", "b");
        var done = new TestProducer(broker, "done");
        await done.InitAsync();
        await done.SendAsync("t", 0, "c");
        await done.AbortAsync();
        broker.Clock.Advance(TimeSpan.FromSeconds(5));

        var described = await DescribeAsync(broker, "tx");
        Assert.Equal(
            ("Ongoing", 60_000, broker.Clock.NowMs - 5000, open.Id, open.Epoch),
            (described.TransactionState, described.TransactionTimeoutMs, described.TransactionStartTimeMs, described.ProducerId, described.ProducerEpoch));
        Assert.Equal(("t", 0), (described.Topics.Single().Topic, described.Topics.Single().Partitions.Single()));
        Assert.Equal(ErrorCode.TransactionalIdNotFound, (await DescribeAsync(broker, "none")).ErrorCode);

        Assert.Equal(["done", "tx"], await ListAsync(broker, new()));
        Assert.Equal(["done"], await ListAsync(broker, new() { StateFilters = ["CompleteAbort"] }));
        Assert.Equal(["tx"], await ListAsync(broker, new() { ProducerIdFilters = [open.Id] }));
        Assert.Empty(await ListAsync(broker, new() { DurationFilter = 5000 }));
        Assert.Equal(["done", "tx"], await ListAsync(broker, new() { DurationFilter = 4999 }));
        Assert.Equal(["Odd"], (await broker.SendAsync(new ListTransactionsRequest { StateFilters = ["Odd", "Ongoing"] })).UnknownStateFilters);

        var producers = (await broker.SendAsync(new DescribeProducersRequest { Topics = [new() { Name = "t", PartitionIndexes = [0, 1] }] })).Topics[0].Partitions;
        Assert.Equal(
            [(open.Id, 1, 0L), (done.Id, 0, -1L)],
            producers[0].ActiveProducers.OrderBy(one => one.ProducerId).Select(one => (one.ProducerId, one.LastSequence, one.CurrentTxnStartOffset)));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, producers[1].ErrorCode);
    }

    [Fact]
    public async Task Batch_under_an_epoch_nobody_was_given_cannot_hide_the_open_transaction()
    {
        await using var broker = await StartAsync();
        var producer = await ProducerAsync(broker);
        await producer.SendAsync("t", 0, "a");
        var forged = Batches.FromProducer(producer.Id, (short)(producer.Epoch + 100), 0, "forged");
        Assert.Equal(ErrorCode.InvalidTxnState, (await broker.ProduceAsync("t", forged)).ErrorCode);
        await producer.CommitAsync();
        Assert.Equal(["a"], await CommittedAsync(broker, "t"));
    }

    private static async Task<TestBroker> StartAsync(BrokerOptions? options = null, ManualClock? clock = null)
    {
        var broker = await TestBroker.StartAsync(options ?? new BrokerOptions(), clock);
        await broker.CreateTopicAsync("t");
        return broker;
    }

    private static async Task<TestProducer> ProducerAsync(TestBroker broker)
    {
        var producer = new TestProducer(broker, "tx");
        Assert.Equal(ErrorCode.None, await producer.InitAsync());
        return producer;
    }

    private static async Task<FetchResponse.PartitionData> FetchAsync(TestBroker broker, string topic, long offset, int partition = 0)
    {
        var request = TestBroker.Fetch(topic, offset, partition);
        request.IsolationLevel = ReadCommitted;
        return (await broker.SendAsync(request)).Responses[0].Partitions[0];
    }

    /// <summary>What a read-committed client makes of the partition.</summary>
    private static async Task<List<string>> CommittedAsync(TestBroker broker, string topic, int partition = 0) =>
        [.. CommittedReader.Read(await FetchAsync(broker, topic, 0, partition)).Select(record => record.Value)];

    private static async Task<long> LatestAsync(TestBroker broker, string topic, sbyte isolation) => (await broker.SendAsync(new ListOffsetsRequest
    {
        IsolationLevel = isolation,
        Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, Timestamp = -1 }] }],
    })).Topics[0].Partitions[0].Offset;

    private static async Task<(long Offset, ErrorCode Error)> OffsetAsync(TestBroker broker, string group, string topic, bool requireStable = false)
    {
        var response = await broker.SendAsync(new OffsetFetchRequest
        {
            RequireStable = requireStable,
            Groups = [new() { GroupId = group, Topics = [new() { Name = topic, PartitionIndexes = [0] }] }],
        });
        var found = response.Groups[0].Topics[0].Partitions[0];
        return (found.CommittedOffset, found.ErrorCode);
    }

    private static async Task<DescribeTransactionsResponse.DescribedTransaction> DescribeAsync(TestBroker broker, string id) =>
        (await broker.SendAsync(new DescribeTransactionsRequest { TransactionalIds = [id] })).TransactionStates[0];

    private static async Task<List<string>> ListAsync(TestBroker broker, ListTransactionsRequest request) =>
        [.. (await broker.SendAsync(request)).TransactionStates.Select(one => one.TransactionalId)];

    /// <summary>A journal whose disk is full for the later states.</summary>
    private sealed class FailingJournal(ITransactionJournal journal) : ITransactionJournal
    {
        public TransactionState? FailFromState { get; set; }

        public ErrorCode Append(string transactionalId, JournalEntry entry)
        {
            var read = new Dictionary<string, Transaction>();
            TransactionTopicFormat.Replay(entry.Key, entry.Value, read);
            return read[transactionalId].State >= FailFromState ? ErrorCode.KafkaStorageError : journal.Append(transactionalId, entry);
        }
    }
}
