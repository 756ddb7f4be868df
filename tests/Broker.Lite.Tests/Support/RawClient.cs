using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Support;

/// <summary>A socket to the broker on which a test can send any bytes.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public RawClient(int port) => _socket.Connect(IPAddress.Loopback, port);

    public Socket Socket => _socket;

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await _socket.SendAsync(bytes)..];
    }

    public async Task SendAsync(IApiMessage request, short version, int correlationId)
    {
        using var frame = MessageFrames.EncodeRequest(request, version, correlationId, "raw");
        await SendAsync(frame.ToArray());
    }

    public async Task<TResponse> ReceiveAsync<TResponse>(IRequest<TResponse> request, short version, int correlationId)
        where TResponse : IApiMessage, new() =>
        MessageFrames.DecodeResponse(request, version, correlationId, await ReceiveFrameAsync() ?? throw new InvalidOperationException("The broker closed the connection"));

    public async Task<TResponse> CallAsync<TResponse>(IRequest<TResponse> request, short version, int correlationId = 1)
        where TResponse : IApiMessage, new()
    {
        await SendAsync(request, version, correlationId);
        return await ReceiveAsync(request, version, correlationId);
    }

    /// <summary>The next frame without its length; null if the broker closed the connection.</summary>
    public async Task<byte[]?> ReceiveFrameAsync()
    {
        var length = await ReadAsync(4);
        return length is null ? null : await ReadAsync(BinaryPrimitives.ReadInt32BigEndian(length));
    }

    public async Task AssertClosedAsync() => Assert.Null(await ReceiveFrameAsync());

    public void Dispose() => _socket.Dispose();

    private async Task<byte[]?> ReadAsync(int count)
    {
        var buffer = new byte[count];
        for (var read = 0; read < count;)
        {
            int received;
            try
            {
                received = await _socket.ReceiveAsync(buffer.AsMemory(read)).AsTask().WaitAsync(_patience);
            }
            catch (SocketException)
            {
                return null; // reset: closed with data of ours unread
            }

            if (received == 0)
                return null;
            read += received;
        }

        return buffer;
    }
}
