using System.Globalization;

namespace Simulation;

/// <summary>Many schedules, and what they came to.</summary>
internal sealed record Series(int First, int Count, IReadOnlyList<Outcome> Failed, long Steps, int Lives, int Generations, TimeSpan VirtualTime, TimeSpan Took)
{
    public static Series Run(int first, int count, Action<Outcome> onFailure)
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        var failed = new List<Outcome>();
        var (steps, lives, generations, virtualTime) = (0L, 0, 0, TimeSpan.Zero);
        for (var seed = first; seed < first + count; seed++)
        {
            var outcome = Schedule.Run(seed);
            steps += outcome.Steps;
            lives += outcome.Lives;
            generations += outcome.Generations;
            virtualTime += outcome.VirtualTime;
            if (outcome.Faults.Count == 0) continue;
            failed.Add(outcome);
            onFailure(outcome);
        }

        return new Series(first, count, failed, steps, lives, generations, virtualTime, time.GetElapsedTime(started));
    }

    public static string Describe(Outcome outcome) =>
        $"seed {outcome.Seed} {(outcome.Faults.Count == 0 ? "holds" : "FAILS")} after {outcome.Steps} events, {outcome.VirtualTime.TotalSeconds:F1} s, {outcome.Lives} lives, {outcome.Generations} generations, fingerprint {outcome.Fingerprint:x16}: {outcome.Plan}"
        + string.Concat(outcome.Faults.Take(5).Select(fault => "\n  " + fault));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"seeds {First} to {First + Count - 1}: {Count - Failed.Count} hold, {Failed.Count} fail; {Lives} processes, {Generations} generations, {Steps} events, {VirtualTime.TotalHours:F1} virtual hours in {Took.TotalSeconds:F1} s. Again: dotnet run --project tests/Simulation -- --seed N");
}
