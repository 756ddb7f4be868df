using Streams.Core;

namespace PageViews;

/// <summary>Makes users, their moves and their views, the same ones for the same seed.</summary>
internal sealed class Visitors
{
    private const int UserCount = 50;
    private const int MoveCount = 40;
    private const int MaxDelayMs = 50_000;
    private static readonly long _start = new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    private static readonly long _durationMs = (long)TimeSpan.FromMinutes(20).TotalMilliseconds;
    private static readonly string[] _regions = ["africa", "america", "asia", "europe"];
    private static readonly string[] _pages = ["/", "/docs", "/pricing", "/blog"];

    public Visitors(int seed, int viewCount)
    {
        var random = new Random(seed);

        // Everybody is somewhere before it begins; some move later. Moves have even times and views odd ones, so that none is at the same moment.
        var moves = Enumerable.Range(0, UserCount).Select(user => (Time: _start - 60_000, User: user))
            .Concat(Enumerable.Range(0, MoveCount).Select(_ => (Time: _start + (random.NextInt64(_durationMs) & ~1L), User: random.Next(UserCount))))
            .OrderBy(move => move.Time);
        Moves = [.. moves.Select(move => new Record<string, string>(Name(move.User), _regions[random.Next(_regions.Length)], move.Time))];

        // In the order in which they arrive, which is some time after they happened.
        Views =
        [
            .. Enumerable.Range(0, viewCount).Select(number =>
            {
                var time = _start + (_durationMs * number / viewCount) - random.Next(MaxDelayMs);
                var view = new PageView(_pages[random.Next(_pages.Length)], random.Next(1, 300));
                return new Record<string, PageView>(Name(random.Next(UserCount)), view, Math.Max(_start, time) | 1);
            }),
        ];
    }

    /// <summary>The region of a user from a time on, in the order of time.</summary>
    public IReadOnlyList<Record<string, string>> Moves { get; }

    /// <summary>Views, in the order of their arrival.</summary>
    public IReadOnlyList<Record<string, PageView>> Views { get; }

    /// <summary>The same count by a plain loop, to compare with.</summary>
    public Dictionary<string, long> CountPlainly()
    {
        var counts = new Dictionary<string, long>();
        var windowMs = (long)PageViewsTopology.WindowSize.TotalMilliseconds;
        foreach (var view in Views)
        {
            var region = Moves.Last(move => move.Key == view.Key && move.Timestamp <= view.Timestamp).Value;
            var label = PageViewsTopology.Label(region, view.Timestamp / windowMs * windowMs);
            counts[label] = counts.GetValueOrDefault(label) + 1;
        }

        return counts;
    }

    private static string Name(int user) => $"user-{user:00}";
}
