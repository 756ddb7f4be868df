using System.Globalization;

namespace Chaos;

/// <summary>
/// The input, as a function of the record's number, so that feeder and judge need no memory of it: click n and view n have the same key and times close to each other,
/// and no other pair of a key is as close.
/// </summary>
internal static class Workload
{
    public const string Clicks = "clicks";
    public const string Views = "views";
    public const string Counts = "counts";
    public const string Pairs = "pairs";
    public const string Groups = "groups";
    public const int Partitions = 4;
    public const int Keys = 997;
    public const int GroupCount = 41;

    /// <summary>Each key comes up once in so many milliseconds of event time; half of it is the join's window.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(Keys / 2);

    public static string Key(int number) => "user-" + (number % Keys).ToString(CultureInfo.InvariantCulture);

    public static long ClickTime(long start, int number) => start + number;

    public static long ViewTime(long start, int number) => start + number + (number % 7);

    public static string Group(string value) => "group-" + (int.Parse(value, CultureInfo.InvariantCulture) % GroupCount).ToString(CultureInfo.InvariantCulture);

    /// <summary>How often each of so many numbers, dealt out in turn, comes up.</summary>
    public static int Share(int index, int of, int total) => (total / of) + (index < total % of ? 1 : 0);
}
