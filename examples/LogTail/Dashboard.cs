using System.Globalization;
using Streams.Core;
using Streams.Reactive;

namespace LogTail;

/// <summary>
/// The counts as they are now, kept by following the view. Browsers are shown this copy: a view waits for who follows it, and a browser may take its time.
/// </summary>
public sealed class Dashboard : IDisposable
{
    private readonly Dictionary<(int Partition, Windowed<string> Key), long> _counts = [];
    private readonly Lock _gate = new();
    private readonly IDisposable _following;

    public Dashboard(LiveView<Windowed<string>, long> view) => _following = view.ToObservable().Subscribe(Follow, static _ => { });

    public long Total
    {
        get
        {
            lock (_gate) return _counts.Values.Sum();
        }
    }

    /// <summary>Counts of the last windows, newest first.</summary>
    public IReadOnlyList<LevelCount> Latest(int windows)
    {
        lock (_gate)
        {
            var shown = _counts.Keys.Select(entry => entry.Key.Window.StartMs).Distinct().OrderDescending().Take(windows).ToHashSet();
            return
            [
                .. _counts.Where(entry => shown.Contains(entry.Key.Key.Window.StartMs))
                    .OrderByDescending(entry => entry.Key.Key.Window.StartMs)
                    .ThenBy(entry => entry.Key.Key.Key, StringComparer.Ordinal)
                    .Select(entry =>
                    {
                        var (service, level) = Names(entry.Key.Key.Key);
                        return new LevelCount(entry.Key.Key.Window.Start.ToString("HH:mm:ss", CultureInfo.InvariantCulture), service, level, entry.Value);
                    }),
            ];
        }
    }

    /// <summary>Lines by service and level over all windows.</summary>
    public IReadOnlyDictionary<string, long> ByServiceAndLevel()
    {
        lock (_gate) return _counts.GroupBy(entry => entry.Key.Key.Key).OrderBy(group => group.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));
    }

    public void Dispose() => _following.Dispose();

    private static (string Service, string Level) Names(string key) => key.Split(' ') is [var service, var level] ? (service, level) : (key, "");

    private void Follow(ViewChange<Windowed<string>, long> change)
    {
        lock (_gate)
        {
            if (change.Kind is ViewChangeKind.Row or ViewChangeKind.Update) _counts[(change.Partition, change.Record.Key)] = change.Record.Value;
            else if (change.Kind == ViewChangeKind.Lost)
            {
                foreach (var key in _counts.Keys.Where(key => key.Partition == change.Partition).ToList()) _counts.Remove(key);
            }
        }
    }
}
