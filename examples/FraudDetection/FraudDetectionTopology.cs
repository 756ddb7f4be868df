using System.Globalization;
using Streams.Core;
using Streams.Dsl;

namespace FraudDetection;

/// <summary>What the program computes; apart from the program, so that tests can run it without a broker.</summary>
public static class FraudDetectionTopology
{
    public const string Payments = "payments";
    public const string Alerts = "fraud-alerts";
    public const string LatePayments = "late-payments";

    public static ISerde<Payment> PaymentSerde { get; } = Serdes.Json<Payment>();

    public static ISerde<Spree> SpreeSerde { get; } = Serdes.Json<Spree>();

    /// <summary>A pause that ends a spree.</summary>
    public static TimeSpan Pause { get; } = TimeSpan.FromMinutes(5);

    /// <summary>How late a payment may come and still be seen.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromMinutes(2);

    public static Topology Build()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Serdes = new SerdeRegistry().Add(PaymentSerde).Add(SpreeSerde) });

        // Terminals send again when they are not sure. A spree is judged once, when it is over: halfway through, every spree is harmless.
        builder.Stream<string, Payment>(Payments)
            .Deduplicate((_, payment) => payment.Id, TimeSpan.FromDays(1), Deduplicated.As("once"))
            .GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapAndGrace(Pause, Grace))
            .WithDropped(late => late.ToRecords().To(LatePayments))
            .Aggregate(() => Spree.None, (_, payment, spree) => spree.With(payment), (_, one, other) => one.And(other), Materialized.As("sprees"))
            .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()))
            .ToStream((session, _) => Label(session.Key, session.Window.StartMs))
            .Filter(spree => spree.IsSuspicious)
            .To(Alerts);
        return builder.Build();
    }

    /// <summary>Names a spree for whoever reads the alerts: when it began, and the card.</summary>
    public static string Label(string card, long startMs) => string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeMilliseconds(startMs):HH:mm:ss} {card}");
}
