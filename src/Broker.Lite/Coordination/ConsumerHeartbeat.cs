using System.Collections.Immutable;
using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>What a ConsumerGroupHeartbeat says, in the coordinator's terms. Null is "as I said last".</summary>
internal sealed record ConsumerHeartbeat
{
    public const int Join = 0;
    public const int Leave = -1;

    public required string GroupId { get; init; }

    public required string MemberId { get; init; }

    /// <summary>0 to join, -1 to leave, -2 to be away for a while as a static member, else the epoch of the member's assignment.</summary>
    public required int MemberEpoch { get; init; }

    public string? InstanceId { get; init; }

    public string? RackId { get; init; }

    public string ClientId { get; init; } = "";

    public string ClientHost { get; init; } = "";

    /// <summary>-1 for unchanged.</summary>
    public int RebalanceTimeoutMs { get; init; } = -1;

    public IReadOnlyList<string>? Topics { get; init; }

    public string? TopicRegex { get; init; }

    /// <summary>Which topics the pattern may find. Names were looked at before they came here.</summary>
    public Func<string, bool> MayDescribe { get; init; } = static _ => true;

    public string? ServerAssignor { get; init; }

    /// <summary>The partitions it has.</summary>
    public IReadOnlySet<PartitionId>? Owned { get; init; }

    /// <summary>Whether it tells everything, as members do that join or have been in doubt.</summary>
    public bool IsFull => MemberEpoch == Join || (RebalanceTimeoutMs != -1 && Owned is not null && (Topics is not null || TopicRegex is not null));
}

/// <summary>The answer: the member's epoch and, if there is something new, all the partitions it is to have.</summary>
internal sealed record ConsumerHeartbeatResult(ErrorCode Error, string? Message, string? MemberId, int MemberEpoch, ImmutableHashSet<PartitionId>? Assignment)
{
    public static ConsumerHeartbeatResult Failed(ErrorCode error, string message) => new(error, message, null, 0, null);
}
