using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Broker.Lite.Security;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Client;

/// <summary>
/// A connection of the tool to one broker: versions negotiated, requests pipelined, answers in order. Safe from several threads. Any
/// failure ends it, and with it every request under way.
/// </summary>
internal sealed class WireConnection : IAsyncDisposable
{
    private const int MaxAnswerBytes = 256 * 1024 * 1024;
    private const int MaxInFlight = 64;

    private readonly (string Host, int Port) _address;
    private readonly ClientSettings _settings;
    private readonly Stream _stream;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly SemaphoreSlim _inFlight = new(MaxInFlight, MaxInFlight);
    private readonly Queue<(int CorrelationId, Action<byte[]> Complete, Action<Exception> Fail)> _pending = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Dictionary<ApiKey, VersionRange> _versions = [];
    private Task _reading = Task.CompletedTask;
    private Exception? _failure;
    private int _lastCorrelationId;

    private WireConnection((string Host, int Port) address, ClientSettings settings, Stream stream)
    {
        _address = address;
        _settings = settings;
        _stream = stream;
    }

    /// <summary>Connects, secures, authenticates.</summary>
    /// <exception cref="ToolException">It cannot be done; the message says why.</exception>
    public static async Task<WireConnection> OpenAsync((string Host, int Port) address, ClientSettings settings, CancellationToken cancellationToken)
    {
        WireConnection? connection = null;
        try
        {
            var stream = await ConnectAsync(address, settings, cancellationToken).ConfigureAwait(false);
            connection = new WireConnection(address, settings, stream);
            connection._reading = connection.ReadAsync();
            await connection.NegotiateAsync(cancellationToken).ConfigureAwait(false);
            if (settings.Protocol.HasSasl())
                await SaslClient.AuthenticateAsync(connection, settings, cancellationToken).ConfigureAwait(false);
            var opened = connection;
            connection = null;
            return opened;
        }
        catch (AuthenticationException e)
        {
            throw new ToolException($"TLS with {address.Host}:{address.Port} failed: {e.InnerException?.Message ?? e.Message}", e);
        }
        catch (Exception e) when (e is SocketException or IOException or CryptographicException)
        {
            throw new ToolException($"Cannot connect to {address.Host}:{address.Port}: {e.Message}", e);
        }
        finally
        {
            if (connection is not null)
                await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Whether the broker has the API in a version the tool has.</summary>
    public bool Supports<TResponse>()
        where TResponse : IApiSchema => _versions.TryGetValue(TResponse.ApiKey, out var served) && TResponse.Versions.TryHighestCommon(served, out _);

    /// <summary>Sends a request in the highest version both sides have.</summary>
    /// <param name="build">Makes the request for the version.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ToolException">The broker does not have the API, does not answer in time, or the connection broke.</exception>
    public async Task<TResponse> SendAsync<TResponse>(Func<short, IRequest<TResponse>> build, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        if (!_versions.TryGetValue(TResponse.ApiKey, out var served) || !TResponse.Versions.TryHighestCommon(served, out var version))
            throw new ToolException($"The broker does not support {TResponse.ApiKey}");
        return await ExchangeAsync(build(version), version, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        Fail(new ToolException("The connection was closed"));
        await _reading.ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    private async Task NegotiateAsync(CancellationToken cancellationToken)
    {
        const short Preferred = 3;
        var answer = await ExchangeAsync(new ApiVersionsRequest { ClientSoftwareName = "broker-tool", ClientSoftwareVersion = "1" }, Preferred, cancellationToken).ConfigureAwait(false);
        if (answer.ErrorCode == ErrorCode.UnsupportedVersion)
            answer = await ExchangeAsync(new ApiVersionsRequest(), 0, cancellationToken).ConfigureAwait(false);
        if (answer.ErrorCode != ErrorCode.None)
            throw new ToolException($"The broker does not tell its versions: {answer.ErrorCode}");
        foreach (var api in answer.ApiKeys)
            _versions[api.ApiKey] = new VersionRange(api.MinVersion, api.MaxVersion);
    }

    private async Task<TResponse> ExchangeAsync<TResponse>(IRequest<TResponse> request, short version, CancellationToken cancellationToken)
        where TResponse : IApiMessage, new()
    {
        var answer = new TaskCompletionSource<TResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var expiry = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        expiry.CancelAfter(_settings.RequestTimeout);
        try
        {
            await _inFlight.WaitAsync(expiry.Token).ConfigureAwait(false);
            await _writing.WaitAsync(expiry.Token).ConfigureAwait(false);
            try
            {
                var correlationId = ++_lastCorrelationId;
                using var frame = MessageFrames.EncodeRequest(request, version, correlationId, _settings.ClientId);
                lock (_pending)
                {
                    if (_failure is not null)
                        throw new ToolException(_failure.Message, _failure);
                    _pending.Enqueue((correlationId, body => Complete(answer, request, version, correlationId, body), exception => answer.TrySetException(exception)));
                }

                foreach (var segment in frame.Segments)
                    await _stream.WriteAsync(segment, _closed.Token).ConfigureAwait(false);
                await _stream.FlushAsync(_closed.Token).ConfigureAwait(false);
            }
            finally
            {
                _writing.Release();
            }

            return await answer.Task.WaitAsync(expiry.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var failure = new ToolException($"{_address.Host}:{_address.Port} did not answer {request.Key} in time");
            Fail(failure);
            throw failure;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Fail(e);
            throw new ToolException($"The connection to {_address.Host}:{_address.Port} broke: {e.Message}", e);
        }
    }

    private static void Complete<TResponse>(TaskCompletionSource<TResponse> answer, IRequest<TResponse> request, short version, int correlationId, byte[] body)
        where TResponse : IApiMessage, new()
    {
        try
        {
            // A broker that does not have the version of ApiVersions answers in version 0.
            var isRefusal = request.Key == ApiKey.ApiVersions && body.Length >= 6 && BinaryPrimitives.ReadInt16BigEndian(body.AsSpan(4)) == (short)ErrorCode.UnsupportedVersion;
            answer.TrySetResult(MessageFrames.DecodeResponse(request, isRefusal ? (short)0 : version, correlationId, body));
        }
        catch (ProtocolException e)
        {
            answer.TrySetException(new ToolException($"The broker's answer to {request.Key} cannot be read: {e.Message}", e));
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var head = new byte[sizeof(int)];
            while (true)
            {
                await _stream.ReadExactlyAsync(head, _closed.Token).ConfigureAwait(false);
                var length = BinaryPrimitives.ReadInt32BigEndian(head);
                if (length is < sizeof(int) or > MaxAnswerBytes)
                    throw new ProtocolException($"an answer of {length} bytes");
                var body = new byte[length];
                await _stream.ReadExactlyAsync(body, _closed.Token).ConfigureAwait(false);
                (int CorrelationId, Action<byte[]> Complete, Action<Exception> Fail) next;
                lock (_pending)
                {
                    if (!_pending.TryDequeue(out next))
                        throw new ProtocolException("an answer to no request");
                }

                _inFlight.Release();
                next.Complete(body);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ProtocolException or OperationCanceledException or ObjectDisposedException)
        {
            Fail(new ToolException($"The connection to {_address.Host}:{_address.Port} was closed: {e.Message}", e));
        }
    }

    private void Fail(Exception failure)
    {
        List<Action<Exception>> waiting;
        lock (_pending)
        {
            if (_failure is not null)
                return;
            _failure = failure;
            waiting = [.. _pending.Select(pending => pending.Fail)];
            _pending.Clear();
        }

        _closed.Cancel();
        foreach (var fail in waiting)
            fail(failure is ToolException ? failure : new ToolException(failure.Message, failure));
    }

    private static async Task<Stream> ConnectAsync((string Host, int Port) address, ClientSettings settings, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(settings.RequestTimeout);
            await socket.ConnectAsync(address.Host, address.Port, timeout.Token).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (settings.Protocol.HasTls())
            {
                var tls = new SslStream(stream, leaveInnerStreamOpen: false);
                stream = tls;
                await tls.AuthenticateAsClientAsync(TlsOptions(address.Host, settings), timeout.Token).ConfigureAwait(false);
            }

            return stream;
        }
        catch
        {
            if (stream is not null)
                await stream.DisposeAsync().ConfigureAwait(false);
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions TlsOptions(string host, ClientSettings settings)
    {
        var trusted = settings.Trusted();
        var own = settings.Identity();
        return new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ClientCertificates = own is null ? null : [own],
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (!settings.ChecksCertificate)
                    return true;
                if (certificate is null || (settings.ChecksName && errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)))
                    return false;
                if (trusted.Count == 0)
                    return !errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors);
                using var own = new X509Chain();
                own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                own.ChainPolicy.CustomTrustStore.AddRange(trusted);
                own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                foreach (var element in chain?.ChainElements.AsEnumerable() ?? [])
                    own.ChainPolicy.ExtraStore.Add(element.Certificate);
                return own.Build((X509Certificate2)certificate);
            },
        };
    }
}
