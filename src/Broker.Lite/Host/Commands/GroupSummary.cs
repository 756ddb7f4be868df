using Broker.Lite.Host.Client;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Commands;

/// <summary>What a group with either protocol is doing, and which member has which partition.</summary>
internal sealed record GroupSummary(string State, string Protocol, int MemberCount, IReadOnlyDictionary<TopicPartitionName, GroupSummary.Owner> Owners)
{
    /// <summary>The member that a partition is assigned to.</summary>
    internal readonly record struct Owner(string MemberId, string Host, string ClientId);

    /// <summary>Asks the coordinator. The consumer protocol has a request of its own (KIP-848), to which a group with the classic one, or none at all, is not found.</summary>
    public static async Task<GroupSummary> ReadAsync(WireConnection coordinator, string name, CancellationToken cancellationToken)
    {
        if (coordinator.Supports<ConsumerGroupDescribeResponse>())
        {
            var answer = await coordinator.SendAsync(_ => new ConsumerGroupDescribeRequest { GroupIds = [name] }, cancellationToken).ConfigureAwait(false);
            var group = answer.Groups.Single();
            // Kafka 3.7 to 3.9 list the request also where the protocol is switched off.
            if (group.ErrorCode is not (ErrorCode.GroupIdNotFound or ErrorCode.UnsupportedVersion))
            {
                ClusterClient.Check(group.ErrorCode, group.ErrorMessage, $"Group {name}");
                return new(group.GroupState, group.AssignorName, group.Members.Count, OwnersOf(group));
            }
        }

        var classic = (await coordinator.SendAsync(_ => new DescribeGroupsRequest { Groups = [name] }, cancellationToken).ConfigureAwait(false)).Groups.Single();
        ClusterClient.Check(classic.ErrorCode, null, $"Group {name}");
        return new(classic.GroupState, classic.ProtocolData, classic.Members.Count, OwnersOf(classic));
    }

    private static Dictionary<TopicPartitionName, Owner> OwnersOf(ConsumerGroupDescribeResponse.DescribedGroup group)
    {
        var owners = new Dictionary<TopicPartitionName, Owner>();
        foreach (var member in group.Members)
        {
            foreach (var topic in member.Assignment.TopicPartitions)
            {
                foreach (var partition in topic.Partitions)
                    owners[new(topic.TopicName, partition)] = new(member.MemberId, member.ClientHost, member.ClientId);
            }
        }

        return owners;
    }

    private static Dictionary<TopicPartitionName, Owner> OwnersOf(DescribeGroupsResponse.DescribedGroup group)
    {
        var owners = new Dictionary<TopicPartitionName, Owner>();
        if (group.ProtocolType != "consumer")
            return owners;
        foreach (var member in group.Members.Where(member => !member.MemberAssignment.IsEmpty))
        {
            try
            {
                foreach (var topic in VersionedPayload.Decode<ConsumerProtocolAssignment>(member.MemberAssignment, ConsumerProtocolAssignment.Versions, out _).AssignedPartitions)
                {
                    foreach (var partition in topic.Partitions)
                        owners[new(topic.Topic, partition)] = new(member.MemberId, member.ClientHost, member.ClientId);
                }
            }
            catch (ProtocolException)
            {
                // The assignment is the clients' own; one in another form has no partitions to show.
            }
        }

        return owners;
    }
}
