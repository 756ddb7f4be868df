using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace Streams.Core;

/// <summary>
/// The instruments of one application. They observe: whoever listens to the meter <c>Streams</c> makes them read the fields that threads and tasks
/// count in; nobody listening, nothing is read.
/// </summary>
/// <remarks>
/// Names are Kafka Streams' own behind <c>kafka.streams.</c> and the part measured (<c>client</c>, <c>thread</c>, <c>task</c>, <c>node</c>,
/// <c>topic</c>, <c>store</c>). Its averages, maxima and rates are over the last 30 to 60 s, as there; totals are better for anything that stores a history.
/// </remarks>
internal sealed class StreamsMetrics : IDisposable
{
    public const string MeterName = "Streams";

    private readonly ConcurrentDictionary<ThreadMetrics, byte> _threads = new();
    private readonly ConcurrentDictionary<TaskMetrics, byte> _tasks = new();
    private readonly List<Func<IEnumerable<StreamsMetric>>> _snapshots = [];
    private readonly KeyValuePair<string, object?>[] _applicationTags;
    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly MetricsRecordingLevel _level;
    private readonly TimeProvider _time;

    public StreamsMetrics(string applicationId, string clientId, MetricsRecordingLevel level, IMeterFactory? factory, TimeProvider time)
    {
        _level = level;
        _time = time;
        _applicationTags = [new("application-id", applicationId), new("client-id", clientId)];
        var options = new MeterOptions(MeterName)
        {
            Version = typeof(StreamsMetrics).Assembly.GetName().Version?.ToString(3),
            Tags = _applicationTags,
        };

        // Meters of a factory are the factory's to dispose.
        _meter = factory is null ? new Meter(options) : factory.Create(options);
        _ownsMeter = factory is null;
        AddThreadInstruments();
        AddTaskInstruments();
        AddTopicInstruments();
        AddStoreInstruments();
    }

    /// <summary>Whether stores are measured.</summary>
    public bool MeasuresStores => _level >= MetricsRecordingLevel.Debug;

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Records of all input partitions not processed yet, as far as known.</summary>
    public long TotalLag => _tasks.Keys.Sum(task => task.Sources.Sum(source => Math.Max(0, source.Lag)));

    public void Add(ThreadMetrics thread) => _threads.TryAdd(thread, 0);

    public void Remove(ThreadMetrics thread) => _threads.TryRemove(thread, out _);

    public void Add(TaskMetrics task) => _tasks.TryAdd(task, 0);

    public void Remove(TaskMetrics task) => _tasks.TryRemove(task, out _);

    /// <summary>Adds a number that belongs to the application as a whole.</summary>
    public void AddClientGauge(string name, string unit, string description, Func<double> read) =>
        Gauge("client." + name, unit, description, MetricsRecordingLevel.Info, () => [new Measurement<double>(read(), _applicationTags)]);

    public IReadOnlyList<StreamsMetric> Snapshot() => [.. _snapshots.SelectMany(read => read())];

    public void Dispose()
    {
        if (_ownsMeter) _meter.Dispose();
        _threads.Clear();
        _tasks.Clear();
    }

    private void AddThreadInstruments()
    {
        Phase("commit", "commits", thread => thread.Commit);
        Phase("poll", "polls", thread => thread.Poll);
        Phase("process", "records processed", thread => thread.Process);
        Phase("punctuate", "rounds of punctuation", thread => thread.Punctuate);
        ThreadGauge("poll-records-avg", "{record}", "Mean number of records per poll.", (thread, now) => thread.PollRecords.Average(now));
        ThreadGauge("poll-records-max", "{record}", "Largest number of records of a poll.", (thread, now) => thread.PollRecords.Max(now));
        ThreadGauge("process-records-avg", "{record}", "Mean number of records per turn of the thread.", (thread, now) => thread.ProcessRecords.Average(now));
        ThreadGauge("process-records-max", "{record}", "Largest number of records of a turn.", (thread, now) => thread.ProcessRecords.Max(now));
        ThreadCounter("task-created-total", "{task}", "Tasks created.", thread => thread.TaskCreated.Total);
        ThreadGauge("task-created-rate", "{task}/s", "Tasks created per second.", (thread, now) => thread.TaskCreated.Rate(now));
        ThreadCounter("task-closed-total", "{task}", "Tasks closed.", thread => thread.TaskClosed.Total);
        ThreadGauge("task-closed-rate", "{task}/s", "Tasks closed per second.", (thread, now) => thread.TaskClosed.Rate(now));
        ThreadCounter("blocked-time-ns-total", "ns", "Time waited for acknowledgements and commits.", thread => thread.BlockedTimeNs);
        ThreadGauge("thread-start-time", "ms", "When the thread was started, Unix milliseconds.", (thread, _) => thread.StartTimeMs);
        ThreadGauge("thread-state", "{state}", "0 not alive, 1 between assignments, 2 running.", (thread, _) => thread.State);

        void Phase(string name, string things, Func<ThreadMetrics, Sensor> sensor)
        {
            ThreadGauge(name + "-latency-avg", "ms", $"Mean time of {things}.", (thread, now) => sensor(thread).Average(now));
            ThreadGauge(name + "-latency-max", "ms", $"Longest time of {things}.", (thread, now) => sensor(thread).Max(now));
            ThreadGauge(name + "-rate", "1/s", $"Number of {things} per second.", (thread, now) => sensor(thread).Rate(now));
            ThreadGauge(name + "-ratio", "1", $"Share of the thread's time spent on {things}.", (thread, now) => sensor(thread).Share(now));
            ThreadCounter(name + "-total", "1", $"Number of {things}.", thread => sensor(thread).Total);
        }
    }

