using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Coordination;

/// <summary>The one place where the coordinator looks into members' bytes: which topics consumers subscribe to.</summary>
internal static class ConsumerSubscription
{
    /// <summary>The protocol type whose metadata is a ConsumerProtocolSubscription.</summary>
    public const string ProtocolType = "consumer";

    /// <summary>
    /// All topics any member of a consumer group subscribes to. Metadata that is none (allowed: it is opaque) names no topics.
    /// </summary>
    public static HashSet<string> TopicsOf(Group group)
    {
        var topics = new HashSet<string>(StringComparer.Ordinal);
        if (group.Consumer is not null)
            topics.UnionWith(group.Consumer.Members.Values.SelectMany(member => member.Topics));
        foreach (var protocol in group.Members.SelectMany(member => member.Protocols))
        {
            try
            {
                topics.UnionWith(VersionedPayload.Decode<ConsumerProtocolSubscription>(protocol.Metadata, ConsumerProtocolSubscription.Versions, out _).Topics);
            }
            catch (ProtocolException)
            {
                // Opaque by contract: only its owner can say whether it is wrong.
            }
        }

        return topics;
    }
}
