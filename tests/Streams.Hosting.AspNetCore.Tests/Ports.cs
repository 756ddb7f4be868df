using System.Net;
using System.Net.Sockets;

namespace Streams.Hosting.AspNetCore.Tests;

/// <summary>Ports for servers whose address has to be known before they are started.</summary>
internal static class Ports
{
    private static int _next = 20_000 + (Environment.ProcessId % 100 * 100);

    /// <summary>A port nobody listens at, below those that the system gives to outgoing connections.</summary>
    public static int Take()
    {
        for (;;)
        {
            var port = Interlocked.Increment(ref _next);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException) when (port < 32_000)
            {
                // Taken; the next one.
            }
        }
    }
}
