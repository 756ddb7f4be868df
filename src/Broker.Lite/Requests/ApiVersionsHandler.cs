using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ApiVersions (18): what this broker speaks, computed from the handlers it has.</summary>
/// <remarks>
/// v0: the list. v1: throttle time. v3: flexible, the client's name and version, features (KIP-511, KIP-584). v4: features may begin at
/// version 0. A version above ours is answered in version 0 with UNSUPPORTED_VERSION and the full list, and the connection stays open, so
/// that the client can choose again. Names and versions of client software are taken as they come: refusing odd ones (as KIP-511 allows)
/// helps nobody. No features are listed: transaction.version 2 would promise what is not there.
/// </remarks>
internal sealed class ApiVersionsHandler(Func<RequestDispatcher> dispatcher) : RequestHandler<ApiVersionsRequest, ApiVersionsResponse>(0, 4)
{
    /// <summary>The version 0 answer to a version that is not supported.</summary>
    public static ApiVersionsResponse Unsupported(RequestDispatcher dispatcher) => Answer(dispatcher, ErrorCode.UnsupportedVersion);

    protected override ValueTask<ApiVersionsResponse?> HandleAsync(ApiVersionsRequest request, RequestContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ApiVersionsResponse?>(Answer(dispatcher(), ErrorCode.None));

    private static ApiVersionsResponse Answer(RequestDispatcher dispatcher, ErrorCode error)
    {
        var response = new ApiVersionsResponse { ErrorCode = error };
        foreach (var handler in dispatcher.Handlers)
        {
            response.ApiKeys.Add(new ApiVersionsResponse.ApiVersion
            {
                ApiKey = handler.Key,
                MinVersion = handler.Versions.Min,
                MaxVersion = handler.Versions.Max,
            });
        }

        return response;
    }
}
