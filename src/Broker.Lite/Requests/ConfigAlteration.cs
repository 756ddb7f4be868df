using System.Globalization;
using Broker.Lite.Metadata;
using Kafka.Protocol;

namespace Broker.Lite.Requests;

/// <summary>
/// The common half of AlterConfigs and IncrementalAlterConfigs: find the resource, compute its new values, check and store them. Runs on
/// the loop.
/// </summary>
internal static class ConfigAlteration
{
    /// <summary>Turns the values set now into those to be set.</summary>
    public delegate (ErrorCode Error, string? Message) Change(
        IReadOnlyDictionary<string, ConfigKey> keys, Func<ConfigKey, string> effective, Dictionary<string, string?> values);

    public static (ErrorCode Error, string? Message) Apply(BrokerState broker, sbyte resourceType, string resourceName, bool validateOnly, Change change)
    {
        var view = broker.View;
        switch (resourceType)
        {
            case ConfigResourceType.Topic:
                if (view.Find(resourceName) is not { } topic)
                    return (ErrorCode.UnknownTopicOrPartition, "There is no such topic");
                var topicValues = Copy(topic.Configs);
                var result = change(TopicConfigKeys.All, key => view.Config.ForTopic(key, topic.Configs).Value, topicValues);
                return result.Error != ErrorCode.None ? result : broker.Catalog.SetTopicConfigs(topic, topicValues, validateOnly);

            case ConfigResourceType.Broker:
                if (resourceName.Length > 0 && resourceName != broker.BrokerId.ToString(CultureInfo.InvariantCulture))
                    return (ErrorCode.InvalidRequest, $"The only broker is {broker.BrokerId}");
                var brokerValues = Copy(view.Config.Dynamic);
                result = change(BrokerConfigKeys.All, key => view.Config.Text(key.Name), brokerValues);
                return result.Error != ErrorCode.None ? result : broker.Catalog.SetBrokerConfigs(brokerValues, validateOnly);

            case ConfigResourceType.Group:
                if (resourceName.Length == 0)
                    return (ErrorCode.InvalidRequest, "The group id is empty");
                var groupConfigs = view.ConfigsOfGroup(resourceName);
                var groupValues = Copy(groupConfigs);
                result = change(GroupConfigKeys.All, key => view.Config.ForResource(key, groupConfigs, ConfigSource.Group).Value, groupValues);
                return result.Error != ErrorCode.None ? result : broker.Catalog.SetGroupConfigs(resourceName, groupValues, validateOnly);

            default:
                return (ErrorCode.InvalidRequest, $"Resources of type {resourceType} have no configuration here");
        }
    }

    private static Dictionary<string, string?> Copy(IEnumerable<KeyValuePair<string, string>> values) =>
        values.ToDictionary(entry => entry.Key, entry => (string?)entry.Value, StringComparer.Ordinal);
}
