using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Support;

/// <summary>A member of the consumer protocol (KIP-848) that does at each heartbeat what clients do, and remembers what it has.</summary>
internal sealed class TestConsumer(TestBroker broker, string group, string? instanceId = null)
{
    private bool _reportsOwned;

    public TestBroker Broker { get; set; } = broker;

    public string Id { get; set; } = Guid.NewGuid().ToString("D");

    public int Epoch { get; set; }

    public List<string> Topics { get; set; } = ["t"];

    public string? Regex { get; set; }

    public string? Assignor { get; set; }

    public int RebalanceTimeoutMs { get; set; } = 30_000;

    /// <summary>The partitions it works on: those of the last assignment, after it has given up the others.</summary>
    public HashSet<(Guid Topic, int Partition)> Owned { get; private set; } = [];

    /// <summary>The partition numbers it works on, of any topic.</summary>
    public int[] Numbers => [.. Owned.Select(one => one.Partition).Order()];

    /// <summary>Whether it ignores that it has to give something up.</summary>
    public bool IsStubborn { get; set; }

    public Task<ConsumerGroupHeartbeatResponse> SendAsync(bool full = false)
    {
        full |= Epoch == 0;
        return Broker.SendAsync(new ConsumerGroupHeartbeatRequest
        {
            GroupId = group,
            MemberId = Id,
            MemberEpoch = Epoch,
            InstanceId = instanceId,
            RebalanceTimeoutMs = full ? RebalanceTimeoutMs : -1,
            SubscribedTopicNames = full ? Topics : null,
            SubscribedTopicRegex = full ? Regex : null,
            ServerAssignor = full ? Assignor : null,
            TopicPartitions = full || _reportsOwned ? [.. Owned.GroupBy(one => one.Topic, one => one.Partition).Select(one => new ConsumerGroupHeartbeatRequest.TopicPartitionSet { TopicId = one.Key, Partitions = [.. one] })] : null,
        });
    }

    /// <summary>One heartbeat and what follows from its answer; a member that is out joins again with the next one.</summary>
    public async Task<ErrorCode> HeartbeatAsync(bool full = false)
    {
        var response = await SendAsync(full);
        if (response.ErrorCode is ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch)
            (Epoch, Owned) = (0, []);
        if (response.ErrorCode != ErrorCode.None)
            return response.ErrorCode;
        Epoch = response.MemberEpoch;
        _reportsOwned = false;
        if (response.Assignment is { } assignment)
        {
            var assigned = assignment.TopicPartitions.SelectMany(topic => topic.Partitions.Select(partition => (topic.TopicId, partition))).ToHashSet();
            if (!assigned.SetEquals(Owned) && !(IsStubborn && !Owned.IsSubsetOf(assigned)))
            {
                Owned = assigned;
                _reportsOwned = true;
            }
        }

        return response.ErrorCode;
    }

    public async Task<ErrorCode> LeaveAsync(bool forAWhile = false)
    {
        Epoch = forAWhile ? -2 : -1;
        var response = await SendAsync();
        (Epoch, Owned) = (0, []);
        return response.ErrorCode;
    }

    /// <summary>Heartbeats of all until nothing changes any more; no partition may ever have two owners.</summary>
    public static async Task SettleAsync(params TestConsumer[] consumers)
    {
        for (var quiet = 0; quiet < 2;)
        {
            quiet++;
            foreach (var consumer in consumers)
            {
                var before = (consumer.Epoch, Owned: consumer.Owned);
                Assert.Equal(ErrorCode.None, await consumer.HeartbeatAsync());
                if (before.Epoch != consumer.Epoch || !before.Owned.SetEquals(consumer.Owned))
                    quiet = 0;
                AssertOneOwnerEach(consumers);
            }
        }
    }

    public static void AssertOneOwnerEach(IEnumerable<TestConsumer> consumers)
    {
        var owners = consumers.SelectMany(consumer => consumer.Owned).ToList();
        Assert.Equal(owners.Count, owners.Distinct().Count());
    }
}
