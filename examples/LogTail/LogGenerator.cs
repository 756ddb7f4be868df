using System.Runtime.CompilerServices;
using Streams.Core;

namespace LogTail;

/// <summary>Stands in for services that log: lines made from a seed, so many per second.</summary>
public sealed class LogGenerator(int seed, int linesPerSecond)
{
    private const int TicksPerSecond = 20;

    private static readonly string[] _services = ["basket", "checkout", "search", "users"];
    private static readonly (string Level, string[] Messages)[] _levels =
    [
        ("info", ["request served", "cache refreshed", "session opened", "order placed"]),
        ("warn", ["slow answer from the database", "retrying", "queue is growing"]),
        ("error", ["time-out", "payment refused", "no route to the warehouse"]),
    ];

    /// <summary>Lines without end, as fast as they are taken.</summary>
    public IEnumerable<LogLine> Lines()
    {
#pragma warning disable CA5394 // Not for secrets: the same lines every time are what is wanted.
        var random = new Random(seed);
        while (true)
        {
            var (level, messages) = _levels[random.Next(100) switch { < 80 => 0, < 95 => 1, _ => 2 }];
            yield return new LogLine(_services[random.Next(_services.Length)], level, messages[random.Next(messages.Length)]);
        }
#pragma warning restore CA5394
    }

    /// <summary>Lines at their rate until cancelled, keyed by service, with the time of writing.</summary>
    public async IAsyncEnumerable<Record<string, LogLine>> RunAsync(CancellationToken until, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / TicksPerSecond));
        using var lines = Lines().GetEnumerator();
        var owed = 0;
        while (!until.IsCancellationRequested)
        {
            for (owed += linesPerSecond; owed >= TicksPerSecond; owed -= TicksPerSecond)
            {
                lines.MoveNext();
                yield return new Record<string, LogLine>(lines.Current.Service, lines.Current, OutgoingRecord.TimeOfWriting);
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
