using Streams.Core;

namespace FraudDetection;

/// <summary>Makes cards and their payments, the same ones for the same seed.</summary>
internal sealed class Cards
{
    private const int CardCount = 40;
    private const int MaxDelayMs = 60_000;
    private const int LateCount = 3;
    private static readonly long _start = new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    private static readonly long _durationMs = (long)TimeSpan.FromHours(3).TotalMilliseconds;
    private static readonly string[] _countries = ["AT", "DE", "FR"];
    private readonly List<Record<string, Payment>> _inTime = [];

    public Cards(int seed, int paymentCount)
    {
        var random = new Random(seed);
        var arrivals = new List<(long Arrival, Record<string, Payment> Payment)>();
        for (var number = 0; number < paymentCount; number++)
        {
            var card = random.Next(CardCount);
            var time = _start + random.NextInt64(_durationMs);

            // Two of the cards have been copied: somebody pays with them elsewhere, and much.
            var isThief = card < 2 && random.Next(4) == 0;
            var payment = new Payment($"p{number}", random.Next(1, isThief ? 900 : 90), isThief ? "US" : _countries[card % _countries.Length]);
            var record = new Record<string, Payment>(Name(card), payment, time);
            _inTime.Add(record);
            arrivals.Add((time + random.Next(MaxDelayMs), record));

            // One in ten is sent twice.
            if (random.Next(10) == 0) arrivals.Add((time + random.Next(MaxDelayMs), record));
        }

        // A terminal that was offline all morning comes back in the evening, and the next day begins: only then is it certain that the last sprees are over.
        var payments = arrivals.OrderBy(arrival => arrival.Arrival).Select(arrival => arrival.Payment).ToList();
        for (var number = 0; number < LateCount; number++) payments.Add(new Record<string, Payment>(Name(number), new Payment($"late{number}", 5, "AT"), _start));
        for (var card = 0; card < CardCount; card++)
            payments.Add(new Record<string, Payment>(Name(card), new Payment($"morning{card}", 3, _countries[card % _countries.Length]), _start + (long)TimeSpan.FromDays(1).TotalMilliseconds));
        Payments = payments;
        Late = LateCount;
    }

    /// <summary>Payments, in the order of their arrival.</summary>
    public IReadOnlyList<Record<string, Payment>> Payments { get; }

    /// <summary>How many come too late.</summary>
    public int Late { get; }

    /// <summary>The same alerts by a plain loop, to compare with.</summary>
    public Dictionary<string, Spree> FindPlainly()
    {
        var alerts = new Dictionary<string, Spree>();
        foreach (var card in _inTime.GroupBy(payment => payment.Key))
        {
            var (spree, start, last) = (Spree.None, 0L, long.MinValue / 2);
            foreach (var payment in card.OrderBy(payment => payment.Timestamp))
            {
                if (payment.Timestamp - last > FraudDetectionTopology.Pause.TotalMilliseconds)
                {
                    Judge(card.Key, start, spree);
                    (spree, start) = (Spree.None, payment.Timestamp);
                }

                (spree, last) = (spree.With(payment.Value), payment.Timestamp);
            }

            Judge(card.Key, start, spree);
        }

        return alerts;

        void Judge(string card, long start, Spree spree)
        {
            if (spree.IsSuspicious) alerts.Add(FraudDetectionTopology.Label(card, start), spree);
        }
    }

    private static string Name(int card) => $"card-{card:00}";
}
