using Broker.Lite.Metadata;
using Broker.Lite.Requests;
using Broker.Lite.Security.Acls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Security.Guards;

/// <summary>Guards of the APIs that show and change the broker itself, and of those that everybody may use.</summary>
internal static class ClusterGuards
{
    private const ErrorCode Refused = ErrorCode.ClusterAuthorizationFailed;
    private const string Message = "The principal is not authorized to perform this action";

    public static IEnumerable<RequestGuard> All =>
    [
        Guard.Open<ApiVersionsRequest, ApiVersionsResponse>(),
        Guard.Open<SaslHandshakeRequest, SaslHandshakeResponse>(),
        Guard.Open<SaslAuthenticateRequest, SaslAuthenticateResponse>(),
        new RequestGuard<DescribeClusterRequest, DescribeClusterResponse>(DescribeClusterAsync),
        Guard.Each<DescribeConfigsRequest, DescribeConfigsResponse, DescribeConfigsRequest.DescribeConfigsResource, DescribeConfigsResponse.DescribeConfigsResult>(
            request => request.Resources,
            (context, resource) => MayConfig(context, AclOperation.DescribeConfigs, resource.ResourceType, resource.ResourceName),
            resource => new() { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName, ErrorCode = RefusedOf(resource.ResourceType), ErrorMessage = Message },
            response => response.Results),
        Guard.Each<AlterConfigsRequest, AlterConfigsResponse, AlterConfigsRequest.AlterConfigsResource, AlterConfigsResponse.AlterConfigsResourceResponse>(
            request => request.Resources,
            (context, resource) => MayConfig(context, AclOperation.AlterConfigs, resource.ResourceType, resource.ResourceName),
            resource => new() { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName, ErrorCode = RefusedOf(resource.ResourceType), ErrorMessage = Message },
            response => response.Responses),
        Guard.Each<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, IncrementalAlterConfigsRequest.AlterConfigsResource, IncrementalAlterConfigsResponse.AlterConfigsResourceResponse>(
            request => request.Resources,
            (context, resource) => MayConfig(context, AclOperation.AlterConfigs, resource.ResourceType, resource.ResourceName),
            resource => new() { ResourceType = resource.ResourceType, ResourceName = resource.ResourceName, ErrorCode = RefusedOf(resource.ResourceType), ErrorMessage = Message },
            response => response.Responses),
        Guard.Cluster<DescribeAclsRequest, DescribeAclsResponse>(AclOperation.Describe, _ => new() { ErrorCode = Refused, ErrorMessage = Message }),
        Guard.Cluster<CreateAclsRequest, CreateAclsResponse>(
            AclOperation.Alter, request => new() { Results = request.Creations.ConvertAll(_ => new CreateAclsResponse.AclCreationResult { ErrorCode = Refused, ErrorMessage = Message }) }),
        Guard.Cluster<DeleteAclsRequest, DeleteAclsResponse>(
            AclOperation.Alter, request => new() { FilterResults = request.Filters.ConvertAll(_ => new DeleteAclsResponse.DeleteAclsFilterResult { ErrorCode = Refused, ErrorMessage = Message }) }),
        Guard.Cluster<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>(AclOperation.Describe, _ => new() { ErrorCode = Refused, ErrorMessage = Message }),
        Guard.Cluster<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>(AclOperation.Alter, request => new()
        {
            Results = request.Deletions.Select(deletion => deletion.Name).Concat(request.Upsertions.Select(upsertion => upsertion.Name)).Distinct(StringComparer.Ordinal)
                .Select(name => new AlterUserScramCredentialsResponse.AlterUserScramCredentialsResult { User = name, ErrorCode = Refused, ErrorMessage = Message }).ToList(),
        }),
        Guard.Cluster<DescribeClientQuotasRequest, DescribeClientQuotasResponse>(AclOperation.DescribeConfigs, _ => new() { ErrorCode = Refused, ErrorMessage = Message, Entries = null }),
        Guard.Cluster<AlterClientQuotasRequest, AlterClientQuotasResponse>(AclOperation.AlterConfigs, request => new()
        {
            Entries = request.Entries.ConvertAll(entry => new AlterClientQuotasResponse.EntryData
            {
                ErrorCode = Refused,
                ErrorMessage = Message,
                Entity = entry.Entity.ConvertAll(entity => new AlterClientQuotasResponse.EntityData { EntityType = entity.EntityType, EntityName = entity.EntityName }),
            }),
        }),
        Guard.Cluster<DescribeLogDirsRequest, DescribeLogDirsResponse>(AclOperation.Describe, _ => new() { ErrorCode = Refused }),
        Guard.Cluster<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse>(AclOperation.Alter, request => new()
        {
            Results = request.Dirs.SelectMany(dir => dir.Topics).Select(topic => new AlterReplicaLogDirsResponse.AlterReplicaLogDirTopicResult
            {
                TopicName = topic.Name,
                Partitions = topic.Partitions.ConvertAll(partition => new AlterReplicaLogDirsResponse.AlterReplicaLogDirPartitionResult { PartitionIndex = partition, ErrorCode = Refused }),
            }).ToList(),
        }),
        Guard.Cluster<ElectLeadersRequest, ElectLeadersResponse>(AclOperation.Alter, _ => new() { ErrorCode = Refused }),
        Guard.Cluster<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(AclOperation.Alter, _ => new() { ErrorCode = Refused, ErrorMessage = Message }),
        Guard.Cluster<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(AclOperation.Describe, _ => new() { ErrorCode = Refused, ErrorMessage = Message }),
        Guard.Cluster<UpdateFeaturesRequest, UpdateFeaturesResponse>(AclOperation.Alter, _ => new() { ErrorCode = Refused, ErrorMessage = Message }),
    ];

    public static int OperationsOf(RequestContext context, int existing) =>
        context.IsVisible(AclOperation.Describe, AclResourceType.Cluster, AclBinding.ClusterName)
            ? Guard.Operations(context, existing, AclResourceType.Cluster, AclBinding.ClusterName)
            : 0;

    private static async ValueTask<DescribeClusterResponse?> DescribeClusterAsync(
        DescribeClusterRequest request, RequestContext context, ClusterView view, Func<ValueTask<DescribeClusterResponse?>> next)
    {
        var response = await next().ConfigureAwait(false);
        if (response is not null && response.ClusterAuthorizedOperations != AuthorizedOperations.NotAsked)
            response.ClusterAuthorizedOperations = OperationsOf(context, response.ClusterAuthorizedOperations);
        return response;
    }

    private static bool MayConfig(RequestContext context, AclOperation operation, sbyte resourceType, string name) => resourceType switch
    {
        ConfigResources.Topic => context.MayTopic(operation, name),
        ConfigResources.Group => context.MayGroup(operation, name),
        _ => context.MayCluster(operation),
    };

    private static ErrorCode RefusedOf(sbyte resourceType) => resourceType switch
    {
        ConfigResources.Topic => ErrorCode.TopicAuthorizationFailed,
        ConfigResources.Group => ErrorCode.GroupAuthorizationFailed,
        _ => Refused,
    };

    private static class ConfigResources
    {
        public const sbyte Topic = 2;
        public const sbyte Group = 32;
    }
}
