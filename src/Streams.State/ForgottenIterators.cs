using System.Diagnostics;

namespace Streams.State;

/// <summary>
/// Iterators over persistent stores that were collected without having been disposed. Their native memory is freed all the same, only late: until then they
/// keep old files and memory of the store alive.
/// </summary>
/// <remarks>Any thread.</remarks>
public static class ForgottenIterators
{
    private static long _count;

    /// <summary>How many there were in this process.</summary>
    public static long Count => Volatile.Read(ref _count);

    /// <summary>
    /// Whether iterators remember where they were opened, which costs a few microseconds each. Default: in debug builds, or when the AppContext switch
    /// <c>Streams.State.TrackIteratorOrigins</c> is on.
    /// </summary>
    public static bool TrackOrigins { get; set; } = DefaultTracking();

    /// <summary>Told of each, on the finaliser's thread: store, and the stack where it was opened when that was tracked. A handler that throws ends the process.</summary>
    public static event Action<string, StackTrace?>? Found;

    internal static void Report(string storeName, StackTrace? origin)
    {
        Interlocked.Increment(ref _count);
        Found?.Invoke(storeName, origin);
    }

    private static bool DefaultTracking()
    {
        if (AppContext.TryGetSwitch("Streams.State.TrackIteratorOrigins", out var on)) return on;
#if DEBUG
        return true;
#else
        return false;
#endif
    }
}
