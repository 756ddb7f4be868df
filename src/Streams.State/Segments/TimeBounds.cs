namespace Streams.State.Segments;

/// <summary>Which entries of a segmented store are meant, by their times in Unix milliseconds, all inclusive.</summary>
/// <param name="Earliest">Smallest time by which entries are kept: a window's start, a session's end.</param>
/// <param name="Latest">Largest such time.</param>
/// <param name="LatestStart">Largest start; matters to sessions only.</param>
internal readonly record struct TimeBounds(long Earliest, long Latest, long LatestStart = long.MaxValue);
