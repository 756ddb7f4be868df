using System.Globalization;
using Streams.Core;
using Streams.Kafka;
using Xunit;

namespace Chaos;

/// <summary>kill -9 at each step of a commit: a real process that kills itself at that very point, and the next one that goes on from what is left.</summary>
public abstract class CommitKillTests
{
    private const int Pairs = 20_000;
    private const int Portion = 8;

    /// <summary>Few enough that there is hardly anything on disk, and so many that the state has just been written there (a store waits for 64 commits).</summary>
    private static readonly int[] _commits = [3, 66];

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private static readonly CommitStep[] _stepsOfTransactions =
        [CommitStep.BeforeFlush, CommitStep.AfterFlush, CommitStep.BeforeOffsets, CommitStep.AfterOffsets, CommitStep.BeforeEnd, CommitStep.AfterEnd, CommitStep.AfterState];

    private static readonly CommitStep[] _steps =
        [CommitStep.BeforeFlush, CommitStep.AfterFlush, CommitStep.BeforeOffsetCommit, CommitStep.AfterOffsetCommit, CommitStep.AfterState];

    // Each is a class, so that they run beside each other: an instance that has been killed is waited for most of the time.
    public sealed class WithConfluent : CommitKillTests
    {
        [Fact]
        public Task Exactly_once_is_exact_after_a_kill_at_any_step() => RunAsync("confluent", isExactlyOnce: true, _stepsOfTransactions);
    }

    public sealed class WithManaged : CommitKillTests
    {
        [Fact]
        public Task Exactly_once_is_exact_after_a_kill_at_any_step() => RunAsync("managed", isExactlyOnce: true, _stepsOfTransactions);
    }

    public sealed class WithoutTransactions : CommitKillTests
    {
        // The steps do not depend on the library, and this one takes half the time.
        [Fact]
        public Task At_least_once_loses_nothing_after_a_kill_at_any_step() => RunAsync("managed", isExactlyOnce: false, _steps);
    }

    private static async Task RunAsync(string library, bool isExactlyOnce, IReadOnlyList<CommitStep> steps)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var output = TestContext.Current.TestOutputHelper!;
        using var scene = new Scene(new ChaosOptions { IsExactlyOnce = isExactlyOnce, Instances = 1, Seed = 0, Client = library });
        scene.StartBroker();
        await using var cluster = new KafkaCluster(scene.Bootstrap, ClientLibrary.Settings(library));
        using (var admin = cluster.CreateAdmin("test"))
        {
            var topics = (string[])[Workload.Clicks, Workload.Views, Workload.Counts, Workload.Pairs, Workload.Groups];
            await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, Workload.Partitions, 1, new Dictionary<string, string>()))], cancellation);
        }

        using var judge = new Judge(cluster, isExactlyOnce, Pairs);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "feeder", Linger = TimeSpan.FromMilliseconds(1) });
        var input = new Input(producer);

        // The state that a kill must not harm.
        input.Feed(500);
        var time = TimeProvider.System;
        foreach (var (step, commits) in steps.Select(step => (step, _commits[0])).Concat(steps.TakeLast(2).Select(step => (step, _commits[1]))))
        {
            scene.StartInstance(0, step.ToString(), commits.ToString(CultureInfo.InvariantCulture));
            var started = time.GetTimestamp();
            while (!scene.HasEnded(0))
            {
                if (time.GetElapsedTime(started) > _patience) Assert.Fail($"{step} {commits} was not reached within {_patience}:\n{scene.Tail(0)}");

                // Each commit is to have something in it; what the instance has not come to yet is enough for the next.
                if (input.Fed - judge.PairsSeen < 500 && input.Fed < Pairs - 1_000) input.Feed(Portion);
                judge.ReadOn(TimeSpan.FromMilliseconds(5));
            }

            Assert.True(scene.Tail(0).Contains($"KILLED {step} {commits}", StringComparison.Ordinal), $"it ended otherwise than by {step} {commits}:\n{scene.Tail(0)}");
            judge.ReadOn(TimeSpan.FromMilliseconds(5));
            output.WriteLine($"{step} at commit {commits}: {time.GetElapsedTime(started).TotalSeconds:F1} s, {input.Fed} pairs fed; {judge.Progress}");
            Assert.True(judge.Faults.Count == 0, $"before or at {step} {commits}: {string.Join('\n', judge.Faults)}");
            scene.KillInstance(0);
        }

        scene.StartInstance(0);
        input.Feed(Pairs - input.Fed);
        var last = time.GetTimestamp();
        while (!judge.IsComplete && time.GetElapsedTime(last) < _patience)
        {
            scene.CheckInstances();
            if (judge.ReadOn(TimeSpan.FromMilliseconds(50))) last = time.GetTimestamp();
        }

        scene.StopInstance(0);
        await judge.FinishAsync(cancellation);
        Assert.True(judge.IsComplete, judge.Progress);
        Assert.True(judge.Faults.Count + scene.Faults.Count == 0, string.Join('\n', judge.Faults.Concat(scene.Faults)));
    }

    /// <summary>The workload, as it is asked for.</summary>
    private sealed class Input(IRecordProducer producer)
    {
        private readonly ProducerTopic _clicks = producer.GetTopic(Workload.Clicks);
        private readonly ProducerTopic _views = producer.GetTopic(Workload.Views);
        private readonly long _start = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

        public int Fed { get; private set; }

        public void Feed(int count)
        {
            for (var end = Fed + count; Fed < end; Fed++)
            {
                Feeder.Send(producer, _clicks, Fed, Workload.ClickTime(_start, Fed));
                Feeder.Send(producer, _views, Fed, Workload.ViewTime(_start, Fed));
            }

            producer.Flush(CancellationToken.None);
        }
    }
}
