using Broker.Lite.Requests;
using Kafka.Protocol;

namespace Broker.Lite.Security.Guards;

/// <summary>
/// What access control does to one API: takes out of a request what its client may not ask for, lets the handler serve the rest, and takes
/// out of the answer what the client may not see. Handlers know nothing of it. Stateless.
/// </summary>
internal abstract class RequestGuard
{
    public abstract ApiKey Key { get; }

    /// <summary>Serves a request as far as its client may have it served. The request may be changed: it is nobody else's.</summary>
    /// <param name="request">The request.</param>
    /// <param name="context">Who asks.</param>
    /// <param name="view">The topics there are, for requests that name them by id.</param>
    /// <param name="next">Runs the handler.</param>
    public abstract ValueTask<IApiMessage?> HandleAsync(IApiMessage request, RequestContext context, Metadata.ClusterView view, Func<ValueTask<IApiMessage?>> next);
}

/// <summary>A guard as a function.</summary>
internal sealed class RequestGuard<TRequest, TResponse>(RequestGuard<TRequest, TResponse>.Check check) : RequestGuard
    where TRequest : class, IRequest<TResponse>, IApiSchema
    where TResponse : class, IApiMessage, new()
{
    internal delegate ValueTask<TResponse?> Check(TRequest request, RequestContext context, Metadata.ClusterView view, Func<ValueTask<TResponse?>> next);

    public override ApiKey Key => TRequest.ApiKey;

    public override async ValueTask<IApiMessage?> HandleAsync(IApiMessage request, RequestContext context, Metadata.ClusterView view, Func<ValueTask<IApiMessage?>> next) =>
        await check((TRequest)request, context, view, async () => (TResponse?)await next().ConfigureAwait(false)).ConfigureAwait(false);
}
