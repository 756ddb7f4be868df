using System.Collections.Immutable;
using System.Globalization;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>
/// DescribeConfigs (32): every setting of topics, groups and the broker, with its value, where the value comes from and what lies under it.
/// </summary>
/// <remarks>v0: only whether a value is the default. v1: source and synonyms (KIP-226). v3: type and documentation (KIP-569).</remarks>
internal sealed class DescribeConfigsHandler(BrokerState broker) : RequestHandler<DescribeConfigsRequest, DescribeConfigsResponse>(0, 4)
{
    protected override ValueTask<DescribeConfigsResponse?> HandleAsync(DescribeConfigsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        return ValueTask.FromResult<DescribeConfigsResponse?>(new DescribeConfigsResponse
        {
            Results = request.Resources.ConvertAll(resource => Describe(resource, request, context.Version, view)),
        });
    }

    private DescribeConfigsResponse.DescribeConfigsResult Describe(
        DescribeConfigsRequest.DescribeConfigsResource resource, DescribeConfigsRequest request, short version, ClusterView view)
    {
        var result = new DescribeConfigsResponse.DescribeConfigsResult
        {
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
            ErrorMessage = null,
        };
        var wanted = resource.ConfigurationKeys is { } keys ? new HashSet<string>(keys, StringComparer.Ordinal) : null;
        switch (resource.ResourceType)
        {
            case ConfigResourceType.Topic when view.Find(resource.ResourceName) is { } topic:
                foreach (var key in TopicConfigKeys.All.Values.Where(key => wanted is null || wanted.Contains(key.Name)))
                    result.Configs.Add(Entry(key, LayersOver(key, topic.Configs, ConfigSource.Topic, view.Config), readOnly: false, request, version));
                break;

            case ConfigResourceType.Topic:
                (result.ErrorCode, result.ErrorMessage) = TopicName.Fault(resource.ResourceName) is { } fault
                    ? (ErrorCode.InvalidTopicException, fault)
                    : (ErrorCode.UnknownTopicOrPartition, "There is no such topic");
                break;

            case ConfigResourceType.Broker when IsThisBroker(resource.ResourceName):
                foreach (var key in BrokerConfigKeys.All.Values.Where(key => wanted is null || wanted.Contains(key.Name)))
                    result.Configs.Add(Entry(key, BrokerLayers(key, view.Config), key.ReadOnly, request, version));
                break;

            case ConfigResourceType.Group when resource.ResourceName.Length > 0:
                foreach (var key in GroupConfigKeys.All.Values.Where(key => wanted is null || wanted.Contains(key.Name)))
                    result.Configs.Add(Entry(key, LayersOver(key, view.ConfigsOfGroup(resource.ResourceName), ConfigSource.Group, view.Config), readOnly: false, request, version));
                break;

            default:
                result.ErrorCode = ErrorCode.InvalidRequest;
                result.ErrorMessage = $"There is no configuration of resource type {resource.ResourceType} named '{resource.ResourceName}'";
                break;
        }

        return result;
    }

    private bool IsThisBroker(string name) => name.Length == 0 || name == broker.BrokerId.ToString(CultureInfo.InvariantCulture);

    private static DescribeConfigsResponse.DescribeConfigsResourceResult Entry(
        ConfigKey key, List<DescribeConfigsResponse.DescribeConfigsSynonym> layers, bool readOnly, DescribeConfigsRequest request, short version) =>
        new()
        {
            Name = key.Name,
            Value = key.Type == ConfigType.Password ? null : layers[0].Value,
            IsSensitive = key.Type == ConfigType.Password,
            ReadOnly = readOnly,
            IsDefault = version == 0 && layers[0].Source == (sbyte)ConfigSource.Default,
            ConfigSource = layers[0].Source,
            ConfigType = (sbyte)key.Type,
            Documentation = request.IncludeDocumentation ? key.Doc : null,
            Synonyms = request.IncludeSynonyms ? layers : [],
        };

    /// <summary>The values under each other, the one in force first.</summary>
    private static List<DescribeConfigsResponse.DescribeConfigsSynonym> LayersOver(
        ConfigKey key, ImmutableSortedDictionary<string, string> configs, ConfigSource source, BrokerConfig config)
    {
        var layers = new List<DescribeConfigsResponse.DescribeConfigsSynonym>();
        if (configs.TryGetValue(key.Name, out var value))
            layers.Add(new() { Name = key.Name, Value = Shown(key, value), Source = (sbyte)source });
        layers.AddRange(BrokerLayers(key with { Name = key.BrokerKey ?? key.Name }, config));
        return layers;
    }

    private static List<DescribeConfigsResponse.DescribeConfigsSynonym> BrokerLayers(ConfigKey key, BrokerConfig config)
    {
        var layers = new List<DescribeConfigsResponse.DescribeConfigsSynonym>();
        if (config.Dynamic.TryGetValue(key.Name, out var value))
            layers.Add(new() { Name = key.Name, Value = Shown(key, value), Source = (sbyte)ConfigSource.DynamicBroker });
        if (config.Static.TryGetValue(key.Name, out value))
            layers.Add(new() { Name = key.Name, Value = Shown(key, value), Source = (sbyte)ConfigSource.StaticBroker });
        layers.Add(new() { Name = key.Name, Value = Shown(key, key.Default), Source = (sbyte)ConfigSource.Default });
        return layers;
    }

    /// <summary>Passwords are never told.</summary>
    private static string? Shown(ConfigKey key, string value) => key.Type == ConfigType.Password ? null : value;
}
