using System.Net.Sockets;
using System.Runtime.InteropServices;
using Broker.Lite.Logs;
using Kafka.Protocol;

namespace Broker.Lite.Network;

/// <summary>
/// A connection without encryption. A response's segments are sent gathered, so that record batches go from where they were read to the
/// socket without another copy.
/// </summary>
internal sealed class SocketTransport(Socket socket) : ClientTransport
{
    // Systems limit the segments of one gathered send (1024 on Linux).
    private const int MaxGathered = 512;

    private readonly List<ArraySegment<byte>> _gathered = [];
    private readonly byte[] _glimpse = new byte[1];
    private Task<int>? _readiness;

    public override bool CanSendFiles => true;

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_readiness is { } readiness)
        {
            // The wait for a hang-up is a receive too: two at a time would race for the bytes.
            await readiness.WaitAsync(cancellationToken).ConfigureAwait(false);
            _readiness = null;
        }

        return await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
    }

    public override async Task<bool> WaitForHangUpAsync()
    {
        // Looks at one byte without taking it. Receiving into an empty buffer would not do: the runtime ends that on any readiness event,
        // also on a late one for bytes that were read already, and then an open connection looks like a closed one.
        _readiness ??= socket.ReceiveAsync(_glimpse, SocketFlags.Peek);
        try
        {
            return await _readiness.ConfigureAwait(false) == 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false)..];
    }

    public override void Dispose() => socket.Dispose();

    public override async ValueTask SendAsync(Frame frame)
    {
        var segments = frame.Segments;
        if (TryGetPackets(segments) is { } packets)
        {
            await SendPacketsAsync(packets).ConfigureAwait(false);
            return;
        }

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

    // The form that takes parts of files; null when there are none.
    private static SendPacketsElement[]? TryGetPackets(IReadOnlyList<ReadOnlyMemory<byte>> segments)
    {
        SendPacketsElement[]? packets = null;
        for (var i = 0; i < segments.Count; i++)
        {
            if (!MemoryMarshal.TryGetMemoryManager<byte, FileMemory>(segments[i], out var part, out var start, out var length))
            {
                if (packets is not null)
                    packets[i] = new SendPacketsElement(segments[i]);
                continue;
            }

            if (packets is null)
            {
                packets = new SendPacketsElement[segments.Count];
                for (var before = 0; before < i; before++)
                    packets[before] = new SendPacketsElement(segments[before]);
            }

            packets[i] = new SendPacketsElement(part.Stream, part.Position + start, length);
        }

        return packets;
    }

    private async Task SendPacketsAsync(SendPacketsElement[] packets)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var sending = new SocketAsyncEventArgs { SendPacketsElements = packets };
        sending.Completed += (_, _) => done.SetResult();
        if (socket.SendPacketsAsync(sending))
            await done.Task.ConfigureAwait(false);
        if (sending.SocketError != SocketError.Success)
            throw new SocketException((int)sending.SocketError);
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
            await SendAsync(rest).ConfigureAwait(false);
        }
    }
}
