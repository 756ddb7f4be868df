using System.Diagnostics.CodeAnalysis;
using Kafka.Protocol;

namespace Broker.Lite.Requests;

/// <summary>Finds the handler of a request and runs it, through the test's interceptor if there is one. Immutable.</summary>
internal sealed class RequestDispatcher
{
    private readonly Dictionary<ApiKey, RequestHandler> _handlers;
    private readonly RequestInterceptor? _interceptor;

    public RequestDispatcher(IEnumerable<RequestHandler> handlers, RequestInterceptor? interceptor)
    {
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
            ? handler.HandleAsync(request, context, cancellationToken)
            : _interceptor(request, context.Version, () => handler.HandleAsync(request, context, cancellationToken), cancellationToken);
}
