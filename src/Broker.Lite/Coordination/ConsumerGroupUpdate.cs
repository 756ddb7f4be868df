using System.Collections.Immutable;
using Broker.Lite.Metadata;

namespace Broker.Lite.Coordination;

/// <summary>What one heartbeat changes in a group: collected as records first, and applied once they are written.</summary>
internal sealed class ConsumerGroupUpdate(string groupId, ConsumerGroup group)
{
    private readonly Dictionary<string, ConsumerMember> _members = new(group.Members, StringComparer.Ordinal);
    private Dictionary<string, ImmutableHashSet<PartitionId>>? _targets;
    private string? _removedId;
    private long _hash = group.MetadataHash;

    public List<JournalEntry> Entries { get; } = [];

    /// <summary>The members as they will be.</summary>
    public IReadOnlyCollection<ConsumerMember> Members => _members.Values;

    public int Epoch { get; private set; } = group.Epoch;

    public int TargetEpoch { get; private set; } = group.TargetEpoch;

    public ClusterView? ComparedView { get; set; } = group.ComparedView;

    /// <summary>Adds a member, or replaces what is known of it.</summary>
    public void Set(ConsumerMember member)
    {
        if (!group.Members.TryGetValue(member.Id, out var known) || !known.HasSameMetadata(member))
            Entries.Add(ConsumerGroupFormat.MemberEntry(groupId, member));
        _members[member.Id] = member;
    }

    /// <summary>Puts a static member in the place of its former self, with what that one was to have.</summary>
    public void Replace(ConsumerMember former, ConsumerMember member)
    {
        _removedId = former.Id;
        _members.Remove(former.Id);
        Entries.AddRange(ConsumerGroupFormat.MemberTombstones(groupId, former.Id));
        Set(member);
        _targets = new(group.Targets, StringComparer.Ordinal);
        if (_targets.Remove(former.Id, out var target))
        {
            _targets[member.Id] = target;
            Entries.Add(ConsumerGroupFormat.TargetMemberEntry(groupId, member.Id, target));
        }
    }

    /// <summary>Asks for a new target assignment.</summary>
    public void Bump(long metadataHash)
    {
        Epoch++;
        _hash = metadataHash;
        Entries.Add(ConsumerGroupFormat.GroupEntry(groupId, Epoch, metadataHash));
    }

    /// <summary>Sets the target assignment of the current epoch.</summary>
    public void Retarget(Dictionary<string, ImmutableHashSet<PartitionId>> targets)
    {
        var current = _targets ?? group.Targets;
        foreach (var (memberId, target) in targets)
        {
            if (!current.TryGetValue(memberId, out var known) || !known.SetEquals(target))
                Entries.Add(ConsumerGroupFormat.TargetMemberEntry(groupId, memberId, target));
        }

        _targets = targets;
        TargetEpoch = Epoch;
        Entries.Add(ConsumerGroupFormat.TargetEntry(groupId, TargetEpoch));
    }

    public ImmutableHashSet<PartitionId> TargetOf(string memberId) => (_targets ?? group.Targets).GetValueOrDefault(memberId) ?? [];

    /// <summary>Sets how far a member has come.</summary>
    public void SetProgress(ConsumerMember? before, ConsumerMember member)
    {
        if (before is null || !before.HasSameProgress(member))
            Entries.Add(ConsumerGroupFormat.CurrentMemberEntry(groupId, member));
        _members[member.Id] = member;
    }

    /// <summary>Makes it so.</summary>
    public void Apply(ConsumerGroup to)
    {
        if (_removedId is not null)
            to.Members.Remove(_removedId);
        foreach (var (id, member) in _members)
            to.Members[id] = member;
        if (_targets is not null && !ReferenceEquals(_targets, to.Targets))
        {
            to.Targets.Clear();
            foreach (var (id, target) in _targets)
                to.Targets[id] = target;
        }

        (to.Epoch, to.TargetEpoch, to.MetadataHash, to.ComparedView) = (Epoch, TargetEpoch, _hash, ComparedView);
    }
}
