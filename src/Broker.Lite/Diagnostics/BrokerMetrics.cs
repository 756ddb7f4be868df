using System.Diagnostics.Metrics;
using Kafka.Protocol;

namespace Broker.Lite.Diagnostics;

/// <summary>What the broker counts, under the meter <see cref="MeterName"/>. Thread-safe.</summary>
internal sealed class BrokerMetrics : IDisposable
{
    public const string MeterName = "Broker.Lite";

    private const string ApiTag = "api";

    // Names are looked up once, not for each request.
    private static readonly Dictionary<ApiKey, object> _apiNames = Enum.GetValues<ApiKey>().ToDictionary(key => key, key => (object)key.ToString());

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _throttled;

    public BrokerMetrics()
    {
        _requests = _meter.CreateCounter<long>("kafka.broker.requests", "{request}", "Requests served, by API.");
        _failures = _meter.CreateCounter<long>("kafka.broker.request.failures", "{request}", "Requests that failed for a fault of the broker or its disk.");
        _duration = _meter.CreateHistogram(
            "kafka.broker.request.duration",
            "s",
            "From the last byte of a request to its response, waiting for data or members included.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30] });
        _throttled = _meter.CreateCounter<long>("kafka.broker.throttle.time", "ms", "Time that clients were told to wait because of quotas.");
        BytesIn = _meter.CreateCounter<long>("kafka.broker.bytes.in", "By", "Bytes of requests.");
        BytesOut = _meter.CreateCounter<long>("kafka.broker.bytes.out", "By", "Bytes of responses.");
        Accepted = _meter.CreateCounter<long>("kafka.broker.connections.accepted", "{connection}", "Connections accepted.");
        Refused = _meter.CreateCounter<long>("kafka.broker.connections.refused", "{connection}", "Connections closed because of a limit or because of what came in on them.");
        AuthenticationSuccesses = _meter.CreateCounter<long>("kafka.broker.authentication.successes", "{attempt}", "Clients that proved who they are.");
        AuthenticationFailures = _meter.CreateCounter<long>("kafka.broker.authentication.failures", "{attempt}", "Clients that did not.");
        AuthorizationFailures = _meter.CreateCounter<long>("kafka.broker.authorization.failures", "{decision}", "Times a client was refused what it asked for.");
    }

    /// <summary>For instruments that others add.</summary>
    public Meter Meter => _meter;

    public Counter<long> BytesIn { get; }

    public Counter<long> BytesOut { get; }

    public Counter<long> Accepted { get; }

    public Counter<long> Refused { get; }

    public Counter<long> AuthenticationSuccesses { get; }

    public Counter<long> AuthenticationFailures { get; }

    public Counter<long> AuthorizationFailures { get; }

    /// <summary>Whether somebody listens, so that measuring is worth it.</summary>
    public bool MeasuresRequests => _requests.Enabled || _duration.Enabled;

    public void RequestServed(ApiKey api, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>(ApiTag, NameOf(api));
        _requests.Add(1, tag);
        _duration.Record(duration.TotalSeconds, tag);
    }

    public void RequestFailed(ApiKey api) => _failures.Add(1, new KeyValuePair<string, object?>(ApiTag, NameOf(api)));

    public void Throttled(TimeSpan by) => _throttled.Add((long)by.TotalMilliseconds);

    public void Dispose() => _meter.Dispose();

    private static object NameOf(ApiKey api) => _apiNames.TryGetValue(api, out var name) ? name : "unknown";
}
