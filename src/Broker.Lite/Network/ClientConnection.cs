using System.Net;
using System.Net.Sockets;
using Broker.Lite.Diagnostics;
using Broker.Lite.Requests;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Network;

/// <summary>
/// One client's connection: read a request, serve it, send its response, then the next. Responses are in order by construction, and what a
/// connection can hold is one request and one response; everything else a client pipelines waits in the sockets' buffers. Kafka's own
/// broker works the same way.
/// </summary>
internal sealed class ClientConnection : IDisposable
{
    private readonly long _id;
    private readonly Socket _socket;
    private readonly RequestDispatcher _dispatcher;
    private readonly FrameReader _reader;
    private readonly FrameSender _sender;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _remote;
    private readonly string _clientHost;
    private readonly (string Host, int Port) _advertised;
    private long _lastActivity;
    private int _serving;

    public ClientConnection(
        long id, Socket socket, RequestDispatcher dispatcher, RequestMemory memory, int maxRequestBytes, string? advertisedHost, int? advertisedPort, TimeProvider time,
        ILogger logger)
    {
        _id = id;
        _socket = socket;
        _dispatcher = dispatcher;
        _reader = new FrameReader(socket, maxRequestBytes, memory, time);
        _sender = new FrameSender(socket);
        _time = time;
        _logger = logger;
        _lastActivity = time.GetTimestamp();

        var remote = (IPEndPoint)socket.RemoteEndPoint!;
        var local = (IPEndPoint)socket.LocalEndPoint!;
        _remote = remote.ToString();
        _clientHost = "/" + Plain(remote.Address);
        _advertised = (advertisedHost ?? Plain(local.Address).ToString(), advertisedPort ?? local.Port);
    }

    /// <summary>How long nothing has happened; zero while a request is being served.</summary>
    public TimeSpan IdleTime => Volatile.Read(ref _serving) != 0 ? TimeSpan.Zero : _time.GetElapsedTime(Volatile.Read(ref _lastActivity));

    /// <summary>Serves the client until it leaves, misbehaves, or the broker stops.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        Log.ConnectionOpened(_logger, _id, _remote);
        try
        {
            using var gone = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            while (await _reader.ReadAsync(stopping).ConfigureAwait(false) is { } frame)
            {
                Volatile.Write(ref _serving, 1);
                var goOn = await ServeAsync(frame, gone).ConfigureAwait(false);
                Volatile.Write(ref _lastActivity, _time.GetTimestamp());
                Volatile.Write(ref _serving, 0);
                if (!goOn)
                    return;
            }

            Log.ConnectionClosed(_logger, _id, "the client closed it");
        }
        catch (ProtocolException e)
        {
            Log.ConnectionRefused(_logger, _id, _remote, e.Message);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // How connections end when the client vanishes, or when Abort closes the socket under a pending operation.
            Log.ConnectionClosed(_logger, _id, e.Message);
        }
        catch (OperationCanceledException)
        {
            Log.ConnectionClosed(_logger, _id, stopping.IsCancellationRequested ? "the broker stops" : "the client went away");
        }
    }

    /// <summary>Closes the socket; a pending operation on it fails, which ends <see cref="RunAsync"/>.</summary>
    public void Abort() => _socket.Dispose();

    public void Dispose()
    {
        _socket.Dispose();
        _reader.Dispose();
    }

    private async ValueTask<bool> ServeAsync(ReadOnlyMemory<byte> frame, CancellationTokenSource gone)
    {
        var header = MessageFrames.DecodeRequest(frame, out var request);
        if (!_dispatcher.TryFind(header.ApiKey, out var handler))
        {
            // Without the schema there is no response that the client could read; Kafka closes too.
            Log.ConnectionRefused(_logger, _id, _remote, $"unknown API key {(short)header.ApiKey}");
            return false;
        }

        if (request is null || !handler.Versions.Contains(header.ApiVersion))
        {
            if (header.ApiKey == ApiKey.ApiVersions)
                return await SendAsync(ApiVersionsHandler.Unsupported(_dispatcher), version: 0, header.CorrelationId, null).ConfigureAwait(false);
            Log.ConnectionRefused(_logger, _id, _remote, $"{header.ApiKey} v{header.ApiVersion} is not supported");
            return false;
        }

        var context = new RequestContext
        {
            Version = header.ApiVersion,
            ClientId = header.ClientId ?? "",
            ClientHost = _clientHost,
            Advertised = _advertised,
        };
        Log.RequestReceived(_logger, _id, header.ApiKey, header.ApiVersion, context.ClientId);

        IApiMessage? response;
        try
        {
            var work = _dispatcher.DispatchAsync(handler, request, context, gone.Token);
            response = work.IsCompleted ? await work.ConfigureAwait(false) : await ServeParkedAsync(work.AsTask(), gone).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException and not ProtocolException)
        {
            // A fault of ours or of the disk: this client's requests may be half done, the other clients are not concerned.
            Log.RequestFailed(_logger, e, header.ApiKey, header.ApiVersion, _id);
            context.ReleaseLeases();
            return false;
        }
        catch
        {
            context.ReleaseLeases();
            throw;
        }

        if (response is null || context.CloseConnection)
        {
            context.ReleaseLeases();
            return !context.CloseConnection;
        }

        return await SendAsync(response, header.ApiVersion, header.CorrelationId, context).ConfigureAwait(false);
    }

    /// <summary>Waits for a request that did not finish at once, and gives it up when the client is gone.</summary>
    private async Task<IApiMessage?> ServeParkedAsync(Task<IApiMessage?> work, CancellationTokenSource gone)
    {
        var hangUp = _reader.WaitForHangUpAsync();
        if (await Task.WhenAny(work, hangUp).ConfigureAwait(false) == hangUp && await hangUp.ConfigureAwait(false))
            await gone.CancelAsync().ConfigureAwait(false);
        return await work.ConfigureAwait(false);
    }

    private async ValueTask<bool> SendAsync(IApiMessage response, short version, int correlationId, RequestContext? context)
    {
        Frame frame;
        try
        {
            frame = MessageFrames.EncodeResponse(response, version, correlationId);
        }
        catch (ProtocolException e)
        {
            // Not the client's fault: a handler gave an answer that this version cannot carry.
            Log.RequestFailed(_logger, e, response.Key, version, _id);
            context?.ReleaseLeases();
            return false;
        }

        using (frame)
        {
            foreach (var lease in context?.Leases ?? [])
                frame.Attach(lease);
            // A client that does not read its response is as idle as one that says nothing.
            Volatile.Write(ref _lastActivity, _time.GetTimestamp());
            Volatile.Write(ref _serving, 0);
            await _sender.SendAsync(frame).ConfigureAwait(false);
        }

        return true;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
