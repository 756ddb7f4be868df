using Streams.Core;
using Streams.Kafka;

namespace Chaos;

/// <summary>One run: a broker, some instances of the application, a feeder, faults by the seed, and the verdict.</summary>
internal static class ChaosRun
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private static readonly string[] _topics = [Workload.Clicks, Workload.Views, Workload.Counts, Workload.Pairs, Workload.Groups];

    /// <summary>Runs, and returns what is wrong; empty when everything is as it must be.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(ChaosOptions options, Action<string> say, CancellationToken cancellation)
    {
        var time = TimeProvider.System;
        var pairs = options.Records / 2;
        using var scene = new Scene(options);
        say($"seed {options.Seed}: {options.Records} records in {options.Duration.TotalSeconds:0} s, {options.Instances} instances, {options.Standbys} standbys, {(options.IsExactlyOnce ? "exactly-once" : "at-least-once")}, clients {string.Join(", ", Enumerable.Range(0, options.Instances).Select(options.ClientOf))} and {options.ClientOf(-1)} to feed and judge; data and logs in {scene.Folder}");
        if (scene.HasBroker) scene.StartBroker();
        await using var cluster = new KafkaCluster(scene.Bootstrap, ClientLibrary.Settings(options.ClientOf(-1)));
        using (var admin = cluster.CreateAdmin("chaos"))
        {
            // What another run has left there would be judged with this one's.
            var left = (await admin.ListTopicsAsync(cancellation).ConfigureAwait(false)).Where(IsOurs).ToList();
            if (left.Count > 0) return [$"{scene.Bootstrap} has topics of another run: {string.Join(", ", left)}"];
            await admin.CreateTopicsAsync([.. _topics.Select(topic => new NewTopic(topic, Workload.Partitions, 1, new Dictionary<string, string>()))], cancellation).ConfigureAwait(false);
        }

        for (var index = 0; index < scene.Count; index++) scene.StartInstance(index);
        using var judge = new Judge(cluster, options.IsExactlyOnce, pairs);
        var feeder = new Feeder(cluster, pairs, options.Duration, cancellation);
        var feeding = feeder.RunAsync();
        var started = time.GetTimestamp();
        var faults = new FaultPlan(scene, new Random(options.Seed), text => say($"{time.GetElapsedTime(started).TotalSeconds,7:0.0} {text}"), time);
        while (time.GetElapsedTime(started) < options.Duration)
        {
            cancellation.ThrowIfCancellationRequested();
            if (feeding.IsFaulted) break;
            faults.Step();
            scene.CheckInstances();
            judge.ReadOn(TimeSpan.FromMilliseconds(50));
        }

        await faults.RepairAsync().ConfigureAwait(false);
        say($"{time.GetElapsedTime(started).TotalSeconds,7:0.0} {faults.Summary}; {feeder.Acknowledged} pairs acknowledged; {judge.Progress}");
        feeder.FaultsAreOver();
        var lastProgress = time.GetTimestamp();
        while (!judge.IsComplete || !feeding.IsCompleted)
        {
            cancellation.ThrowIfCancellationRequested();
            if (feeding.IsFaulted) break;
            scene.CheckInstances();
            if (judge.ReadOn(TimeSpan.FromMilliseconds(50))) lastProgress = time.GetTimestamp();
            else if (time.GetElapsedTime(lastProgress) > _patience)
            {
                scene.Faults.Add($"nothing has come for {_patience.TotalSeconds:0} s, but it is not all: {judge.Progress}");
                break;
            }
        }

        var wrong = new List<string>();
        try
        {
            await feeding.ConfigureAwait(false);
        }
        catch (StreamsException failure)
        {
            wrong.Add("the feeder failed: " + failure.Message);
        }

        say($"{time.GetElapsedTime(started).TotalSeconds,7:0.0} everything is processed; closing");
        for (var index = 0; index < scene.Count; index++) scene.StopInstance(index);
        if (feeder.Acknowledged == pairs) await judge.FinishAsync(cancellation).ConfigureAwait(false);
        if (!scene.HasBroker)
        {
            using var admin = cluster.CreateAdmin("chaos");
            await admin.DeleteTopicsAsync([.. (await admin.ListTopicsAsync(cancellation).ConfigureAwait(false)).Where(IsOurs)], cancellation).ConfigureAwait(false);
        }

        wrong.AddRange(judge.Faults);
        wrong.AddRange(scene.Faults);
        scene.KeepFolder |= wrong.Count > 0;
        var elapsed = time.GetElapsedTime(started);
        say($"{elapsed.TotalSeconds,7:0.0} {judge.Read} outputs read, {judge.Progress}; {options.Records / elapsed.TotalSeconds:0} records/s with faults");
        return wrong;
    }

    private static bool IsOurs(string topic) => _topics.Contains(topic) || ApplicationReset.IsInternal(CountingApplication.ApplicationId, topic);
}
