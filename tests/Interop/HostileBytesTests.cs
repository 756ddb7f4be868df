using System.Buffers.Binary;
using System.Net.Sockets;

namespace Interop;

/// <summary>Bytes that no client sends: the connection they came on ends, the broker and everybody else go on.</summary>
public sealed class HostileBytesTests(SharedBroker broker)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, byte[]> Frames => new()
    {
        { "a request of 2 GB", Frame(int.MaxValue, 0, 18, 0, 3) },
        { "a negative length", Frame(-1, 0, 18, 0, 3) },
        { "the smallest length there is", Frame(int.MinValue) },
        { "an empty request", Frame(0) },
        { "a header cut short", Frame(3, 0, 18, 0) },
        { "an unknown API", Frame(10, 0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff) },
        { "a negative API", Frame(10, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff) },
        { "an unknown version of Metadata", Frame(10, 0, 3, 0x7f, 0xff, 0, 0, 0, 1, 0xff, 0xff) },
        { "a client id of a length that is not there", Frame(10, 0, 3, 0, 0, 0, 0, 0, 1, 0x7f, 0xff) },
        { "an array of two billion topics", Frame(14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff) },
        { "a request of a web browser", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray() },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public async Task Connection_is_closed_and_the_broker_goes_on(string what, byte[] bytes)
    {
        using (var client = new TcpClient())
        {
            var address = broker.Bootstrap.Split(':');
            await client.ConnectAsync(address[0], int.Parse(address[1], System.Globalization.CultureInfo.InvariantCulture), Cancellation);
            await client.GetStream().WriteAsync(bytes, Cancellation);
            Assert.True(await IsClosedByPeer(client.GetStream()), $"The broker answered {what}.");
        }

        using var next = new TcpClient();
        var again = broker.Bootstrap.Split(':');
        await next.ConnectAsync(again[0], int.Parse(again[1], System.Globalization.CultureInfo.InvariantCulture), Cancellation);
        // ApiVersions v0, correlation id 7, no client id: the response begins with its length and the same id.
        await next.GetStream().WriteAsync(Frame(10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff), Cancellation);
        var response = new byte[10];
        await next.GetStream().ReadExactlyAsync(response, Cancellation);
        Assert.Equal(7, BinaryPrimitives.ReadInt32BigEndian(response.AsSpan(4)));
        Assert.Equal(0, BinaryPrimitives.ReadInt16BigEndian(response.AsSpan(8)));
    }

    // Cut off by a reset or ended by a close; a broker that waits for more of a frame it should have refused runs into the limit.
    private static async Task<bool> IsClosedByPeer(NetworkStream stream)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            return await stream.ReadAsync(new byte[1], limit.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static byte[] Frame(int length, params byte[] content)
    {
        var frame = new byte[4 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, length);
        content.CopyTo(frame, 4);
        return frame;
    }
}
