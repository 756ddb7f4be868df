using System.Globalization;
using Broker.Lite.Logs;
using Kafka.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Metadata;

/// <summary>
/// Opens, deletes and looks after the logs of partitions, in a folder or in memory; translates topic configuration into log settings.
/// </summary>
internal sealed class PartitionStore : IDisposable
{
    /// <summary>How often logs are looked at for whatever comes with time but retention: looking costs little, and a flush may be a matter of seconds.</summary>
    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromSeconds(5);

    /// <summary>The first look for retention comes earlier than the others, as in Kafka (<c>log.initial.task.delay.ms</c>).</summary>
    private static readonly TimeSpan FirstRetention = TimeSpan.FromSeconds(30);

    private readonly LogStore _logs;
    private readonly TimeProvider _time;
    private ITimer? _maintenance;
    private CleanerScheduler? _cleaner;
    private int _maintaining;
    private TimeSpan _retentionInterval;
    private TimeSpan _retentionWait;
    private long _retentionSince;

    private PartitionStore(LogStore logs, TimeProvider time)
    {
        _logs = logs;
        _time = time;
    }

    /// <summary>Opens the store and all logs in the folder; without folder an empty one in memory.</summary>
    /// <param name="directory">The data folder, or null.</param>
    /// <param name="valueOf">The value in force for a topic's configuration key: (topic, key) → value.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where logs go.</param>
    /// <exception cref="IOException">The folder cannot be used, or is in use.</exception>
    public static PartitionStore Open(string? directory, Func<string, string, string> valueOf, TimeProvider time, ILogger logger) =>
        new(
            directory is null
                ? LogStore.InMemory(time, logger)
                : LogStore.OpenDirectory(directory, topic => ConfigOf(key => valueOf(topic, key)), time, logger),
            time);

    /// <summary>Begins to look after the logs in the background: retention, flush by time, checkpoints, compaction.</summary>
    /// <param name="config">The broker's configuration at the time of the call.</param>
    public void StartMaintenance(Func<BrokerConfig> config)
    {
        _retentionInterval = TimeSpan.FromMilliseconds(config().Long(BrokerConfigKeys.LogRetentionCheckIntervalMs));
        _retentionWait = _retentionInterval < FirstRetention ? _retentionInterval : FirstRetention;
        _retentionSince = _time.GetTimestamp();
        var interval = _retentionInterval < MaintenanceInterval ? _retentionInterval : MaintenanceInterval;
        _maintenance = _time.CreateTimer(_ => Maintain(), null, interval, interval);
        if (!config().Flag(BrokerConfigKeys.LogCleanerEnable))
            return;
        var backoff = TimeSpan.FromMilliseconds(config().Long(BrokerConfigKeys.LogCleanerBackoffMs));
        _cleaner = new CleanerScheduler(_logs, () => CleanerOptionsOf(config()), backoff, _time);
    }

