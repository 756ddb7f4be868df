using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Streams.Core;

namespace Bench.Engine;

/// <summary>Drives one task in this thread: batches in, outputs dropped, changelogs on, a commit every 100,000 records.</summary>
internal static class EngineRun
{
    private const int RecordsPerBatch = 1000;
    private const int RecordsPerCommit = 100_000;
    private const long RecordsPerRound = 2_000_000;

    public static void Run(EngineScenario scenario, long warmUp, long records, bool listen, TextWriter output)
    {
        var folder = Path.Combine(Path.GetTempPath(), "streams-bench-" + Guid.NewGuid().ToString("n"));
        try
        {
            Run(scenario, warmUp, records, listen, folder, output);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static void Run(EngineScenario scenario, long warmUp, long records, bool listen, string folder, TextWriter output)
    {
        var plan = new TopologyPlan(scenario.Build(), "bench");
        using var producer = new DroppingProducer(partitions: 4);

        // What a monitored application does: somebody listens and looks once a second, at everything there is.
        using var metrics = new StreamsMetrics("bench", "bench", MetricsRecordingLevel.Debug, null, TimeProvider.System);
        using var listener = new MeterListener { InstrumentPublished = (instrument, each) => each.EnableMeasurementEvents(instrument) };
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => { });
        if (listen) listener.Start();
        using var looks = listen ? new Timer(_ => listener.RecordObservableInstruments(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)) : null;
        var environment = new TaskEnvironment
        {
            ApplicationId = "bench",
            Collector = new RecordCollector(producer),
            Time = TimeProvider.System,
            Errors = new ErrorPolicy(),
            Memory = new StateMemory(),
            Metrics = metrics,
            MaxTaskIdle = TimeSpan.FromMilliseconds(-1),
            TaskDirectory = id =>
            {
                var path = Path.Combine(folder, id.ToString());
                Directory.CreateDirectory(path);
                return path;
            },
        };

        var subtopology = plan.Subtopologies.Single();
        var inputs = scenario.Topics.Select(topic => new TopicPartition(topic, 0)).ToArray();
        var task = new StreamTask(new TaskId(subtopology.Id, 0), subtopology, inputs, environment);
        task.OpenStores();
        task.Start(new Dictionary<TopicPartition, OffsetCommit>());

        // Inputs are made before the clock starts; a batch in flight is what an adapter hands over: a buffer and where its records lie.
        var prepared = Prepare(scenario, inputs, (int)Math.Min(records + warmUp, RecordsPerRound));
        var next = 0L;
        Feed(warmUp);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        var sentBefore = producer.Records;
        var allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        var processCpuBefore = Environment.CpuUsage.TotalTime;
        var cpuBefore = ThreadClock.Microseconds();
        var started = Stopwatch.GetTimestamp();
        Feed(records);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var cpu = ThreadClock.Microseconds() - cpuBefore;
        var processCpu = (Environment.CpuUsage.TotalTime - processCpuBefore).TotalMicroseconds;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        var strings = scenario.StringBytesPerRecord();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT scenario={scenario.Name} listened={listen} records={records} records_per_s={records / elapsed.TotalSeconds:F0} cpu_us_per_record={cpu / records:F4} " +
            $"bytes_per_record={(double)allocated / records:F1} string_bytes_per_record={strings:F1} records_per_cpu_s={records / cpu * 1e6:F0} " +
            $"process_cpu_us_per_record={processCpu / records:F4} sent_per_record={(double)(producer.Records - sentBefore) / records:F2}"));
        task.PrepareCommit();
        task.CompleteCommit();
        task.Close();

        void Feed(long count)
        {
            var sinceCommit = 0;
            for (var done = 0L; done < count;)
            {
                var batch = prepared[(int)(next % prepared.Count)];
                task.Enqueue(batch.ToRecordBatch(round: next / prepared.Count));
                next++;
                done += task.Process(int.MaxValue);
                sinceCommit += RecordsPerBatch;
                if (sinceCommit < RecordsPerCommit) continue;
                sinceCommit = 0;
                task.PrepareCommit();
                producer.Flush(CancellationToken.None);
                task.CompleteCommit();
            }
        }
    }

    private static List<PreparedBatch> Prepare(EngineScenario scenario, TopicPartition[] inputs, int records)
    {
        var batches = new List<PreparedBatch>();
        for (var start = 0; start < records; start += RecordsPerBatch)
        {
            foreach (var input in inputs)
            {
                var indexes = Enumerable.Range(start, RecordsPerBatch).Where(index => scenario.Topic(index) == input.Topic).ToList();
                if (indexes.Count > 0) batches.Add(new PreparedBatch(scenario, input, indexes));
            }
        }

        return batches;
    }

    private sealed class PreparedBatch
    {
        private readonly TopicPartition _partition;
        private readonly byte[] _buffer;
        private readonly RecordSlice[] _slices;
        private readonly long _timePerRound;

        public PreparedBatch(EngineScenario scenario, TopicPartition partition, List<int> indexes)
        {
            _partition = partition;
            _timePerRound = scenario.Timestamp(RecordsPerRound) - scenario.Timestamp(0);
            var size = scenario.KeyBytes + scenario.ValueBytes;
            _buffer = new byte[indexes.Count * size];
            _slices = new RecordSlice[indexes.Count];
            for (var position = 0; position < indexes.Count; position++)
            {
                var index = indexes[position];
                var at = position * size;
                scenario.WriteKey(index, _buffer.AsSpan(at, scenario.KeyBytes));
                scenario.WriteValue(index, _buffer.AsSpan(at + scenario.KeyBytes, scenario.ValueBytes));
                _slices[position] = new RecordSlice(index, scenario.Timestamp(index), at, scenario.KeyBytes, at + scenario.KeyBytes, scenario.ValueBytes, 0, 0);
            }
        }

        /// <summary>The same records again, further on in the log with each round.</summary>
        public RecordBatch ToRecordBatch(long round)
        {
            var slices = ArrayPool<RecordSlice>.Shared.Rent(_slices.Length);
            var shift = round * RecordsPerRound;
            for (var index = 0; index < _slices.Length; index++)
            {
                ref readonly var slice = ref _slices[index];
                slices[index] = new RecordSlice(slice.Offset + shift, slice.Timestamp + (round * _timePerRound), slice.KeyStart, slice.KeyLength, slice.ValueStart, slice.ValueLength, 0, 0);
            }

            return new RecordBatch(_partition, _buffer, slices, _slices.Length, slices[_slices.Length - 1].Offset + 1);
        }
    }
}
