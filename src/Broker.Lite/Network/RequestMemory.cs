namespace Broker.Lite.Network;

/// <summary>
/// The bytes that connections may hold for unfinished requests beyond their small fixed buffers (queued.max.request.bytes). At the bound
/// readers wait, so many clients with large requests slow each other down instead of exhausting the process.
/// </summary>
internal sealed class RequestMemory(long limitBytes)
{
    private readonly Lock _gate = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Granted)> _waiting = new();
    private long _used;

    /// <summary>True when more than half is taken: then idle buffers should be given back rather than kept for the next request.</summary>
    public bool IsScarce => Volatile.Read(ref _used) > limitBytes / 2;

    /// <summary>Takes bytes if they are to be had and nobody waits. One request may exceed the bound when nobody else holds any.</summary>
    public bool TryReserve(long bytes)
    {
        lock (_gate)
        {
            if (_waiting.Count > 0 || !Fits(bytes))
                return false;
            _used += bytes;
            return true;
        }
    }

    /// <summary>Takes bytes, waiting in line for others to give some back.</summary>
    public async Task ReserveAsync(long bytes, CancellationToken cancellationToken)
    {
        var granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _waiting.Enqueue((bytes, granted));
        Release(0); // it may have become possible since TryReserve said no
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), granted).ConfigureAwait(false);
        try
        {
            // Granted or cancelled, never both: whichever sets the source first decides whether the bytes are taken.
            await granted.Task.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A cancelled waiter at the head may have been all that kept those behind it waiting.
            Release(0);
            throw;
        }
    }

    public void Release(long bytes)
    {
        lock (_gate)
        {
            _used -= bytes;
            while (_waiting.TryPeek(out var next) && (next.Granted.Task.IsCompleted || Fits(next.Bytes)))
            {
                _waiting.Dequeue();
                if (next.Granted.TrySetResult())
                    _used += next.Bytes;
            }
        }
    }

    private bool Fits(long bytes) => _used == 0 || _used + bytes <= limitBytes;
}
