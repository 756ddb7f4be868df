namespace FraudDetection;

/// <summary>A payment by card. The record's key is the card, its timestamp the time.</summary>
public sealed record Payment(string Id, decimal Amount, string Country);

/// <summary>What was done with a card in one go: payments with no long pause between them.</summary>
public sealed record Spree(int Payments, decimal Total, IReadOnlyList<string> Countries)
{
    public static Spree None { get; } = new(0, 0, []);

    /// <summary>Many payments at a stretch, or a card that is in two countries at once.</summary>
    public bool IsSuspicious => Payments >= 12 || (Countries.Count > 1 && Total > 1000);

    public Spree With(Payment payment) => And(new Spree(1, payment.Amount, [payment.Country]));

    public Spree And(Spree other) => new(Payments + other.Payments, Total + other.Total, [.. Countries.Union(other.Countries).Order(StringComparer.Ordinal)]);
}
