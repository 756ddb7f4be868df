namespace IotAlerts;

/// <summary>What a sensor measured. The record's key is the sensor, its timestamp the time.</summary>
public sealed record Reading(int Celsius);

/// <summary>A sensor's readings of one minute.</summary>
public sealed record Minute(int Readings, int Sum, int Highest)
{
    public static Minute Empty { get; } = new(0, 0, int.MinValue);

    public double Average => Readings == 0 ? 0 : (double)Sum / Readings;

    /// <summary>Too hot for the whole of a minute, or far too hot for a moment.</summary>
    public bool IsAlarming => Average > 70 || Highest > 95;

    public Minute With(Reading reading) => new(Readings + 1, Sum + reading.Celsius, Math.Max(Highest, reading.Celsius));
}
