using System.Globalization;
using Streams.Core;

namespace Simulation;

/// <summary>What a seed decides: the application, the machines it runs on, and what goes wrong when.</summary>
internal sealed record Plan
{
    public required ProcessingGuarantee Guarantee { get; init; }

    public required int Machines { get; init; }

    public required int Threads { get; init; }

    public required int Partitions { get; init; }

    public required int Standbys { get; init; }

    public required long RecoveryLag { get; init; }

    public required int Records { get; init; }

    public required int Keys { get; init; }

    public required bool Caching { get; init; }

    public required TimeSpan CommitInterval { get; init; }

    /// <summary>Input comes, and things go wrong, this long.</summary>
    public required TimeSpan Horizon { get; init; }

    public required NetworkFaults Network { get; init; }

    public required int Kills { get; init; }

    /// <summary>Kills inside a call of the broker.</summary>
    public required int KillsInCalls { get; init; }

    public required int Pauses { get; init; }

    public required int Closings { get; init; }

    /// <summary>How long an instance that is asked to close is waited for; then its process ends, whatever it is doing.</summary>
    public required TimeSpan CloseTimeout { get; init; }

    /// <summary>Restarts of the broker, whose data is then on disk.</summary>
    public required int BrokerKills { get; init; }

    public static Plan Of(Random random)
    {
        int Some(double probability, int most) => random.NextDouble() < probability ? random.Next(1, most + 1) : 0;
        double Rate(double probability, double most) => random.NextDouble() < probability ? random.NextDouble() * most : 0;
        var machines = random.NextDouble() < 0.8 ? random.Next(1, 4) : random.Next(4, 6);
        return new Plan
        {
            Guarantee = random.NextDouble() < 0.75 ? ProcessingGuarantee.ExactlyOnce : ProcessingGuarantee.AtLeastOnce,
            Machines = machines,
            Threads = random.Next(1, 3),
            Partitions = random.NextDouble() < 0.8 ? random.Next(1, 4) : random.Next(4, 8),
            Standbys = machines > 1 && random.NextDouble() < 0.4 ? random.Next(1, Math.Min(3, machines)) : 0,
            RecoveryLag = random.NextDouble() < 0.5 ? 0 : 10_000,
            Records = random.Next(20, 100),
            Keys = random.Next(1, 7),
            Caching = random.NextDouble() < 0.5,
            CommitInterval = TimeSpan.FromMilliseconds(random.Next(50, 1000)),
            Horizon = TimeSpan.FromSeconds(random.Next(8, 26)),
            Network = new NetworkFaults
            {
                LostRequest = Rate(0.3, 0.01),
                LostReply = Rate(0.3, 0.01),
                LateRequest = Rate(0.3, 0.01),
                LateReply = Rate(0.2, 0.01),
                Doubled = Rate(0.3, 0.05),
                SlowestMs = random.NextDouble() < 0.3 ? 200 : 2,
            },
            Kills = Some(0.5, 4),
            KillsInCalls = Some(0.6, 4),
            Pauses = Some(0.5, 3),
            Closings = Some(0.4, 3),
            CloseTimeout = TimeSpan.FromSeconds(random.Next(1, 60)),
            BrokerKills = Some(0.1, 2),
        };
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Guarantee}, {Machines} machines of {Threads} threads, {Partitions} partitions, {Standbys} standbys, lag {RecoveryLag}, {Records} records of {Keys} keys, {(Caching ? "caching" : "no cache")}, commit {CommitInterval.TotalMilliseconds} ms, {Horizon.TotalSeconds} s; {Kills} kills, {KillsInCalls} in calls, {Pauses} pauses, {Closings} closings within {CloseTimeout.TotalSeconds} s, {BrokerKills} broker kills; {Network}");
}
