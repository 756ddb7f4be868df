using System.Diagnostics.CodeAnalysis;
using Broker.Lite.Metadata;
using Broker.Lite.Security.Acls;
using Broker.Lite.Security.Guards;
using Kafka.Protocol;

namespace Broker.Lite.Requests;

/// <summary>Finds the handler of a request and runs it, behind the guard of its API and the test's interceptor. Immutable.</summary>
internal sealed class RequestDispatcher
{
    private readonly Dictionary<ApiKey, RequestHandler> _handlers;
    private readonly RequestInterceptor? _interceptor;
    private readonly Func<ClusterView> _view;

    public RequestDispatcher(IEnumerable<RequestHandler> handlers, RequestInterceptor? interceptor, Func<ClusterView> view)
    {
        _view = view;
        _handlers = handlers.ToDictionary(handler => handler.Key);
        _interceptor = interceptor;
        Handlers = [.. _handlers.Values.OrderBy(handler => handler.Key)];
    }

    /// <summary>All handlers, by API key.</summary>
    public IReadOnlyList<RequestHandler> Handlers { get; }

    public bool TryFind(ApiKey key, [NotNullWhen(true)] out RequestHandler? handler) => _handlers.TryGetValue(key, out handler);

    /// <summary>Answers a request whose key and version were checked.</summary>
    public ValueTask<IApiMessage?> DispatchAsync(RequestHandler handler, IApiMessage request, RequestContext context, CancellationToken cancellationToken) =>
        _interceptor is null
            ? GuardedAsync(handler, request, context, cancellationToken)
            : _interceptor(request, context.Version, () => GuardedAsync(handler, request, context, cancellationToken), cancellationToken);

    private ValueTask<IApiMessage?> GuardedAsync(RequestHandler handler, IApiMessage request, RequestContext context, CancellationToken cancellationToken)
    {
        if (context.IsUnrestricted)
            return handler.HandleAsync(request, context, cancellationToken);
        if (RequestGuards.TryFind(handler.Key, out var guard))
            return guard.HandleAsync(request, context, _view(), () => handler.HandleAsync(request, context, cancellationToken));
        return context.May(AclOperation.ClusterAction, AclResourceType.Cluster, AclBinding.ClusterName)
            ? handler.HandleAsync(request, context, cancellationToken)
            : throw new ProtocolException(ErrorCode.ClusterAuthorizationFailed, $"{context.Session.Principal} may not use {handler.Key}");
    }
}
