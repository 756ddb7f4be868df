using System.Text;
using Streams.Core;

namespace Chaos;

/// <summary>Writes the input, spread over the run, and counts what the broker has acknowledged.</summary>
internal sealed class Feeder(ICluster cluster, int pairs, TimeSpan duration, CancellationToken cancellation)
{
    private const int Portion = 500;

    /// <summary>The last numbers come when the faults are over: every key once more, so that every store has to be right.</summary>
    private const int Tail = 2 * Workload.Keys;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);

    private readonly TaskCompletionSource _faultsAreOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _acknowledged;

    /// <summary>Clicks and views up to this number are acknowledged.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    public void FaultsAreOver() => _faultsAreOver.TrySetResult();

    public Task RunAsync() => Task.Factory.StartNew(Run, cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run()
    {
        var time = TimeProvider.System;
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "feeder", Linger = TimeSpan.FromMilliseconds(5) });
        var clicks = producer.GetTopic(Workload.Clicks);
        var views = producer.GetTopic(Workload.Views);
        var started = time.GetTimestamp();

        // Of today: the broker deletes what is a week old by its own time, changelogs of windows included.
        var start = time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var next = 0; next < pairs;)
        {
            cancellation.ThrowIfCancellationRequested();
            if (next >= pairs - Tail) _faultsAreOver.Task.Wait(cancellation);
            else
            {
                var due = duration * ((double)next / (pairs - Tail));
                var early = due - time.GetElapsedTime(started);
                if (early > TimeSpan.Zero) cancellation.WaitHandle.WaitOne(early);
            }

            var end = Math.Min(next + Portion, next < pairs - Tail ? pairs - Tail : pairs);
            for (; next < end; next++)
            {
                Send(producer, clicks, next, Workload.ClickTime(start, next));
                Send(producer, views, next, Workload.ViewTime(start, next));
            }

            Flush(producer, time);
            Volatile.Write(ref _acknowledged, end);
        }
    }

    public static void Send(IRecordProducer producer, ProducerTopic topic, int number, long timestamp)
    {
        var key = Encoding.UTF8.GetBytes(Workload.Key(number));
        var value = Encoding.UTF8.GetBytes(number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        producer.Send(topic, Murmur2.Partition(key, topic.PartitionCount), new OutgoingRecord(key, true, value, true, timestamp, null));
    }

    private void Flush(IRecordProducer producer, TimeProvider time)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            try
            {
                producer.Flush(cancellation);
                return;
            }
            catch (ClusterUnavailableException) when (time.GetElapsedTime(since) < _patience)
            {
                // The broker is being killed all the time; the idempotent producer goes on by itself.
            }
        }
    }
}
