using System.Text;
using Broker.Lite;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Calls of the cluster that have no answer, each found by the simulation.</summary>
public sealed class UnansweredTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>What was sent and not answered is sent again as it was, and what came since follows: nothing is lost, doubled or out of order.</summary>
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, null)]
    [InlineData(true, "t")]
    [InlineData(false, "t")]
    public async Task Producer_keeps_what_has_no_answer_and_sends_it_again_unchanged(bool arrives, string? transactionalId)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "out", 1);
        var connection = new LossyConnection(cluster.Broker.Connect("test"));
        using var producer = new EmbeddedProducer(connection, new ProducerOptions { ClientId = "test", TransactionalId = transactionalId }, TimeProvider.System);
        var topic = producer.GetTopic("out");
        if (transactionalId is not null)
        {
            producer.InitTransactions(CancellationToken.None);
            producer.BeginTransaction();
        }

        for (var round = 0; round < 3; round++)
        {
            Send(producer, topic, $"{round}a");
            Send(producer, topic, $"{round}b");
            connection.Loses = arrives ? Loss.Reply : Loss.Request;
            Assert.Throws<ClusterUnavailableException>(() => producer.Flush(CancellationToken.None));

            // Once more while there is something new, and the old is refused an answer again.
            Send(producer, topic, $"{round}c");
            connection.Loses = arrives ? Loss.Request : Loss.Reply;
            Assert.Throws<ClusterUnavailableException>(() => producer.Flush(CancellationToken.None));
            Send(producer, topic, $"{round}d");
            producer.Flush(CancellationToken.None);
        }

        if (transactionalId is not null) producer.CommitTransaction(CancellationToken.None);
        Assert.Equal(["0a", "0b", "0c", "0d", "1a", "1b", "1c", "1d", "2a", "2b", "2c", "2d"], TestTopics.ReadCommitted(cluster, "out").Select(record => record.Value));
    }

    /// <summary>A transaction that is given up while it is not known whether the broker has its records: the next one begins with new numbers.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Transaction_after_one_with_an_unanswered_send_holds_only_its_own_records(bool arrives)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "out", 1);
        var connection = new LossyConnection(cluster.Broker.Connect("test"));
        using var producer = new EmbeddedProducer(connection, new ProducerOptions { ClientId = "test", TransactionalId = "t" }, TimeProvider.System);
        var topic = producer.GetTopic("out");
        producer.InitTransactions(CancellationToken.None);
        producer.BeginTransaction();
        Send(producer, topic, "given up");
        connection.Loses = arrives ? Loss.Reply : Loss.Request;
        Assert.Throws<ClusterUnavailableException>(() => producer.Flush(CancellationToken.None));
        producer.AbortTransaction(CancellationToken.None);
        producer.BeginTransaction();
        Send(producer, topic, "kept");
        producer.CommitTransaction(CancellationToken.None);
        Assert.Equal(["kept"], TestTopics.ReadCommitted(cluster, "out").Select(record => record.Value));
    }

    /// <summary>Where to go on after an out-of-range position is asked again when there is no answer, and no longer when the application closes.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Looking_for_a_start_without_an_answer_ends_neither_the_application_nor_its_close_with_an_error(bool closesMeanwhile)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "in", 1);
        await TestTopics.CreateAsync(cluster, "out", 1);
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").To("out");
        var outOfRange = new OutOfRangeCluster(cluster) { IsSilent = closesMeanwhile };
        await using var app = new KafkaStreams(builder.Build(), new StreamsConfig { ApplicationId = "app", Cluster = outOfRange, CommitInterval = TimeSpan.FromMilliseconds(20) });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        TestTopics.Produce(cluster, "in", [("k", "1")]);
        await outOfRange.Asked.WaitAsync(_patience, TestContext.Current.CancellationToken);
        if (!closesMeanwhile) await TestTopics.WaitForCountAsync(cluster, "out", 1, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
    }

    private static void Send(EmbeddedProducer producer, ProducerTopic topic, string value) =>
        producer.Send(topic, 0, new OutgoingRecord("k"u8, true, Encoding.UTF8.GetBytes(value), true, 1_700_000_000_000, null));

    private enum Loss
    {
        Nothing,
        Request,
        Reply,
    }

    private sealed class LossyConnection(LocalConnection connection) : BrokerConnection(connection)
    {
        /// <summary>What happens to the next produce request.</summary>
        public Loss Loses { get; set; }

        public override async Task<TResponse> AskAsync<TResponse>(IRequest<TResponse> request, CancellationToken cancellationToken)
        {
            var loses = request is ProduceRequest ? Loses : Loss.Nothing;
            if (request is ProduceRequest) Loses = Loss.Nothing;
            if (loses == Loss.Request) throw new ClusterUnavailableException("for the test");
            var response = await base.AskAsync(request, cancellationToken);
            return loses == Loss.Reply ? throw new ClusterUnavailableException("for the test") : response;
        }
    }

    /// <summary>A cluster whose first batch is out of range; asked where to go on it has no answer at first, or none until it is cancelled.</summary>
    private sealed class OutOfRangeCluster(ICluster inner) : ICluster
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _thrown;

        public bool IsSilent { get; init; }

        public Task Asked => _asked.Task;

        public string Description => inner.Description;

        public IRecordConsumer CreateConsumer(ConsumerOptions options) => new Consumer(this, inner.CreateConsumer(options));

        public IRecordProducer CreateProducer(ProducerOptions options) => inner.CreateProducer(options);

        public IClusterAdmin CreateAdmin(string clientId) => new Admin(this, inner.CreateAdmin(clientId));

        public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => inner.CreateGroupCoordinator(clientId, groupId);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private sealed class Consumer(OutOfRangeCluster cluster, IRecordConsumer inner) : IRecordConsumer
        {
            public void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions) => inner.Assign(partitions);

            public void Unassign(IReadOnlyCollection<TopicPartition> partitions) => inner.Unassign(partitions);

            public void Pause(IReadOnlyCollection<TopicPartition> partitions) => inner.Pause(partitions);

            public void Resume(IReadOnlyCollection<TopicPartition> partitions) => inner.Resume(partitions);

            public RecordBatch? Poll(TimeSpan timeout)
            {
                var batch = inner.Poll(timeout);
                if (batch is null || cluster._thrown) return batch;
                cluster._thrown = true;
                batch.Dispose();
                throw new OffsetOutOfRangeException(batch.Partition, 0);
            }

            public void Wake() => inner.Wake();

            public long? CachedEndOffset(TopicPartition partition) => inner.CachedEndOffset(partition);

            public void Dispose() => inner.Dispose();
        }

        private sealed class Admin(OutOfRangeCluster cluster, IClusterAdmin inner) : IClusterAdmin
        {
            public Task<IReadOnlyDictionary<string, int>> DescribeTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken) => inner.DescribeTopicsAsync(topics, cancellationToken);

            public Task<IReadOnlyCollection<string>> ListTopicsAsync(CancellationToken cancellationToken) => inner.ListTopicsAsync(cancellationToken);

            public Task CreateTopicsAsync(IReadOnlyCollection<NewTopic> topics, CancellationToken cancellationToken) => inner.CreateTopicsAsync(topics, cancellationToken);

            public Task DeleteTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken) => inner.DeleteTopicsAsync(topics, cancellationToken);

            public async Task<IReadOnlyDictionary<TopicPartition, long>> BeginningOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
            {
                if (cluster._thrown && cluster._asked.TrySetResult())
                {
                    if (cluster.IsSilent) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                    throw new ClusterUnavailableException("for the test");
                }

                return await inner.BeginningOffsetsAsync(partitions, cancellationToken);
            }

            public Task<IReadOnlyDictionary<TopicPartition, long>> EndOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, bool readCommitted, CancellationToken cancellationToken) =>
                inner.EndOffsetsAsync(partitions, readCommitted, cancellationToken);

            public Task<IReadOnlyDictionary<TopicPartition, long>> OffsetsForTimeAsync(IReadOnlyCollection<TopicPartition> partitions, DateTimeOffset time, CancellationToken cancellationToken) =>
                inner.OffsetsForTimeAsync(partitions, time, cancellationToken);

            public Task DeleteRecordsAsync(IReadOnlyCollection<TopicPartitionOffset> before, CancellationToken cancellationToken) => inner.DeleteRecordsAsync(before, cancellationToken);

            public void Dispose() => inner.Dispose();
        }
    }
}
