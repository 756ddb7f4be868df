using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Broker.Lite.Network;

namespace Broker.Lite.Tests.Network;

/// <summary>While a request is parked, a client that is gone must be noticed and one that merely waits must not be taken for gone.</summary>
public sealed class FrameReaderHangUpTests : IDisposable
{
    private const int Rounds = 2_000;

    private readonly Socket _client;
    private readonly Socket _server;
    private readonly FrameReader _reader;

    public FrameReaderHangUpTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _client.Connect(listener.LocalEndPoint!);
        _server = listener.Accept();
        _reader = new FrameReader(new SocketTransport(_server), 1024, new RequestMemory(1024 * 1024), TimeProvider.System);
    }

    [Fact]
    public async Task Hang_up_is_not_reported_when_the_client_waits_and_then_goes_on()
    {
        // In each round the second request is read before the runtime's event for it came, which then meets the wait that follows.
        for (var round = 0; round < Rounds; round++)
        {
            SendRequest(round);
            Assert.Equal(round, await ReadRequest());
            SendRequest(-round);
            Assert.Equal(-round, await ReadRequest());
            var hangUp = _reader.WaitForHangUpAsync();
            await Task.Yield();
            SendRequest(round);
            Assert.False(await hangUp, $"round {round}");
            Assert.Equal(round, await ReadRequest());
        }
    }

    [Fact]
    public async Task Hang_up_is_reported_when_the_client_closes()
    {
        SendRequest(7);
        Assert.Equal(7, await ReadRequest());
        var hangUp = _reader.WaitForHangUpAsync();
        Assert.False(hangUp.IsCompleted);
        _client.Dispose();
        Assert.True(await hangUp);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _client.Dispose();
        _server.Dispose();
    }

    private void SendRequest(int number)
    {
        Span<byte> frame = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(frame, 4);
        BinaryPrimitives.WriteInt32BigEndian(frame[4..], number);
        Assert.Equal(frame.Length, _client.Send(frame));
    }

    private async Task<int> ReadRequest()
    {
        var frame = await _reader.ReadAsync(TestContext.Current.CancellationToken);
        return BinaryPrimitives.ReadInt32BigEndian(frame!.Value.Span);
    }
}
