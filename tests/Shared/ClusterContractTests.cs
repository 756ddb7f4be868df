using System.Globalization;
using System.Text;
using Streams.Core;
using Xunit;

namespace Streams.Tests.Shared;

/// <summary>What every <see cref="ICluster"/> must do, whatever it is made of. An adapter's test project derives from it and says which cluster.</summary>
public abstract class ClusterContractTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static int s_topics;

    private ICluster? _cluster;
    private IClusterAdmin? _admin;

    protected ICluster Cluster => _cluster!;

    protected IClusterAdmin Admin => _admin!;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The cluster under test; skips the test where there is none.</summary>
    protected abstract ValueTask<ICluster> StartClusterAsync();

    /// <summary>Ends what <see cref="StartClusterAsync"/> has started besides the cluster.</summary>
    protected virtual ValueTask StopClusterAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _cluster = await StartClusterAsync();
        _admin = _cluster.CreateAdmin("contract");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _admin?.Dispose();
        if (_cluster is not null) await _cluster.DisposeAsync();
        await StopClusterAsync();
    }

    [Fact]
    public async Task Topic_is_described_after_creation_and_gone_after_deletion()
    {
        var topic = NewName();
        await Admin.CreateTopicsAsync([new NewTopic(topic, 3, 1, new Dictionary<string, string> { ["cleanup.policy"] = "compact" })], Token);
        await Admin.CreateTopicsAsync([new NewTopic(topic, 3, 1, new Dictionary<string, string>())], Token);
        var described = await WaitForTopicAsync(topic);
        Assert.Equal(3, described);
        Assert.Contains(topic, await Admin.ListTopicsAsync(Token));
        Assert.Empty(await Admin.DescribeTopicsAsync([topic + "-missing"], Token));

        await Admin.DeleteTopicsAsync([topic, topic + "-missing"], Token);
        await UntilAsync(async () => (await Admin.DescribeTopicsAsync([topic], Token)).Count == 0);
    }

    [Fact]
    public async Task Illegal_topic_name_is_refused()
    {
        var refused = await Assert.ThrowsAsync<ClusterException>(() => Admin.CreateTopicsAsync([new NewTopic("no/slashes", 1, 1, new Dictionary<string, string>())], Token));
        Assert.Equal("INVALID_TOPIC_EXCEPTION", refused.ErrorName);
    }

    [Fact]
    public async Task Records_come_back_as_they_were_written()
    {
        var topic = await NewTopicAsync(1);
        var headers = Headers.Empty.Add("a", "first").Add("b", (ReadOnlyMemory<byte>?)null).Add("a", ReadOnlyMemory<byte>.Empty).Add("ü", "ß");
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        Send(producer, target, 0, "k", "v", 1_000, headers);
        Send(producer, target, 0, null, "v2", 2_000);
        Send(producer, target, 0, "k3", null, 3_000);
        Send(producer, target, 0, "", "", 4_000);
        Send(producer, target, 0, null, null, 5_000);
        Send(producer, target, 0, "big", new string('x', 900_000), 6_000);
        producer.Flush(Token);
        Assert.Equal(6, producer.AcknowledgedOffset(target, 0));

        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(new TopicPartition(topic, 0), 0)]);
        var records = Read(consumer, 6);
        Assert.Equal(["k", null, "k3", "", null, "big"], records.Select(record => record.Key));
        Assert.Equal(["v", "v2", null, "", null], records.Take(5).Select(record => record.Value));
        Assert.Equal(900_000, records[5].Value!.Length);
        Assert.Equal([1_000, 2_000, 3_000, 4_000, 5_000, 6_000], records.Select(record => record.Timestamp));
        Assert.Equal([0, 1, 2, 3, 4, 5], records.Select(record => record.Offset));
        Assert.Null(records[1].Headers);
        Assert.Equal(["a", "b", "a", "ü"], records[0].Headers!.Select(header => header.Key));
        Assert.Equal(["first", null, "", "ß"], records[0].Headers!.Select(header => header.ValueAsString()));
    }

    [Fact]
    public async Task Many_records_of_many_partitions_come_in_order_and_once()
    {
        const int Partitions = 4;
        const int PerPartition = 5_000;
        var topic = await NewTopicAsync(Partitions);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        Assert.Equal(Partitions, target.PartitionCount);
        for (var number = 0; number < PerPartition; number++)
        {
            for (var partition = 0; partition < Partitions; partition++)
                Send(producer, target, partition, number.ToString(CultureInfo.InvariantCulture), $"value {number}", 1 + number);
        }

        producer.Flush(Token);
        using var consumer = NewConsumer();
        consumer.Assign([.. Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(new TopicPartition(topic, partition), 0))]);
        var next = new long[Partitions];
        foreach (var record in Read(consumer, Partitions * PerPartition))
        {
            Assert.Equal(next[record.Partition.Partition], record.Offset);
            Assert.Equal(record.Offset.ToString(CultureInfo.InvariantCulture), record.Key);
            next[record.Partition.Partition]++;
        }

        Assert.All(next, count => Assert.Equal(PerPartition, count));
        Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(50)));
    }

    [Fact]
    public async Task Compressed_records_come_back()
    {
        var topic = await NewTopicAsync(1);
        foreach (var codec in new[] { "gzip", "snappy", "lz4", "zstd" })
        {
            using var producer = Cluster.CreateProducer(new ProducerOptions { ClientId = "contract-" + codec, Linger = TimeSpan.FromMilliseconds(5), Compression = codec });
            var target = producer.GetTopic(topic);
            for (var number = 0; number < 100; number++) Send(producer, target, 0, codec, $"{codec} {number}", 1);
            producer.Flush(Token);
        }

        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(new TopicPartition(topic, 0), 0)]);
        var records = Read(consumer, 400);
        Assert.Equal(100, records.Count(record => record.Key == "zstd"));
        Assert.All(records, record => Assert.StartsWith(record.Key!, record.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Paused_partition_gives_nothing_until_resumed()
    {
        var topic = await NewTopicAsync(2);
        var first = new TopicPartition(topic, 0);
        var second = new TopicPartition(topic, 1);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        for (var number = 0; number < 100; number++)
        {
            Send(producer, target, 0, "0", $"{number}", 1);
            Send(producer, target, 1, "1", $"{number}", 1);
        }

        producer.Flush(Token);
        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(first, 0), new TopicPartitionOffset(second, 0)]);
        var records = new List<Got>();
        using (var batch = Poll(consumer)) Collect(batch, records);
        var open = records[0].Partition;
        var paused = open == first ? second : first;
        consumer.Pause([paused]);
        while (records.Count < 100) Collect(PollOrFail(consumer), records);
        Assert.All(records, record => Assert.Equal(open, record.Partition));
        Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(100)));

        consumer.Resume([paused]);
        while (records.Count < 200) Collect(PollOrFail(consumer), records);
        Assert.Equal(Enumerable.Range(0, 100).Select(offset => (long)offset), records.Where(record => record.Partition == paused).Select(record => record.Offset));
    }

    /// <summary>A partition that is full and held back may wait for records of another one (<c>max.task.idle.ms</c>).</summary>
    [Fact]
    public async Task Full_and_paused_partition_leaves_room_for_the_others()
    {
        const int BufferBytes = 1 << 20;
        var topic = await NewTopicAsync(2);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        for (var number = 0; number < 400; number++) Send(producer, target, 0, $"{number}", new string('x', 10_000), 1);
        producer.Flush(Token);
        using var consumer = Cluster.CreateConsumer(new ConsumerOptions { ClientId = NewName(), MaxBufferedBytes = BufferBytes });
        consumer.Assign([new TopicPartitionOffset(new TopicPartition(topic, 0), 0), new TopicPartitionOffset(new TopicPartition(topic, 1), 0)]);

        // A fetch of the first one alone would fill the whole buffer, and the next one is sent off when a batch is taken out.
        for (var number = 0; number < 3; number++) PollOrFail(consumer).Dispose();
        consumer.Pause([new TopicPartition(topic, 0)]);
        for (var number = 0; number < 3; number++)
        {
            Send(producer, target, 1, $"{number}", "v", 1);
            producer.Flush(Token);
            Assert.Equal($"{number}", Assert.Single(Read(consumer, 1)).Key);
        }
    }

    [Fact]
    public async Task Pausing_and_resuming_at_random_keeps_the_order_of_every_partition()
    {
        const int Partitions = 3;
        const int PerPartition = 3_000;
        var topic = await NewTopicAsync(Partitions);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        for (var number = 0; number < PerPartition; number++)
        {
            for (var partition = 0; partition < Partitions; partition++) Send(producer, target, partition, "key", $"{number}", 1);
            if (number % 100 == 99) producer.Flush(Token);
        }

        producer.Flush(Token);
        var seed = Environment.ProcessId;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var consumer = NewConsumer();
        var all = Enumerable.Range(0, Partitions).Select(partition => new TopicPartition(topic, partition)).ToList();
        consumer.Assign([.. all.Select(partition => new TopicPartitionOffset(partition, 0))]);
        var paused = new HashSet<TopicPartition>();
        var next = all.ToDictionary(partition => partition, _ => 0L);
        while (next.Values.Any(offset => offset < PerPartition))
        {
            var partition = all[random.Next(Partitions)];
            if (paused.Remove(partition)) consumer.Resume([partition]);
            else if (paused.Count < Partitions - 1 && paused.Add(partition)) consumer.Pause([partition]);
            using var batch = consumer.Poll(TimeSpan.FromMilliseconds(5));
            for (var index = 0; index < (batch?.Count ?? 0); index++) Assert.Equal(next[batch!.Partition]++, batch[index].Offset);
        }
    }

    [Fact]
    public async Task Assigning_again_moves_the_position_both_ways()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        for (var number = 0; number < 50; number++) Send(producer, target, 0, "k", $"{number}", 1);
        producer.Flush(Token);

        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(partition, 40)]);
        Assert.Equal(40, Read(consumer, 10)[0].Offset);
        consumer.Assign([new TopicPartitionOffset(partition, 10)]);
        Assert.Equal(10, Read(consumer, 40)[0].Offset);
        consumer.Assign([new TopicPartitionOffset(partition, 49)]);
        Assert.Equal(49, Read(consumer, 1)[0].Offset);

        consumer.Assign([new TopicPartitionOffset(partition, 0)]);
        consumer.Unassign([partition]);
        Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(50)));
        Assert.Null(consumer.CachedEndOffset(partition));
    }

    [Fact]
    public async Task End_offset_is_known_after_reading_to_the_end()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        for (var number = 0; number < 7; number++) Send(producer, target, 0, "k", "v", 1);
        producer.Flush(Token);
        Assert.Equal(7, (await Admin.EndOffsetsAsync([partition], false, Token))[partition]);
        Assert.Equal(7, (await Admin.EndOffsetsAsync([partition], true, Token))[partition]);
        Assert.Equal(0, (await Admin.BeginningOffsetsAsync([partition], Token))[partition]);

        foreach (var readCommitted in new[] { false, true })
        {
            using var consumer = NewConsumer(readCommitted);
            Assert.Null(consumer.CachedEndOffset(partition));
            consumer.Assign([new TopicPartitionOffset(partition, 0)]);
            Read(consumer, 7);
            Assert.Equal(7, consumer.CachedEndOffset(partition));
        }
    }

    [Fact]
    public async Task Offset_outside_the_log_is_an_error_with_coordinates()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(partition, 1_000)]);
        var failure = Assert.Throws<OffsetOutOfRangeException>(() => PollRecords(consumer, Patience));
        Assert.Equal(partition, failure.Partition);
        Assert.Equal(1_000, failure.Offset);

        // Once: said again later it would move a reader back that has moved on.
        for (var round = 0; round < 3; round++) Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(200)));

        // And the consumer is still of use.
        consumer.Assign([new TopicPartitionOffset(partition, 0)]);
        using var producer = NewProducer();
        Send(producer, producer.GetTopic(topic), 0, "k", "v", 1);
        producer.Flush(Token);
        Assert.Equal(0, Read(consumer, 1)[0].Offset);
    }

    /// <summary>What was fetched before the log lost its beginning is still given out, and nothing is said any more about a position that was given up.</summary>
    [Fact]
    public async Task Out_of_range_comes_after_what_was_fetched_and_ends_with_its_assignment()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        for (var number = 0; number < 20; number++) Send(producer, target, 0, "k", "v", 1);
        producer.Flush(Token);
        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(partition, 0)]);
        Assert.Equal(20, Read(consumer, 20).Count);
        for (var round = 0; round < 20; round++)
        {
            consumer.Assign([new TopicPartitionOffset(partition, 1_000)]);
            if (round % 2 == 0 && Record.Exception(() => PollRecords(consumer, TimeSpan.FromMilliseconds(round % 4))) is { } told) Assert.IsType<OffsetOutOfRangeException>(told);
            consumer.Assign([new TopicPartitionOffset(partition, 5)]);
            Assert.Equal(5, Read(consumer, 15)[0].Offset);
        }
    }

    [Fact]
    public async Task Partition_that_is_moved_stays_paused()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var producer = NewProducer();
        Send(producer, producer.GetTopic(topic), 0, "k", "v", 1);
        Send(producer, producer.GetTopic(topic), 0, "k", "w", 1);
        producer.Flush(Token);
        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(partition, 0)]);
        Assert.Equal(2, Read(consumer, 2).Count);
        consumer.Pause([partition]);
        consumer.Assign([new TopicPartitionOffset(partition, 1)]);
        for (var round = 0; round < 3; round++) Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(100)));
        consumer.Resume([partition]);
        Assert.Equal(1, Read(consumer, 1)[0].Offset);
    }

    [Fact]
    public async Task Deleted_records_move_the_beginning()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        for (var number = 0; number < 10; number++) Send(producer, target, 0, "k", "v", 1_000 * (number + 1));
        producer.Flush(Token);
        await Admin.DeleteRecordsAsync([new TopicPartitionOffset(partition, 4)], Token);
        Assert.Equal(4, (await Admin.BeginningOffsetsAsync([partition], Token))[partition]);
        Assert.Equal(6, (await Admin.OffsetsForTimeAsync([partition], DateTimeOffset.FromUnixTimeMilliseconds(6_500), Token))[partition]);
        Assert.Equal(10, (await Admin.OffsetsForTimeAsync([partition], DateTimeOffset.FromUnixTimeMilliseconds(60_500), Token))[partition]);
    }

    [Fact]
    public async Task Wake_ends_a_waiting_poll()
    {
        var topic = await NewTopicAsync(1);
        using var consumer = NewConsumer();
        consumer.Assign([new TopicPartitionOffset(new TopicPartition(topic, 0), 0)]);
        var polling = Task.Factory.StartNew(
            () =>
            {
                // An empty batch that only moves the position is no record and no wake-up.
                while (consumer.Poll(Timeout.InfiniteTimeSpan) is { } batch) batch.Dispose();
            },
            Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        consumer.Wake();
        await polling.WaitAsync(Patience, Token);
    }

    [Fact]
    public void Unknown_topic_is_refused_by_the_producer()
    {
        using var producer = NewProducer();
        Assert.Throws<ProductionException>(() => producer.GetTopic(NewName()));
    }

    [Fact]
    public async Task Record_too_large_for_the_topic_fails_the_next_flush()
    {
        var topic = NewName();
        await Admin.CreateTopicsAsync([new NewTopic(topic, 1, 1, new Dictionary<string, string> { ["max.message.bytes"] = "1000" })], Token);
        await WaitForTopicAsync(topic);
        using var producer = NewProducer();
        var target = producer.GetTopic(topic);
        var failure = Assert.Throws<ProductionException>(() =>
        {
            Send(producer, target, 0, "k", new string('x', 5_000), 1);
            producer.Flush(Token);
        });
        Assert.Contains(topic, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_members_share_a_group_and_commit()
    {
        var topic = await NewTopicAsync(2);
        var group = NewName();
        await using var first = Cluster.CreateGroupCoordinator("first", group);
        var joined = await JoinAsync(first, GroupMembership.None(group), "one");
        Assert.Equal(GroupError.None, joined.Error);
        Assert.Equal(joined.LeaderId, joined.Membership.MemberId);
        Assert.Equal("test", joined.Protocol);
        Assert.Equal("one", Encoding.UTF8.GetString(Assert.Single(joined.Members).Value.Span));
        var synced = await first.SyncAsync(joined.Membership, new Dictionary<string, ReadOnlyMemory<byte>> { [joined.Membership.MemberId] = "all"u8.ToArray() }, Token);
        Assert.Equal(GroupError.None, synced.Error);
        Assert.Equal("all", Encoding.UTF8.GetString(synced.Assignment.Span));
        Assert.Equal(GroupError.None, await first.HeartbeatAsync(joined.Membership, Token));

        await using var second = Cluster.CreateGroupCoordinator("second", group);
        var joining = JoinAsync(second, GroupMembership.None(group), "two");
        await UntilAsync(async () => await first.HeartbeatAsync(joined.Membership, Token) == GroupError.RebalanceInProgress);
        var again = await JoinAsync(first, joined.Membership, "one");
        var other = await joining;
        Assert.Equal(again.Membership.GenerationId, other.Membership.GenerationId);
        var leader = again.LeaderId == again.Membership.MemberId ? (first, again) : (second, other);
        var follower = leader.Item1 == first ? (second, other) : (first, again);
        Assert.Equal(2, leader.Item2.Members.Count);
        Assert.Empty(follower.Item2.Members);
        var waiting = follower.Item1.SyncAsync(follower.Item2.Membership, new Dictionary<string, ReadOnlyMemory<byte>>(), Token);
        var assignments = leader.Item2.Members.ToDictionary(member => member.Key, member => member.Value);
        Assert.Equal(GroupError.None, (await leader.Item1.SyncAsync(leader.Item2.Membership, assignments, Token)).Error);
        Assert.Equal(follower.Item1 == first ? "one" : "two", Encoding.UTF8.GetString((await waiting).Assignment.Span));

        var partition = new TopicPartition(topic, 1);
        var commit = new OffsetCommit(partition, 42, "some text");
        Assert.Equal(GroupError.None, await first.CommitOffsetsAsync(again.Membership, [commit], Token));
        Assert.Equal(GroupError.IllegalGeneration, await first.CommitOffsetsAsync(joined.Membership, [commit], Token));
        Assert.Equal(GroupError.UnknownMemberId, await first.CommitOffsetsAsync(again.Membership with { MemberId = "nobody" }, [commit], Token));
        var fetched = await second.FetchOffsetsAsync([partition, new TopicPartition(topic, 0)], Token);
        Assert.Equal(commit, Assert.Single(fetched).Value);

        await second.LeaveAsync(other.Membership, Token);
        await second.LeaveAsync(other.Membership, Token);
        Assert.Equal(GroupError.UnknownMemberId, await second.HeartbeatAsync(other.Membership, Token));
        Assert.Equal(GroupError.RebalanceInProgress, await first.HeartbeatAsync(again.Membership, Token));
        await first.LeaveAsync(again.Membership, Token);
    }

    [Fact]
    public async Task Transaction_becomes_visible_as_a_whole_and_an_aborted_one_never()
    {
        var topic = await NewTopicAsync(2);
        using var producer = NewProducer(NewName());
        producer.InitTransactions(Token);
        var target = producer.GetTopic(topic);
        foreach (var (text, commits) in new[] { ("first", true), ("second", false), ("third", true) })
        {
            producer.BeginTransaction();
            for (var number = 0; number < 10; number++) Send(producer, target, number % 2, text, $"{number}", 1);
            producer.Flush(Token);
            if (commits) producer.CommitTransaction(Token);
            else producer.AbortTransaction(Token);
        }

        // Read by a client that sees everything, the aborted ones are there; by one that reads what is committed they are not.
        using var all = NewAssigned(topic, readCommitted: false);
        Assert.Equal(30, Read(all, 30).Count);
        using var consumer = NewAssigned(topic, readCommitted: true);
        var committed = Read(consumer, 20);
        Assert.Equal(10, committed.Count(record => record.Key == "first"));
        Assert.Equal(10, committed.Count(record => record.Key == "third"));
    }

    /// <summary>Brokers list aborted transactions in the order in which they ended.</summary>
    [Fact]
    public async Task Aborted_transactions_that_overlap_are_never_visible()
    {
        var topic = await NewTopicAsync(1);
        using var outer = NewProducer(NewName());
        using var inner = NewProducer(NewName());
        using var committing = NewProducer(NewName());
        IRecordProducer[] producers = [outer, committing, inner];
        foreach (var producer in producers)
        {
            producer.InitTransactions(Token);
            producer.BeginTransaction();
            Send(producer, producer.GetTopic(topic), 0, producer == committing ? "kept" : "given up", "v", 1);
            producer.Flush(Token);
        }

        inner.AbortTransaction(Token);
        Send(outer, outer.GetTopic(topic), 0, "given up", "v", 1);
        outer.Flush(Token);
        committing.CommitTransaction(Token);
        outer.AbortTransaction(Token);
        committing.BeginTransaction();
        Send(committing, committing.GetTopic(topic), 0, "last", "v", 1);
        committing.CommitTransaction(Token);

        using var consumer = NewAssigned(topic, readCommitted: true);
        Assert.Equal(["kept", "last"], Read(consumer, 2).Select(record => record.Key));
    }

    [Fact]
    public async Task Open_transaction_holds_back_what_comes_after_it()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var transactional = NewProducer(NewName());
        transactional.InitTransactions(Token);
        transactional.BeginTransaction();
        Send(transactional, transactional.GetTopic(topic), 0, "in", "side", 1);
        transactional.Flush(Token);
        using var plain = NewProducer();
        Send(plain, plain.GetTopic(topic), 0, "out", "side", 1);
        plain.Flush(Token);
        Assert.Equal(0, (await Admin.EndOffsetsAsync([partition], true, Token))[partition]);
        Assert.Equal(2, (await Admin.EndOffsetsAsync([partition], false, Token))[partition]);
        using var consumer = NewAssigned(topic, readCommitted: true);
        Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(50)));

        transactional.CommitTransaction(Token);
        Assert.Equal(["in", "out"], Read(consumer, 2).Select(record => record.Key));
    }

    /// <summary>E-103: what is restored ends behind markers and aborted records.</summary>
    [Fact]
    public async Task Position_passes_markers_and_aborted_records()
    {
        var topic = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        using var producer = NewProducer(NewName());
        producer.InitTransactions(Token);
        var target = producer.GetTopic(topic);
        producer.BeginTransaction();
        Send(producer, target, 0, "k", "kept", 1);
        producer.CommitTransaction(Token);
        producer.BeginTransaction();
        Send(producer, target, 0, "k", "given up", 1);
        producer.Flush(Token);
        producer.AbortTransaction(Token);
        var end = (await Admin.EndOffsetsAsync([partition], false, Token))[partition];
        Assert.Equal(4, end);

        using var consumer = NewAssigned(topic, readCommitted: true);
        var records = new List<string?>();
        for (var position = 0L; position < end;)
        {
            using var batch = consumer.Poll(Patience);
            Assert.NotNull(batch);
            for (var index = 0; index < batch.Count; index++) records.Add(Encoding.UTF8.GetString(batch.Value(index)));
            position = batch.NextOffset;
        }

        Assert.Equal(["kept"], records);
    }

    [Fact]
    public async Task Offsets_of_a_transaction_count_when_it_is_committed()
    {
        var topic = await NewTopicAsync(1);
        var output = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        var group = NewName();
        await using var coordinator = Cluster.CreateGroupCoordinator("member", group);
        var membership = await JoinAloneAsync(coordinator, group);
        using var producer = NewProducer(NewName());
        producer.InitTransactions(Token);
        var target = producer.GetTopic(output);
        foreach (var (offset, commits) in new[] { (10, true), (20, false), (30, true) })
        {
            producer.BeginTransaction();
            Send(producer, target, 0, "k", "v", 1);
            producer.Flush(Token);
            producer.SendOffsetsToTransaction([new OffsetCommit(partition, offset, $"at {offset}")], membership, Token);
            if (commits) producer.CommitTransaction(Token);
            else producer.AbortTransaction(Token);
            var expected = commits ? offset : 10;
            Assert.Equal(new OffsetCommit(partition, expected, $"at {expected}"), (await coordinator.FetchOffsetsAsync([partition], Token))[partition]);
        }

        // Offsets alone are a transaction too.
        producer.BeginTransaction();
        producer.SendOffsetsToTransaction([new OffsetCommit(partition, 40, "")], membership, Token);
        producer.CommitTransaction(Token);
        Assert.Equal(40, (await coordinator.FetchOffsetsAsync([partition], Token))[partition].Offset);
        await coordinator.LeaveAsync(membership, Token);
    }

    /// <summary>E-107: the offsets of a member whose generation is over are refused, and what it wrote with them is never seen (KIP-447).</summary>
    [Fact]
    public async Task Member_of_an_earlier_generation_cannot_commit_its_transaction()
    {
        var topic = await NewTopicAsync(1);
        var output = await NewTopicAsync(1);
        var partition = new TopicPartition(topic, 0);
        var group = NewName();
        await using var coordinator = Cluster.CreateGroupCoordinator("member", group);
        var old = await JoinAloneAsync(coordinator, group);
        using (var producer = NewProducer(NewName()))
        {
            producer.InitTransactions(Token);
            producer.BeginTransaction();
            Send(producer, producer.GetTopic(output), 0, "k", "zombie", 1);
            producer.Flush(Token);
            var current = await JoinAloneAsync(coordinator, group, old);
            Assert.True(current.GenerationId > old.GenerationId);
            Assert.Throws<TaskMigratedException>(() =>
            {
                producer.SendOffsetsToTransaction([new OffsetCommit(partition, 10, "")], old, Token);
                producer.CommitTransaction(Token);
            });
            producer.AbortTransaction(Token);
            await coordinator.LeaveAsync(current, Token);
        }

        Assert.Empty(await coordinator.FetchOffsetsAsync([partition], Token));
        using var consumer = NewAssigned(output, readCommitted: true);
        Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(50)));
    }

    [Fact]
    public async Task Newer_producer_of_the_same_transactional_id_fences_the_older_one_and_ends_its_transaction()
    {
        var topic = await NewTopicAsync(1);
        var transactionalId = NewName();
        using var older = NewProducer(transactionalId);
        older.InitTransactions(Token);
        older.BeginTransaction();
        Send(older, older.GetTopic(topic), 0, "k", "older", 1);
        older.Flush(Token);

        using var newer = NewProducer(transactionalId);
        newer.InitTransactions(Token);
        newer.BeginTransaction();
        Send(newer, newer.GetTopic(topic), 0, "k", "newer", 1);
        newer.CommitTransaction(Token);
        Assert.Throws<TaskMigratedException>(() =>
        {
            Send(older, older.GetTopic(topic), 0, "k", "older still", 1);
            older.Flush(Token);
            older.CommitTransaction(Token);
        });

        using var consumer = NewAssigned(topic, readCommitted: true);
        Assert.Equal("newer", Assert.Single(Read(consumer, 1)).Value);
        Assert.Null(PollRecords(consumer, TimeSpan.FromMilliseconds(50)));
    }

    protected IRecordProducer NewProducer(string? transactionalId = null) => Cluster.CreateProducer(new ProducerOptions
    {
        ClientId = "contract",
        TransactionalId = transactionalId,
        Linger = TimeSpan.FromMilliseconds(5),
    });

    protected IRecordConsumer NewConsumer(bool readCommitted = false) => Cluster.CreateConsumer(new ConsumerOptions { ClientId = "contract", ReadCommitted = readCommitted });

    private IRecordConsumer NewAssigned(string topic, bool readCommitted)
    {
        var consumer = NewConsumer(readCommitted);
        var partitions = Admin.DescribeTopicsAsync([topic], Token).GetAwaiter().GetResult()[topic];
        consumer.Assign([.. Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(new TopicPartition(topic, partition), 0))]);
        return consumer;
    }

    private static async Task<GroupMembership> JoinAloneAsync(IGroupCoordinator coordinator, string group, GroupMembership? again = null)
    {
        var joined = await JoinAsync(coordinator, again ?? GroupMembership.None(group), "alone");
        Assert.Equal(GroupError.None, joined.Error);
        await coordinator.SyncAsync(joined.Membership, new Dictionary<string, ReadOnlyMemory<byte>> { [joined.Membership.MemberId] = "all"u8.ToArray() }, Token);
        return joined.Membership;
    }

    protected async Task<string> NewTopicAsync(int partitions)
    {
        var topic = NewName();

        // Records of these tests are from 1970: a cluster that looks for old ones just then would take them away.
        await Admin.CreateTopicsAsync([new NewTopic(topic, partitions, 1, new Dictionary<string, string> { ["retention.ms"] = "-1" })], Token);
        await WaitForTopicAsync(topic);
        return topic;
    }

    /// <summary>A name that no other test, also of an earlier run on the same cluster, has used.</summary>
    protected static string NewName() => $"contract-{Guid.NewGuid():N}-{Interlocked.Increment(ref s_topics)}";

    protected static void Send(IRecordProducer producer, ProducerTopic topic, int partition, string? key, string? value, long timestamp, Headers? headers = null) =>
        producer.Send(topic, partition, new OutgoingRecord(
            key is null ? default : Encoding.UTF8.GetBytes(key), key is not null, value is null ? default : Encoding.UTF8.GetBytes(value), value is not null, timestamp, headers));

    protected static List<Got> Read(IRecordConsumer consumer, int count)
    {
        var records = new List<Got>();
        while (records.Count < count)
        {
            using var batch = PollOrFail(consumer);
            Collect(batch, records);
        }

        Assert.Equal(count, records.Count);
        return records;
    }

    /// <summary>The next batch that has records; <c>null</c> when none comes in time.</summary>
    protected static RecordBatch? PollRecords(IRecordConsumer consumer, TimeSpan timeout)
    {
        while (consumer.Poll(timeout) is { } batch)
        {
            if (batch.Count > 0) return batch;
            batch.Dispose();
        }

        return null;
    }

    private static RecordBatch Poll(IRecordConsumer consumer) => PollOrFail(consumer);

    private static RecordBatch PollOrFail(IRecordConsumer consumer)
    {
        var batch = PollRecords(consumer, Patience);
        Assert.NotNull(batch);
        return batch;
    }

    private static void Collect(RecordBatch batch, List<Got> records)
    {
        using (batch)
        {
            for (var index = 0; index < batch.Count; index++)
            {
                ref readonly var slice = ref batch[index];
                records.Add(new Got(
                    batch.Partition,
                    slice.Offset,
                    slice.Timestamp,
                    slice.HasKey ? Encoding.UTF8.GetString(batch.Key(index)) : null,
                    slice.HasValue ? Encoding.UTF8.GetString(batch.Value(index)) : null,
                    batch.Headers(index)));
                Assert.True(batch.NextOffset > slice.Offset);
            }
        }
    }

    private static Task<JoinGroupResult> JoinAsync(IGroupCoordinator coordinator, GroupMembership membership, string metadata) => coordinator.JoinAsync(
        new JoinGroupCall(membership, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20), "consumer", [KeyValuePair.Create("test", (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(metadata))]),
        Token);

    private async Task<int> WaitForTopicAsync(string topic)
    {
        var count = 0;
        await UntilAsync(async () => (await Admin.DescribeTopicsAsync([topic], Token)).TryGetValue(topic, out count));
        return count;
    }

    // Asks a live cluster until it says so; the asking itself is the pace.
    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        while (!await condition()) patience.Token.ThrowIfCancellationRequested();
    }

    /// <summary>A record that was read.</summary>
    protected sealed record Got(TopicPartition Partition, long Offset, long Timestamp, string? Key, string? Value, Headers? Headers);
}
