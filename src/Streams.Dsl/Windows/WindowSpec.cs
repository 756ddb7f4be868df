using Streams.Dsl.Nodes;

namespace Streams.Dsl.Windows;

/// <summary>
/// A kind of window as the fluent types need it: which processor aggregates in it, which store keeps it, how its keys are written.
/// </summary>
internal abstract class WindowSpec
{
    /// <summary>How late a record may come; <c>suppress</c> looks for it upstream.</summary>
    public abstract long GraceMs { get; }

    /// <summary>Whether an unnamed count uses a number up for a name nobody sees: a leftover of early versions that later names depend on.</summary>
    public virtual bool CountUsesNumber => true;

    /// <summary>Whether the windows close at all.</summary>
    public virtual bool HasEnd => true;

    public abstract Processor<K, V> CreateProcessor<K, V, VR>(
        string storeName,
        Aggregation<K, V, VR> aggregation,
        Func<K, VR, VR, VR>? merger,
        Emission emission,
        bool sendsOldValues);

    public abstract TableOperator<Windowed<K>, VR> CreateTable<K, VR>(string storeName);

    public abstract IStoreBuilder CreateStore<K, VR>(
        GraphBuilder graph,
        StoreSettings settings,
        string storeName,
        string node,
        ISerde<K>? keySerde,
        ISerde<VR>? valueSerde,
        Emission emission);

    public abstract ISerde<Windowed<K>> KeySerde<K>(ISerde<K> inner);

    protected static string Spare(Emission emission) => emission.ClosesWhenIdle ? " and a minute for windows that close after idle time" : "";

    /// <summary>The retention to use: as told, or as short as the windows allow.</summary>
    /// <exception cref="ArgumentException">Told shorter than the windows allow.</exception>
    protected static long Retention(StoreSettings settings, string storeName, long neededMs, string needed)
    {
        if (settings.Retention is not { } retention) return neededMs;
        var retentionMs = WindowTimes.WholeMs(retention, nameof(settings));
        if (retentionMs < neededMs)
        {
            throw new ArgumentException(
                $"The retention of window store '{storeName}' is {retentionMs} ms, but {needed} need {neededMs} ms; give WithRetention at least that.",
                nameof(settings));
        }

        return retentionMs;
    }
}

/// <summary>Tumbling, hopping and unlimited windows.</summary>
internal sealed class TimeWindowSpec(FixedWindows windows) : WindowSpec
{
    public override long GraceMs => windows.GraceMs;

    public override bool HasEnd => !windows.IsUnlimited;

    public override Processor<K, V> CreateProcessor<K, V, VR>(
        string storeName, Aggregation<K, V, VR> aggregation, Func<K, VR, VR, VR>? merger, Emission emission, bool sendsOldValues) =>
        new TimeWindowAggregate<K, V, VR>(storeName, windows, aggregation, emission, sendsOldValues);

    public override TableOperator<Windowed<K>, VR> CreateTable<K, VR>(string storeName) => new WindowTable<K, VR>(storeName);

    public override IStoreBuilder CreateStore<K, VR>(
        GraphBuilder graph, StoreSettings settings, string storeName, string node, ISerde<K>? keySerde, ISerde<VR>? valueSerde, Emission emission)
    {
        var retention = Retention(settings, storeName, WindowTimes.Add(WindowTimes.Add(windows.SizeMs, windows.GraceMs), emission.SpareMs), "window size and grace period" + Spare(emission));
        return StoreFactory.Window(graph, settings, storeName, node, keySerde, valueSerde, retention, windows.SizeMs, emission.IsOnClose);
    }

    public override ISerde<Windowed<K>> KeySerde<K>(ISerde<K> inner) => WindowedSerdes.TimeWindowed(inner, windows.SizeMs);
}

/// <summary>Sliding windows.</summary>
internal sealed class SlidingWindowSpec(SlidingWindows windows) : WindowSpec
{
    public override long GraceMs => windows.GraceMs;

    public override bool CountUsesNumber => false;

    public override Processor<K, V> CreateProcessor<K, V, VR>(
        string storeName, Aggregation<K, V, VR> aggregation, Func<K, VR, VR, VR>? merger, Emission emission, bool sendsOldValues) =>
        new SlidingWindowAggregate<K, V, VR>(storeName, windows, aggregation, emission, sendsOldValues);

    public override TableOperator<Windowed<K>, VR> CreateTable<K, VR>(string storeName) => new WindowTable<K, VR>(storeName);

    public override IStoreBuilder CreateStore<K, VR>(
        GraphBuilder graph, StoreSettings settings, string storeName, string node, ISerde<K>? keySerde, ISerde<VR>? valueSerde, Emission emission)
    {
        // A record looks at windows that begin up to two differences before it.
        var needed = WindowTimes.Add(WindowTimes.Add(windows.TimeDifferenceMs, windows.TimeDifferenceMs), windows.GraceMs);
        var retention = Retention(settings, storeName, WindowTimes.Add(needed, emission.SpareMs), "twice the time difference and the grace period" + Spare(emission));
        return StoreFactory.Window(graph, settings, storeName, node, keySerde, valueSerde, retention, windows.TimeDifferenceMs, emission.IsOnClose);
    }

    public override ISerde<Windowed<K>> KeySerde<K>(ISerde<K> inner) => WindowedSerdes.TimeWindowed(inner, windows.TimeDifferenceMs);
}

/// <summary>Sessions.</summary>
internal sealed class SessionWindowSpec(SessionWindows windows) : WindowSpec
{
    // A session closes when a record could no longer extend it, which is a gap after its end.
    public override long GraceMs => WindowTimes.Add(windows.GraceMs, windows.GapMs);

    public override Processor<K, V> CreateProcessor<K, V, VR>(
        string storeName, Aggregation<K, V, VR> aggregation, Func<K, VR, VR, VR>? merger, Emission emission, bool sendsOldValues) =>
        new SessionAggregate<K, V, VR>(storeName, windows, aggregation, merger!, emission, sendsOldValues);

    public override TableOperator<Windowed<K>, VR> CreateTable<K, VR>(string storeName) => new SessionTable<K, VR>(storeName);

    public override IStoreBuilder CreateStore<K, VR>(
        GraphBuilder graph, StoreSettings settings, string storeName, string node, ISerde<K>? keySerde, ISerde<VR>? valueSerde, Emission emission)
    {
        var retention = Retention(settings, storeName, WindowTimes.Add(WindowTimes.Add(windows.GapMs, windows.GraceMs), emission.SpareMs), "inactivity gap and grace period" + Spare(emission));
        return StoreFactory.Session(graph, settings, storeName, node, keySerde, valueSerde, retention, emission.IsOnClose);
    }

    public override ISerde<Windowed<K>> KeySerde<K>(ISerde<K> inner) => WindowedSerdes.SessionWindowed(inner);
}
