using System.Globalization;

namespace Streams.Core;

/// <summary>
/// Reads <see cref="StreamsConfig"/> from settings by their Kafka names, or those of the properties, in any case. What cannot be read is kept as a fault of the record, so that
/// <see cref="StreamsConfig.Validate"/> reports it together with everything else.
/// </summary>
internal static class StreamsConfigReader
{
    private delegate StreamsConfig Apply(StreamsConfig config, string value);

    // The one list of names: Kafka's, and that of the property. Kafka's older and the library's shorter names are further entries of the same property.
    private static readonly (string Kafka, string Property, Apply Set)[] _table =
    [
        ("application.id", nameof(StreamsConfig.ApplicationId), static (config, value) => config with { ApplicationId = value }),
        ("bootstrap.servers", nameof(StreamsConfig.BootstrapServers), static (config, value) => config with { BootstrapServers = value }),
        ("application.server", nameof(StreamsConfig.ApplicationServer), static (config, value) => config with { ApplicationServer = value.Length == 0 ? null : value }),
        ("client.id", nameof(StreamsConfig.ClientId), static (config, value) => config with { ClientId = value.Length == 0 ? null : value }),
        ("client.rack", nameof(StreamsConfig.ClientRack), static (config, value) => config with { ClientRack = value.Length == 0 ? null : value }),
        ("group.instance.id", nameof(StreamsConfig.GroupInstanceId), static (config, value) => config with { GroupInstanceId = value }),
        ("state.dir", nameof(StreamsConfig.StateDirectory), static (config, value) => config with { StateDirectory = value }),
        ("processing.guarantee", nameof(StreamsConfig.ProcessingGuarantee), static (config, value) => config with { ProcessingGuarantee = Guarantee(value) }),
        ("num.stream.threads", nameof(StreamsConfig.NumStreamThreads), static (config, value) => config with { NumStreamThreads = Whole<int>(value) }),
        ("num.standby.replicas", nameof(StreamsConfig.NumStandbyReplicas), static (config, value) => config with { NumStandbyReplicas = Whole<int>(value) }),
        ("acceptable.recovery.lag", nameof(StreamsConfig.AcceptableRecoveryLag), static (config, value) => config with { AcceptableRecoveryLag = Whole<long>(value) }),
        ("max.warmup.replicas", nameof(StreamsConfig.MaxWarmupReplicas), static (config, value) => config with { MaxWarmupReplicas = Whole<int>(value) }),
        ("probing.rebalance.interval.ms", nameof(StreamsConfig.ProbingRebalanceInterval), static (config, value) => config with { ProbingRebalanceInterval = Time(value) }),
        ("rack.aware.assignment.tags", nameof(StreamsConfig.RackAwareAssignmentTags), static (config, value) => config with { RackAwareAssignmentTags = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) }),
        ("rack.aware.assignment.strategy", nameof(StreamsConfig.RackAwareAssignmentStrategy), static (config, value) => config with { RackAwareAssignmentStrategy = Name<RackAwareAssignmentStrategy>(value.Replace("_", "", StringComparison.Ordinal)) }),
        ("rack.aware.assignment.traffic_cost", nameof(StreamsConfig.RackAwareAssignmentTrafficCost), static (config, value) => config with { RackAwareAssignmentTrafficCost = Whole<int>(value) }),
        ("rack.aware.assignment.non_overlap_cost", nameof(StreamsConfig.RackAwareAssignmentNonOverlapCost), static (config, value) => config with { RackAwareAssignmentNonOverlapCost = Whole<int>(value) }),
        ("task.assignor.class", nameof(StreamsConfig.TaskAssignor), static (config, value) => config with { TaskAssignor = DefaultAssignor(value) }),
        ("log.summary.interval.ms", nameof(StreamsConfig.LogSummaryInterval), static (config, value) => config with { LogSummaryInterval = Time(value) is var time && time > TimeSpan.Zero ? time : TimeSpan.Zero }),
        ("commit.interval.ms", nameof(StreamsConfig.CommitInterval), static (config, value) => config with { CommitInterval = Time(value) }),
        ("transaction.timeout.ms", nameof(StreamsConfig.TransactionTimeout), static (config, value) => config with { TransactionTimeout = Time(value) }),
        ("poll.ms", nameof(StreamsConfig.PollInterval), static (config, value) => config with { PollInterval = Time(value) }),
        ("buffered.records.per.partition", nameof(StreamsConfig.BufferedRecordsPerPartition), static (config, value) => config with { BufferedRecordsPerPartition = Whole<int>(value) }),
        ("input.buffer.max.bytes", nameof(StreamsConfig.InputBufferMaxBytes), static (config, value) => config with { InputBufferMaxBytes = Whole<long>(value) }),
        ("max.task.idle.ms", nameof(StreamsConfig.MaxTaskIdle), static (config, value) => config with { MaxTaskIdle = Time(value) }),
        ("task.timeout.ms", nameof(StreamsConfig.TaskTimeout), static (config, value) => config with { TaskTimeout = Time(value) }),
        ("default.timestamp.extractor", nameof(StreamsConfig.TimestampPolicy), static (config, value) => config with { TimestampPolicy = Policy(value) }),
        ("timestamp.policy", nameof(StreamsConfig.TimestampPolicy), static (config, value) => config with { TimestampPolicy = Policy(value) }),
        ("auto.offset.reset", nameof(StreamsConfig.OffsetReset), static (config, value) => config with { OffsetReset = Reset(value) }),
        ("isolation.level", nameof(StreamsConfig.InputIsolationLevel), static (config, value) => config with { InputIsolationLevel = Isolation(value) }),
        ("ensure.explicit.internal.resource.naming", nameof(StreamsConfig.EnsureExplicitInternalResourceNaming), static (config, value) => config with { EnsureExplicitInternalResourceNaming = YesOrNo(value) }),
        ("state.memory.bytes", nameof(StreamsConfig.StateMemoryBytes), static (config, value) => config with { StateMemoryBytes = Whole<long>(value) }),
        ("statestore.cache.max.bytes", nameof(StreamsConfig.StateStoreCacheMaxBytes), static (config, value) => config with { StateStoreCacheMaxBytes = Whole<long>(value) }),
        ("cache.max.bytes.buffering", nameof(StreamsConfig.StateStoreCacheMaxBytes), static (config, value) => config with { StateStoreCacheMaxBytes = Whole<long>(value) }),
        ("statestore.uncommitted.max.bytes", nameof(StreamsConfig.StateStoreUncommittedMaxBytes), static (config, value) => config with { StateStoreUncommittedMaxBytes = Whole<long>(value) }),
        ("state.cleanup.delay.ms", nameof(StreamsConfig.StateCleanupDelay), static (config, value) => config with { StateCleanupDelay = Time(value) }),
        ("metadata.max.age.ms", nameof(StreamsConfig.MetadataMaxAge), static (config, value) => config with { MetadataMaxAge = Time(value) }),
        ("replication.factor", nameof(StreamsConfig.ReplicationFactor), static (config, value) => config with { ReplicationFactor = Whole<short>(value) }),
        ("windowstore.changelog.additional.retention.ms", nameof(StreamsConfig.WindowStoreChangelogAdditionalRetention), static (config, value) => config with { WindowStoreChangelogAdditionalRetention = Time(value) }),
        ("session.timeout.ms", nameof(StreamsConfig.SessionTimeout), static (config, value) => config with { SessionTimeout = Time(value) }),
        ("heartbeat.interval.ms", nameof(StreamsConfig.HeartbeatInterval), static (config, value) => config with { HeartbeatInterval = Time(value) }),
        ("rebalance.timeout.ms", nameof(StreamsConfig.RebalanceTimeout), static (config, value) => config with { RebalanceTimeout = Time(value) }),
        ("repartition.purge.interval.ms", nameof(StreamsConfig.RepartitionPurgeInterval), static (config, value) => config with { RepartitionPurgeInterval = Time(value) }),
        ("errors.dead.letter.queue.topic.name", nameof(StreamsConfig.DeadLetterTopic), static (config, value) => config with { DeadLetterTopic = value.Length == 0 ? null : value }),
        ("metrics.recording.level", nameof(StreamsConfig.MetricsRecordingLevel), static (config, value) => config with { MetricsRecordingLevel = Name<MetricsRecordingLevel>(value) }),
        ("default.interactive.query.isolation.level", nameof(StreamsConfig.DefaultInteractiveQueryIsolationLevel), static (config, value) => config with { DefaultInteractiveQueryIsolationLevel = Isolation(value) }),
    ];

    private static readonly Dictionary<string, Apply> _settings = ByName();

    private static readonly (string Prefix, string Property, Func<StreamsConfig, string, string, StreamsConfig> Add)[] _prefixes =
    [
        ("main.consumer.", nameof(StreamsConfig.MainConsumerProperties), static (config, key, value) => Own(config, key, value) ?? config with { MainConsumerProperties = WithClients(config.MainConsumerProperties, key, value) }),
        ("restore.consumer.", nameof(StreamsConfig.RestoreConsumerProperties), static (config, key, value) => config with { RestoreConsumerProperties = WithClients(config.RestoreConsumerProperties, key, value) }),
        ("global.consumer.", nameof(StreamsConfig.GlobalConsumerProperties), static (config, key, value) => config with { GlobalConsumerProperties = WithClients(config.GlobalConsumerProperties, key, value) }),
        ("consumer.", nameof(StreamsConfig.ConsumerProperties), static (config, key, value) => Own(config, key, value) ?? config with { ConsumerProperties = WithClients(config.ConsumerProperties, key, value) }),
        ("producer.", nameof(StreamsConfig.ProducerProperties), static (config, key, value) => Own(config, key, value) ?? config with { ProducerProperties = WithClients(config.ProducerProperties, key, value) }),
        ("admin.", nameof(StreamsConfig.ClientProperties), static (config, key, value) => config with { ClientProperties = WithClients(config.ClientProperties, key, value) }),
        ("topic.", nameof(StreamsConfig.TopicProperties), static (config, key, value) => config with { TopicProperties = WithClients(config.TopicProperties, key, value) }),
        ("rocksdb.", nameof(StreamsConfig.RocksDbOptions), static (config, key, value) => key.Equals("config.setter", StringComparison.OrdinalIgnoreCase)
            ? throw new FormatException("options are set by their own names, rocksdb.compression for one, and for single stores in code, with RocksDbOptionsOfStore")
            : config with { RocksDbOptions = WithClients(config.RocksDbOptions, key, value) }),
        ("client.tag.", nameof(StreamsConfig.ClientTags), static (config, key, value) => config with { ClientTags = With(config.ClientTags, key, value) }),
    ];

    // Kafka's own settings that have another place here: who comes from there looks for them.
    private static readonly Dictionary<string, string> _elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        ["default.key.serde"] = "serdes are found by type, or given with Consumed, Produced, Grouped and Materialized",
        ["default.value.serde"] = "serdes are found by type, or given with Consumed, Produced, Grouped and Materialized",
        ["topology.optimization"] = "give the StreamsBuilder StreamsBuilderOptions with Optimization",
        ["default.dsl.store"] = "give the StreamsBuilder StreamsBuilderOptions with DefaultStoreType",
        ["dsl.store.suppliers.class"] = "give the StreamsBuilder StreamsBuilderOptions with DefaultStoreType, or a Materialized a supplier",
        ["default.client.supplier"] = "Cluster is where clients come from",
        ["upgrade.from"] = "instances of Kafka Streams and of this library cannot run in one group",
        ["metric.reporters"] = "values are instruments of the meter Streams",
    };

    // What belongs to every client, and is written without a prefix in Kafka Streams too.
    private static readonly string[] _clientPrefixes = ["security.", "sasl.", "ssl.", "socket.", "reconnect.backoff.", "broker.address."];

    private static readonly HashSet<string> _clientSettings = new(StringComparer.OrdinalIgnoreCase)
    {
        "client.library", "request.timeout.ms", "default.api.timeout.ms", "retry.backoff.ms", "retry.backoff.max.ms", "connections.max.idle.ms", "client.dns.lookup", "receive.buffer.bytes", "send.buffer.bytes", "debug",
    };

    /// <summary>The settings with what others say in place of theirs.</summary>
    public static StreamsConfig Read(StreamsConfig config, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var faults = new List<string>(config.ReadFaults);
        foreach (var (key, value) in settings)
        {
            if (value is null) continue;
            try
            {
                if (Set(config, key, value.Trim()) is { } changed) config = changed;
                else faults.Add($"{key} is not a setting of an application{(_elsewhere.TryGetValue(key, out var where) ? $" here: {where}" : $"{Suggestion(key)}; settings of clients need a prefix: consumer., producer., admin. or topic.")}");
            }
            catch (Exception failure) when (failure is FormatException or OverflowException)
            {
                faults.Add($"{key} is '{value}': {failure.Message}");
            }
        }

        return config with { ReadFaults = faults };
    }

    private static Dictionary<string, Apply> ByName()
    {
        var settings = new Dictionary<string, Apply>(StringComparer.OrdinalIgnoreCase);
        foreach (var (kafka, property, set) in _table)
        {
            settings.Add(kafka, set);
            settings.TryAdd(property, set);
        }

        return settings;
    }

    private static StreamsConfig? Set(StreamsConfig config, string key, string value)
    {
        if (_settings.TryGetValue(key, out var apply)) return apply(config, value);
        foreach (var (prefix, property, add) in _prefixes)
        {
            if (Rest(key, prefix) is { } rest) return add(config, rest, value);
            if (Rest(key, property + ".") is { } member) return add(config, member, value);
        }

        if (Handler(config, key.ToLowerInvariant(), value) is { } handled) return handled;
        return _clientSettings.Contains(key) || _clientPrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            ? config with { ClientProperties = WithClients(config.ClientProperties, key, value) }
            : null;
    }

    private static string? Rest(string key, string prefix) => key.Length > prefix.Length && key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? key[prefix.Length..] : null;

    // Settings that clients have in Kafka, but that are the application's here.
    private static StreamsConfig? Own(StreamsConfig config, string key, string value) => key.ToLowerInvariant() switch
    {
        "session.timeout.ms" or "heartbeat.interval.ms" or "group.instance.id" or "transaction.timeout.ms" => _settings[key](config, value),
        "max.poll.interval.ms" => config with { RebalanceTimeout = Time(value) },
        "isolation.level" => config with { InputIsolationLevel = Isolation(value) },
        _ => null,
    };

    private static StreamsConfig? Handler(StreamsConfig config, string key, string value)
    {
        if (key.StartsWith("default.", StringComparison.Ordinal)) key = key["default.".Length..];
        if (key is not ("deserialization.exception.handler" or "processing.exception.handler" or "production.exception.handler")) return null;
        var name = value[(value.LastIndexOf('.') + 1)..];
        var goesOn = name.StartsWith("LogAndContinue", StringComparison.Ordinal);
        if (!goesOn && !name.StartsWith("LogAndFail", StringComparison.Ordinal) && name != "DefaultProductionExceptionHandler")
            throw new FormatException("LogAndContinue and LogAndFail are allowed; set other handlers in code");
        return key switch
        {
            "deserialization.exception.handler" => config with { DeserializationExceptionHandler = goesOn ? ErrorHandlers.LogAndContinue : ErrorHandlers.LogAndFail },
            "processing.exception.handler" => config with { ProcessingExceptionHandler = goesOn ? ErrorHandlers.LogAndContinue : ErrorHandlers.LogAndFail },
            _ => config with { ProductionExceptionHandler = goesOn ? ErrorHandlers.LogAndContinue : ErrorHandlers.LogAndFail },
        };
    }

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string> settings, string key, string value) => new(settings) { [key] = value };

    // Clients know their settings in lower case only.
    private static Dictionary<string, string> WithClients(IReadOnlyDictionary<string, string> settings, string key, string value) => With(settings, key.ToLowerInvariant(), value);

    private static TimeSpan Time(string value)
    {
        // Without a colon it is Kafka's notation: "30" would be thirty days to TimeSpan, and nobody means that. What is more than TimeSpan can hold, such as Kafka's
        // Long.MAX_VALUE for "never", is the most that it can: Validate says whether so much is allowed.
        if (!value.Contains(':', StringComparison.Ordinal)) return TimeSpan.FromTicks((long)Int128.Clamp((Int128)Whole<long>(value) * TimeSpan.TicksPerMillisecond, long.MinValue, long.MaxValue));
        return TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time) ? time : throw new FormatException("it must be milliseconds (30000) or a time (00:00:30)");
    }

    private static T Whole<T>(string value)
        where T : struct, System.Numerics.INumberBase<T> =>
        T.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"it must be a whole number that a {TypeNames.Of(typeof(T))} can hold");

    private static bool YesOrNo(string value) => bool.TryParse(value, out var yes) ? yes : throw new FormatException("it must be true or false");

    private static T Name<T>(string value)
        where T : struct, Enum =>
        !char.IsAsciiDigit(value.FirstOrDefault('0')) && Enum.TryParse<T>(value, ignoreCase: true, out var named) && Enum.IsDefined(named)
            ? named
            : throw new FormatException($"{string.Join(" and ", Enum.GetNames<T>())} are allowed");

    private static IsolationLevel Isolation(string value) => Name<IsolationLevel>(value.Replace("_", "", StringComparison.Ordinal));

    private static ProcessingGuarantee Guarantee(string value) => value.ToLowerInvariant() switch
    {
        "at_least_once" or "atleastonce" => ProcessingGuarantee.AtLeastOnce,
        "exactly_once_v2" or "exactly_once" or "exactly_once_beta" or "exactlyonce" => ProcessingGuarantee.ExactlyOnce,
        _ => throw new FormatException("at_least_once and exactly_once_v2 are allowed"),
    };

    private static TimestampPolicy Policy(string value) => value[(value.LastIndexOf('.') + 1)..] switch
    {
        "FailOnInvalidTimestamp" or nameof(TimestampPolicy.FailOnInvalid) => TimestampPolicy.FailOnInvalid,
        "LogAndSkipOnInvalidTimestamp" or nameof(TimestampPolicy.SkipOnInvalid) => TimestampPolicy.SkipOnInvalid,
        "UsePartitionTimeOnInvalidTimestamp" or nameof(TimestampPolicy.UsePartitionTimeOnInvalid) => TimestampPolicy.UsePartitionTimeOnInvalid,
        "WallclockTimestampExtractor" or nameof(TimestampPolicy.WallClock) => TimestampPolicy.WallClock,
        _ => throw new FormatException("FailOnInvalidTimestamp, LogAndSkipOnInvalidTimestamp, UsePartitionTimeOnInvalidTimestamp and WallclockTimestampExtractor are allowed; give sources extractors of their own in code"),
    };

    // What Kafka's own are for, the library's does; one's own is an object.
    private static ITaskAssignor? DefaultAssignor(string value) => value[(value.LastIndexOf('.') + 1)..] switch
    {
        "" or "HighAvailabilityTaskAssignor" or "StickyTaskAssignor" => null,
        _ => throw new FormatException("HighAvailabilityTaskAssignor and StickyTaskAssignor, which both mean the library's own, are allowed; set another one in code"),
    };

    private static AutoOffsetReset Reset(string value)
    {
        if (value.StartsWith("by_duration:", StringComparison.OrdinalIgnoreCase))
        {
            var duration = System.Xml.XmlConvert.ToTimeSpan(value["by_duration:".Length..]);
            return duration >= TimeSpan.Zero ? AutoOffsetReset.ByDuration(duration) : throw new FormatException("the duration must not be negative");
        }

        return value.ToLowerInvariant() switch
        {
            "earliest" => AutoOffsetReset.Earliest,
            "latest" => AutoOffsetReset.Latest,
            "none" => AutoOffsetReset.None,
            _ => throw new FormatException("earliest, latest, none and by_duration:PT1H (ISO 8601) are allowed"),
        };
    }

    private static string Suggestion(string key)
    {
        key = key.ToLowerInvariant();
        var nearest = _table.Select(setting => setting.Kafka).MinBy(known => Distance(known, key))!;
        return Distance(nearest, key) <= 3 ? $" (is '{nearest}' meant?)" : "";
    }

    // Edits between two names; only names of some likeness get this far in practice, and names are short.
    private static int Distance(string one, string other)
    {
        if (Math.Abs(one.Length - other.Length) > 3) return int.MaxValue;
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (one[i - 1] == other[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
