namespace Streams.Dsl;

/// <summary>Which clock a row's time to live runs by.</summary>
public enum TtlBasis
{
    /// <summary>
    /// Event time: from the row's timestamp on, by the task's stream time (the largest timestamp of all its inputs, kept over restarts). The same records always
    /// give the same results; when no records come, nothing expires. The default.
    /// </summary>
    EventTime,

    /// <summary>
    /// The wall clock: from the moment at which the row was last written, whatever its timestamp. Rows expire though nothing comes; reading a topic again gives
    /// other results than the first time.
    /// </summary>
    WallClockTime,
}
