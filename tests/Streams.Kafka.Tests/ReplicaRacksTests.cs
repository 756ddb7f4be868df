using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests;

public sealed class ReplicaRacksTests
{
    [Fact]
    public async Task Racks_of_replicas_are_those_of_the_brokers_that_are_there_and_say_one()
    {
        await using var broker = new ScriptedBroker((self, request, header) => request is MetadataRequest
            ? ScriptedBroker.Frame(
                new MetadataResponse
                {
                    ControllerId = 1,
                    Brokers =
                    [
                        new() { NodeId = 1, Host = "127.0.0.1", Port = self.Address.Port, Rack = "a" },
                        new() { NodeId = 2, Host = "127.0.0.1", Port = self.Address.Port, Rack = "b" },
                        new() { NodeId = 3, Host = "127.0.0.1", Port = self.Address.Port },
                    ],
                    Topics =
                    [
                        new()
                        {
                            Name = "in",
                            Partitions =
                            [
                                new() { PartitionIndex = 0, LeaderId = 1, ReplicaNodes = [1, 2], IsrNodes = [1] },
                                new() { PartitionIndex = 1, LeaderId = 2, ReplicaNodes = [2, 3, 9], IsrNodes = [2] },
                                new() { PartitionIndex = 2, LeaderId = 3, ReplicaNodes = [3], IsrNodes = [3] },
                            ],
                        },
                    ],
                },
                header)
            : null);
        await using var cluster = new KafkaCluster(broker.Address.ToString()!);
        using var admin = cluster.CreateAdmin("test");
        var racks = await admin.ReplicaRacksAsync(["in"], TestContext.Current.CancellationToken);
        Assert.Equal(["a", "b"], racks[new TopicPartition("in", 0)].Order());
        Assert.Equal(["b"], racks[new TopicPartition("in", 1)]);
        Assert.Empty(racks[new TopicPartition("in", 2)]);
        Assert.Empty(await admin.ReplicaRacksAsync([], TestContext.Current.CancellationToken));
    }
}
