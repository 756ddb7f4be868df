namespace Broker.Lite.Metadata;

/// <summary>
/// A parked Fetch: partitions report what is appended to them, and it wakes when that makes enough together with what it had found.
/// Thread-safe.
/// </summary>
/// <remarks>
/// It is registered before the read and armed after it. Appends in between count although the read may have seen them: then it wakes a
/// little early and reads again, which is harmless; counting none of them would lose a wake-up.
/// </remarks>
internal sealed class FetchWaiter(int minBytes)
{
    private readonly TaskCompletionSource _awake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytes;

    /// <summary>Completes when there is enough to read.</summary>
    public Task Task => _awake.Task;

    /// <summary>Adds what the read found; afterwards appends can wake it.</summary>
    public void Arm(long bytesFound) => Report(bytesFound);

    /// <summary>Adds bytes that a partition received; <see cref="int.MaxValue"/> for a change that the client must see at once.</summary>
    public void Report(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) >= minBytes)
            _awake.TrySetResult();
    }
}
