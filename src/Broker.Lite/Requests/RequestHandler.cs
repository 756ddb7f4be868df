using Kafka.Protocol;

namespace Broker.Lite.Requests;

/// <summary>Serves one API. The set of handlers is what the broker advertises: ApiVersions is computed from it.</summary>
internal abstract class RequestHandler
{
    public abstract ApiKey Key { get; }

    /// <summary>The versions advertised and accepted; never wider than what Kafka.Protocol can read.</summary>
    public abstract VersionRange Versions { get; }

    /// <summary>Answers a request; null means that the request gets no response.</summary>
    public abstract ValueTask<IApiMessage?> HandleAsync(IApiMessage request, RequestContext context, CancellationToken cancellationToken);
}

/// <summary>The typed form handlers derive from.</summary>
internal abstract class RequestHandler<TRequest, TResponse>(short minVersion, short maxVersion) : RequestHandler
    where TRequest : class, IRequest<TResponse>, IApiSchema
    where TResponse : class, IApiMessage, new()
{
    public sealed override ApiKey Key => TRequest.ApiKey;

    public sealed override VersionRange Versions { get; } = new(minVersion, maxVersion);

    public sealed override async ValueTask<IApiMessage?> HandleAsync(IApiMessage request, RequestContext context, CancellationToken cancellationToken) =>
        await HandleAsync((TRequest)request, context, cancellationToken).ConfigureAwait(false);

    protected abstract ValueTask<TResponse?> HandleAsync(TRequest request, RequestContext context, CancellationToken cancellationToken);
}
