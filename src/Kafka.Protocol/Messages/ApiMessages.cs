using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Kafka.Protocol.Messages;

/// <summary>All APIs that have messages in this library. The one place where a new API is named.</summary>
public static class ApiMessages
{
    private static readonly ApiDescriptor[] Table =
    [
        ApiDescriptor.Of<ProduceRequest, ProduceResponse>(),
        ApiDescriptor.Of<FetchRequest, FetchResponse>(),
        ApiDescriptor.Of<ListOffsetsRequest, ListOffsetsResponse>(),
        ApiDescriptor.Of<MetadataRequest, MetadataResponse>(),
        ApiDescriptor.Of<OffsetCommitRequest, OffsetCommitResponse>(),
        ApiDescriptor.Of<OffsetFetchRequest, OffsetFetchResponse>(),
        ApiDescriptor.Of<FindCoordinatorRequest, FindCoordinatorResponse>(),
        ApiDescriptor.Of<JoinGroupRequest, JoinGroupResponse>(),
        ApiDescriptor.Of<HeartbeatRequest, HeartbeatResponse>(),
        ApiDescriptor.Of<LeaveGroupRequest, LeaveGroupResponse>(),
        ApiDescriptor.Of<SyncGroupRequest, SyncGroupResponse>(),
        ApiDescriptor.Of<DescribeGroupsRequest, DescribeGroupsResponse>(),
        ApiDescriptor.Of<ListGroupsRequest, ListGroupsResponse>(),
        ApiDescriptor.Of<SaslHandshakeRequest, SaslHandshakeResponse>(),
        ApiDescriptor.Of<ApiVersionsRequest, ApiVersionsResponse>(),
        ApiDescriptor.Of<CreateTopicsRequest, CreateTopicsResponse>(),
        ApiDescriptor.Of<DeleteTopicsRequest, DeleteTopicsResponse>(),
        ApiDescriptor.Of<DeleteRecordsRequest, DeleteRecordsResponse>(),
        ApiDescriptor.Of<InitProducerIdRequest, InitProducerIdResponse>(),
        ApiDescriptor.Of<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(),
        ApiDescriptor.Of<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(),
        ApiDescriptor.Of<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(),
        ApiDescriptor.Of<EndTxnRequest, EndTxnResponse>(),
        ApiDescriptor.Of<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(),
        ApiDescriptor.Of<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(),
        ApiDescriptor.Of<DescribeAclsRequest, DescribeAclsResponse>(),
        ApiDescriptor.Of<CreateAclsRequest, CreateAclsResponse>(),
        ApiDescriptor.Of<DeleteAclsRequest, DeleteAclsResponse>(),
        ApiDescriptor.Of<DescribeConfigsRequest, DescribeConfigsResponse>(),
        ApiDescriptor.Of<AlterConfigsRequest, AlterConfigsResponse>(),
        ApiDescriptor.Of<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>(),
        ApiDescriptor.Of<DescribeLogDirsRequest, DescribeLogDirsResponse>(),
        ApiDescriptor.Of<SaslAuthenticateRequest, SaslAuthenticateResponse>(),
        ApiDescriptor.Of<CreatePartitionsRequest, CreatePartitionsResponse>(),
        ApiDescriptor.Of<DeleteGroupsRequest, DeleteGroupsResponse>(),
        ApiDescriptor.Of<ElectLeadersRequest, ElectLeadersResponse>(),
        ApiDescriptor.Of<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(),
        ApiDescriptor.Of<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(),
        ApiDescriptor.Of<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(),
        ApiDescriptor.Of<OffsetDeleteRequest, OffsetDeleteResponse>(),
        ApiDescriptor.Of<DescribeClientQuotasRequest, DescribeClientQuotasResponse>(),
        ApiDescriptor.Of<AlterClientQuotasRequest, AlterClientQuotasResponse>(),
        ApiDescriptor.Of<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>(),
        ApiDescriptor.Of<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>(),
        ApiDescriptor.Of<UpdateFeaturesRequest, UpdateFeaturesResponse>(),
        ApiDescriptor.Of<DescribeClusterRequest, DescribeClusterResponse>(),
        ApiDescriptor.Of<DescribeProducersRequest, DescribeProducersResponse>(),
        ApiDescriptor.Of<DescribeTransactionsRequest, DescribeTransactionsResponse>(),
        ApiDescriptor.Of<ListTransactionsRequest, ListTransactionsResponse>(),
        ApiDescriptor.Of<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(),
        ApiDescriptor.Of<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(),
        ApiDescriptor.Of<GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse>(),
        ApiDescriptor.Of<PushTelemetryRequest, PushTelemetryResponse>(),
        ApiDescriptor.Of<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(),
    ];

    private static readonly FrozenDictionary<ApiKey, ApiDescriptor> ByKey = Table.ToFrozenDictionary(static api => api.Key);

    /// <summary>All APIs, in the order of their keys.</summary>
    public static IReadOnlyList<ApiDescriptor> All => Table;

    /// <summary>Finds an API by the key of a request header.</summary>
    public static bool TryGet(ApiKey key, [NotNullWhen(true)] out ApiDescriptor? api) => ByKey.TryGetValue(key, out api);

    /// <summary>The API of this key.</summary>
    /// <exception cref="ProtocolException">There are no messages for the key.</exception>
    public static ApiDescriptor Get(ApiKey key) =>
        TryGet(key, out var api)
            ? api
            : throw new ProtocolException(ErrorCode.UnsupportedVersion, $"There are no messages for API key {(short)key} ({key})");
}
