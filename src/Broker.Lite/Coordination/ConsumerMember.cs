using System.Collections.Immutable;

namespace Broker.Lite.Coordination;

/// <summary>Where a member stands on its way to its target assignment. The numbers are those of <c>__consumer_offsets</c>.</summary>
internal enum ConsumerMemberState : sbyte
{
    /// <summary>It has all that it is to have in this epoch.</summary>
    Stable = 0,

    /// <summary>It has been told to give up partitions and has not said that it did.</summary>
    UnrevokedPartitions = 1,

    /// <summary>It waits for partitions that others have not given up yet.</summary>
    UnreleasedPartitions = 2,
}

/// <summary>
/// A member of a consumer group with the consumer protocol (KIP-848). Immutable: the coordinator makes the next one, writes it, and only
/// then puts it in the place of this one.
/// </summary>
internal sealed record ConsumerMember
{
    /// <summary>The epoch of a static member that is away and may come back.</summary>
    public const int LeftStatically = -2;

    public required string Id { get; init; }

    public string? InstanceId { get; init; }

    public string? RackId { get; init; }

    public string ClientId { get; init; } = "";

    public string ClientHost { get; init; } = "";

    /// <summary>Names subscribed to, sorted.</summary>
    public ImmutableArray<string> Topics { get; init; } = [];

    /// <summary>A regular expression subscribed to, or null.</summary>
    public string? TopicRegex { get; init; }

    /// <summary>
    /// Whether its client may see a topic of that name, by the access rules at the time of asking. Not written: null until the member is heard of by this run of the broker.
    /// </summary>
    public Func<string, bool>? MayDescribe { get; init; }

    public int RebalanceTimeoutMs { get; init; } = -1;

    /// <summary>The assignor it would like; null for no wish.</summary>
    public string? ServerAssignor { get; init; }

    /// <summary>The epoch the member must send: the one of the assignment it has.</summary>
    public int Epoch { get; init; }

    /// <summary>The epoch before it, for a member that did not get the answer.</summary>
    public int PreviousEpoch { get; init; }

    public ConsumerMemberState State { get; init; }

    public ImmutableHashSet<PartitionId> Assigned { get; init; } = [];

    /// <summary>What it has to give up before it comes to the next epoch.</summary>
    public ImmutableHashSet<PartitionId> PendingRevocation { get; init; } = [];

    /// <summary>Whether it asks for the same topics.</summary>
    public bool HasSameSubscription(ConsumerMember other) => Topics.SequenceEqual(other.Topics, StringComparer.Ordinal) && TopicRegex == other.TopicRegex;

    /// <summary>Whether everything that is written of it, other than its assignment, is the same.</summary>
    public bool HasSameMetadata(ConsumerMember other) =>
        HasSameSubscription(other)
        && (InstanceId, RackId, ClientId, ClientHost, RebalanceTimeoutMs, ServerAssignor)
            == (other.InstanceId, other.RackId, other.ClientId, other.ClientHost, other.RebalanceTimeoutMs, other.ServerAssignor);

    /// <summary>Whether its progress is the same.</summary>
    public bool HasSameProgress(ConsumerMember other) =>
        (Epoch, PreviousEpoch, State) == (other.Epoch, other.PreviousEpoch, other.State)
        && Assigned.SetEquals(other.Assigned)
        && PendingRevocation.SetEquals(other.PendingRevocation);
}
