namespace Broker.Lite.Metadata;

/// <summary>
/// Configuration keys of groups with the consumer protocol, with Kafka's names (KIP-848, <c>GroupConfig</c>). A group may have some before it
/// has members. Its own value wins over the broker's.
/// </summary>
internal static class GroupConfigKeys
{
    public const string HeartbeatIntervalMs = "consumer.heartbeat.interval.ms";
    public const string SessionTimeoutMs = "consumer.session.timeout.ms";

    /// <summary>The most groups that may have settings of their own: they are kept in memory and in one file.</summary>
    public const int MaxGroups = 10_000;

    /// <summary>Keys by name, in alphabetical order.</summary>
    public static IReadOnlyDictionary<string, ConfigKey> All { get; } = new[]
    {
        Key(HeartbeatIntervalMs, "5000", "How often members heartbeat, in milliseconds.", BrokerConfigKeys.ConsumerGroupHeartbeatIntervalMs),
        Key(SessionTimeoutMs, "45000", "After how long without heartbeat a member is out, in milliseconds.", BrokerConfigKeys.ConsumerGroupSessionTimeoutMs),
    }.ToDictionary(key => key.Name, StringComparer.Ordinal);

    /// <summary>What is wrong with the values a group would have, by the bounds in the broker's configuration; null if nothing is.</summary>
    public static string? Fault(BrokerConfig config, IReadOnlyDictionary<string, string> values)
    {
        var session = ValueOf(SessionTimeoutMs, config, values);
        var heartbeat = ValueOf(HeartbeatIntervalMs, config, values);
        return OutOf(SessionTimeoutMs, session, BrokerConfigKeys.ConsumerGroupMinSessionTimeoutMs, BrokerConfigKeys.ConsumerGroupMaxSessionTimeoutMs)
            ?? OutOf(HeartbeatIntervalMs, heartbeat, BrokerConfigKeys.ConsumerGroupMinHeartbeatIntervalMs, BrokerConfigKeys.ConsumerGroupMaxHeartbeatIntervalMs)
            ?? (heartbeat < session ? null : $"{HeartbeatIntervalMs} {heartbeat} must be less than {SessionTimeoutMs} {session}");

        // What comes from the broker's own settings is the operator's business.
        string? OutOf(string key, int value, string minKey, string maxKey) =>
            !values.ContainsKey(key) || (value >= config.Int(minKey) && value <= config.Int(maxKey))
                ? null
                : $"{key} must be from {config.Int(minKey)} to {config.Int(maxKey)} ({minKey}, {maxKey}), not {value}";
    }

    /// <summary>The value in force.</summary>
    public static int ValueOf(string key, BrokerConfig config, IReadOnlyDictionary<string, string> values) =>
        int.Parse(config.ForResource(All[key], values, ConfigSource.Group).Value, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture);

    private static ConfigKey Key(string name, string value, string doc, string brokerKey) =>
        new() { Name = name, Type = ConfigType.Int, Default = value, Doc = doc, Min = 1, Max = int.MaxValue, BrokerKey = brokerKey };
}
