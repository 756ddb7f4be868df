using System.Net;
using System.Net.Sockets;

namespace Streams.Kafka.Tests.Support;

/// <summary>Listens on a free loopback port and serves every connection until it is disposed, which waits for all of them.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Socket, CancellationToken, Task> _serve;
    private readonly Task _serving;

    /// <param name="serve">Ends when the token says so, without an error; the socket is its own.</param>
    /// <param name="receiveBufferBytes">What the system takes from a client before it is read; <c>null</c> for what it likes.</param>
    public LoopbackServer(Func<Socket, CancellationToken, Task> serve, int? receiveBufferBytes = null)
    {
        _serve = serve;
        _listener = new TcpListener(IPAddress.Loopback, 0);
        if (receiveBufferBytes is { } bytes) _listener.Server.ReceiveBufferSize = bytes;
        _listener.Start();
        _serving = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(_serve(await _listener.AcceptSocketAsync(_stop.Token), _stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException || (e is InvalidOperationException && _stop.IsCancellationRequested))
        {
            // The last: between two connections the listener has been stopped, and says that it does not listen, or is disposed.
            await Task.WhenAll(connections);
        }
    }
}
