namespace Streams.Core;

/// <summary>What the group does about traffic between racks when it divides active tasks. Source: Kafka's <c>rack.aware.assignment.strategy</c> (KIP-925).</summary>
public enum RackAwareAssignmentStrategy
{
    /// <summary>Nothing. The default.</summary>
    None,

    /// <summary>Instances get as many tasks as without it, but those whose partitions have a replica in their rack.</summary>
    MinTraffic,

    /// <summary>The same, with the tasks of every sub-topology spread evenly, at the price of some traffic.</summary>
    BalanceSubtopology,
}
