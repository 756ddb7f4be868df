using System.Globalization;
using Streams.Core;
using Streams.Dsl;

namespace IotAlerts;

/// <summary>What the program computes; apart from the program, so that tests can run it without a broker.</summary>
public static class IotAlertsTopology
{
    public const string Readings = "readings";
    public const string Minutes = "minutes";
    public const string Alerts = "alerts";
    public const string LateReadings = "late-readings";

    public static ISerde<Reading> ReadingSerde { get; } = Serdes.Json<Reading>();

    public static ISerde<Minute> MinuteSerde { get; } = Serdes.Json<Minute>();

    public static TimeSpan WindowSize { get; } = TimeSpan.FromMinutes(1);

    /// <summary>How late a reading may come while others go on coming.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(20);

    /// <summary>Silence after which nobody waits any longer: the gateway has gone to sleep, and no later reading will close the last minute.</summary>
    public static TimeSpan Silence { get; } = TimeSpan.FromSeconds(5);

    public static Topology Build()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Serdes = new SerdeRegistry().Add(ReadingSerde).Add(MinuteSerde) });
        var minutes = builder.Stream<string, Reading>(Readings)
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(WindowSize, Grace))
            .WithDropped(late => late.ToRecords().To(LateReadings))
            .CloseAfterIdle(Silence)
            .Aggregate(() => Minute.Empty, (_, reading, minute) => minute.With(reading), Materialized.As("minutes"))
            .ToStream((window, _) => Label(window.Key, window.Window.StartMs));
        minutes.To(Minutes);
        minutes.Filter(minute => minute.IsAlarming).To(Alerts);
        return builder.Build();
    }

    /// <summary>Names a minute for whoever reads the output: when it began, and the sensor.</summary>
    public static string Label(string sensor, long startMs) => string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeMilliseconds(startMs):HH:mm} {sensor}");
}
