using Streams.Core;

namespace IotAlerts;

/// <summary>Makes sensors and their readings, the same ones for the same seed.</summary>
internal sealed class Sensors
{
    private const int SensorCount = 12;
    private const int MinuteCount = 4;
    private const int SecondsBetween = 5;
    private static readonly long _start = new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    public Sensors(int seed)
    {
        var random = new Random(seed);
        var temperature = Enumerable.Range(0, SensorCount).Select(_ => random.Next(20, 60)).ToArray();
        var readings = new List<Record<string, Reading>>();
        var late = new List<Record<string, Reading>>();
        for (var seconds = 0; seconds < MinuteCount * 60; seconds += SecondsBetween)
        {
            for (var sensor = 0; sensor < SensorCount; sensor++)
            {
                // Some get hot, and one spark flies.
                temperature[sensor] = Math.Clamp(temperature[sensor] + random.Next(-3, sensor % 4 == 0 ? 6 : 4), 10, 90);
                var celsius = random.Next(200) == 0 ? 99 : temperature[sensor];
                var reading = new Record<string, Reading>($"sensor-{sensor:00}", new Reading(celsius), _start + (seconds * 1000L) + random.Next(1000));

                // One gateway keeps a few back until the others have been silent for long.
                (random.Next(40) == 0 ? late : readings).Add(reading);
            }
        }

        Readings = readings;
        Late = late;
    }

    /// <summary>What comes while the gateway is awake.</summary>
    public IReadOnlyList<Record<string, Reading>> Readings { get; }

    /// <summary>What comes after everything has been closed.</summary>
    public IReadOnlyList<Record<string, Reading>> Late { get; }

    /// <summary>The same minutes by a plain loop, to compare with.</summary>
    public Dictionary<string, Minute> SumPlainly() => Readings
        .GroupBy(reading => IotAlertsTopology.Label(reading.Key, reading.Timestamp / 60_000 * 60_000))
        .ToDictionary(minute => minute.Key, minute => minute.Aggregate(Minute.Empty, (sum, reading) => sum.With(reading.Value)));
}
