namespace Streams.Dsl.Windows;

/// <summary>When a windowed aggregation gives its results, and whether silence closes windows too.</summary>
/// <param name="Strategy">At updates or when windows close.</param>
/// <param name="IdleMs">Wall-clock time without a record after which all windows close; 0 for never.</param>
internal readonly record struct Emission(EmitStrategy Strategy, long IdleMs)
{
    public static readonly Emission OnUpdate = new(EmitStrategy.OnWindowUpdate, 0);

    private const long LookMs = 60_000;

    /// <summary>
    /// How much longer than until they close windows are kept, in stream time, so that none is gone before somebody looks for closed ones: looks are rare by the
    /// wall clock, and stream time may race. Nothing where Kafka Streams' retention is kept to the letter.
    /// </summary>
    public long SpareMs => ClosesWhenIdle ? LookMs : 0;

    public bool IsOnClose => Strategy == EmitStrategy.OnWindowClose;

    public bool ClosesWhenIdle => IdleMs > 0;

    public Emission With(EmitStrategy strategy) => strategy == EmitStrategy.OnWindowClose || !ClosesWhenIdle
        ? this with { Strategy = strategy }
        : throw new ArgumentException("Windows that close after idle time give their results when they close; leave EmitStrategy out, or CloseAfterIdle.", nameof(strategy));

    public static Emission AfterIdle(TimeSpan idle) => new(EmitStrategy.OnWindowClose, WindowTimes.Positive(idle, nameof(idle)));
}
