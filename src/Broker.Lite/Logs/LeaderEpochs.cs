using System.Globalization;
using System.Text;

namespace Broker.Lite.Logs;

/// <summary>
/// From which offset on each leader epoch appended, kept in <c>leader-epoch-checkpoint</c> in Kafka's text format: version, count, then
/// "epoch offset" per line. The writer changes it; readers may look beside it.
/// </summary>
internal sealed class LeaderEpochs
{
    public const string FileName = "leader-epoch-checkpoint";

    /// <summary>Far more epochs than a log lives through.</summary>
    private const int MaxFileBytes = 4 * 1024 * 1024;

    private readonly LogDirectory _directory;
    private Entry[] _entries = [];

    public LeaderEpochs(LogDirectory directory)
    {
        _directory = directory;
        _entries = Parse(directory.TryReadAll(FileName, MaxFileBytes));
    }

    /// <summary>The latest epoch, -1 when none has appended.</summary>
    public int Latest => Volatile.Read(ref _entries) is { Length: > 0 } entries ? entries[^1].Epoch : -1;

    /// <summary>Notes that <paramref name="epoch"/> appends from <paramref name="offset"/> on, if it is newer than the latest.</summary>
    public void Assign(int epoch, long offset)
    {
        if (epoch > Latest)
            Save([.. _entries, new Entry(epoch, offset)]);
    }

    /// <summary>Forgets what lies at or after <paramref name="offset"/>, the new end of the log.</summary>
    public void TruncateEnd(long offset)
    {
        if (_entries.Any(entry => entry.StartOffset >= offset))
            Save([.. _entries.Where(entry => entry.StartOffset < offset)]);
    }

    /// <summary>Forgets epochs that ended before <paramref name="offset"/>, the new start of the log.</summary>
    public void TruncateStart(long offset)
    {
        int first = Array.FindLastIndex(_entries, entry => entry.StartOffset <= offset);
        if (first < 0 || (first == 0 && _entries[0].StartOffset == offset))
            return;
        Entry[] kept = _entries[first..];
        kept[0] = kept[0] with { StartOffset = offset };
        Save(kept);
    }

    /// <summary>Where an epoch ends: the start of the next one, or the log's end.</summary>
    public EpochEndOffset Find(int epoch, long logEndOffset)
    {
        Entry[] entries = Volatile.Read(ref _entries);
        if (entries.Length == 0 || epoch > entries[^1].Epoch || epoch < 0)
            return new EpochEndOffset(-1, -1);
        if (epoch == entries[^1].Epoch)
            return new EpochEndOffset(epoch, logEndOffset);
        int next = Array.FindIndex(entries, entry => entry.Epoch > epoch);
        return next == 0
            ? new EpochEndOffset(epoch, entries[0].StartOffset)
            : new EpochEndOffset(entries[next - 1].Epoch, entries[next].StartOffset);
    }

    private static Entry[] Parse(byte[]? content)
    {
        if (content is null)
            return [];
        string[] lines = Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var entries = new List<Entry>();
        foreach (string line in lines.Skip(2))
        {
            string[] fields = line.Split(' ');
            bool valid = fields.Length == 2
                & int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int epoch)
                & long.TryParse(fields.Length == 2 ? fields[1] : "", NumberStyles.None, CultureInfo.InvariantCulture, out long offset);

            // A damaged file is only a loss of history: the epochs before the damage still hold.
            if (!valid || (entries.Count > 0 && (entries[^1].Epoch >= epoch || entries[^1].StartOffset > offset)))
                break;
            entries.Add(new Entry(epoch, offset));
        }

        return [.. entries];
    }

    private void Save(Entry[] entries)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"0\n{entries.Length}\n");
        foreach (Entry entry in entries)
            text.Append(CultureInfo.InvariantCulture, $"{entry.Epoch} {entry.StartOffset}\n");
        _directory.Replace(FileName, Encoding.UTF8.GetBytes(text.ToString()));
        Volatile.Write(ref _entries, entries);
    }

    private readonly record struct Entry(int Epoch, long StartOffset);
}
