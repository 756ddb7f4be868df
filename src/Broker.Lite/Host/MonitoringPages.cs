using System.Text.Json;
using Broker.Lite.Monitoring;

namespace Broker.Lite.Host;

/// <summary>What the broker shows over HTTP: <c>/metrics</c>, <c>/health</c> (alive), <c>/ready</c> (serving clients), <c>/lag</c>.</summary>
internal static class MonitoringPages
{
    public static IReadOnlyDictionary<string, Func<(int Status, string ContentType, string Body)>> Of(BrokerServer broker, PrometheusText metrics) =>
        new Dictionary<string, Func<(int Status, string ContentType, string Body)>>(StringComparer.Ordinal)
        {
            ["/metrics"] = () => (200, "text/plain; version=0.0.4", metrics.Write()),
            ["/health"] = () => (200, "text/plain", "ok\n"),
            ["/ready"] = () => broker.IsReady ? (200, "text/plain", "ready\n") : (503, "text/plain", "not ready\n"),
            ["/lag"] = () => (200, "application/json", Lag(broker.Lag.Report)),
        };

    private static string Lag(IReadOnlyList<LagReport> reports)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartArray();
            foreach (var report in reports)
            {
                json.WriteStartObject();
                json.WriteString("group", report.Group);
                json.WriteString("topic", report.Topic);
                json.WriteNumber("partition", report.Partition);
                json.WriteNumber("committed", report.CommittedOffset);
                json.WriteNumber("end", report.EndOffset);
                json.WriteNumber("lag", report.Lag);
                json.WriteString("status", report.Status.ToString().ToLowerInvariant());
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}
