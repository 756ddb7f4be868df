using System.Buffers;
using System.Runtime.InteropServices;

namespace Kafka.Protocol;

/// <summary>
/// A message ready to send, its four-byte length prefix included: segments for one gathered send, some of them pooled buffers of the
/// frame's own, some borrowed record batches.
/// </summary>
/// <remarks>One owner, who disposes it after the send (or instead of it). Not safe for use by several threads.</remarks>
public sealed class Frame : IDisposable
{
    private readonly ReadOnlyMemory<byte>[] _segments;
    private readonly ArrayPool<byte> _pool;
    private byte[][] _rented;
    private List<IDisposable>? _attached;
    private bool _disposed;

    internal Frame(ReadOnlyMemory<byte>[] segments, byte[][] rented, int length, ArrayPool<byte> pool)
    {
        _segments = segments;
        _rented = rented;
        _pool = pool;
        Length = length;
    }

    /// <summary>Bytes of all segments together, length prefix included.</summary>
    public int Length { get; }

    /// <summary>What to send, in order. Valid until the frame is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The frame was disposed.</exception>
    public IReadOnlyList<ReadOnlyMemory<byte>> Segments
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _segments;
        }
    }

    /// <summary>Ties the owner of borrowed memory (a pooled log read) to the frame: it is disposed with it.</summary>
    public void Attach(IDisposable owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ObjectDisposedException.ThrowIf(_disposed, this);
        (_attached ??= []).Add(owner);
    }

    /// <summary>
    /// Adds the segments to <paramref name="target"/> in the form a gathered <c>Socket.SendAsync</c> takes. False, with nothing added, if a
    /// borrowed segment is not backed by an array.
    /// </summary>
    public bool TryAddArraySegments(List<ArraySegment<byte>> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var before = target.Count;
        foreach (var segment in _segments)
        {
            if (!MemoryMarshal.TryGetArray(segment, out var array))
            {
                target.RemoveRange(before, target.Count - before);
                return false;
            }

            target.Add(array);
        }

        return true;
    }

    /// <summary>Copies all segments, back to back.</summary>
    /// <exception cref="ArgumentException"><paramref name="target"/> is shorter than <see cref="Length"/>.</exception>
    public void CopyTo(Span<byte> target)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (var segment in _segments)
        {
            segment.Span.CopyTo(target);
            target = target[segment.Length..];
        }
    }

    /// <summary>All bytes in one new array.</summary>
    public byte[] ToArray()
    {
        var copy = new byte[Length];
        CopyTo(copy);
        return copy;
    }

    /// <summary>Gives the pooled buffers back and disposes what was attached. Again: nothing.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (var buffer in _rented)
            _pool.Return(buffer);
        _rented = [];
        if (_attached is null)
            return;
        foreach (var owner in _attached)
            owner.Dispose();
        _attached = null;
    }
}
