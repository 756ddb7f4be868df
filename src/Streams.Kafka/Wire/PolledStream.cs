using System.Net.Sockets;

namespace Streams.Kafka.Wire;

/// <summary>A TCP connection for a thread of its own to read from: it waits in the system's <c>poll</c>, not in .NET's engine for asynchronous sockets.</summary>
/// <remarks>
/// <para>That engine hears of every packet on one thread and passes it on through the thread pool, also when nobody there waits for it; a socket that never does anything asynchronous is not known to it.
/// Reading wakes one thread then. Reads are for one thread; asynchronous ones (a TLS handshake has some) wait on a thread of the moment.</para>
/// <para>Writes go straight to the system as far as it takes them, which for all but a slow peer is at once; then a thread of the moment waits until it takes more, so that callers are never held up.</para>
/// </remarks>
internal sealed class PolledStream : Stream
{
    /// <summary>How long a wait lasts before it is looked whether it is still wanted. The wait itself ends with the socket.</summary>
    private static readonly TimeSpan _slice = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;

    private PolledStream(Socket socket) => _socket = socket;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">It cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<Stream> ConnectAsync(BrokerAddress address, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            var cancelling = cancellationToken.UnsafeRegister(static state => ((Socket)state!).Dispose(), socket);
            await using (cancelling.ConfigureAwait(false))
                await Wait(() => socket.Connect(address.Host, address.Port)).ConfigureAwait(false);

            // From here on every call says at once how far it has come.
            socket.Blocking = false;
            var stream = new PolledStream(socket);
            socket = null;
            return stream;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            var received = _socket.Receive(buffer, SocketFlags.None, out var error);
            switch (error)
            {
                case SocketError.Success:
                    return received;
                case SocketError.WouldBlock:
                    _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
                    break;
                default:
                    throw Broken(error);
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var cancelling = cancellationToken.UnsafeRegister(static state => ((PolledStream)state!).Dispose(), this);
        await using (cancelling.ConfigureAwait(false))
        {
            var read = 0;
            await Wait(() => read = Read(buffer.Span)).ConfigureAwait(false);
            return read;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (TryWrite(ref buffer)) _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectWrite);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var rest = buffer.Span;
        return TryWrite(ref rest) ? new ValueTask(WriteRestAsync(buffer[^rest.Length..], cancellationToken)) : ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            try
            {
                // Ends the waiting of other threads.
                _socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // It is broken or closed already.
            }

            _socket.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Task Wait(Action blocking) => Task.Factory.StartNew(blocking, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    private static IOException Broken(SocketError error)
    {
        var reason = new SocketException((int)error);
        return new IOException(reason.Message, reason);
    }

    /// <summary>Writes what the system takes; true when there is a rest.</summary>
    private bool TryWrite(ref ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var sent = _socket.Send(rest, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock) return true;
            if (error != SocketError.Success) throw Broken(error);
            rest = rest[sent..];
        }

        return false;
    }

    private async Task WriteRestAsync(ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Wait(() => _socket.Poll(_slice, SelectMode.SelectWrite)).ConfigureAwait(false);
            var left = rest.Span;
            if (!TryWrite(ref left)) return;
            rest = rest[^left.Length..];
        }
    }
}
