using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Broker.Lite.Diagnostics;
using Broker.Lite.Security;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Network;

/// <summary>
/// Accepts connections and keeps track of them until they end. At <see cref="ListenerOptions.MaxConnections"/> new ones are closed at once.
/// </summary>
internal sealed class Listener : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan _pauseWithoutDescriptors = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _patienceAtStop = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly ListenerOptions _options;
    private readonly ServerServices _services;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<long, (ClientConnection Connection, Task Running)> _connections = new();
    private readonly ITimer _idleSweep;
    private long _nextId;

    public Listener(ListenerOptions options, ServerServices services)
    {
        _options = options;
        _services = services;
        _time = services.Time;
        _logger = services.Logger;
        var endPoint = options.Definition.EndPoint;
        _socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Not ReuseAddress: on Unix .NET makes it SO_REUSEPORT too, and two brokers would share a port, each with some of the clients. Bind itself
            // sets SO_REUSEADDR there, so that a broker that was killed gets its port back at once, although old connections linger in TIME_WAIT.
            _socket.Bind(endPoint);
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        var sweepEvery = options.MaxIdle / 4;
        _idleSweep = _time.CreateTimer(_ => CloseIdle(), null, sweepEvery, sweepEvery);
        Completion = AcceptAsync();
        Log.Listening(_logger, options.Definition.Name, options.Definition.Protocol.Name(), EndPoint.ToString());
    }

    /// <summary>The name clients are told apart by in settings.</summary>
    public string Name => _options.Definition.Name;

    /// <summary>The address really bound, with the port the system picked.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Ends when accepting ends; faulted if it failed in a way that trying again does not cure.</summary>
    public Task Completion { get; }

    /// <summary>
    /// Stops accepting, gives up parked requests, lets requests in progress finish for a moment, then closes what is left.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await _idleSweep.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        var running = Task.WhenAll(_connections.Values.Select(entry => entry.Running));
        await Task.WhenAny(running, Task.Delay(_patienceAtStop, _time, CancellationToken.None)).ConfigureAwait(false);
        foreach (var (connection, _) in _connections.Values)
            connection.Abort();
        await running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _socket.AcceptAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (_stopping.IsCancellationRequested && e is SocketException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                // No descriptors: existing connections go on and give some back.
                await Task.Delay(_pauseWithoutDescriptors, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                continue; // the client left while it was in the backlog
            }
            catch (SocketException e)
            {
                Log.AcceptFailed(_logger, e);
                throw;
            }

            Serve(client);
        }
    }

    private void Serve(Socket client)
    {
        var id = ++_nextId;
        if (_connections.Count >= _options.MaxConnections)
        {
            Refuse(id, client, $"{_options.MaxConnections} connections of listener {_options.Definition.Name} are open");
            return;
        }

        ClientConnection connection;
        try
        {
            client.NoDelay = true;
            client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            connection = new ClientConnection(id, client, _options, _services);
        }
        catch (SocketException e)
        {
            Log.ConnectionClosed(_logger, id, e.Message); // gone before it began
            client.Dispose();
            return;
        }

        if (_services.Limits.TryEnter(connection.Address) is { } reason)
        {
            connection.Dispose();
            Refuse(id, client, reason);
            return;
        }

        _services.Metrics.Accepted.Add(1);
        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[id] = (connection, RunAsync(id, connection, begin.Task));
        begin.SetResult(); // only now, so that its end cannot come before it is in the table
    }

    private async Task RunAsync(long id, ClientConnection connection, Task begin)
    {
        await begin.ConfigureAwait(false);
        try
        {
            await connection.RunAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A fault of ours: it ends this connection and nothing else.
            Log.ConnectionFailed(_logger, e, id);
        }
        finally
        {
            connection.Dispose();
            _services.Limits.Leave(connection.Address);
            _connections.TryRemove(id, out _);
        }
    }

    private void Refuse(long id, Socket client, string reason)
    {
        string remote;
        try
        {
            remote = client.RemoteEndPoint?.ToString() ?? "?";
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            remote = "?";
        }

        _services.Metrics.Refused.Add(1);
        Log.ConnectionRefused(_logger, id, remote, reason);
        client.Dispose();
    }

    private void CloseIdle()
    {
        foreach (var (connection, _) in _connections.Values)
        {
            if (connection.IdleTime > _options.MaxIdle)
                connection.Abort();
        }
    }
}
