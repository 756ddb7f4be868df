using System.Net.Sockets;

namespace Streams.Kafka.Wire;

/// <summary>Makes the byte stream to a broker: TCP, or TLS over it.</summary>
internal static class BrokerTransport
{
    public static async Task<Stream> ConnectAsync(BrokerAddress address, SecuritySettings security, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, cancellationToken).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            var secured = security.UseTls ? await security.SecureAsync(stream, address.Host, cancellationToken).ConfigureAwait(false) : stream;
            stream = null;
            socket = null;
            return secured;
        }
        finally
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            socket?.Dispose();
        }
    }
}
