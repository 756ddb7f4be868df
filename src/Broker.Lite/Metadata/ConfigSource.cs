namespace Broker.Lite.Metadata;

/// <summary>Where a configuration value comes from, with the numbers of DescribeConfigs and CreateTopics.</summary>
internal enum ConfigSource : sbyte
{
    Topic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
    Group = 8,
}
