using System.Collections;
using System.Globalization;
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
    public static IReadOnlySet<string> WithoutEffect { get; } =
        new HashSet<string>(StringComparer.Ordinal)
    {
        "process.roles", "controller.quorum.voters", "controller.quorum.bootstrap.servers", ControllerListeners, "inter.broker.listener.name",
        "security.inter.broker.protocol", "sasl.mechanism.inter.broker.protocol", "inter.broker.protocol.version", "num.network.threads", "num.io.threads",
        "background.threads", "num.recovery.threads.per.data.dir", "num.replica.fetchers", "socket.send.buffer.bytes", "socket.receive.buffer.bytes",
        "offsets.topic.replication.factor", "transaction.state.log.replication.factor", "transaction.state.log.min.isr", "zookeeper.connect",
        "zookeeper.connection.timeout.ms", "broker.rack", "metadata.log.dir", "cluster.id", "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr", "auto.leader.rebalance.enable", "unclean.leader.election.enable", "queued.max.requests",
        "num.replica.alter.log.dirs.threads", "replica.lag.time.max.ms", "replica.fetch.max.bytes", "replica.fetch.min.bytes", "replica.fetch.wait.max.ms",
        "replica.socket.timeout.ms", "replica.socket.receive.buffer.bytes", "controlled.shutdown.enable", "group.coordinator.rebalance.protocols",
        "group.coordinator.new.enable", "log.cleaner.threads", "log.cleaner.io.buffer.load.factor", "log.flush.scheduler.interval.ms",
        "log.flush.offset.checkpoint.interval.ms", "log.flush.start.offset.checkpoint.interval.ms", "offsets.topic.segment.bytes", "offsets.load.buffer.size",
        "offsets.commit.timeout.ms", "offsets.topic.compression.codec", "transaction.state.log.segment.bytes", "metadata.log.segment.bytes",
        "metadata.max.retention.bytes", "metadata.max.retention.ms", "socket.listen.backlog.size",
    };

    /// <summary>Settings of Kafka's in coarser units: each with the one in milliseconds, which wins, and the milliseconds of its unit; the finer first.</summary>
    public static IReadOnlyList<(string Name, string Milliseconds, long Unit)> Coarser { get; } =
    [
        ("log.retention.minutes", "log.retention.ms", 60_000),
        ("log.retention.hours", "log.retention.ms", 3_600_000),
        ("log.roll.hours", "log.roll.ms", 3_600_000),
        ("log.roll.jitter.hours", "log.roll.jitter.ms", 3_600_000),
    ];

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
        foreach (var (name, milliseconds, unit) in Coarser)
        {
            // One that is no number stays and is reported with all the other faults.
            if (!rest.TryGetValue(name, out var text) || !int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
                continue;
            rest.Remove(name);
            rest.TryAdd(milliseconds, (value < 0 ? -1 : value * unit).ToString(CultureInfo.InvariantCulture));
        }

        var controllers = ConfigKey.Elements(rest.GetValueOrDefault(ControllerListeners, ""));
        foreach (var key in new[] { SecurityConfigKeys.Listeners, SecurityConfigKeys.AdvertisedListeners })
        {
            // A controller is something only a cluster has, and its listener is for nobody else.
            if (rest.TryGetValue(key, out var listeners))
                rest[key] = string.Join(',', ConfigKey.Elements(listeners).Where(entry => !Array.Exists(controllers, name => entry.StartsWith(name + "://", StringComparison.OrdinalIgnoreCase))));
        }

        if (rest.GetValueOrDefault(SecurityConfigKeys.Listeners, "").Length > 0)
            options = options with { Port = null };
        var without = rest.Keys.Where(WithoutEffect.Contains).Order(StringComparer.Ordinal).ToList();
        foreach (var key in without)
            rest.Remove(key);
        return (options with { Settings = rest }, without);
    }
}
