using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Broker.Lite.Host;

/// <summary>
/// Answers GET requests for a few fixed paths with short texts: what monitoring asks for, and nothing else of HTTP. One request per
/// connection. At <see cref="MaxConnections"/> new ones are closed at once; a request is at most <see cref="MaxHeadBytes"/> and has
/// <see cref="Patience"/> to arrive and be answered, so that whoever connects and says nothing costs little.
/// </summary>
internal sealed class HttpServer : IAsyncDisposable
{
    public const int MaxConnections = 32;
    public const int MaxHeadBytes = 8 * 1024;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly IReadOnlyDictionary<string, Func<(int Status, string ContentType, string Body)>> _pages;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private int _open;

    public HttpServer(IPEndPoint endPoint, IReadOnlyDictionary<string, Func<(int Status, string ContentType, string Body)>> pages, TimeProvider time)
    {
        _pages = pages;
        _time = time;
        _socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Without ReuseAddress, for the reason that Listener gives.
            _socket.Bind(endPoint);
            _socket.Listen(MaxConnections);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public static TimeSpan Patience => _patience;

    /// <summary>The address really bound.</summary>
    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
            catch (SocketException) when (!_stopping.IsCancellationRequested)
            {
                // Out of descriptors, or the client left before it was accepted: the next one may fare better, a moment later.
                await Task.Delay(TimeSpan.FromMilliseconds(100), _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            if (Interlocked.Increment(ref _open) > MaxConnections)
            {
                Interlocked.Decrement(ref _open);
                client.Dispose();
                continue;
            }

            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using var patience = new CancellationTokenSource(_patience, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _stopping.Token);
            if (await ReadHeadAsync(client, either.Token).ConfigureAwait(false) is { } head)
            {
                ReadOnlyMemory<byte> answer = Answer(head);
                while (answer.Length > 0)
                    answer = answer[await client.SendAsync(answer, SocketFlags.None, either.Token).ConfigureAwait(false)..];
                client.Shutdown(SocketShutdown.Both);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone or too slow; nobody is left to tell.
        }
        finally
        {
            client.Dispose();
            Interlocked.Decrement(ref _open);
        }
    }

    private static async Task<string?> ReadHeadAsync(Socket client, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxHeadBytes];
        for (var count = 0; count < buffer.Length;)
        {
            var received = await client.ReceiveAsync(buffer.AsMemory(count), SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (received == 0)
                return null;
            count += received;
            if (buffer.AsSpan(0, count).IndexOf("\r\n\r\n"u8) >= 0)
                return Encoding.Latin1.GetString(buffer, 0, count);
        }

        return "";
    }

    private byte[] Answer(string head)
    {
        var words = head.Split(' ', 3);
        var isHead = words[0] == "HEAD";
        var path = words.Length == 3 ? words[1].Split('?')[0] : "";
        var (status, type, body) =
            words.Length < 3 || !words[2].StartsWith("HTTP/1.", StringComparison.Ordinal) ? (400, "text/plain", "bad request\n")
            : words[0] is not ("GET" or "HEAD") ? (405, "text/plain", "only GET\n")
            : _pages.TryGetValue(path, out var page) ? page()
            : (404, "text/plain", "not found\n");
        var payload = Encoding.UTF8.GetBytes(body);
        var reason = status switch { 200 => "OK", 400 => "Bad Request", 404 => "Not Found", 405 => "Method Not Allowed", _ => "Service Unavailable" };
        var header = string.Create(
            CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {reason}\r\nContent-Type: {type}; charset=utf-8\r\nContent-Length: {payload.Length}\r\nConnection: close\r\n\r\n");
        byte[] start = Encoding.ASCII.GetBytes(header);
        return isHead ? start : [.. start, .. payload];
    }
}
