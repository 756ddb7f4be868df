namespace Streams.SchemaRegistry.Http;

/// <summary>
/// Answers to keep, at most so many, the oldest forgotten first. Callers that ask for the same thing at the same time share one request; a failed one is not kept.
/// </summary>
internal sealed class BoundedCache<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Task<TValue>> _entries = [];
    private readonly Queue<TKey> _order = new();

    public async ValueTask<TValue> GetAsync(TKey key, Func<TKey, Task<TValue>> load, CancellationToken cancellationToken)
    {
        Task<TValue>? entry;
        TaskCompletionSource<TValue>? mine = null;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry))
            {
                mine = new TaskCompletionSource<TValue>(TaskCreationOptions.RunContinuationsAsynchronously);
                entry = mine.Task;
                Add(key, entry);
            }
        }

        if (mine is not null) _ = LoadAsync(key, mine, load);

        // One caller's cancellation ends its own wait, not the request that others wait for too.
        return await entry.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeps what has become known on the side, unless it is known already.</summary>
    public void Put(TKey key, TValue value)
    {
        lock (_lock)
        {
            if (!_entries.ContainsKey(key)) Add(key, Task.FromResult(value));
        }
    }

    private async Task LoadAsync(TKey key, TaskCompletionSource<TValue> result, Func<TKey, Task<TValue>> load)
    {
        try
        {
            result.SetResult(await load(key).ConfigureAwait(false));
        }
        catch (Exception failure)
        {
            // Forgotten before the waiters learn of it, so that whoever asks again after the failure makes a new request.
            lock (_lock)
            {
                if (_entries.TryGetValue(key, out var entry) && entry == result.Task) _entries.Remove(key);
            }

            result.SetException(failure);
            _ = result.Task.Exception;
        }
    }

    private void Add(TKey key, Task<TValue> entry)
    {
        _entries[key] = entry;
        _order.Enqueue(key);

        // A key whose request failed is in the queue still; it counts towards the bound until it has moved through.
        while (_order.Count > capacity)
        {
            var oldest = _order.Dequeue();
            if (!_order.Contains(oldest)) _entries.Remove(oldest);
        }
    }
}
