using System.Buffers.Binary;
using System.Net.Sockets;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Kafka.Wire;

namespace Streams.Kafka.Tests.Support;

/// <summary>A broker on a loopback socket that says what a test tells it to. Answers ApiVersions by itself with everything this library knows.</summary>
internal sealed class ScriptedBroker : IAsyncDisposable
{
    private readonly Func<ScriptedBroker, IApiMessage, RequestHeader, byte[]?> _answer;
    private readonly LoopbackServer _server;

    /// <param name="answer">Bytes to send, length prefix included; <c>null</c> closes the connection, an empty array says nothing.</param>
    public ScriptedBroker(Func<ScriptedBroker, IApiMessage, RequestHeader, byte[]?> answer)
    {
        _answer = answer;
        _server = new LoopbackServer(ServeAsync);
    }

    public int Connections { get; private set; }

    public BrokerAddress Address => new("127.0.0.1", _server.Port);

    public WireSettings Settings => new()
    {
        Bootstrap = [Address],
        ClientId = "test",
        RequestTimeout = TimeSpan.FromSeconds(5),
        ApiTimeout = TimeSpan.FromSeconds(10),
        InitialBackoff = TimeSpan.FromMilliseconds(1),
        MaxBackoff = TimeSpan.FromMilliseconds(5),
    };

    public static byte[] Frame(IApiMessage response, RequestHeader header, int correlationOffset = 0)
    {
        using var frame = MessageFrames.EncodeResponse(response, header.ApiVersion, header.CorrelationId + correlationOffset);
        return frame.ToArray();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Socket client, CancellationToken cancellationToken)
    {
        Connections++;
        await using var stream = new NetworkStream(client, ownsSocket: true);
        try
        {
            var length = new byte[4];
            while (true)
            {
                await stream.ReadExactlyAsync(length, cancellationToken);
                var body = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
                await stream.ReadExactlyAsync(body, cancellationToken);
                var header = MessageFrames.DecodeRequest(body, out var request);
                var answer = request is ApiVersionsRequest ? Versions(header) : _answer(this, request!, header);
                if (answer is null) return;
                await stream.WriteAsync(answer, cancellationToken);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The test is over or the client has hung up, which it may.
        }
    }

    private static byte[] Versions(RequestHeader header) => Frame(
        new ApiVersionsResponse
        {
            ApiKeys = [.. ApiMessages.All.Select(api => new ApiVersionsResponse.ApiVersion { ApiKey = api.Key, MinVersion = api.Versions.Min, MaxVersion = api.Versions.Max })],
        },
        header);
}
