using Broker.Lite.Requests;
using Broker.Lite.Security;
using Kafka.Protocol;

namespace Broker.Lite;

/// <summary>
/// A connection to a <see cref="BrokerServer"/> in the same process: requests and responses are message objects, nothing is serialised and
/// no socket is involved. Made by <see cref="BrokerServer.Connect"/>.
/// </summary>
/// <remarks>
/// Requests are served in the highest version the broker has. Unlike on a socket they do not wait for each other: several may be in
/// progress, from several threads. Message objects must not be changed until the response is there. Record batches in a Fetch response are
/// the caller's to keep. Batches of a Produce request are handed to the log as they are, which writes base offset and leader epoch into
/// their headers: they must be in writable memory that nobody else uses meanwhile.
/// </remarks>
public sealed class LocalConnection
{
    private readonly RequestDispatcher _dispatcher;
    private readonly string _clientId;
    private readonly (string Host, int Port) _advertised;
    private readonly CancellationToken _stopping;
    private readonly ClientSession _session = ClientSession.ForLocal();

    internal LocalConnection(RequestDispatcher dispatcher, string clientId, (string Host, int Port) advertised, CancellationToken stopping)
    {
        _dispatcher = dispatcher;
        _clientId = clientId;
        _advertised = advertised;
        _stopping = stopping;
    }

    /// <summary>Sends a request and returns its response. Long polls and joins of groups wait on the broker's clock.</summary>
    /// <typeparam name="TResponse">The response's type, given by the request's.</typeparam>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Gives up waiting; what the request did already stays done.</param>
    /// <exception cref="ProtocolException">The broker does not serve this API; or, with acks=0, the produce request failed.</exception>
    /// <exception cref="ObjectDisposedException">The broker has stopped.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the broker stopped while the request was
    /// waiting.</exception>
    public async ValueTask<TResponse> SendAsync<TResponse>(IRequest<TResponse> request, CancellationToken cancellationToken = default)
        where TResponse : IApiMessage, new()
    {
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        if (!_dispatcher.TryFind(request.Key, out var handler))
            throw new ProtocolException(ErrorCode.UnsupportedVersion, $"This broker has no {request.Key}");

        var context = new RequestContext
        {
            Version = handler.Versions.Max,
            ClientId = _clientId,
            ClientHost = "/local",
            Advertised = _advertised,
            IsLocal = true,
            Session = _session,
        };
        IApiMessage? response;
        if (cancellationToken.CanBeCanceled)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping);
            response = await _dispatcher.DispatchAsync(handler, request, context, either.Token).ConfigureAwait(false);
        }
        else
        {
            response = await _dispatcher.DispatchAsync(handler, request, context, _stopping).ConfigureAwait(false);
        }

        if (context.CloseConnection)
            throw new ProtocolException(ErrorCode.UnknownServerError, $"{request.Key} failed, and has no response to say why");
        // Without a response (acks=0) there is nothing to tell, which an empty one does.
        return response is null ? new TResponse() : (TResponse)response;
    }
}
