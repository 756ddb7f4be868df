using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using TopicPartition = Streams.Core.TopicPartition;

namespace Streams.Client.Consuming;

/// <summary>Keeps a consumer in its group by the classic protocol, in the form that every Kafka client's groups have: joins, divides as leader, gives signs of life, joins again.</summary>
internal sealed class GroupMember(IGroupCoordinator coordinator, IClusterAdmin admin, ConsumerSettings settings, IReadOnlyCollection<string> topics, IGroupMemberOwner owner)
{
    private const string ProtocolType = "consumer";
    private const short PayloadVersion = 1;
    private static readonly TimeSpan _maxPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(100);

    private GroupMembership _membership = GroupMembership.None(settings.GroupId!, settings.GroupInstanceId);
    private IReadOnlyDictionary<string, int>? _divided;

    public GroupMembership Current => Volatile.Read(ref _membership);

    private string ProtocolName => settings.Assignment == GroupAssignment.Range ? "range" : "roundrobin";

    /// <summary>Runs until cancelled; throws what ends the membership for good.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = _firstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (await JoinAsync(cancellationToken).ConfigureAwait(false)) await StayAsync(cancellationToken).ConfigureAwait(false);
                pause = _firstPause;
            }
            catch (ClusterUnavailableException)
            {
                // Partitions are kept meanwhile: if the group has gone on without us, commits are refused.
                await Task.Delay(pause, settings.TimeProvider, cancellationToken).ConfigureAwait(false);
                pause = pause * 2 < _maxPause ? pause * 2 : _maxPause;
            }
        }
    }

    /// <summary>Leaves, so that the others need not wait for the session time-out. A static member stays: it means to come back.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (Current.MemberId.Length == 0 || Current.GroupInstanceId is not null) return;
        try
        {
            await coordinator.LeaveAsync(Current, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ClusterUnavailableException or OperationCanceledException)
        {
            // The session time-out does what the call could not.
        }
    }

    private async Task<bool> JoinAsync(CancellationToken cancellationToken)
    {
        var subscription = VersionedPayload.Encode(new ConsumerProtocolSubscription { Topics = [.. topics] }, PayloadVersion);
        var joined = await coordinator.JoinAsync(
            new JoinGroupCall(Current, settings.SessionTimeout, settings.RebalanceTimeout, ProtocolType, [new(ProtocolName, subscription)]), cancellationToken).ConfigureAwait(false);
        if (joined.Error != GroupError.None) return await HandleAsync(joined.Error).ConfigureAwait(false);
        Volatile.Write(ref _membership, joined.Membership);

        _divided = null;
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments = joined.LeaderId == joined.Membership.MemberId
            ? await DivideAsync(joined.Members, cancellationToken).ConfigureAwait(false)
            : new Dictionary<string, ReadOnlyMemory<byte>>();
        var synced = await coordinator.SyncAsync(joined.Membership, assignments, cancellationToken).ConfigureAwait(false);
        if (synced.Error != GroupError.None) return await HandleAsync(synced.Error).ConfigureAwait(false);
        await owner.AssignAsync(Read(synced.Assignment), cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<Dictionary<string, ReadOnlyMemory<byte>>> DivideAsync(IReadOnlyList<KeyValuePair<string, ReadOnlyMemory<byte>>> members, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<string, IReadOnlyCollection<string>>(StringComparer.Ordinal);
        foreach (var (member, metadata) in members) wanted[member] = ReadSubscription(member, metadata);
        var counts = await admin.DescribeTopicsAsync([.. wanted.Values.SelectMany(list => list).Distinct(StringComparer.Ordinal)], cancellationToken).ConfigureAwait(false);
        _divided = counts;
        return PartitionAssignor.Assign(settings.Assignment, wanted, counts).ToDictionary(entry => entry.Key, entry => Write(entry.Value), StringComparer.Ordinal);
    }

    // Signs of life until the group wants something.
    private async Task StayAsync(CancellationToken cancellationToken)
    {
        var time = settings.TimeProvider;
        var lastAnswer = time.GetTimestamp();
        var lastLook = lastAnswer;
        while (true)
        {
            await Task.Delay(settings.HeartbeatInterval, time, cancellationToken).ConfigureAwait(false);
            GroupError error;
            try
            {
                error = await coordinator.HeartbeatAsync(Current, cancellationToken).ConfigureAwait(false);
                lastAnswer = time.GetTimestamp();
            }
            catch (ClusterUnavailableException) when (time.GetElapsedTime(lastAnswer) < settings.SessionTimeout)
            {
                continue;
            }

            if (error == GroupError.None && _divided is not null && time.GetElapsedTime(lastLook) >= settings.MetadataMaxAge)
            {
                lastLook = time.GetTimestamp();

                // The leader's joining again makes the coordinator call everybody else to join too.
                if (await HaveTopicsChangedAsync(_divided, cancellationToken).ConfigureAwait(false)) error = GroupError.RebalanceInProgress;
            }

            if (error == GroupError.None) continue;
            await HandleAsync(error).ConfigureAwait(false);
            return;
        }
    }

    private async Task<bool> HaveTopicsChangedAsync(IReadOnlyDictionary<string, int> known, CancellationToken cancellationToken)
    {
        try
        {
            var now = await admin.DescribeTopicsAsync([.. topics.Union(known.Keys)], cancellationToken).ConfigureAwait(false);
            return now.Count != known.Count || now.Any(topic => known.GetValueOrDefault(topic.Key) != topic.Value);
        }
        catch (ClusterUnavailableException)
        {
            // Looked at again in a while.
            return false;
        }
    }

    private async Task<bool> HandleAsync(GroupError error)
    {
        switch (error)
        {
            case GroupError.RebalanceInProgress:
                await owner.RevokeAsync().ConfigureAwait(false);
                break;
            case GroupError.IllegalGeneration:
                await owner.LoseAsync().ConfigureAwait(false);
                Volatile.Write(ref _membership, Current with { GenerationId = -1 });
                break;
            case GroupError.UnknownMemberId:
                await owner.LoseAsync().ConfigureAwait(false);
                Volatile.Write(ref _membership, GroupMembership.None(settings.GroupId!, settings.GroupInstanceId));
                break;
            default:
                await owner.LoseAsync().ConfigureAwait(false);
                throw new TaskMigratedException($"Another process has joined group '{settings.GroupId}' as group.instance.id '{settings.GroupInstanceId}'; give each instance an id of its own.");
        }

        return false;
    }

    private List<string> ReadSubscription(string member, ReadOnlyMemory<byte> metadata)
    {
        try
        {
            return VersionedPayload.Decode<ConsumerProtocolSubscription>(metadata, ConsumerProtocolSubscription.Versions, out _).Topics;
        }
        catch (ProtocolException failure)
        {
            throw new SerializationException($"The subscription of member '{member}' of group '{settings.GroupId}' is malformed: {failure.Message}", failure);
        }
    }

    private List<TopicPartition> Read(ReadOnlyMemory<byte> assignment)
    {
        // A member that the leader left out gets nothing at all.
        if (assignment.IsEmpty) return [];
        try
        {
            var payload = VersionedPayload.Decode<ConsumerProtocolAssignment>(assignment, ConsumerProtocolAssignment.Versions, out _);
            return [.. payload.AssignedPartitions.SelectMany(topic => topic.Partitions.Select(partition => new TopicPartition(topic.Topic, partition)))];
        }
        catch (ProtocolException failure)
        {
            throw new SerializationException($"The assignment by the leader of group '{settings.GroupId}' is malformed: {failure.Message}", failure);
        }
    }

    private static ReadOnlyMemory<byte> Write(List<(string Topic, int Partition)> partitions) => VersionedPayload.Encode(
        new ConsumerProtocolAssignment
        {
            AssignedPartitions = [.. partitions.GroupBy(entry => entry.Topic).Select(topic => new ConsumerProtocolAssignment.TopicPartition { Topic = topic.Key, Partitions = [.. topic.Select(entry => entry.Partition)] })],
        },
        PayloadVersion);
}

/// <summary>What a membership tells the consumer around it.</summary>
internal interface IGroupMemberOwner
{
    /// <summary>The partitions are these from now on.</summary>
    Task AssignAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken);

    /// <summary>The group is about to divide anew: commit what is processed and read nothing until <see cref="AssignAsync"/>.</summary>
    Task RevokeAsync();

    /// <summary>The membership is gone, and the partitions with it: what is not committed is somebody else's now.</summary>
    Task LoseAsync();
}