    /// <summary>Opens the log of a partition, making it if there is none.</summary>
    /// <exception cref="IOException">The log cannot be made, or there is one of another topic with the same name.</exception>
    public Partition Open(string topic, Guid topicId, int partition, LogConfig config)
    {
        try
        {
            var log = _logs.Create(topic, partition, topicId, config);
            log.UpdateConfig(config);
            return new Partition(log);
        }
        catch (InvalidOperationException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>The partitions that have a log.</summary>
    public IEnumerable<(string Topic, int Partition)> Existing => _logs.Logs.Select(log => (log.Topic, log.Partition));

    /// <summary>Deletes the logs of a topic's partitions; those already gone are no error.</summary>
    public void Delete(string topic, int partitions) => _logs.DeleteTopic(topic, partitions);

    /// <summary>Closes all logs and, if all closed well, leaves the mark of a clean shutdown.</summary>
    public void Dispose()
    {
        _maintenance?.Dispose();
        _cleaner?.Dispose();
        _logs.Dispose();
    }

    /// <summary>Log settings from configuration values.</summary>
    internal static LogConfig ConfigOf(Func<string, string> value)
    {
        var policies = ConfigKey.Elements(value(TopicConfigKeys.CleanupPolicy));
        var codec = Codec(value(TopicConfigKeys.CompressionType));
        return new LogConfig
        {
            SegmentBytes = Int(TopicConfigKeys.SegmentBytes),
            SegmentMs = Long(TopicConfigKeys.SegmentMs),
            SegmentIndexBytes = Int(TopicConfigKeys.SegmentIndexBytes),
            IndexIntervalBytes = Int(TopicConfigKeys.IndexIntervalBytes),
            RetentionMs = Long(TopicConfigKeys.RetentionMs),
            RetentionBytes = Long(TopicConfigKeys.RetentionBytes),
            IsDeleted = policies.Contains("delete"),
            IsCompacted = policies.Contains("compact"),
            SegmentJitterMs = Long(TopicConfigKeys.SegmentJitterMs),
            FileDeleteDelayMs = Long(TopicConfigKeys.FileDeleteDelayMs),
            DeleteRetentionMs = Long(TopicConfigKeys.DeleteRetentionMs),
            MinCompactionLagMs = Long(TopicConfigKeys.MinCompactionLagMs),
            MaxCompactionLagMs = Long(TopicConfigKeys.MaxCompactionLagMs),
            MinCleanableDirtyRatio = double.Parse(value(TopicConfigKeys.MinCleanableDirtyRatio), NumberStyles.Float, CultureInfo.InvariantCulture),
            FlushMessages = Long(TopicConfigKeys.FlushMessages),
            FlushMs = Long(TopicConfigKeys.FlushMs),
            MaxMessageBytes = Int(TopicConfigKeys.MaxMessageBytes),
            TimestampType = value(TopicConfigKeys.MessageTimestampType) == "LogAppendTime" ? TimestampType.LogAppendTime : TimestampType.CreateTime,
            Compression = codec,
            CompressionLevel = codec switch
            {
                CompressionType.Gzip => Int(TopicConfigKeys.CompressionGzipLevel) is var level and not -1 ? level : null,
                CompressionType.Zstd => Int(TopicConfigKeys.CompressionZstdLevel),
                _ => null,
            },
            TimestampBeforeMaxMs = Distance(TopicConfigKeys.MessageTimestampBeforeMaxMs),
            TimestampAfterMaxMs = Distance(TopicConfigKeys.MessageTimestampAfterMaxMs),
        };

        int Int(string key) => int.Parse(value(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

        // KIP-937 put one setting for each direction in the place of one for both, which counts for whoever has set only that.
        long Distance(string key) => Long(key) is var own and not long.MaxValue ? own : Long(TopicConfigKeys.MessageTimestampDifferenceMaxMs);
        long Long(string key) => long.Parse(value(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }

    /// <summary>Null for "producer", which leaves batches as they come.</summary>
    private static CompressionType? Codec(string name) => name switch
    {
        "uncompressed" => CompressionType.None,
        "gzip" => CompressionType.Gzip,
        "snappy" => CompressionType.Snappy,
        "lz4" => CompressionType.Lz4,
        "zstd" => CompressionType.Zstd,
        _ => null,
    };

    private static CleanerOptions CleanerOptionsOf(BrokerConfig config) => new()
    {
        MapBytes = config.Long(BrokerConfigKeys.LogCleanerDedupeBufferSize),
        BufferBytes = config.Int(BrokerConfigKeys.LogCleanerIoBufferSize),
        MaxBytesPerSecond = double.Parse(config.Text(BrokerConfigKeys.LogCleanerIoMaxBytesPerSecond), NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private void Maintain()
    {
        // A round that takes longer than the interval is not joined by another one.
        if (Interlocked.Exchange(ref _maintaining, 1) != 0)
            return;
        try
        {
            var isRetentionDue = _time.GetElapsedTime(_retentionSince) >= _retentionWait;
            if (isRetentionDue)
            {
                _retentionSince = _time.GetTimestamp();
                _retentionWait = _retentionInterval;
            }

            _logs.RunMaintenance(isRetentionDue);
        }
        finally
        {
            Volatile.Write(ref _maintaining, 0);
        }
    }
}
