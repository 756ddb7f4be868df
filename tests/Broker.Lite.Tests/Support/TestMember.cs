using System.Text;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Support;

/// <summary>A group member that sends exactly what a test tells it to, and remembers its id and generation.</summary>
internal sealed class TestMember(TestBroker broker, string group, string? instanceId = null)
{
    public string Id { get; set; } = "";

    public int Generation { get; set; } = -1;

    public int SessionTimeoutMs { get; set; } = 10_000;

    public int RebalanceTimeoutMs { get; set; } = 30_000;

    /// <summary>Names of the protocols, in order of preference; the metadata of each is <c>name@owner</c>.</summary>
    public string[] Protocols { get; set; } = ["range"];

    public string ProtocolType { get; set; } = "consumer";

    public byte[]? Metadata { get; set; }

    public Task<JoinGroupResponse> JoinOnceAsync() => broker.SendAsync(new JoinGroupRequest
    {
        GroupId = group,
        MemberId = Id,
        GroupInstanceId = instanceId,
        SessionTimeoutMs = SessionTimeoutMs,
        RebalanceTimeoutMs = RebalanceTimeoutMs,
        ProtocolType = ProtocolType,
        Protocols = [.. Protocols.Select(name => new JoinGroupRequest.JoinGroupRequestProtocol { Name = name, Metadata = Metadata ?? Encoding.UTF8.GetBytes(name + "@" + instanceId) })],
    });

    /// <summary>Joins as clients do: once more with the id if told one. Completes when the generation has formed.</summary>
    public async Task<JoinGroupResponse> JoinAsync()
    {
        var response = await JoinOnceAsync();
        if (response.ErrorCode == ErrorCode.MemberIdRequired)
        {
            Id = response.MemberId;
            response = await JoinOnceAsync();
        }

        if (response.ErrorCode == ErrorCode.None)
        {
            Id = response.MemberId;
            Generation = response.GenerationId;
        }

        return response;
    }

    public Task<SyncGroupResponse> SyncAsync(params (string MemberId, string Assignment)[] assignments) => broker.SendAsync(new SyncGroupRequest
    {
        GroupId = group,
        MemberId = Id,
        GroupInstanceId = instanceId,
        GenerationId = Generation,
        Assignments = [.. assignments.Select(a => new SyncGroupRequest.SyncGroupRequestAssignment { MemberId = a.MemberId, Assignment = Encoding.UTF8.GetBytes(a.Assignment) })],
    });

    /// <summary>Joins alone, or as the last one missing, and assigns.</summary>
    public async Task JoinAndSyncAloneAsync()
    {
        Assert.Equal(ErrorCode.None, (await JoinAsync()).ErrorCode);
        Assert.Equal(ErrorCode.None, (await SyncAsync((Id, "all"))).ErrorCode);
    }

    public async Task<ErrorCode> HeartbeatAsync() => (await broker.SendAsync(new HeartbeatRequest
    {
        GroupId = group,
        MemberId = Id,
        GroupInstanceId = instanceId,
        GenerationId = Generation,
    })).ErrorCode;

    public async Task<ErrorCode> LeaveAsync() => (await broker.SendAsync(new LeaveGroupRequest
    {
        GroupId = group,
        Members = [new() { MemberId = Id, GroupInstanceId = instanceId }],
    })).Members[0].ErrorCode;

    public async Task<ErrorCode> CommitAsync(string topic, long offset, string metadata = "", int partition = 0) => (await broker.SendAsync(new OffsetCommitRequest
    {
        GroupId = group,
        MemberId = Id,
        GroupInstanceId = instanceId,
        GenerationIdOrMemberEpoch = Generation,
        Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedMetadata = metadata }] }],
    })).Topics[0].Partitions[0].ErrorCode;
}
