using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Broker.Lite.Host;

/// <summary>
/// Collects one meter's instruments and writes them in Prometheus' text format, version 0.0.4: dots become underscores, counters end in
/// <c>_total</c>, histograms have the boundaries they advise. Thread-safe.
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    /// <summary>The most series kept; measurements of further ones are dropped and counted in the last line.</summary>
    private const int MaxSeries = 20_000;

    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (Instrument Instrument, SortedDictionary<string, Series> Series)> _instruments = new(StringComparer.Ordinal);
    private int _series;
    private long _dropped;

    /// <summary>Begins to collect; without a meter nothing is collected, and measuring costs nothing.</summary>
    public PrometheusText(Meter? meter)
    {
        if (meter is null)
            return;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != meter)
                return;
            lock (_gate)
                _instruments[instrument.Name] = (instrument, new SortedDictionary<string, Series>(StringComparer.Ordinal));
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Everything measured so far.</summary>
    public string Write()
    {
        lock (_gate)
        {
            // What is observed now is all there is: a series of something that is gone must not stay.
            foreach (var (instrument, series) in _instruments.Values)
            {
                if (!instrument.IsObservable)
                    continue;
                _series -= series.Count;
                series.Clear();
            }
        }

        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_gate)
        {
            foreach (var (name, (instrument, series)) in _instruments)
                Append(text, name, instrument, series);
            if (_dropped > 0)
                text.Append(CultureInfo.InvariantCulture, $"# {_dropped} measurements of further series were dropped\n");
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = LabelsOf(tags);
        lock (_gate)
        {
            if (!_instruments.TryGetValue(instrument.Name, out var entry))
                return;
            if (!entry.Series.TryGetValue(labels, out var series))
            {
                if (_series >= MaxSeries)
                {
                    _dropped++;
                    return;
                }

                _series++;
                entry.Series[labels] = series = new Series((instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries);
            }

            series.Record(value, isAbsolute: instrument.IsObservable);
        }
    }

    private static void Append(StringBuilder text, string name, Instrument instrument, SortedDictionary<string, Series> all)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        var isCounter = type == typeof(Counter<>) || type == typeof(ObservableCounter<>);
        var isHistogram = type == typeof(Histogram<>);
        var unit = instrument.Unit switch { "s" => "_seconds", "ms" => "_milliseconds", "By" => "_bytes", _ => "" };
        var plain = name.Replace('.', '_');
        var full = (plain.EndsWith(unit, StringComparison.Ordinal) ? plain : plain + unit) + (isCounter ? "_total" : "");
        text.Append("# HELP ").Append(full).Append(' ').Append((instrument.Description ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        text.Append("# TYPE ").Append(full).Append(isHistogram ? " histogram\n" : isCounter ? " counter\n" : " gauge\n");
        foreach (var (labels, series) in all)
        {
            if (!isHistogram)
            {
                Line(text, full, labels, "", series.Sum);
                continue;
            }

            var below = 0L;
            for (var i = 0; i < series.Boundaries.Count; i++)
            {
                below += series.Counts[i];
                Line(text, full + "_bucket", labels, $"le=\"{series.Boundaries[i].ToString(CultureInfo.InvariantCulture)}\"", below);
            }

            Line(text, full + "_bucket", labels, "le=\"+Inf\"", series.Count);
            Line(text, full + "_sum", labels, "", series.Sum);
            Line(text, full + "_count", labels, "", series.Count);
        }
    }

    private static void Line(StringBuilder text, string name, string labels, string more, double value)
    {
        text.Append(name);
        if (labels.Length + more.Length > 0)
            text.Append('{').Append(labels).Append(labels.Length > 0 && more.Length > 0 ? "," : "").Append(more).Append('}');
        text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
        {
            if (text.Length > 0)
                text.Append(',');
            text.Append(key.Replace('.', '_')).Append("=\"");
            foreach (var c in Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
            {
                if (c is '"' or '\\')
                    text.Append('\\');
                text.Append(c == '\n' ? "\\n" : c.ToString());
            }

            text.Append('"');
        }

        return text.ToString();
    }

    private sealed class Series(IReadOnlyList<double>? boundaries)
    {
        public IReadOnlyList<double> Boundaries { get; } = boundaries ?? [];

        public long[] Counts { get; } = new long[boundaries?.Count ?? 0];

        public long Count { get; private set; }

        public double Sum { get; private set; }

        public void Record(double value, bool isAbsolute)
        {
            Count++;
            Sum = isAbsolute ? value : Sum + value;
            for (var i = 0; i < Counts.Length; i++)
            {
                if (value > Boundaries[i])
                    continue;
                Counts[i]++;
                break;
            }
        }
    }
}
