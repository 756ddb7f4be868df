using System.Buffers;
using System.Buffers.Binary;
using Kafka.Protocol;

namespace Broker.Lite.Network;

/// <summary>
/// Cuts a connection's byte stream into requests: four bytes of length, then the request. Knows nothing of what is in them.
/// </summary>
/// <remarks>
/// A length is checked before anything is allocated for it, and a buffer grows only as bytes really arrive (twice as much at a time, from
/// <see cref="TrustedBytes"/> on), so that a client that announces 100 MB and sends nothing costs nothing. Memory beyond the initial
/// buffer is taken from the shared <see cref="RequestMemory"/>. One reader, one caller.
/// </remarks>
internal sealed class FrameReader(ClientTransport transport, int maxFrameBytes, RequestMemory memory, TimeProvider time) : IDisposable
{
    private const int LengthBytes = 4;
    private const int InitialBytes = 16 * 1024;

    // Allocated on a client's word alone: a usual produce request is one step.
    private const int TrustedBytes = 1024 * 1024 + InitialBytes;

    // How long a large request may wait for memory that other unfinished requests hold.
    private static readonly TimeSpan _memoryPatience = TimeSpan.FromSeconds(30);

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBytes);
    private int _reserved;
    private int _start;
    private int _end;
    private int _frameBytes;

    /// <summary>The largest request accepted from now on.</summary>
    public int MaxFrameBytes { get; set; } = maxFrameBytes;

    /// <summary>True between requests: nothing of the next one has arrived.</summary>
    public bool IsEmpty => _end - _start == _frameBytes;

    /// <summary>
    /// Returns the next request without its length, valid until the next call; null when the client closed the connection in an orderly
    /// way, between two requests.
    /// </summary>
    /// <exception cref="ProtocolException">The length is negative or above the limit, or the connection ended inside a request.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The connection broke; under TLS it is an <see cref="IOException"/>.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        Consume();
        while (_end - _start < LengthBytes)
        {
            if (!await ReceiveAsync(LengthBytes, cancellationToken).ConfigureAwait(false))
                return _end == _start ? null : throw new ProtocolException("The connection ended inside a request's length");
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start));
        if (length < 0 || length > MaxFrameBytes)
            throw new ProtocolException($"A request of {length} bytes is outside 0 to {MaxFrameBytes}");

        var total = LengthBytes + length;
        while (_end - _start < total)
        {
            if (!await ReceiveAsync(total, cancellationToken).ConfigureAwait(false))
                throw new ProtocolException($"The connection ended {total - (_end - _start)} bytes before the end of a request of {length}");
        }

        _frameBytes = total;
        return _buffer.AsMemory(_start + LengthBytes, length);
    }

    /// <summary>
    /// Waits, while a request is being served, until the client sends something or is gone; true if it is gone. Must not be followed by
    /// another call before it completed, except of <see cref="ReadAsync"/>.
    /// </summary>
    public async Task<bool> WaitForHangUpAsync()
    {
        if (!IsEmpty)
            return false; // the next request is here already: whether the client is gone shows when it is read
        return await transport.WaitForHangUpAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        memory.Release(_reserved);
        _reserved = 0;
    }

    private void Consume()
    {
        _start += _frameBytes;
        _frameBytes = 0;
        if (_start == _end)
        {
            _start = _end = 0;
            if (_reserved > 0 && memory.IsScarce)
                Resize(InitialBytes, newReserved: 0);
        }
    }

    /// <summary>
    /// Receives more bytes of a request of <paramref name="total"/> bytes that begins at the start of the buffer; false at the end of the
    /// stream.
    /// </summary>
    private async ValueTask<bool> ReceiveAsync(int total, CancellationToken cancellationToken)
    {
        if (_start + total > _buffer.Length && _start > 0)
        {
            // What is left of the next request moves to the front: less than one buffer, and only when a request crosses its end.
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            var target = (int)Math.Min(total, Math.Max(TrustedBytes, 2L * _buffer.Length));
            await ReserveAsync(target - _reserved, cancellationToken).ConfigureAwait(false);
            Resize(target, newReserved: target);
        }

        var received = await transport.ReceiveAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += received;
        return received > 0;
    }

    private async ValueTask ReserveAsync(int bytes, CancellationToken cancellationToken)
    {
        if (memory.TryReserve(bytes))
            return;
        using var patience = new CancellationTokenSource(_memoryPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await memory.ReserveAsync(bytes, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProtocolException("too many large requests are unfinished");
        }
    }

    private void Resize(int bytes, int newReserved)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(bytes);
        _buffer.AsSpan(_start, _end - _start).CopyTo(buffer);
        ArrayPool<byte>.Shared.Return(_buffer);
        _end -= _start;
        _start = 0;
        _buffer = buffer;
        if (newReserved < _reserved)
            memory.Release(_reserved - newReserved);
        _reserved = newReserved;
    }
}
