namespace Streams.Client.Producing;

/// <summary>Counts records and bytes that are on their way; who finds no room waits in line. First come, first served, so that a large record is not overtaken for ever.</summary>
internal sealed class Budget(long maxBytes, int maxRecords)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<(int Bytes, TaskCompletionSource Ready)> _line = new();
    private long _bytes;
    private int _records;
    private Exception? _closed;

    public async ValueTask TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        LinkedListNode<(int Bytes, TaskCompletionSource Ready)> place;
        lock (_lock)
        {
            if (_closed is not null) throw _closed;
            if (_line.Count == 0 && HasRoom(bytes))
            {
                Count(bytes);
                return;
            }

            place = _line.AddLast((bytes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        using (cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), place.Value.Ready))
        {
            try
            {
                await place.Value.Ready.Task.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The one behind may be small enough to go now.
                lock (_lock)
                {
                    if (place.List is not null) _line.Remove(place);
                    LetIn();
                }

                throw;
            }
        }
    }

    public void Return(int bytes)
    {
        lock (_lock)
        {
            _bytes -= bytes;
            _records--;
            LetIn();
        }
    }

    /// <summary>Everybody in line, and whoever comes later, gets the failure.</summary>
    public void Close(Exception failure)
    {
        lock (_lock)
        {
            _closed ??= failure;
            foreach (var (_, ready) in _line) ready.TrySetException(failure);
            _line.Clear();
        }
    }

    private void LetIn()
    {
        while (_line.First is { } first && HasRoom(first.Value.Bytes))
        {
            _line.RemoveFirst();

            // Who has cancelled takes nothing.
            if (first.Value.Ready.TrySetResult()) Count(first.Value.Bytes);
        }
    }

    private bool HasRoom(int bytes) => _records == 0 || (_records < maxRecords && _bytes + bytes <= maxBytes);

    private void Count(int bytes)
    {
        _bytes += bytes;
        _records++;
    }
}
