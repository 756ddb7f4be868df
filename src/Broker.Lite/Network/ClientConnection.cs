using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Broker.Lite.Diagnostics;
using Broker.Lite.Requests;
using Broker.Lite.Security;
using Broker.Lite.Security.Quotas;
using Broker.Lite.Security.Sasl;
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
    // Kafka's bound for what is read of a client that has not proved who it is (sasl.server.max.receive.size).
    private const int MaxBytesBeforeAuthentication = 512 * 1024;

    // For TLS and SASL together: a client that means it needs a few round trips.
    private static readonly TimeSpan _patienceForLogin = TimeSpan.FromSeconds(30);

    private readonly long _id;
    private readonly ListenerOptions _options;
    private readonly ServerServices _services;
    private readonly ClientTransport _transport;
    private readonly FrameReader _reader;
    private readonly ClientSession _session;
    private readonly QuotaMeters _quotas;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _remote;
    private readonly string _clientHost;
    private readonly (string Host, int Port) _advertised;
    private ITimer? _loginDeadline;
    private long _lastActivity;
    private int _serving;

    public ClientConnection(long id, Socket socket, ListenerOptions options, ServerServices services)
    {
        _id = id;
        _options = options;
        _services = services;
        _time = services.Time;
        _logger = services.Logger;
        _quotas = services.Quotas;
        _transport = options.Tls is null ? new SocketTransport(socket) : new TlsTransport(socket);
        _session = ClientSession.ForListener(options.Definition.Name, options.Definition.Protocol, options.Sasl);
        var isOpen = options.Tls is null && _session.IsAuthenticated;
        _reader = new FrameReader(_transport, isOpen ? options.MaxRequestBytes : Math.Min(MaxBytesBeforeAuthentication, options.MaxRequestBytes), services.Memory, _time);
        _lastActivity = _time.GetTimestamp();

        var remote = (IPEndPoint)socket.RemoteEndPoint!;
        var local = (IPEndPoint)socket.LocalEndPoint!;
        _remote = remote.ToString();
        Address = Plain(remote.Address);
        _clientHost = "/" + Address;
        _advertised = (options.Definition.AdvertisedHost ?? Plain(local.Address).ToString(), options.Definition.AdvertisedPort ?? local.Port);
        if (!isOpen)
            _loginDeadline = _time.CreateTimer(_ => Abort(), null, _patienceForLogin, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Where the client is.</summary>
    public IPAddress Address { get; }

    /// <summary>How long nothing has happened; zero while a request is being served.</summary>
    public TimeSpan IdleTime => Volatile.Read(ref _serving) != 0 ? TimeSpan.Zero : _time.GetElapsedTime(Volatile.Read(ref _lastActivity));

    /// <summary>Serves the client until it leaves, misbehaves, or the broker stops.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        Log.ConnectionOpened(_logger, _id, _remote);
        try
        {
            var wait = _quotas.RecordConnection(Address.ToString());
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, _time, stopping).ConfigureAwait(false);
            if (_transport is TlsTransport tls)
            {
                await tls.HandshakeAsync(_options.Tls!, stopping).ConfigureAwait(false);
                _session.Principal = _options.Tls!.PrincipalOf(tls.ClientCertificate);
                Log.CertificateAccepted(_logger, _id, _session.Principal.ToString());
            }

            if (_session.IsAuthenticated)
                LetIn();
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
            Refuse(e.Message);
        }
        catch (AuthenticationException e)
        {
            _services.Metrics.AuthenticationFailures.Add(1);
            Log.AuthenticationFailed(_logger, _id, _remote, "TLS", e.InnerException?.Message ?? e.Message);
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
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
    public void Abort() => _transport.Dispose();

    public void Dispose()
    {
        _loginDeadline?.Dispose();
        _transport.Dispose();
        _reader.Dispose();
    }

    /// <summary>The client has proved who it is, or need not: from now on it may send what it likes.</summary>
    private void LetIn()
    {
        if (_loginDeadline is null)
            return;
        _loginDeadline.Dispose();
        _loginDeadline = null;
        _reader.MaxFrameBytes = _options.MaxRequestBytes;
    }

    private void Refuse(string reason)
    {
        _services.Metrics.Refused.Add(1);
        Log.ConnectionRefused(_logger, _id, _remote, reason);
    }

    private async ValueTask<bool> ServeAsync(ReadOnlyMemory<byte> frame, CancellationTokenSource gone)
    {
        var received = _time.GetTimestamp();
        _services.Metrics.BytesIn.Add(frame.Length);
        if (_session.Sasl is { IsInProgress: true, ExpectsBareMessages: true } sasl)
            return await AuthenticateBareAsync(sasl, frame).ConfigureAwait(false);
        if (RefusalOf(frame) is { } refusal)
        {
            Refuse(refusal);
            return false;
        }

        var header = MessageFrames.DecodeRequest(frame, out var request);
        if (!_services.Dispatcher.TryFind(header.ApiKey, out var handler))
        {
            // Without the schema there is no response that the client could read; Kafka closes too.
            Refuse($"unknown API key {(short)header.ApiKey}");
            return false;
        }

        if (request is null || !handler.Versions.Contains(header.ApiVersion))
        {
            if (header.ApiKey == ApiKey.ApiVersions)
                return await SendAsync(ApiVersionsHandler.Unsupported(_services.Dispatcher), version: 0, header.CorrelationId, null).ConfigureAwait(false);
            Refuse($"{header.ApiKey} v{header.ApiVersion} is not supported");
            return false;
        }

        var context = new RequestContext
        {
            Version = header.ApiVersion,
            ClientId = header.ClientId ?? "",
            ClientHost = _clientHost,
            Advertised = _advertised,
            Session = _session,
            CanSendFiles = _transport.CanSendFiles,
            Authorizer = _services.Authorizer,
            Metrics = _services.Metrics,
        };
        LimitAnswer(request, context);
        Log.RequestReceived(_logger, _id, header.ApiKey, header.ApiVersion, context.ClientId);

        IApiMessage? response;
        var began = _time.GetTimestamp();
        TimeSpan worked;
        try
        {
            var work = _services.Dispatcher.DispatchAsync(handler, request, context, gone.Token);
            worked = _time.GetElapsedTime(began);
            response = work.IsCompleted ? await work.ConfigureAwait(false) : await ServeParkedAsync(work.AsTask(), gone).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException and not ProtocolException)
        {
            // A fault of ours or of the disk: this client's requests may be half done, the other clients are not concerned.
            _services.Metrics.RequestFailed(header.ApiKey);
            Log.RequestFailed(_logger, e, header.ApiKey, header.ApiVersion, _id);
            context.ReleaseLeases();
            return false;
        }
        catch
        {
            context.ReleaseLeases();
            throw;
        }

        if (_session.IsAuthenticated)
            LetIn();
        var throttle = Throttle(request, response, frame.Length, worked, context);
        bool goOn;
        if (response is null || context.CloseConnection)
        {
            context.ReleaseLeases();
            goOn = !context.CloseConnection;
        }
        else
        {
            goOn = await SendAsync(response, header.ApiVersion, header.CorrelationId, context).ConfigureAwait(false) && !context.CloseAfterResponse;
        }

        if (_services.Metrics.MeasuresRequests)
            _services.Metrics.RequestServed(header.ApiKey, _time.GetElapsedTime(received));
        if (goOn && throttle > TimeSpan.Zero)
        {
            // The answer is out and says so; until then the connection is not read (KIP-219).
            _services.Metrics.Throttled(throttle);
            Volatile.Write(ref _serving, 1);
            await Task.Delay(throttle, _time, gone.Token).ConfigureAwait(false);
        }

        return goOn;
    }

    /// <summary>Why a request cannot be served before it is even read; null if it can be.</summary>
    private string? RefusalOf(ReadOnlyMemory<byte> frame)
    {
        if (_session.Sasl is not { } sasl || frame.Length < sizeof(short))
            return null;
        var key = (ApiKey)BinaryPrimitives.ReadInt16BigEndian(frame.Span);
        if (key is ApiKey.SaslHandshake or ApiKey.SaslAuthenticate or ApiKey.ApiVersions)
            return null;
        if (!sasl.IsComplete)
            return $"{key} before authentication";
        return sasl.IsExpired ? $"{key} after the session ended; the client did not authenticate again" : null;
    }

    /// <summary>Messages of a mechanism as they come after SaslHandshake v0: without Kafka's headers, in both directions.</summary>
    private async ValueTask<bool> AuthenticateBareAsync(SaslConversation sasl, ReadOnlyMemory<byte> message)
    {
        byte[] answer;
        try
        {
            var step = sasl.Next(message.Span, out _);
            answer = step.Answer;
            if (step.IsComplete)
            {
                _session.Principal = KafkaPrincipal.User(step.User!);
                _services.Metrics.AuthenticationSuccesses.Add(1);
                LetIn();
            }
        }
        catch (SaslException e)
        {
            _services.Metrics.AuthenticationFailures.Add(1);
            Log.AuthenticationFailed(_logger, _id, _remote, "SASL", e.Message);
            await Task.Delay(_options.FailedAuthenticationDelay, _time, CancellationToken.None).ConfigureAwait(false);
            return false;
        }

        var frame = new byte[sizeof(int) + answer.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, answer.Length);
        answer.CopyTo(frame, sizeof(int));
        await _transport.SendAsync(frame).ConfigureAwait(false);
        return true;
    }

    /// <summary>Keeps one fetch from being larger than what the client's quota allows in all its windows together.</summary>
    private void LimitAnswer(IApiMessage request, RequestContext context)
    {
        if (_quotas.IsEmpty || request is not FetchRequest fetch)
            return;
        if (_quotas.MaxBytesAtOnce(QuotaTable.ConsumerByteRate, _session.Principal.Name, context.ClientId) is { } most)
            fetch.MaxBytes = Math.Min(fetch.MaxBytes, most);
    }

    /// <summary>Counts what the request used of its client's quotas, and writes into the response how long the client has to wait.</summary>
    private TimeSpan Throttle(IApiMessage request, IApiMessage? response, int requestBytes, TimeSpan worked, RequestContext context)
    {
        if (_quotas.IsEmpty || request is SaslHandshakeRequest or SaslAuthenticateRequest)
            return TimeSpan.Zero;
        var user = _session.Principal.Name;
        var throttle = _quotas.RecordTime(user, context.ClientId, worked);
        var ofBytes = request switch
        {
            ProduceRequest => _quotas.Record(QuotaTable.ProducerByteRate, user, context.ClientId, requestBytes),
            FetchRequest when response is FetchResponse fetched => RecordFetched(fetched, user, context),
            _ => TimeSpan.Zero,
        };
        throttle = ofBytes > throttle ? ofBytes : throttle;
        if (throttle > TimeSpan.Zero && response is IThrottledResponse throttled)
            throttled.ThrottleTimeMs = (int)Math.Ceiling(throttle.TotalMilliseconds);
        return throttle;
    }

    /// <summary>
    /// Counts what a fetch answers. A client that is over its quota already, perhaps through other connections, gets no records now (KIP-219); one
    /// that was not gets them even if they take it over, or a batch larger than the quota could never be read.
    /// </summary>
    private TimeSpan RecordFetched(FetchResponse response, string user, RequestContext context)
    {
        var bytes = response.Responses.Sum(topic => topic.Partitions.Sum(partition => (long)(partition.Records?.Length ?? 0)));
        var excess = _quotas.Excess(QuotaTable.ConsumerByteRate, user, context.ClientId);
        if (excess <= TimeSpan.Zero || bytes == 0)
            return bytes == 0 ? excess : _quotas.Record(QuotaTable.ConsumerByteRate, user, context.ClientId, bytes);
        foreach (var partition in response.Responses.SelectMany(topic => topic.Partitions))
            partition.Records = ReadOnlyMemory<byte>.Empty;
        context.ReleaseLeases();
        return excess;
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
            _services.Metrics.BytesOut.Add(frame.Length);
            await _transport.SendAsync(frame).ConfigureAwait(false);
        }

        return true;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
