using System.Diagnostics.Metrics;
using Broker.Lite.Coordination;
using Broker.Lite.Diagnostics;

namespace Broker.Lite.Monitoring;

/// <summary>
/// Watches what groups commit and how far behind they are. It looks every <see cref="IntervalMs"/> on the broker loop; its report may be
/// read anywhere. Groups and partitions that are gone are forgotten at the next look.
/// </summary>
internal sealed class LagMonitor
{
    public const long IntervalMs = 5_000;

    private readonly BrokerState _broker;
    private readonly LoopTimers _timers;
    private Dictionary<(string Group, OffsetPartition Partition), LagWindow> _windows = [];
    private IReadOnlyList<LagReport> _report = [];

    public LagMonitor(BrokerState broker, LoopTimers timers, BrokerMetrics metrics)
    {
        _broker = broker;
        _timers = timers;
        metrics.Meter.CreateObservableGauge("kafka.broker.group.lag", () => Measure(report => report.Lag), "{record}", "Records after the committed offset.");
        metrics.Meter.CreateObservableGauge(
            "kafka.broker.group.lag.status", () => Measure(report => (long)report.Status), null, "0 fine, 1 falling behind, 2 commits without moving, 3 stopped committing.");
        broker.Loop.Post(Look);
    }

    /// <summary>What was seen at the last look, by group, topic and partition.</summary>
    public IReadOnlyList<LagReport> Report => Volatile.Read(ref _report);

    private void Look()
    {
        var now = _broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var windows = new Dictionary<(string Group, OffsetPartition Partition), LagWindow>(_windows.Count);
        var reports = new List<LagReport>();
        foreach (var group in _broker.Groups.All)
        {
            foreach (var (partition, committed) in group.Offsets)
            {
                if (_broker.View.Find(partition.Topic, partition.Partition) is not { } log)
                    continue;
                var key = (group.Id, partition);
                if (!_windows.TryGetValue(key, out var window))
                    window = new LagWindow();
                windows.Add(key, window);
                var end = log.LogEndOffset;
                window.Observe(committed.Offset, committed.CommitTimestampMs, end);
                reports.Add(new LagReport(group.Id, partition.Topic, partition.Partition, committed.Offset, end, window.Lag, window.Judge(now, group.Members.Count > 0)));
            }
        }

        _windows = windows;
        reports.Sort(static (a, b) => (string.CompareOrdinal(a.Group, b.Group), string.CompareOrdinal(a.Topic, b.Topic), a.Partition.CompareTo(b.Partition)) switch
        {
            (not 0 and var byGroup, _, _) => byGroup,
            (_, not 0 and var byTopic, _) => byTopic,
            (_, _, var byPartition) => byPartition,
        });
        Volatile.Write(ref _report, reports);
        _timers.Schedule(IntervalMs, Look);
    }

    private IEnumerable<Measurement<long>> Measure(Func<LagReport, long> value) => Report.Select(report => new Measurement<long>(
        value(report),
        new("group", report.Group),
        new("topic", report.Topic),
        new("partition", report.Partition)));
}
