namespace Broker.Lite.Coordination;

/// <summary>Where a classic consumer group stands. The names are the ones ListGroups and DescribeGroups report.</summary>
internal enum GroupState
{
    /// <summary>No members; offsets may exist.</summary>
    Empty,

    /// <summary>Members are asked to join again; waiting for them.</summary>
    PreparingRebalance,

    /// <summary>A generation has formed; waiting for the leader's assignment.</summary>
    CompletingRebalance,

    /// <summary>Every member has, or can have, its assignment.</summary>
    Stable,

    /// <summary>Removed. Only ever reported for groups that do not exist.</summary>
    Dead,
}
