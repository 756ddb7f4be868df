namespace Broker.Lite.Tests.ModelCheck;

/// <summary>A partition as a list of records, each of which knows what became of its transaction.</summary>
internal sealed class ModelPartition
{
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<long, short> _epochs = [];

    private enum Fate
    {
        Open,
        Committed,
        Aborted,
        Marker,
    }

    public long Start { get; private set; }

    public long End => _entries.Count;

    /// <summary>The first offset of the oldest open transaction, and never before the start.</summary>
    public long LastStable
    {
        get
        {
            var open = _entries.FindIndex(entry => entry.Fate == Fate.Open);
            return Math.Max(Start, open < 0 ? End : open);
        }
    }

    public void Append(IEnumerable<string> values, long producerId = -1, short epoch = -1)
    {
        if (producerId >= 0)
            _epochs[producerId] = epoch;
        _entries.AddRange(values.Select(value => new Entry(producerId, value, producerId >= 0 ? Fate.Open : Fate.Committed)));
    }

    public void Mark(long producerId, short epoch, bool isCommit)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].ProducerId == producerId && _entries[i].Fate == Fate.Open)
                _entries[i] = _entries[i] with { Fate = isCommit ? Fate.Committed : Fate.Aborted };
        }

        _epochs[producerId] = epoch;
        _entries.Add(new Entry(producerId, "", Fate.Marker));
    }

    public void DeleteBefore(long offset) => Start = Math.Max(Start, offset);

    /// <summary>Whether the log itself has heard of a later epoch of the producer.</summary>
    public bool Knows(long producerId, short laterThan) => _epochs.TryGetValue(producerId, out var epoch) && epoch > laterThan;

    public List<(long Offset, string Value)> Read(long from, bool committedOnly)
    {
        var end = committedOnly ? LastStable : End;
        var records = new List<(long, string)>();
        for (var offset = from; offset < end; offset++)
        {
            var entry = _entries[(int)offset];
            if (entry.Fate != Fate.Marker && !(committedOnly && entry.Fate == Fate.Aborted))
                records.Add((offset, entry.Value));
        }

        return records;
    }

    private readonly record struct Entry(long ProducerId, string Value, Fate Fate);
}
