using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Requests;

/// <summary>Administration of what a single node has one of, or none.</summary>
public sealed class ClusterAdministrationTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Log_dirs_tell_the_size_of_each_log()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("a");
        await broker.CreateTopicAsync("b");
        byte[] batch = Batches.Of("value");
        await broker.Client.SendAsync(new ProduceRequest { Acks = -1, TopicData = [new() { Name = "a", PartitionData = [new() { Index = 0, Records = batch }] }] }, Cancelled);

        var all = Assert.Single((await broker.Client.SendAsync(new DescribeLogDirsRequest { Topics = null }, Cancelled)).Results);
        Assert.Equal(["a", "b"], all.Topics.Select(topic => topic.Name));
        Assert.Equal(batch.Length, all.Topics[0].Partitions[0].PartitionSize);
        Assert.Equal(0, all.Topics[1].Partitions[0].PartitionSize);

        var some = await broker.Client.SendAsync(new DescribeLogDirsRequest { Topics = [new() { Topic = "b", Partitions = [0, 7] }, new() { Topic = "none", Partitions = [0] }] }, Cancelled);
        var topic = Assert.Single(some.Results[0].Topics);
        Assert.Equal((0, 1), (topic.Partitions[0].PartitionIndex, topic.Partitions.Count));
    }

    [Fact]
    public async Task Log_dir_on_disk_has_a_volume_with_room()
    {
        var folder = Directory.CreateTempSubdirectory("broker-lite-");
        try
        {
            await using var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.FullName });
            var dir = Assert.Single((await broker.Client.SendAsync(new DescribeLogDirsRequest { Topics = null }, Cancelled)).Results);
            Assert.Equal(folder.FullName, dir.LogDir);
            Assert.InRange(dir.UsableBytes, 0, dir.TotalBytes);
            Assert.True(dir.TotalBytes > 0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Replica_moves_to_where_it_is_and_nowhere_else()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var response = await broker.Client.SendAsync(
            new AlterReplicaLogDirsRequest
            {
                Dirs =
                [
                    new() { Path = "memory", Topics = [new() { Name = "t", Partitions = [0, 1] }] },
                    new() { Path = "/elsewhere", Topics = [new() { Name = "t", Partitions = [0] }] },
                ],
            },
            Cancelled);
        Assert.Equal([ErrorCode.None, ErrorCode.UnknownTopicOrPartition], response.Results[0].Partitions.Select(result => result.ErrorCode));
        Assert.Equal(ErrorCode.LogDirNotFound, response.Results[1].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task Topic_partitions_come_in_pages()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var (name, partitions) in new[] { ("b", 3), ("a", 2), ("c", 1) })
        {
            await broker.Client.SendAsync(new CreateTopicsRequest { Topics = [new() { Name = name, NumPartitions = partitions, ReplicationFactor = 1 }] }, Cancelled);
        }

        var seen = new List<(string?, int)>();
        DescribeTopicPartitionsRequest.PageCursor? cursor = null;
        var pages = 0;
        do
        {
            var page = await broker.Client.SendAsync(new DescribeTopicPartitionsRequest { ResponsePartitionLimit = 2, Cursor = cursor }, Cancelled);
            seen.AddRange(page.Topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex))));
            cursor = page.NextCursor is { } next ? new() { TopicName = next.TopicName, PartitionIndex = next.PartitionIndex } : null;
            pages++;
        }
        while (cursor is not null);
        Assert.Equal([("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2), ("c", 0)], seen);
        Assert.Equal(3, pages);

        var unknown = await broker.Client.SendAsync(new DescribeTopicPartitionsRequest { Topics = [new() { Name = "x" }, new() { Name = ".." }] }, Cancelled);
        Assert.Equal([ErrorCode.InvalidTopicException, ErrorCode.UnknownTopicOrPartition], unknown.Topics.Select(topic => topic.ErrorCode));
        var none = await broker.Client.SendAsync(new DescribeTopicPartitionsRequest { Topics = [new() { Name = "a" }], ResponsePartitionLimit = 0 }, Cancelled);
        Assert.Equal(ErrorCode.InvalidRequest, none.Topics[0].ErrorCode);
    }

    [Fact]
    public async Task Elections_and_reassignments_have_their_errors()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var elected = await broker.Client.SendAsync(new ElectLeadersRequest { TopicPartitions = [new() { Topic = "t", Partitions = [0, 5] }] }, Cancelled);
        Assert.Equal([ErrorCode.ElectionNotNeeded, ErrorCode.UnknownTopicOrPartition], elected.ReplicaElectionResults[0].PartitionResult.Select(result => result.ErrorCode));
        Assert.Empty((await broker.Client.SendAsync(new ElectLeadersRequest { TopicPartitions = null }, Cancelled)).ReplicaElectionResults);
        Assert.Equal(ErrorCode.InvalidRequest, (await broker.Client.SendAsync(new ElectLeadersRequest { ElectionType = 2 }, Cancelled)).ErrorCode);

        var reassigned = await broker.Client.SendAsync(
            new AlterPartitionReassignmentsRequest
            {
                Topics =
                [
                    new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Replicas = [1] }, new() { PartitionIndex = 0, Replicas = [1, 2] }, new() { PartitionIndex = 0 }, new() { PartitionIndex = 9, Replicas = [1] }] },
                ],
            },
            Cancelled);
        Assert.Equal(
            [ErrorCode.None, ErrorCode.InvalidReplicaAssignment, ErrorCode.NoReassignmentInProgress, ErrorCode.UnknownTopicOrPartition],
            reassigned.Responses[0].Partitions.Select(result => result.ErrorCode));
        Assert.Empty((await broker.Client.SendAsync(new ListPartitionReassignmentsRequest(), Cancelled)).Topics);
    }

    [Fact]
    public async Task Features_cannot_be_switched()
    {
        await using var broker = await TestBroker.StartAsync();
        var response = await broker.Client.SendAsync(new UpdateFeaturesRequest { FeatureUpdates = [new() { Feature = "transaction.version", MaxVersionLevel = 2 }] }, Cancelled);
        Assert.Equal((ErrorCode.None, ErrorCode.InvalidUpdateVersion), (response.ErrorCode, response.Results[0].ErrorCode));
        Assert.Equal(ErrorCode.InvalidRequest, (await broker.Client.SendAsync(new UpdateFeaturesRequest { FeatureUpdates = [new() { Feature = "a" }, new() { Feature = "a" }] }, Cancelled)).ErrorCode);
    }
}
