using System.Net;
using System.Net.Sockets;
using Broker.Lite;

namespace Streams.Kafka.Tests.Support;

/// <summary>Stands between clients and a broker that tells them to come this way: counts connections, slows them down, stalls them and cuts them.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private const int ChunkBytes = 16 << 10;

    private readonly LoopbackServer _server;
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _clients = [];
    private TaskCompletionSource _flows = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _opened;

    public Relay()
    {
        // What a client has sent is to wait in the client and not in the system.
        _server = new LoopbackServer(ServeAsync, ChunkBytes);
        _flows.SetResult();
    }

    public string Address => $"127.0.0.1:{Port}";

    public int Port => _server.Port;

    /// <summary>Where to; nobody is let in before it is set.</summary>
    public IPEndPoint? Target { get; set; }

    /// <summary>Connections there are.</summary>
    public int Open
    {
        get
        {
            lock (_lock) return _clients.Count;
        }
    }

    /// <summary>Connections there have been.</summary>
    public int Opened => Volatile.Read(ref _opened);

    /// <summary>How fast bytes go to the broker; <c>null</c> for as fast as they come.</summary>
    public int? BytesPerSecond { get; set; }

    /// <summary>Asked when bytes have come, with whether they are the broker's: true sends half of them on and ends the connection.</summary>
    public Func<bool, bool> Cuts { get; set; } = static _ => false;

    /// <summary>A broker that clients reach through this.</summary>
    public async Task<BrokerServer> StartBrokerAsync(Dictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var broker = await BrokerServer.StartAsync(new BrokerOptions { Port = 0, AdvertisedHost = "127.0.0.1", AdvertisedPort = Port, Settings = settings }, cancellationToken);
        Target = broker.EndPoint;
        return broker;
    }

    /// <summary>Takes no more bytes from clients.</summary>
    public void Stall()
    {
        lock (_lock) _flows = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Takes bytes again, those that have waited first.</summary>
    public void Flow()
    {
        lock (_lock) _flows.TrySetResult();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Socket client, CancellationToken cancellationToken)
    {
        using var broker = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        Interlocked.Increment(ref _opened);
        lock (_lock) _clients.Add(client);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await broker.ConnectAsync(Target!, ended.Token);
            var there = PumpAsync(client, broker, isBrokers: false, ended.Token);
            var back = PumpAsync(broker, client, isBrokers: true, ended.Token);
            await Task.WhenAny(there, back);
            await ended.CancelAsync();
            await Task.WhenAll(there, back);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of them is gone, and so is the other then.
        }
        finally
        {
            lock (_lock) _clients.Remove(client);
            client.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isBrokers, CancellationToken cancellationToken)
    {
        const int SlowSteps = 10;
        var buffer = new byte[ChunkBytes];
        while (true)
        {
            var room = ChunkBytes;
            if (!isBrokers)
            {
                await FlowingAsync(cancellationToken);
                if (BytesPerSecond is { } rate)
                {
                    room = Math.Max(1, rate / SlowSteps);
                    await Task.Delay(TimeSpan.FromSeconds(1.0 / SlowSteps), cancellationToken);
                }
            }

            var count = await from.ReceiveAsync(buffer.AsMemory(0, room), cancellationToken);
            if (count == 0) return;

            // What was being waited for when the stall began is stalled too.
            if (!isBrokers) await FlowingAsync(cancellationToken);
            var cut = Cuts(isBrokers);
            await SendAsync(to, buffer.AsMemory(0, cut ? count / 2 : count), cancellationToken);
            if (cut) return;
        }
    }

    private Task FlowingAsync(CancellationToken cancellationToken)
    {
        lock (_lock) return _flows.Task.WaitAsync(cancellationToken);
    }

    private static async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0) bytes = bytes[await to.SendAsync(bytes, cancellationToken)..];
    }
}
