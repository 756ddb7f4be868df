using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>
/// UpdateFeatures (57): this broker has no features that can be switched, as ApiVersions tells, so every request to change one is refused by name (KIP-584).
/// </summary>
internal sealed class UpdateFeaturesHandler() : RequestHandler<UpdateFeaturesRequest, UpdateFeaturesResponse>(0, 1)
{
    protected override ValueTask<UpdateFeaturesResponse?> HandleAsync(UpdateFeaturesRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var twice = request.FeatureUpdates.GroupBy(update => update.Feature, StringComparer.Ordinal).Any(group => group.Count() > 1);
        if (twice || request.FeatureUpdates.Exists(update => update.Feature.Length == 0))
        {
            return ValueTask.FromResult<UpdateFeaturesResponse?>(new UpdateFeaturesResponse
            {
                ErrorCode = ErrorCode.InvalidRequest,
                ErrorMessage = "Each feature has a name and may be given once",
            });
        }

        var response = new UpdateFeaturesResponse { ErrorMessage = null };
        foreach (var update in request.FeatureUpdates)
        {
            response.Results.Add(new()
            {
                Feature = update.Feature,
                ErrorCode = ErrorCode.InvalidUpdateVersion,
                ErrorMessage = $"This broker does not support feature {update.Feature}",
            });
        }

        return ValueTask.FromResult<UpdateFeaturesResponse?>(response);
    }
}
