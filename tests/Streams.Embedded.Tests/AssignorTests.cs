using System.Collections.Concurrent;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>A user's own assignor in a running group.</summary>
public sealed class AssignorTests : IDisposable
{
    private const int Partitions = 4;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-assignor-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Tasks_go_where_the_assignor_says_one_rebalance_after_their_owner_has_let_go()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        var assignor = new ByRole();
        await using var helper = new KafkaStreams(Count(), Config(cluster, "helper", assignor));
        await using var worker = new KafkaStreams(Count(), Config(cluster, "worker", assignor));
        await helper.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => TasksOf(helper) == Partitions && helper.State == KafkaStreamsState.Running, _patience);
        Produce(cluster, 1000);
        await TestTopics.WaitForCountAsync(cluster, "output", 1000, _patience);

        // The worker gets everything, at once, state or not, and the helper keeps copies.
        await worker.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => TasksOf(worker) == Partitions && TasksOf(helper) == 0 && worker.State == KafkaStreamsState.Running, _patience);
        await TestTopics.WaitUntilAsync(() => helper.MetadataForLocalThreads().Sum(thread => thread.StandbyTasks.Count) == Partitions, _patience);
        Produce(cluster, 1000);
        await TestTopics.WaitForCountAsync(cluster, "output", 2000, _patience);
        Assert.True(await worker.CloseAsync(_patience));
        await TestTopics.WaitUntilAsync(() => TasksOf(helper) == Partitions && helper.State == KafkaStreamsState.Running, _patience);
        Assert.True(await helper.CloseAsync(_patience));
        Assert.All(assignor.Errors, error => Assert.Equal(TaskAssignmentError.None, error));
        Assert.Contains(assignor.Seen, task => task is { IsStateful: true, Partitions.Count: 2 } && task.StateStoreNames.Single() == "counts");
    }

    [Fact]
    public async Task Application_ends_when_its_assignor_forgets_a_task()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        await using var app = new KafkaStreams(Count(), Config(cluster, "helper", new Forgetful()));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error, _patience);
        Assert.Equal(TaskAssignmentError.ActiveTaskNotAssigned, Assert.IsType<TaskAssignmentException>(app.Failure).Error);
    }

    private static int TasksOf(KafkaStreams app) => app.TasksByThread.Values.Sum(tasks => tasks.Count);

    private static void Produce(EmbeddedCluster cluster, int count) => TestTopics.Produce(cluster, "input", Enumerable.Range(0, count).Select(number => ($"k{number % 100}", "x")));

    private static Topology Count()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input").GroupByKey().Count(Materialized.As("counts").WithStoreType(StoreType.InMemory).WithCachingDisabled()).ToStream().To("output");
        return builder.Build();
    }

    private StreamsConfig Config(EmbeddedCluster cluster, string role, ITaskAssignor assignor) => StatelessApplicationTests.Config(cluster, "assigned") with
    {
        StateDirectory = Path.Combine(_folder, role),
        ClientTags = new Dictionary<string, string> { ["role"] = role },
        TaskAssignor = assignor,
    };

    private sealed class ByRole : ITaskAssignor
    {
        public ConcurrentQueue<TaskAssignmentError> Errors { get; } = [];

        public ConcurrentQueue<TaskInfo> Seen { get; } = [];

        public TaskAssignment Assign(ApplicationState state)
        {
            foreach (var task in state.Tasks.Values) Seen.Enqueue(task);
            var worker = state.Instances.Values.FirstOrDefault(instance => instance.ClientTags["role"] == "worker" && instance.NumProcessingThreads > 0);
            if (worker is null) return state.DefaultAssignment();
            return new TaskAssignment([.. state.Instances.Values.Select(instance => instance == worker
                ? new InstanceAssignment(instance.InstanceId, [.. state.Tasks.Keys], [])
                : new InstanceAssignment(instance.InstanceId, [], [.. state.Tasks.Keys]))]);
        }

        public void OnAssignmentComputed(TaskAssignment assignment, TaskAssignmentError error) => Errors.Enqueue(error);
    }

    private sealed class Forgetful : ITaskAssignor
    {
        public TaskAssignment Assign(ApplicationState state) => new([]);
    }
}
