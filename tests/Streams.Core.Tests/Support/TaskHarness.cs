namespace Streams.Core.Tests.Support;

/// <summary>Runs one task of a topology with everything around it under a test's control.</summary>
internal sealed class TaskHarness : IDisposable
{
    private readonly Dictionary<TopicPartition, long> _nextOffsets = [];

    public TaskHarness(
        Topology topology,
        IReadOnlyCollection<TopicPartition>? inputs = null,
        ErrorPolicy? errors = null,
        TimestampPolicy policy = TimestampPolicy.FailOnInvalid,
        TimeSpan? maxTaskIdle = null,
        Func<TopicPartition, long?>? endOffset = null,
        IReadOnlyDictionary<TopicPartition, OffsetCommit>? committed = null,
        FakeProducer? producer = null)
    {
        Producer = producer ?? new FakeProducer();
        var plan = new TopologyPlan(topology, "app");
        var subtopology = plan.Subtopologies[0];
        var environment = new TaskEnvironment
        {
            ApplicationId = "app",
            Collector = new RecordCollector(Producer),
            Time = Clock,
            Errors = errors ?? new ErrorPolicy(),
            Memory = new StateMemory(),
            TaskDirectory = _ => Path.GetTempPath(),
            TimestampPolicy = policy,
            MaxTaskIdle = maxTaskIdle ?? TimeSpan.Zero,
            EndOffset = endOffset ?? (static _ => 0),
        };
        Task = new StreamTask(new TaskId(0, 0), subtopology, inputs ?? [.. subtopology.SourceTopics([]).Select(topic => new TopicPartition(topic, 0))], environment);
        Task.OpenStores();
        Task.Start(committed ?? new Dictionary<TopicPartition, OffsetCommit>());
    }

    public FixedClock Clock { get; } = new();

    public FakeProducer Producer { get; }

    public StreamTask Task { get; }

    public void Enqueue(string topic, params Raw[] records)
    {
        var partition = new TopicPartition(topic, 0);
        var first = _nextOffsets.GetValueOrDefault(partition);
        _nextOffsets[partition] = first + records.Length;
        Task.Enqueue(Batches.Of(partition, first, records));
    }

    /// <summary>Takes records and processes all of them.</summary>
    public void Process(string topic, params Raw[] records)
    {
        Enqueue(topic, records);
        while (Task.Process(int.MaxValue) > 0)
        {
        }
    }

    public void Dispose() => Task.Close();
}
