using System.Collections;
using Broker.Lite.Metadata;
using Broker.Lite.Security;

namespace Broker.Lite.Host;

/// <summary>
/// Settings of the process under Kafka's names from all places: a file, then variables of the environment (as Kafka's container images have
/// them), then the command line; the later wins.
/// </summary>
internal static class ProcessSettings
{
    private const string EnvironmentPrefix = "KAFKA_";
    private const string NodeId = "node.id";
    private const string LogDir = "log.dir";
    private const string ControllerListeners = "controller.listener.names";

    // Variables of Kafka's start scripts and images that are no settings of the broker.
    private static readonly string[] _scriptVariables = ["KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_JVM_", "KAFKA_JMX_", "KAFKA_LOG4J", "KAFKA_GC_", "KAFKA_VERSION", "KAFKA_HOME", "KAFKA_DEBUG", "KAFKA_MODE"];

    /// <summary>
    /// Settings of Kafka that say how a cluster or a Java process does its work. A file that has them works here too; they have no effect.
    /// </summary>
    private static readonly HashSet<string> _withoutEffect = new(StringComparer.Ordinal)
    {
        "process.roles", "controller.quorum.voters", "controller.quorum.bootstrap.servers", ControllerListeners, "inter.broker.listener.name",
        "security.inter.broker.protocol", "sasl.mechanism.inter.broker.protocol", "inter.broker.protocol.version", "num.network.threads", "num.io.threads",
        "background.threads", "num.recovery.threads.per.data.dir", "num.replica.fetchers", "socket.send.buffer.bytes", "socket.receive.buffer.bytes",
        "offsets.topic.replication.factor", "transaction.state.log.replication.factor", "transaction.state.log.min.isr", "zookeeper.connect",
        "zookeeper.connection.timeout.ms", "broker.rack", "metadata.log.dir", "cluster.id", "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr", "auto.leader.rebalance.enable", "unclean.leader.election.enable", "queued.max.requests",
    };

    /// <summary>The settings of variables such as <c>KAFKA_LOG_RETENTION_MS</c>: one underscore is a dot, two are one, three a dash.</summary>
    public static Dictionary<string, string> OfEnvironment(IDictionary environment)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in environment)
        {
            var name = (string)entry.Key;
            if (!name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal) || Array.Exists(_scriptVariables, prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                continue;
            var key = name[EnvironmentPrefix.Length..].ToLowerInvariant()
                .Replace("___", "-", StringComparison.Ordinal).Replace("__", "\0", StringComparison.Ordinal).Replace('_', '.').Replace('\0', '_');
            settings[key] = (string?)entry.Value ?? "";
        }

        return settings;
    }

    /// <summary>Makes options of settings: what the broker takes elsewhere is moved there, and what has no effect is named.</summary>
    public static (BrokerOptions Options, IReadOnlyList<string> WithoutEffect) Apply(BrokerOptions options, IReadOnlyDictionary<string, string> settings)
    {
        var rest = new Dictionary<string, string>(settings, StringComparer.Ordinal);
        if (rest.Remove(NodeId, out var nodeId))
            rest.TryAdd(BrokerConfigKeys.BrokerId, nodeId);
        if ((rest.Remove(BrokerConfigKeys.LogDirs, out var folder) | rest.Remove(LogDir, out var single)) && (folder ?? single) is { Length: > 0 } path)
            options = options with { DataDirectory = path };
        var controllers = ConfigKey.Elements(rest.GetValueOrDefault(ControllerListeners, ""));
        foreach (var key in new[] { SecurityConfigKeys.Listeners, SecurityConfigKeys.AdvertisedListeners })
        {
            // A controller is something only a cluster has, and its listener is for nobody else.
            if (rest.TryGetValue(key, out var listeners))
                rest[key] = string.Join(',', ConfigKey.Elements(listeners).Where(entry => !Array.Exists(controllers, name => entry.StartsWith(name + "://", StringComparison.OrdinalIgnoreCase))));
        }

        if (rest.GetValueOrDefault(SecurityConfigKeys.Listeners, "").Length > 0)
            options = options with { Port = null };
        var without = rest.Keys.Where(_withoutEffect.Contains).Order(StringComparer.Ordinal).ToList();
        foreach (var key in without)
            rest.Remove(key);
        return (options with { Settings = rest }, without);
    }
}
