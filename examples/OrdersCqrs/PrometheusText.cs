using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace OrdersCqrs;

/// <summary>
/// The metrics of the library as Prometheus reads them, without a package. With OpenTelemetry instead: <c>AddMeter("Streams")</c> and an exporter of yours.
/// </summary>
public sealed class PrometheusText : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, StringBuilder> _families = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public PrometheusText()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // All of the library's instruments are read when somebody asks, so there is nothing to add up here.
            if (instrument.Meter.Name == "Streams" && instrument.IsObservable) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value.ToString(CultureInfo.InvariantCulture), tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value.ToString("R", CultureInfo.InvariantCulture), tags));
        _listener.Start();
    }

    public string Collect()
    {
        lock (_gate)
        {
            _families.Clear();
            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var family in _families.Values) text.Append(family);
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, string value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var name = Name(instrument.Name);
        if (!_families.TryGetValue(name, out var family))
        {
            var kind = instrument is ObservableCounter<long> or ObservableCounter<double> ? "counter" : "gauge";
            var help = (instrument.Description ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            _families.Add(name, family = new StringBuilder().Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n').Append("# TYPE ").Append(name).Append(' ').Append(kind).Append('\n'));
        }

        family.Append(name).Append('{');
        var separator = "";
        foreach (var (key, tag) in instrument.Meter.Tags ?? []) Append(key, tag);
        foreach (var (key, tag) in tags) Append(key, tag);
        family.Append("} ").Append(value).Append('\n');

        void Append(string key, object? tag)
        {
            var text = Convert.ToString(tag, CultureInfo.InvariantCulture) ?? "";
            text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            family.Append(separator).Append(Name(key)).Append("=\"").Append(text).Append('"');
            separator = ",";
        }
    }

    private static string Name(string name) => string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'));
}