    private void AddTaskInstruments()
    {
        Counter("task.dropped-records-total", "{record}", "Records left out, by reason.", MetricsRecordingLevel.Info, DroppedRecords);
        TaskGauge("active-process-ratio", "1", "Share of the time that the task is processed.", MetricsRecordingLevel.Info, (task, now) => task.Process.Share(now));
        Counter("task.process-total", "{record}", "Records processed.", MetricsRecordingLevel.Debug, () => _tasks.Keys.Select(task => new Measurement<long>(task.Process.Total, task.Tags)));
        TaskGauge("process-rate", "{record}/s", "Records processed per second.", MetricsRecordingLevel.Debug, (task, now) => task.Process.Rate(now));
        TaskGauge("process-latency-avg", "ms", "Mean time per record.", MetricsRecordingLevel.Debug, (task, now) => task.Process.Average(now));
        TaskGauge("process-latency-max", "ms", "Longest mean time per record of a turn.", MetricsRecordingLevel.Debug, (task, now) => task.Process.Max(now));
        TaskCounter("restore-total", "{record}", "Changelog records that stores have taken before the task could run.", task => task.Restore.Total);
        TaskGauge("restore-rate", "{record}/s", "The same per second.", MetricsRecordingLevel.Info, (task, now) => task.Restore.Rate(now));
        TaskGauge("restore-remaining-records-total", "{record}", "Offsets that stores have to be restored by before the task can run.", MetricsRecordingLevel.Info, (task, _) => task.RestoreRemaining);
        TaskCounter("update-total", "{record}", "Changelog records that the stores of a standby have taken.", task => task.Update.Total);
        TaskGauge("update-rate", "{record}/s", "The same per second.", MetricsRecordingLevel.Info, (task, now) => task.Update.Rate(now));
        TaskGauge("active-buffer-count", "{record}", "Records that wait in the task's input queues.", MetricsRecordingLevel.Debug, (task, _) => task.BufferedRecords);
        TaskGauge("input-buffer-bytes-total", "By", "Bytes that wait in the task's input queues.", MetricsRecordingLevel.Debug, (task, _) => task.BufferedBytes);
    }

    private void AddStoreInstruments()
    {
        Operation("get", "look-ups", store => store.Get.Sensor);
        Operation("put", "writes", store => store.Put.Sensor);
        Operation("delete", "deletions", store => store.Delete.Sensor);
        Operation("flush", "flushes of the record cache", store => store.Flush);

        void Operation(string name, string things, Func<StoreMetrics, Sensor> sensor)
        {
            StoreGauge(name + "-latency-avg", "ns", $"Mean time of {things}, without serdes.", (store, now) => sensor(store).Average(now));
            StoreGauge(name + "-latency-max", "ns", $"Longest time of {things}, without serdes.", (store, now) => sensor(store).Max(now));
            StoreGauge(name + "-rate", "1/s", $"Number of {things} per second.", (store, now) => sensor(store).Rate(now));
        }
    }

    private void AddTopicInstruments()
    {
        Counter("topic.records-consumed-total", "{record}", "Records read.", MetricsRecordingLevel.Info, () => Sources(source => source.Records));
        Counter("topic.bytes-consumed-total", "By", "Bytes of the batches read.", MetricsRecordingLevel.Info, () => Sources(source => source.Bytes));
        Counter("topic.records-produced-total", "{record}", "Records written.", MetricsRecordingLevel.Info, () => Sinks(sink => sink.EndToEndLatency.Total));
        Counter("topic.bytes-produced-total", "By", "Bytes of keys and values written.", MetricsRecordingLevel.Info, () => Sinks(sink => sink.Bytes));
        Gauge("topic.records-lag", "{record}", "Records of the partition that are not processed yet (the consumer's records-lag).", MetricsRecordingLevel.Info, () =>
            _tasks.Keys.SelectMany(task => task.Sources).Where(source => source.Lag >= 0).Select(source => new Measurement<double>(source.Lag, source.Tags)));
        Latency("avg", "Mean", (sensor, now) => sensor.Average(now));
        Latency("min", "Smallest", (sensor, now) => sensor.Min(now));
        Latency("max", "Largest", (sensor, now) => sensor.Max(now));
        Counter("node.process-total", "{record}", "Records that a source has sent on.", MetricsRecordingLevel.Debug, () => Sources(source => source.EndToEndLatency.Total));

        void Latency(string what, string word, Func<Sensor, long, double> read) => Gauge(
            "node.record-e2e-latency-" + what,
            "ms",
            $"{word} age of records, from their timestamp, as a source or sink handles them.",
            MetricsRecordingLevel.Info,
            () =>
            {
                var now = NowMs;
                return _tasks.Keys.SelectMany(task => task.Sources.Select(source => (source.EndToEndLatency, source.Tags)).Concat(task.Sinks.Select(sink => (sink.EndToEndLatency, sink.Tags))))
                    .Where(node => node.EndToEndLatency.Total > 0)
                    .Select(node => new Measurement<double>(read(node.EndToEndLatency, now), node.Tags));
            });
    }

