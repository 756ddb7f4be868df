using Streams.Core;
using Xunit;

namespace Simulation;

/// <summary>Scaling out and in, and the death of an instance that has standbys elsewhere: one owner per partition, no task moves before its state, and nobody else waits.</summary>
public sealed class ScalingTests(ITestOutputHelper output)
{
    /// <summary>A poll, and the ways of a commit of everything that is due at that moment.</summary>
    private static readonly TimeSpan _aPoll = Scaling.PollInterval + TimeSpan.FromMilliseconds(20);

    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce, 0)]
    [InlineData(ProcessingGuarantee.ExactlyOnce, 0)]
    [InlineData(ProcessingGuarantee.AtLeastOnce, 1)]
    [InlineData(ProcessingGuarantee.ExactlyOnce, 1)]
    public void From_one_to_three_and_back_to_one(ProcessingGuarantee guarantee, int standbys)
    {
        for (var seed = 1; seed <= 2; seed++)
        {
            using var scaling = new Scaling(seed, guarantee, standbys);
            var one = scaling.Start(0);
            scaling.Pass(TimeSpan.FromSeconds(10), input: false);
            Assert.Equal(Scaling.Partitions * Scaling.Rows, scaling.Log.Count);
            scaling.Log.Clear();
            scaling.Restored.Clear();

            scaling.Pass(TimeSpan.FromSeconds(5));
            var two = scaling.Start(1);
            var three = scaling.Start(2);
            scaling.Pass(TimeSpan.FromSeconds(25));
            Assert.All((Incarnation[])[one, two, three], life => Assert.InRange(life.App!.TasksByThread.Values.Sum(tasks => tasks.Count), 1, 2));

            // Warm-ups brought the state, so that there was next to nothing left to restore when tasks moved.
            Assert.All(scaling.Restored, entry => Assert.InRange(entry.Value, 0, 40));
            Scaling.Close(one);

            // With two at once a task and its only standby might be gone.
            scaling.Pass(TimeSpan.FromSeconds(standbys > 0 ? 10 : 0));
            Scaling.Close(two);
            scaling.Pass(TimeSpan.FromSeconds(15));
            scaling.Pass(TimeSpan.FromSeconds(5), input: false);
            Assert.Equal(Scaling.Partitions, three.App!.TasksByThread.Values.Sum(tasks => tasks.Count));
            if (standbys > 0) Assert.All(scaling.Restored, entry => Assert.InRange(entry.Value, 0, 80));
            Judge(scaling, $"seed {seed}", isExact: true, mayPause: TimeSpan.FromSeconds(4));
        }
    }

    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce)]
    [InlineData(ProcessingGuarantee.ExactlyOnce)]
    public void Standby_takes_over_from_a_killed_instance_without_restoring(ProcessingGuarantee guarantee)
    {
        for (var seed = 1; seed <= 2; seed++)
        {
            using var scaling = new Scaling(seed, guarantee, standbys: 1);
            var one = scaling.Start(0);
            var two = scaling.Start(1);
            scaling.Pass(TimeSpan.FromSeconds(20), input: false);
            scaling.Pass(TimeSpan.FromSeconds(5));
            Assert.All((Incarnation[])[one, two], life => Assert.Equal(2, life.App!.TasksByThread.Values.Sum(tasks => tasks.Count)));
            scaling.Log.Clear();
            scaling.Restored.Clear();
            one.Kill();
            var killed = scaling.Now;
            scaling.Pass(TimeSpan.FromSeconds(20));
            scaling.Pass(TimeSpan.FromSeconds(5), input: false);
            Assert.Equal(Scaling.Partitions, two.App!.TasksByThread.Values.Sum(tasks => tasks.Count));

            // Of 300 rows and more only what the dead one wrote last.
            Assert.All(scaling.Restored, entry => Assert.InRange(entry.Value, 0, 40));
            var back = scaling.Log.GroupBy(record => record.Partition).Max(partition => partition.Min(record => record.At)) - killed;
            output.WriteLine($"{guarantee}, seed {seed}: back {back.TotalSeconds:F1} s after the kill, with a session of 6 s; {scaling.Restored.Values.Sum()} records restored");
            Assert.InRange(back, TimeSpan.Zero, TimeSpan.FromSeconds(8));
            Judge(scaling, $"seed {seed}", isExact: false, mayPause: TimeSpan.FromSeconds(8));
        }
    }

    private void Judge(Scaling scaling, string because, bool isExact, TimeSpan mayPause)
    {
        Assert.Empty(scaling.Violations);
        var longest = TimeSpan.Zero;
        var longestOfMoved = TimeSpan.Zero;
        foreach (var partition in scaling.Log.GroupBy(record => record.Partition))
        {
            var records = partition.ToList();
            var owners = new List<string>();
            foreach (var record in records)
            {
                if (owners.Count == 0 || owners[^1] != record.Life) owners.Add(record.Life);
            }

            Assert.True(owners.Count == owners.Distinct().Count(), $"{because}: partition {partition.Key} was processed by {string.Join(", then ", owners)}");
            var numbers = records.ConvertAll(record => record.Number);
            Assert.True(numbers.SequenceEqual(Enumerable.Range(numbers[0], numbers.Count)) || (!isExact && numbers.Distinct().SequenceEqual(Enumerable.Range(numbers[0], numbers[^1] - numbers[0] + 1))), $"{because}: partition {partition.Key} was not processed in order, once each");
            for (var index = 0; index < records.Count; index++)
            {
                // The first records of a new owner are those that waited for it.
                var moved = owners.Count > 1 && owners.IndexOf(records[index].Life) > 0 && records[index].ProducedAt < records.First(record => record.Life == records[index].Life).At
                    || !isExact && records[index].ProducedAt < records[0].At;
                if (moved) longestOfMoved = records[index].Waited > longestOfMoved ? records[index].Waited : longestOfMoved;
                else if (records[index].Waited > longest) longest = records[index].Waited;
            }
        }

        output.WriteLine($"{because}: a record waited {longest.TotalMilliseconds:F0} ms at most where its task stayed, {longestOfMoved.TotalMilliseconds:F0} ms where it moved");
        Assert.True(longest <= _aPoll, $"{because}: a record of a task that stayed waited {longest.TotalMilliseconds} ms");
        Assert.True(longestOfMoved <= mayPause, $"{because}: a record of a task that moved waited {longestOfMoved.TotalMilliseconds} ms");
        if (isExact) Assert.Equal(scaling.ProducedCount, scaling.Log.Count);
    }
}
