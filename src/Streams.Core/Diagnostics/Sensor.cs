namespace Streams.Core;

/// <summary>
/// Count, sum, minimum and maximum of what happened in the last two windows of 30 s, and the count since the start. Written by one thread, read by any.
/// </summary>
/// <remarks>
/// Recording is a few additions to fields, without clock, lock or allocation: the writer moves the windows once per turn with <see cref="Roll"/>. A
/// reader in between sees the fields of two moments, which shifts an average by one record. Source: Kafka's <c>Sensor</c> with
/// <c>metrics.num.samples</c> 2 and <c>metrics.sample.window.ms</c> 30000.
/// </remarks>
internal sealed class Sensor
{
    public const long WindowMs = 30_000;

    private Window _current;
    private Window _previous;
    private long _total;

    /// <summary>Things that have happened since the start.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>Notes one value.</summary>
    public void Record(double value)
    {
        _total++;
        _current.Count++;
        _current.Sum += value;
        if (_current.Count == 1 || value > _current.Max) _current.Max = value;
        if (_current.Count == 1 || value < _current.Min) _current.Min = value;
    }

    /// <summary>Notes that several things took so long together: each counts with the mean.</summary>
    public void RecordMany(long count, double sum)
    {
        if (count <= 0) return;
        var mean = sum / count;
        _total += count;
        if (_current.Count == 0 || mean > _current.Max) _current.Max = mean;
        if (_current.Count == 0 || mean < _current.Min) _current.Min = mean;
        _current.Count += count;
        _current.Sum += sum;
    }

    /// <summary>Begins a new window when the current one is over.</summary>
    public void Roll(long nowMs)
    {
        if (nowMs - _current.StartMs < WindowMs) return;
        _previous = nowMs - _current.StartMs < 2 * WindowMs ? _current : new Window { StartMs = nowMs - WindowMs };
        _current = new Window { StartMs = nowMs };
    }

    public double Average(long nowMs)
    {
        var (count, sum, _, _, _) = Read(nowMs);
        return count == 0 ? double.NaN : sum / count;
    }

    public double Max(long nowMs) => Read(nowMs) is var window && window.Count > 0 ? window.Max : double.NaN;

    public double Min(long nowMs) => Read(nowMs) is var window && window.Count > 0 ? window.Min : double.NaN;

    /// <summary>Things per second.</summary>
    public double Rate(long nowMs)
    {
        var window = Read(nowMs);
        return window.Count * 1000.0 / window.ElapsedMs;
    }

    /// <summary>Sum per millisecond: of durations in milliseconds, the share of the time.</summary>
    public double Share(long nowMs)
    {
        var window = Read(nowMs);
        return window.Sum / window.ElapsedMs;
    }

    private (long Count, double Sum, double Min, double Max, double ElapsedMs) Read(long nowMs)
    {
        var current = _current;
        var previous = _previous;
        var age = nowMs - current.StartMs;
        if (age >= 2 * WindowMs) return (0, 0, 0, 0, WindowMs);

        // The writer has not looked at the clock for a while: what it calls current is what is previous by now.
        if (age >= WindowMs) return (current.Count, current.Sum, current.Min, current.Max, Math.Max(age, WindowMs));
        var min = current.Count == 0 || (previous.Count > 0 && previous.Min < current.Min) ? previous.Min : current.Min;
        var max = current.Count == 0 || (previous.Count > 0 && previous.Max > current.Max) ? previous.Max : current.Max;

        // As Kafka: a rate is never taken over less than one whole window, or the first second would show absurd ones.
        return (current.Count + previous.Count, current.Sum + previous.Sum, min, max, Math.Max(previous.Count > 0 ? age + WindowMs : age, WindowMs));
    }

    private struct Window
    {
        public long StartMs;
        public long Count;
        public double Sum;
        public double Min;
        public double Max;
    }
}
