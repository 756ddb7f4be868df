namespace Broker.Lite.Network;

/// <summary>
/// The bytes that connections may hold for unfinished requests beyond their small fixed buffers (queued.max.request.bytes). At the bound readers wait,
/// so many clients with large requests slow each other down instead of exhausting the process.
/// </summary>
internal sealed class RequestMemory(long limitBytes)
{
    private readonly Lock _gate = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Granted)> _waiting = new();
    private long _used;

    /// <summary>True when more than half is taken: then idle buffers should be given back rather than kept for the next request.</summary>
    public bool IsScarce => Volatile.Read(ref _used) > limitBytes / 2;

    /// <summary>Takes bytes, waiting for others to give some back if there are not enough. One request may exceed the bound when nobody else holds any.</summary>
    public ValueTask ReserveAsync(long bytes, CancellationToken cancellationToken)
    {
        TaskCompletionSource granted;
        lock (_gate)
        {
            if (_waiting.Count == 0 && Fits(bytes))
            {
                _used += bytes;
                return ValueTask.CompletedTask;
            }

            granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((bytes, granted));
        }

        return WaitAsync(bytes, granted, cancellationToken);
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

    private async ValueTask WaitAsync(long bytes, TaskCompletionSource granted, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), granted).ConfigureAwait(false);
        try
        {
            await granted.Task.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A cancelled waiter at the head may have been all that kept those behind it waiting.
            Release(0);
            throw;
        }
    }

    private bool Fits(long bytes) => _used == 0 || _used + bytes <= limitBytes;
}
