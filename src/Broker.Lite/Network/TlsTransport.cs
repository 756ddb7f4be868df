using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using Broker.Lite.Security.Tls;
using Kafka.Protocol;

namespace Broker.Lite.Network;

/// <summary>A connection under TLS.</summary>
internal sealed class TlsTransport : ClientTransport
{
    // What is smaller is put together, so that a response's small parts do not become TLS records of their own.
    private const int GatherBytes = 16 * 1024;

    private readonly Socket _socket;
    private readonly SslStream _stream;
    private readonly byte[] _aheadByte = new byte[1];
    private Task<int>? _ahead;

    public TlsTransport(Socket socket)
    {
        _socket = socket;
        _stream = new SslStream(new NetworkStream(socket, ownsSocket: false), leaveInnerStreamOpen: false);
    }

    /// <summary>The client's certificate; null if it showed none.</summary>
    public System.Security.Cryptography.X509Certificates.X509Certificate? ClientCertificate => _stream.RemoteCertificate;

    /// <summary>Agrees on keys with the client and checks its certificate.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">They did not agree, or the certificate is not trusted.</exception>
    public Task HandshakeAsync(TlsServer server, CancellationToken cancellationToken) => _stream.AuthenticateAsServerAsync(server.Options, cancellationToken);

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_ahead is null)
            return await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        var count = await _ahead.WaitAsync(cancellationToken).ConfigureAwait(false);
        _ahead = null;
        if (count > 0)
            buffer.Span[0] = _aheadByte[0];
        return count;
    }

    public override async Task<bool> WaitForHangUpAsync()
    {
        // Decrypted bytes cannot be looked at without taking them: one is taken, and given to the next ReceiveAsync.
        _ahead ??= _stream.ReadAsync(_aheadByte).AsTask();
        try
        {
            return await _ahead.ConfigureAwait(false) == 0;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    public override async ValueTask SendAsync(Frame frame)
    {
        var gathered = ArrayPool<byte>.Shared.Rent(GatherBytes);
        try
        {
            var count = 0;
            foreach (var segment in frame.Segments)
            {
                if (count + segment.Length <= GatherBytes)
                {
                    segment.Span.CopyTo(gathered.AsSpan(count));
                    count += segment.Length;
                    continue;
                }

                await _stream.WriteAsync(gathered.AsMemory(0, count)).ConfigureAwait(false);
                count = 0;
                await _stream.WriteAsync(segment).ConfigureAwait(false);
            }

            if (count > 0)
                await _stream.WriteAsync(gathered.AsMemory(0, count)).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    public override ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => _stream.WriteAsync(bytes);

    public override void Dispose()
    {
        // The socket first: disposing the stream alone could wait for a peer that does not read.
        _socket.Dispose();
        _stream.Dispose();
    }
}
