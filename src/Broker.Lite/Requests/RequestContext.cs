using Broker.Lite.Diagnostics;
using Broker.Lite.Security;
using Broker.Lite.Security.Acls;

namespace Broker.Lite.Requests;

/// <summary>What a handler knows about a request besides its body. One per request, used by one thread at a time.</summary>
internal sealed class RequestContext
{
    private List<IDisposable>? _leases;

    /// <summary>Version of the request's body.</summary>
    public required short Version { get; init; }

    /// <summary>The client's name for itself; empty if it has none.</summary>
    public required string ClientId { get; init; }

    /// <summary>Where the client is, in Kafka's form such as <c>/127.0.0.1</c>.</summary>
    public required string ClientHost { get; init; }

    /// <summary>The address this client should use for this broker.</summary>
    public required (string Host, int Port) Advertised { get; init; }

    /// <summary>
    /// True for requests of <see cref="LocalConnection"/>: memory in the response then belongs to the caller, and memory of the request is
    /// not reused after it.
    /// </summary>
    public bool IsLocal { get; init; }

    /// <summary>Whether the way to the client takes parts of files as they are; see <see cref="Logs.FileMemory"/>.</summary>
    public bool CanSendFiles { get; init; }

    /// <summary>Who the client is.</summary>
    public required ClientSession Session { get; init; }

    /// <summary>Null when everybody may do everything.</summary>
    public Authorizer? Authorizer { get; init; }

    /// <summary>Where refusals are counted; null for requests that cannot be refused.</summary>
    public BrokerMetrics? Metrics { get; init; }

    /// <summary>Whether the client may do anything there is: then no guard has to look at its request.</summary>
    public bool IsUnrestricted => Authorizer is null || Session.IsTrusted;

    /// <summary>Where the client is, in the form access rules have.</summary>
    public string Host => ClientHost.TrimStart('/');

    /// <summary>Set when the connection shall end once the response is out (a failed authentication).</summary>
    public bool CloseAfterResponse { get; set; }

    /// <summary>Set by a handler that has no other way to report a failure (Produce with acks=0).</summary>
    public bool CloseConnection { get; set; }

    /// <summary>Owners of memory that the response borrows, to be disposed when it has been sent.</summary>
    public IReadOnlyList<IDisposable> Leases => _leases is null ? [] : _leases;

    /// <summary>Whether the client may do this to the resource.</summary>
    public bool May(AclOperation operation, AclResourceType type, string? name)
    {
        if (IsVisible(operation, type, name))
            return true;
        Metrics?.AuthorizationFailures.Add(1);
        return false;
    }

    /// <summary>The same where a no is nothing the client asked for and is told: for lists that leave out what it may not see.</summary>
    public bool IsVisible(AclOperation operation, AclResourceType type, string? name) =>
        IsUnrestricted || Authorizer!.IsAllowed(Session.Principal, Host, operation, type, name ?? "");

    /// <summary>Keeps memory that the response refers to alive until the response has been sent.</summary>
    public void Lease(IDisposable owner) => (_leases ??= []).Add(owner);

    /// <summary>Gives borrowed memory back when no response will be sent.</summary>
    public void ReleaseLeases()
    {
        foreach (var lease in Leases)
            lease.Dispose();
        _leases = null;
    }
}
