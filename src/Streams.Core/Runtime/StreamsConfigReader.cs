using System.Globalization;

namespace Streams.Core;

/// <summary>
/// Reads <see cref="StreamsConfig"/> from settings by their Kafka names. What cannot be read is kept as a fault of the record, so that
/// <see cref="StreamsConfig.Validate"/> reports it together with everything else.
/// </summary>
internal static class StreamsConfigReader
{
    private delegate StreamsConfig Apply(StreamsConfig config, string value);

    private static readonly Dictionary<string, Apply> _settings = new(StringComparer.Ordinal)
    {
        ["application.id"] = static (config, value) => config with { ApplicationId = value },
        ["bootstrap.servers"] = static (config, value) => config with { BootstrapServers = value },
        ["application.server"] = static (config, value) => config with { ApplicationServer = value.Length == 0 ? null : value },
        ["client.id"] = static (config, value) => config with { ClientId = value.Length == 0 ? null : value },
        ["client.rack"] = static (config, value) => config with { ClientRack = value.Length == 0 ? null : value },
        ["group.instance.id"] = static (config, value) => config with { GroupInstanceId = value },
        ["state.dir"] = static (config, value) => config with { StateDirectory = value },
        ["processing.guarantee"] = static (config, value) => config with { ProcessingGuarantee = Guarantee(value) },
        ["num.stream.threads"] = static (config, value) => config with { NumStreamThreads = Whole<int>(value) },
        ["num.standby.replicas"] = static (config, value) => config with { NumStandbyReplicas = Whole<int>(value) },
        ["acceptable.recovery.lag"] = static (config, value) => config with { AcceptableRecoveryLag = Whole<long>(value) },
        ["max.warmup.replicas"] = static (config, value) => config with { MaxWarmupReplicas = Whole<int>(value) },
        ["probing.rebalance.interval.ms"] = static (config, value) => config with { ProbingRebalanceInterval = Time(value) },
        ["rack.aware.assignment.tags"] = static (config, value) => config with { RackAwareAssignmentTags = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) },
        ["commit.interval.ms"] = static (config, value) => config with { CommitInterval = Time(value) },
        ["transaction.timeout.ms"] = static (config, value) => config with { TransactionTimeout = Time(value) },
        ["poll.ms"] = static (config, value) => config with { PollInterval = Time(value) },
        ["buffered.records.per.partition"] = static (config, value) => config with { BufferedRecordsPerPartition = Whole<int>(value) },
        ["input.buffer.max.bytes"] = static (config, value) => config with { InputBufferMaxBytes = Whole<long>(value) },
        ["max.task.idle.ms"] = static (config, value) => config with { MaxTaskIdle = Time(value) },
        ["task.timeout.ms"] = static (config, value) => config with { TaskTimeout = Time(value) },
        ["default.timestamp.extractor"] = static (config, value) => config with { TimestampPolicy = Policy(value) },
        ["auto.offset.reset"] = static (config, value) => config with { OffsetReset = Reset(value) },
        ["ensure.explicit.internal.resource.naming"] = static (config, value) => config with { EnsureExplicitInternalResourceNaming = YesOrNo(value) },
        ["state.memory.bytes"] = static (config, value) => config with { StateMemoryBytes = Whole<long>(value) },
        ["statestore.cache.max.bytes"] = static (config, value) => config with { StateStoreCacheMaxBytes = Whole<long>(value) },
        ["cache.max.bytes.buffering"] = static (config, value) => config with { StateStoreCacheMaxBytes = Whole<long>(value) },
        ["statestore.uncommitted.max.bytes"] = static (config, value) => config with { StateStoreUncommittedMaxBytes = Whole<long>(value) },
        ["state.cleanup.delay.ms"] = static (config, value) => config with { StateCleanupDelay = Time(value) },
        ["metadata.max.age.ms"] = static (config, value) => config with { MetadataMaxAge = Time(value) },
        ["replication.factor"] = static (config, value) => config with { ReplicationFactor = Whole<short>(value) },
        ["session.timeout.ms"] = static (config, value) => config with { SessionTimeout = Time(value) },
        ["heartbeat.interval.ms"] = static (config, value) => config with { HeartbeatInterval = Time(value) },
        ["rebalance.timeout.ms"] = static (config, value) => config with { RebalanceTimeout = Time(value) },
        ["repartition.purge.interval.ms"] = static (config, value) => config with { RepartitionPurgeInterval = Time(value) },
        ["errors.dead.letter.queue.topic.name"] = static (config, value) => config with { DeadLetterTopic = value.Length == 0 ? null : value },
        ["metrics.recording.level"] = static (config, value) => config with { MetricsRecordingLevel = Name<MetricsRecordingLevel>(value) },
        ["default.interactive.query.isolation.level"] = static (config, value) => config with { DefaultInteractiveQueryIsolationLevel = Name<IsolationLevel>(value.Replace("_", "", StringComparison.Ordinal)) },
    };

    private static readonly (string Prefix, Func<StreamsConfig, string, string, StreamsConfig> Add)[] _prefixes =
    [
        ("main.consumer.", static (config, key, value) => config with { MainConsumerProperties = With(config.MainConsumerProperties, key, value) }),
        ("restore.consumer.", static (config, key, value) => config with { RestoreConsumerProperties = With(config.RestoreConsumerProperties, key, value) }),
        ("global.consumer.", static (config, key, value) => config with { GlobalConsumerProperties = With(config.GlobalConsumerProperties, key, value) }),
        ("consumer.", static (config, key, value) => Own(config, key, value) ?? config with { ConsumerProperties = With(config.ConsumerProperties, key, value) }),
        ("producer.", static (config, key, value) => Own(config, key, value) ?? config with { ProducerProperties = With(config.ProducerProperties, key, value) }),
        ("admin.", static (config, key, value) => config with { ClientProperties = With(config.ClientProperties, key, value) }),
        ("topic.", static (config, key, value) => config with { TopicProperties = With(config.TopicProperties, key, value) }),
        ("client.tag.", static (config, key, value) => config with { ClientTags = With(config.ClientTags, key, value) }),
    ];

    // What belongs to every client, and is written without a prefix in Kafka Streams too.
    private static readonly string[] _clientPrefixes = ["security.", "sasl.", "ssl.", "socket.", "reconnect.backoff.", "broker.address."];

    private static readonly HashSet<string> _clientSettings = new(StringComparer.Ordinal)
    {
        "request.timeout.ms", "default.api.timeout.ms", "retry.backoff.ms", "retry.backoff.max.ms", "connections.max.idle.ms", "client.dns.lookup", "receive.buffer.bytes", "send.buffer.bytes", "debug",
    };

    public static StreamsConfig Read(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var config = new StreamsConfig { ApplicationId = "" };
        var faults = new List<string>();
        foreach (var (key, value) in settings)
        {
            if (value is null) continue;
            try
            {
                if (Set(config, key, value.Trim()) is { } changed) config = changed;
                else faults.Add($"{key} is not a setting of an application{Suggestion(key)}; settings of clients need a prefix: consumer., producer., admin. or topic.");
            }
            catch (Exception failure) when (failure is FormatException or OverflowException)
            {
                faults.Add($"{key} is '{value}': {failure.Message}");
            }
        }

        return config with { ReadFaults = faults };
    }

    private static StreamsConfig? Set(StreamsConfig config, string key, string value)
    {
        if (_settings.TryGetValue(key, out var apply)) return apply(config, value);
        foreach (var (prefix, add) in _prefixes)
        {
            if (key.Length > prefix.Length && key.StartsWith(prefix, StringComparison.Ordinal)) return add(config, key[prefix.Length..], value);
        }

        if (Handler(config, key, value) is { } handled) return handled;
        return _clientSettings.Contains(key) || _clientPrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
            ? config with { ClientProperties = With(config.ClientProperties, key, value) }
            : null;
    }

    // Settings that clients have in Kafka, but that are the application's here.
    private static StreamsConfig? Own(StreamsConfig config, string key, string value) => key switch
    {
        "session.timeout.ms" or "heartbeat.interval.ms" or "group.instance.id" or "transaction.timeout.ms" => _settings[key](config, value),
        "max.poll.interval.ms" => config with { RebalanceTimeout = Time(value) },
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

    private static TimeSpan Time(string value) => TimeSpan.FromMilliseconds(Whole<long>(value));

    private static T Whole<T>(string value)
        where T : struct, System.Numerics.INumberBase<T> =>
        T.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"it must be a whole number that a {TypeNames.Of(typeof(T))} can hold");

    private static bool YesOrNo(string value) => bool.TryParse(value, out var yes) ? yes : throw new FormatException("it must be true or false");

    private static T Name<T>(string value)
        where T : struct, Enum =>
        !char.IsAsciiDigit(value.FirstOrDefault('0')) && Enum.TryParse<T>(value, ignoreCase: true, out var named) && Enum.IsDefined(named)
            ? named
            : throw new FormatException($"{string.Join(" and ", Enum.GetNames<T>())} are allowed");

    private static ProcessingGuarantee Guarantee(string value) => value switch
    {
        "at_least_once" => ProcessingGuarantee.AtLeastOnce,
        "exactly_once_v2" or "exactly_once" or "exactly_once_beta" => ProcessingGuarantee.ExactlyOnce,
        _ => throw new FormatException("at_least_once and exactly_once_v2 are allowed"),
    };

    private static TimestampPolicy Policy(string value) => value[(value.LastIndexOf('.') + 1)..] switch
    {
        "FailOnInvalidTimestamp" => TimestampPolicy.FailOnInvalid,
        "LogAndSkipOnInvalidTimestamp" => TimestampPolicy.SkipOnInvalid,
        "UsePartitionTimeOnInvalidTimestamp" => TimestampPolicy.UsePartitionTimeOnInvalid,
        "WallclockTimestampExtractor" => TimestampPolicy.WallClock,
        _ => throw new FormatException("FailOnInvalidTimestamp, LogAndSkipOnInvalidTimestamp, UsePartitionTimeOnInvalidTimestamp and WallclockTimestampExtractor are allowed; give sources extractors of their own in code"),
    };

    private static AutoOffsetReset Reset(string value)
    {
        if (value.StartsWith("by_duration:", StringComparison.Ordinal))
            return AutoOffsetReset.ByDuration(System.Xml.XmlConvert.ToTimeSpan(value["by_duration:".Length..]));
        return value switch
        {
            "earliest" => AutoOffsetReset.Earliest,
            "latest" => AutoOffsetReset.Latest,
            "none" => AutoOffsetReset.None,
            _ => throw new FormatException("earliest, latest, none and by_duration:PT1H (ISO 8601) are allowed"),
        };
    }

    private static string Suggestion(string key)
    {
        var nearest = _settings.Keys.MinBy(known => Distance(known, key))!;
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
