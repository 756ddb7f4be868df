using System.Net.Sockets;
using Kafka.Protocol;

namespace Broker.Lite.Network;

/// <summary>
/// Sends a response's segments, gathered, so that record batches go from where they were read to the socket without another copy.
/// </summary>
internal sealed class FrameSender(Socket socket)
{
    // Systems limit the segments of one gathered send (1024 on Linux).
    private const int MaxGathered = 512;

    private readonly List<ArraySegment<byte>> _gathered = [];

    /// <summary>
    /// Sends the whole frame; the caller disposes it afterwards. There is no way to stop it but to close the socket: a cancelled send could
    /// go on reading pooled memory that holds somebody else's data by then.
    /// </summary>
    public async ValueTask SendAsync(Frame frame)
    {
        var segments = frame.Segments;
        if (segments.Count > 1 && segments.Count <= MaxGathered)
        {
            _gathered.Clear();
            if (frame.TryAddArraySegments(_gathered))
            {
                var sent = await socket.SendAsync(_gathered, SocketFlags.None).ConfigureAwait(false);
                _gathered.Clear();
                await SendFromAsync(segments, sent).ConfigureAwait(false);
                return;
            }
        }

        await SendFromAsync(segments, 0).ConfigureAwait(false);
    }

    /// <summary>Sends what comes after the first <paramref name="skip"/> bytes, segment by segment.</summary>
    private async ValueTask SendFromAsync(IReadOnlyList<ReadOnlyMemory<byte>> segments, int skip)
    {
        for (var i = 0; i < segments.Count; i++)
        {
            var rest = segments[i];
            if (skip >= rest.Length)
            {
                skip -= rest.Length;
                continue;
            }

            rest = rest[skip..];
            skip = 0;
            while (rest.Length > 0)
            {
                var sent = await socket.SendAsync(rest, SocketFlags.None).ConfigureAwait(false);
                rest = rest[sent..];
            }
        }
    }
}