    // Reasons that have not occurred are left out, except that a task always shows one series, so that alerts have something to look at.
    private IEnumerable<Measurement<long>> DroppedRecords()
    {
        foreach (var task in _tasks.Keys)
        {
            foreach (var reason in Enum.GetValues<DropReason>())
            {
                var count = task.Dropped(reason);
                if (count > 0 || reason == DropReason.Unspecified) yield return new Measurement<long>(count, task.DroppedTags[(int)reason]);
            }
        }
    }

    private IEnumerable<Measurement<long>> Sources(Func<SourceMetrics, long> read) =>
        _tasks.Keys.SelectMany(task => task.Sources).Select(source => new Measurement<long>(read(source), source.Tags));

    private IEnumerable<Measurement<long>> Sinks(Func<SinkMetrics, long> read) =>
        _tasks.Keys.SelectMany(task => task.Sinks).Select(sink => new Measurement<long>(read(sink), sink.Tags));

    private void ThreadGauge(string name, string unit, string description, Func<ThreadMetrics, long, double> read) =>
        Gauge("thread." + name, unit, description, MetricsRecordingLevel.Info, () =>
        {
            var now = NowMs;
            return _threads.Keys.Select(thread => new Measurement<double>(read(thread, now), thread.Tags));
        });

    private void ThreadCounter(string name, string unit, string description, Func<ThreadMetrics, long> read) =>
        Counter("thread." + name, unit, description, MetricsRecordingLevel.Info, () => _threads.Keys.Select(thread => new Measurement<long>(read(thread), thread.Tags)));

    private void TaskCounter(string name, string unit, string description, Func<TaskMetrics, long> read) =>
        Counter("task." + name, unit, description, MetricsRecordingLevel.Info, () => _tasks.Keys.Select(task => new Measurement<long>(read(task), task.Tags)));

    private void StoreGauge(string name, string unit, string description, Func<StoreMetrics, long, double> read) =>
        Gauge("store." + name, unit, description, MetricsRecordingLevel.Debug, () =>
        {
            var now = NowMs;
            return _tasks.Keys.SelectMany(task => task.Stores).Select(store => new Measurement<double>(read(store, now), store.Tags));
        });

    private void TaskGauge(string name, string unit, string description, MetricsRecordingLevel level, Func<TaskMetrics, long, double> read) =>
        Gauge("task." + name, unit, description, level, () =>
        {
            var now = NowMs;
            return _tasks.Keys.Select(task => new Measurement<double>(read(task, now), task.Tags));
        });

    private void Gauge(string name, string unit, string description, MetricsRecordingLevel level, Func<IEnumerable<Measurement<double>>> read)
    {
        if (level > _level) return;
        name = "kafka.streams." + name;

        // Exporters have no use for "nothing has happened in the window"; the snapshot says it.
        _meter.CreateObservableGauge(name, () => read().Where(measurement => !double.IsNaN(measurement.Value)), unit, description);
        _snapshots.Add(() => read().Select(measurement => Show(name, measurement.Value, measurement.Tags, isTotal: false, unit, description)));
    }

    private void Counter(string name, string unit, string description, MetricsRecordingLevel level, Func<IEnumerable<Measurement<long>>> read)
    {
        if (level > _level) return;
        name = "kafka.streams." + name;
        _meter.CreateObservableCounter(name, read, unit, description);
        _snapshots.Add(() => read().Select(measurement => Show(name, measurement.Value, measurement.Tags, isTotal: true, unit, description)));
    }

    private StreamsMetric Show(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, bool isTotal, string unit, string description)
    {
        var shown = new Dictionary<string, string>();
        foreach (var (key, tag) in _applicationTags) shown[key] = Convert.ToString(tag, CultureInfo.InvariantCulture) ?? "";
        foreach (var (key, tag) in tags) shown[key] = Convert.ToString(tag, CultureInfo.InvariantCulture) ?? "";
        return new StreamsMetric(name, shown, value, isTotal, unit, description);
    }
}
