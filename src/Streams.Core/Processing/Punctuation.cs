namespace Streams.Core;

/// <summary>Which clock drives a scheduled callback.</summary>
public enum PunctuationType
{
    /// <summary>The task's stream time: the largest timestamp it has seen. Stands still while no records arrive.</summary>
    StreamTime,

    /// <summary>The wall clock (the injected <see cref="TimeProvider"/>).</summary>
    WallClockTime,
}

/// <summary>A scheduled callback.</summary>
/// <param name="timestamp">The time it fires at, Unix milliseconds: stream time or wall-clock time as scheduled.</param>
public delegate void Punctuator(long timestamp);

/// <summary>A schedule that can be ended.</summary>
public interface ICancellable
{
    /// <summary>Ends the schedule; it may be called from inside the callback, and again.</summary>
    void Cancel();
}
