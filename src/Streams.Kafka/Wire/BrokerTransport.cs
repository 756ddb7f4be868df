using System.Net.Sockets;

namespace Streams.Kafka.Wire;

/// <summary>Makes the byte stream to a broker: TCP, or TLS over it.</summary>
internal static class BrokerTransport
{
    /// <param name="address">The broker.</param>
    /// <param name="security">Whether and how it is encrypted.</param>
    /// <param name="isPolled">Whether a thread of its own reads from it, see <see cref="PolledStream"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<Stream> ConnectAsync(BrokerAddress address, SecuritySettings security, bool isPolled, CancellationToken cancellationToken)
    {
        var stream = isPolled ? await PolledStream.ConnectAsync(address, cancellationToken).ConfigureAwait(false) : await ConnectAsync(address, cancellationToken).ConfigureAwait(false);
        try
        {
            var secured = security.UseTls ? await security.SecureAsync(stream, address.Host, cancellationToken).ConfigureAwait(false) : stream;
            stream = null;
            return secured;
        }
        finally
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<Stream> ConnectAsync(BrokerAddress address, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, cancellationToken).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            socket = null;
            return stream;
        }
        finally
        {
            socket?.Dispose();
        }
    }
}
