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

    /// <summary>Set by a handler that has no other way to report a failure (Produce with acks=0).</summary>
    public bool CloseConnection { get; set; }

    /// <summary>Owners of memory that the response borrows, to be disposed when it has been sent.</summary>
    public IReadOnlyList<IDisposable> Leases => _leases is null ? [] : _leases;

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
