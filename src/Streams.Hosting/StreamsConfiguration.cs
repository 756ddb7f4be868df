using System.Globalization;
using Microsoft.Extensions.Configuration;
using Streams.Core;

namespace Streams.Hosting;

/// <summary>Reads <see cref="StreamsConfig"/> from configuration: files, environment variables, the command line.</summary>
/// <remarks>
/// <para>
/// A setting may have its Kafka name (<c>num.stream.threads</c>) or that of the property (<c>NumStreamThreads</c>), in any case. Durations are
/// milliseconds (<c>30000</c>) or times (<c>00:00:30</c>). Settings of clients and topics have their prefix: <c>consumer.fetch.min.bytes</c>, or a section
/// <c>Consumer</c> with <c>fetch.min.bytes</c> in it. In names a colon and a dot mean the same.
/// </para>
/// <para>Not here, because they are code: handlers, the cluster, clocks and loggers.</para>
/// </remarks>
public static class StreamsConfiguration
{
    private delegate StreamsConfig Setting(StreamsConfig config, string value);

    private static readonly (string Kafka, string Typed, Setting Set)[] _settings =
    [
        ("application.id", nameof(StreamsConfig.ApplicationId), static (config, value) => config with { ApplicationId = value }),
        ("bootstrap.servers", nameof(StreamsConfig.BootstrapServers), static (config, value) => config with { BootstrapServers = value }),
        ("processing.guarantee", nameof(StreamsConfig.ProcessingGuarantee), static (config, value) => config with { ProcessingGuarantee = Guarantee(value) }),
        ("num.stream.threads", nameof(StreamsConfig.NumStreamThreads), static (config, value) => config with { NumStreamThreads = Number<int>(value) }),
        ("state.dir", nameof(StreamsConfig.StateDirectory), static (config, value) => config with { StateDirectory = value }),
        ("commit.interval.ms", nameof(StreamsConfig.CommitInterval), static (config, value) => config with { CommitInterval = Time(value) }),
        ("producer.transaction.timeout.ms", nameof(StreamsConfig.TransactionTimeout), static (config, value) => config with { TransactionTimeout = Time(value) }),
        ("poll.ms", nameof(StreamsConfig.PollInterval), static (config, value) => config with { PollInterval = Time(value) }),
        ("buffered.records.per.partition", nameof(StreamsConfig.BufferedRecordsPerPartition), static (config, value) => config with { BufferedRecordsPerPartition = Number<int>(value) }),
        ("input.buffer.max.bytes", nameof(StreamsConfig.InputBufferMaxBytes), static (config, value) => config with { InputBufferMaxBytes = Number<long>(value) }),
        ("max.task.idle.ms", nameof(StreamsConfig.MaxTaskIdle), static (config, value) => config with { MaxTaskIdle = Time(value) }),
        ("timestamp.policy", nameof(StreamsConfig.TimestampPolicy), static (config, value) => config with { TimestampPolicy = Name<TimestampPolicy>(value) }),
        ("auto.offset.reset", nameof(StreamsConfig.OffsetReset), static (config, value) => config with { OffsetReset = Reset(value) }),
        ("state.memory.bytes", nameof(StreamsConfig.StateMemoryBytes), static (config, value) => config with { StateMemoryBytes = Number<long>(value) }),
        ("statestore.cache.max.bytes", nameof(StreamsConfig.StateStoreCacheMaxBytes), static (config, value) => config with { StateStoreCacheMaxBytes = Number<long>(value) }),
        ("statestore.uncommitted.max.bytes", nameof(StreamsConfig.StateStoreUncommittedMaxBytes), static (config, value) => config with { StateStoreUncommittedMaxBytes = Number<long>(value) }),
        ("metadata.max.age.ms", nameof(StreamsConfig.MetadataMaxAge), static (config, value) => config with { MetadataMaxAge = Time(value) }),
        ("replication.factor", nameof(StreamsConfig.ReplicationFactor), static (config, value) => config with { ReplicationFactor = Number<short>(value) }),
        ("session.timeout.ms", nameof(StreamsConfig.SessionTimeout), static (config, value) => config with { SessionTimeout = Time(value) }),
        ("heartbeat.interval.ms", nameof(StreamsConfig.HeartbeatInterval), static (config, value) => config with { HeartbeatInterval = Time(value) }),
        ("rebalance.timeout.ms", nameof(StreamsConfig.RebalanceTimeout), static (config, value) => config with { RebalanceTimeout = Time(value) }),
        ("task.timeout.ms", nameof(StreamsConfig.TaskTimeout), static (config, value) => config with { TaskTimeout = Time(value) }),
        ("repartition.purge.interval.ms", nameof(StreamsConfig.RepartitionPurgeInterval), static (config, value) => config with { RepartitionPurgeInterval = Time(value) }),
        ("client.id", nameof(StreamsConfig.ClientId), static (config, value) => config with { ClientId = value }),
        ("group.instance.id", nameof(StreamsConfig.GroupInstanceId), static (config, value) => config with { GroupInstanceId = value }),
        ("errors.dead.letter.queue.topic.name", nameof(StreamsConfig.DeadLetterTopic), static (config, value) => config with { DeadLetterTopic = value }),
        ("application.server", nameof(StreamsConfig.ApplicationServer), static (config, value) => config with { ApplicationServer = value }),
        ("client.rack", nameof(StreamsConfig.ClientRack), static (config, value) => config with { ClientRack = value }),
        ("num.standby.replicas", nameof(StreamsConfig.NumStandbyReplicas), static (config, value) => config with { NumStandbyReplicas = Number<int>(value) }),
        ("acceptable.recovery.lag", nameof(StreamsConfig.AcceptableRecoveryLag), static (config, value) => config with { AcceptableRecoveryLag = Number<long>(value) }),
        ("max.warmup.replicas", nameof(StreamsConfig.MaxWarmupReplicas), static (config, value) => config with { MaxWarmupReplicas = Number<int>(value) }),
        ("probing.rebalance.interval.ms", nameof(StreamsConfig.ProbingRebalanceInterval), static (config, value) => config with { ProbingRebalanceInterval = Time(value) }),
        ("rack.aware.assignment.tags", nameof(StreamsConfig.RackAwareAssignmentTags), static (config, value) => config with { RackAwareAssignmentTags = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) }),
        ("state.cleanup.delay.ms", nameof(StreamsConfig.StateCleanupDelay), static (config, value) => config with { StateCleanupDelay = Time(value) }),
        ("ensure.explicit.internal.resource.naming", nameof(StreamsConfig.EnsureExplicitInternalResourceNaming), static (config, value) => config with { EnsureExplicitInternalResourceNaming = bool.TryParse(value, out var yes) ? yes : throw new FormatException("true or false is expected") }),
        ("default.interactive.query.isolation.level", nameof(StreamsConfig.DefaultInteractiveQueryIsolationLevel), static (config, value) => config with { DefaultInteractiveQueryIsolationLevel = Name<IsolationLevel>(value.Replace("_", "", StringComparison.Ordinal)) }),
        ("metrics.recording.level", nameof(StreamsConfig.MetricsRecordingLevel), static (config, value) => config with { MetricsRecordingLevel = Name<MetricsRecordingLevel>(value) }),
    ];

    // What belongs to every client, and is written without a prefix in Kafka Streams too.
    private static readonly string[] _clientPrefixes = ["security.", "sasl.", "ssl."];

    private static readonly (string[] Prefixes, Func<StreamsConfig, string, string, StreamsConfig> Add)[] _prefixes =
    [
        (["consumer.", "consumerproperties."], static (config, key, value) => config with { ConsumerProperties = With(config.ConsumerProperties, key, value) }),
        (["main.consumer.", "mainconsumerproperties."], static (config, key, value) => config with { MainConsumerProperties = With(config.MainConsumerProperties, key, value) }),
        (["restore.consumer.", "restoreconsumerproperties."], static (config, key, value) => config with { RestoreConsumerProperties = With(config.RestoreConsumerProperties, key, value) }),
        (["global.consumer.", "globalconsumerproperties."], static (config, key, value) => config with { GlobalConsumerProperties = With(config.GlobalConsumerProperties, key, value) }),
        (["admin.", "clientproperties."], static (config, key, value) => config with { ClientProperties = With(config.ClientProperties, key, value) }),
        (["client.tag.", "clienttags."], static (config, key, value) => config with { ClientTags = With(config.ClientTags, key, value) }),
        (["producer.", "producerproperties."], static (config, key, value) => config with { ProducerProperties = With(config.ProducerProperties, key, value) }),
        (["topic.", "topicproperties."], static (config, key, value) => config with { TopicProperties = With(config.TopicProperties, key, value) }),
    ];

    /// <summary>The settings with what a configuration section says in place of theirs.</summary>
    /// <param name="config">What holds where the section says nothing.</param>
    /// <param name="section">The section.</param>
    /// <exception cref="ConfigException">Names every setting that is unknown or cannot be read.</exception>
    public static StreamsConfig With(this StreamsConfig config, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(section);
        var faults = new List<string>();
        foreach (var (path, value) in section.AsEnumerable(makePathsRelative: true).OrderBy(entry => entry.Key, StringComparer.OrdinalIgnoreCase))
        {
            // Sections have no value of their own.
            if (value is null || path.Length == 0) continue;
            try
            {
                config = Set(config, path.Replace(':', '.'), value) ?? throw new FormatException("there is no such setting");
            }
            catch (Exception failure) when (failure is FormatException or OverflowException)
            {
                faults.Add($"{path} is '{value}': {failure.Message}");
            }
        }

        return faults.Count == 0
            ? config
            : throw new ConfigException($"{faults.Count} setting(s) of the configuration cannot be used:{string.Concat(faults.Select(fault => "\n  - " + fault))}");
    }

    private static StreamsConfig? Set(StreamsConfig config, string name, string value)
    {
        foreach (var (kafka, typed, set) in _settings)
        {
            if (name.Equals(kafka, StringComparison.OrdinalIgnoreCase) || name.Equals(typed, StringComparison.OrdinalIgnoreCase)) return set(config, value);
        }

        foreach (var (prefixes, add) in _prefixes)
        {
            foreach (var prefix in prefixes)
            {
                if (name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return add(config, name[prefix.Length..], value);
            }
        }

        return _clientPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            ? config with { ClientProperties = With(config.ClientProperties, name.ToLowerInvariant(), value) }
            : null;
    }

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string> properties, string key, string value) =>
        new(properties) { [key] = value };

    private static T Number<T>(string value)
        where T : struct, IParsable<T> =>
        T.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException("a whole number is expected");

    private static TimeSpan Time(string value)
    {
        // "30" would be thirty days to TimeSpan, and nobody means that.
        if (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds) && Math.Abs(milliseconds) <= (long)TimeSpan.MaxValue.TotalMilliseconds)
            return TimeSpan.FromMilliseconds(milliseconds);
        return value.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time)
            ? time
            : throw new FormatException("milliseconds (30000) or a time (00:00:30) are expected");
    }

    private static T Name<T>(string value)
        where T : struct, Enum =>
        Enum.TryParse<T>(value, ignoreCase: true, out var parsed) && Enum.IsDefined(parsed)
            ? parsed
            : throw new FormatException($"one of {string.Join(", ", Enum.GetNames<T>())} is expected");

    private static ProcessingGuarantee Guarantee(string value) => value.ToLowerInvariant() switch
    {
        "at_least_once" or "atleastonce" => ProcessingGuarantee.AtLeastOnce,
        "exactly_once_v2" or "exactlyonce" => ProcessingGuarantee.ExactlyOnce,
        _ => throw new FormatException("at_least_once or exactly_once_v2 is expected"),
    };

    private static AutoOffsetReset Reset(string value) => value.ToLowerInvariant() switch
    {
        "earliest" => AutoOffsetReset.Earliest,
        "latest" => AutoOffsetReset.Latest,
        "none" => AutoOffsetReset.None,
        _ => throw new FormatException("earliest, latest or none is expected"),
    };
}
