using Microsoft.Extensions.Diagnostics.HealthChecks;
using Streams.Core;

namespace Streams.Hosting;

/// <summary>
/// Tells whether an application works: running, not too long in a rebalance or a restore, not too far behind its input.
/// </summary>
/// <remarks>
/// Failed or closed is unhealthy. Rebalancing or restoring is healthy for <see cref="KafkaStreamsHealthCheckOptions.MaxRebalanceTime"/>, then
/// degraded; so is a lag above <see cref="KafkaStreamsHealthCheckOptions.MaxLag"/>. The report's data: <c>state</c>, <c>tasks</c>, <c>lag</c> (records, of the
/// partitions whose end is known), <c>processed</c>, <c>dropped</c>.
/// </remarks>
public sealed class KafkaStreamsHealthCheck : IHealthCheck
{
    private readonly KafkaStreams _streams;
    private readonly KafkaStreamsHealthCheckOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private long? _notRunningSince;

    /// <summary>Creates a check.</summary>
    public KafkaStreamsHealthCheck(KafkaStreams streams, KafkaStreamsHealthCheckOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(streams);
        _streams = streams;
        _options = options ?? new KafkaStreamsHealthCheckOptions();
        _time = time ?? TimeProvider.System;
        if (streams.State != KafkaStreamsState.Running) _notRunningSince = _time.GetTimestamp();
        streams.StateChanged += (_, to) =>
        {
            lock (_gate) _notRunningSince = to == KafkaStreamsState.Running ? null : _notRunningSince ?? _time.GetTimestamp();
        };
    }

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var metrics = _streams.Metrics;
        var lag = Sum(metrics, "kafka.streams.topic.records-lag");
        var state = _streams.State;
        var data = new Dictionary<string, object>
        {
            ["state"] = state.ToString(),
            ["tasks"] = _streams.TasksByThread.Values.Sum(tasks => tasks.Count),
            ["lag"] = lag,
            ["processed"] = _streams.ProcessedRecords,
            ["dropped"] = Sum(metrics, "kafka.streams.task.dropped-records-total"),
        };
        return Task.FromResult(state switch
        {
            KafkaStreamsState.Running when lag > _options.MaxLag => HealthCheckResult.Degraded($"{lag} records behind; at most {_options.MaxLag} are expected", null, data),
            KafkaStreamsState.Running => HealthCheckResult.Healthy("running", data),
            KafkaStreamsState.Created or KafkaStreamsState.Rebalancing => WhileStarting(data),
            KafkaStreamsState.PendingShutdown => HealthCheckResult.Degraded("closing", null, data),
            _ => HealthCheckResult.Unhealthy($"the application is {state}", _streams.Failure, data),
        });
    }

    private static long Sum(IReadOnlyList<StreamsMetric> metrics, string name) => (long)metrics.Where(metric => metric.Name == name).Sum(metric => metric.Value);

    private HealthCheckResult WhileStarting(Dictionary<string, object> data)
    {
        long? since;
        lock (_gate) since = _notRunningSince;
        var waited = since is { } start ? _time.GetElapsedTime(start) : TimeSpan.Zero;
        return waited <= _options.MaxRebalanceTime
            ? HealthCheckResult.Healthy("rebalancing or restoring", data)
            : HealthCheckResult.Degraded($"rebalancing or restoring for {waited.TotalSeconds:F0} s", null, data);
    }
}

/// <summary>When an application counts as degraded.</summary>
public sealed record KafkaStreamsHealthCheckOptions
{
    /// <summary>How long an application may be without its work: rebalancing, or restoring its state (default 5 min).</summary>
    public TimeSpan MaxRebalanceTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Records that its partitions together may be behind (default: any number).</summary>
    public long MaxLag { get; init; } = long.MaxValue;
}
