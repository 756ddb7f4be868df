using System.Globalization;
using Streams.Core;

namespace Streams.Kafka;

/// <summary>Settings of a managed client by their Kafka names: each is taken once by whoever understands it, and what nobody has taken is refused.</summary>
/// <remarks>A cluster's settings, under those of the one client. Names are Kafka's, or librdkafka's where it has another one for the same.</remarks>
internal sealed class ClientSettings
{
    private readonly string _client;
    private readonly Dictionary<string, string> _values;
    private readonly IReadOnlyDictionary<string, string> _clientValues;

    /// <param name="client">What the settings are of, for errors.</param>
    /// <param name="clusterValues">Those of all clients.</param>
    /// <param name="clientValues">This client's; they win.</param>
    public ClientSettings(string client, IReadOnlyDictionary<string, string> clusterValues, IReadOnlyDictionary<string, string> clientValues)
    {
        _client = client;
        _clientValues = clientValues;
        _values = new Dictionary<string, string>(clusterValues, StringComparer.Ordinal);
        foreach (var (key, value) in clientValues) _values[key] = value;
    }

    /// <summary>A whole number.</summary>
    /// <exception cref="ConfigException">It is none, or outside of the bounds.</exception>
    public int TakeInt32(int fallback, int least, int most, params ReadOnlySpan<string> names)
    {
        var value = fallback;
        foreach (var name in names)
        {
            if (!_values.Remove(name, out var text)) continue;
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) || value < least || value > most)
                throw new ConfigException($"{_client}: {name} is '{text}', not a whole number from {least} to {most}.");
        }

        return value;
    }

    /// <summary>A time in milliseconds.</summary>
    /// <exception cref="ConfigException">It is none, or negative.</exception>
    public TimeSpan TakeMilliseconds(TimeSpan fallback, params ReadOnlySpan<string> names) =>
        TimeSpan.FromMilliseconds(TakeInt32((int)fallback.TotalMilliseconds, 0, int.MaxValue, names));

    /// <summary>A text.</summary>
    public string TakeText(string fallback, params ReadOnlySpan<string> names)
    {
        var value = fallback;
        foreach (var name in names)
        {
            if (_values.Remove(name, out var text)) value = text;
        }

        return value;
    }

    /// <summary>Settings without which the client would not keep its contract: it has them anyway, and one set to something else is a fault.</summary>
    /// <exception cref="ConfigException">One is set differently.</exception>
    public void Insist(params ReadOnlySpan<(string Name, string Value)> settings)
    {
        foreach (var (name, needed) in settings)
        {
            if (_values.Remove(name, out var text) && !text.Equals(needed, StringComparison.OrdinalIgnoreCase))
                throw new ConfigException($"{_client}: {name} is '{text}', but the application needs it to be '{needed}'; remove the setting.");
        }
    }

    /// <summary>Ends the reading.</summary>
    /// <param name="others">What clients of the other kind take: among the cluster's settings it is theirs.</param>
    /// <exception cref="ConfigException">There are settings that nothing has taken; all are named.</exception>
    public void RefuseRest(params ReadOnlySpan<string> others)
    {
        foreach (var name in others)
        {
            if (!_clientValues.ContainsKey(name)) _values.Remove(name);
        }

        if (_values.Count == 0) return;
        throw new ConfigException(
            $"{_client}: the managed client has no setting {string.Join(", ", _values.Keys.Order(StringComparer.Ordinal))}; remove it, or use Confluent.Kafka's clients (client.library = confluent), which may have it.");
    }
}
