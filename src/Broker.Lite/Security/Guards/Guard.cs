using Broker.Lite.Requests;
using Broker.Lite.Security.Acls;
using Kafka.Protocol;

namespace Broker.Lite.Security.Guards;

/// <summary>The forms most guards have.</summary>
internal static class Guard
{
    /// <summary>Anybody may: the API is how clients find out what they can do, or checks for itself who they are.</summary>
    public static RequestGuard Open<TRequest, TResponse>()
        where TRequest : class, IRequest<TResponse>, IApiSchema
        where TResponse : class, IApiMessage, new() =>
        new RequestGuard<TRequest, TResponse>((_, _, _, next) => next());

    /// <summary>One permission decides about the whole request.</summary>
    public static RequestGuard Whole<TRequest, TResponse>(
        AclOperation operation, AclResourceType type, Func<TRequest, string?> name, Func<TRequest, TResponse> refused)
        where TRequest : class, IRequest<TResponse>, IApiSchema
        where TResponse : class, IApiMessage, new() =>
        new RequestGuard<TRequest, TResponse>((request, context, _, next) =>
            context.May(operation, type, name(request)) ? next() : ValueTask.FromResult<TResponse?>(refused(request)));

    /// <summary>One permission on the cluster decides about the whole request.</summary>
    public static RequestGuard Cluster<TRequest, TResponse>(AclOperation operation, Func<TRequest, TResponse> refused)
        where TRequest : class, IRequest<TResponse>, IApiSchema
        where TResponse : class, IApiMessage, new() =>
        Whole(operation, AclResourceType.Cluster, _ => AclBinding.ClusterName, refused);

    /// <summary>Each entry of the request needs a permission; the others are served, and the refused ones answered beside them.</summary>
    public static RequestGuard Each<TRequest, TResponse, TItem, TResult>(
        Func<TRequest, List<TItem>> items,
        Func<RequestContext, TItem, bool> may,
        Func<TItem, TResult> refused,
        Func<TResponse, List<TResult>> results)
        where TRequest : class, IRequest<TResponse>, IApiSchema
        where TResponse : class, IApiMessage, new() =>
        new RequestGuard<TRequest, TResponse>(async (request, context, _, next) =>
        {
            var taken = TakeOut(items(request), item => may(context, item));
            var response = await next().ConfigureAwait(false);
            if (response is not null)
                results(response).AddRange(taken.Select(refused));
            return response;
        });

    /// <summary>Removes the entries that are not allowed and returns them.</summary>
    public static List<TItem> TakeOut<TItem>(List<TItem> items, Predicate<TItem> may)
    {
        var taken = new List<TItem>();
        items.RemoveAll(item =>
        {
            if (may(item))
                return false;
            taken.Add(item);
            return true;
        });
        return taken;
    }

    public static bool MayTopic(this RequestContext context, AclOperation operation, string? topic) => context.May(operation, AclResourceType.Topic, topic);

    public static bool MayGroup(this RequestContext context, AclOperation operation, string? group) => context.May(operation, AclResourceType.Group, group);

    public static bool MayTransaction(this RequestContext context, AclOperation operation, string? transactionalId) =>
        context.May(operation, AclResourceType.TransactionalId, transactionalId);

    public static bool MayCluster(this RequestContext context, AclOperation operation) => context.May(operation, AclResourceType.Cluster, AclBinding.ClusterName);

    /// <summary>The bit set of the operations a client may do, out of those that exist for the resource (KIP-430).</summary>
    public static int Operations(RequestContext context, int existing, AclResourceType type, string name)
    {
        var allowed = 0;
        for (var operation = AclOperation.Read; operation <= AclOperation.IdempotentWrite; operation++)
        {
            var bit = 1 << (int)operation;
            if ((existing & bit) != 0 && context.IsVisible(operation, type, name))
                allowed |= bit;
        }

        return allowed;
    }
}
