using System.Collections.Immutable;
using System.Globalization;

namespace Broker.Lite.Metadata;

/// <summary>
/// The broker's configuration at one moment: Kafka's defaults, over them what the process was started with, over them what was altered
/// while it ran. Immutable; values were validated when they entered.
/// </summary>
internal sealed record BrokerConfig(ImmutableDictionary<string, string> Static, ImmutableDictionary<string, string> Dynamic)
{
    public static BrokerConfig Default { get; } = new(ImmutableDictionary<string, string>.Empty, ImmutableDictionary<string, string>.Empty);

    /// <summary>The value in force, as text.</summary>
    public string Text(string key) =>
        Dynamic.TryGetValue(key, out var value) || Static.TryGetValue(key, out value) ? value : BrokerConfigKeys.All[key].Default;

    public bool Flag(string key) => bool.Parse(Text(key));

    public int Int(string key) => int.Parse(Text(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    public long Long(string key) => long.Parse(Text(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>The value a topic has for a topic key, and where it comes from.</summary>
    public (string Value, ConfigSource Source) ForTopic(ConfigKey topicKey, IReadOnlyDictionary<string, string> topicConfigs) =>
        ForResource(topicKey, topicConfigs, ConfigSource.Topic);

    /// <summary>The value a topic or group has, where its own values count as <paramref name="own"/>.</summary>
    public (string Value, ConfigSource Source) ForResource(ConfigKey key, IReadOnlyDictionary<string, string> configs, ConfigSource own)
    {
        if (configs.TryGetValue(key.Name, out var value))
            return (value, own);
        if (key.BrokerKey is { } brokerKey)
        {
            if (Dynamic.TryGetValue(brokerKey, out value))
                return (value, ConfigSource.DynamicBroker);
            if (Static.TryGetValue(brokerKey, out value))
                return (value, ConfigSource.StaticBroker);
        }

        return (key.Default, ConfigSource.Default);
    }
}
