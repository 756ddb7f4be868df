using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeCluster (60): the cluster's id and its one broker.</summary>
/// <remarks>v1: the client says whether it wants brokers (1) or controllers (2); there are no controllers to connect to
/// (KIP-919).</remarks>
internal sealed class DescribeClusterHandler(BrokerState broker) : RequestHandler<DescribeClusterRequest, DescribeClusterResponse>(0, 1)
{
    private const sbyte Brokers = 1;

    protected override ValueTask<DescribeClusterResponse?> HandleAsync(
        DescribeClusterRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (request.EndpointType != Brokers)
        {
            return ValueTask.FromResult<DescribeClusterResponse?>(new DescribeClusterResponse
            {
                ErrorCode = request.EndpointType == 2 ? ErrorCode.MismatchedEndpointType : ErrorCode.UnsupportedEndpointType,
                ErrorMessage = "This endpoint is a broker's",
            });
        }

        return ValueTask.FromResult<DescribeClusterResponse?>(new DescribeClusterResponse
        {
            ClusterId = broker.View.ClusterId,
            ControllerId = broker.BrokerId,
            Brokers = [new() { BrokerId = broker.BrokerId, Host = context.Advertised.Host, Port = context.Advertised.Port }],
            ClusterAuthorizedOperations = request.IncludeClusterAuthorizedOperations ? AuthorizedOperations.Cluster : AuthorizedOperations.NotAsked,
        });
    }
}
