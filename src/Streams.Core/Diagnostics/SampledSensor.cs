namespace Streams.Core;

/// <summary>
/// How often something happens that is over sooner than the clock can be read twice, and how long it takes, in nanoseconds. The first one of each turn is timed and then every
/// sixteenth, which stands for those since the one before; so an operation that is rare is always timed.
/// </summary>
internal sealed class SampledSensor(TimeProvider time)
{
    private const int Stride = 16;

    // Operations that go by untimed before the next one that is timed; how many have is the difference to what it was set to.
    private int _left;
    private int _leftAtFirst;
    private double _last;

    public Sensor Sensor { get; } = new();

    /// <summary>Whether the operation that begins is to be timed; if not, it has been counted.</summary>
    public bool WantsTime() => --_left < 0;

    public long Mark() => time.GetTimestamp();

    /// <summary>Notes the operation that <see cref="WantsTime"/> has asked for.</summary>
    public void Record(long mark)
    {
        _last = time.GetElapsedTime(mark).TotalNanoseconds;
        Sensor.RecordMany(_leftAtFirst + 1, _last * (_leftAtFirst + 1));
        _left = _leftAtFirst = Stride - 1;
    }

    /// <summary>Begins a turn: what has gone by untimed counts like the last one that was timed.</summary>
    public void Roll(long nowMs)
    {
        var untimed = _leftAtFirst - Math.Max(_left, 0);
        Sensor.RecordMany(untimed, _last * untimed);
        _left = _leftAtFirst = 0;
        Sensor.Roll(nowMs);
    }
}
