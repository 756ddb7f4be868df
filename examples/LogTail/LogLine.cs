namespace LogTail;

/// <summary>One line of a service's log.</summary>
public sealed record LogLine(string Service, string Level, string Message);

/// <summary>How many lines of a level a service wrote in a window.</summary>
public sealed record LevelCount(string Window, string Service, string Level, long Count);
