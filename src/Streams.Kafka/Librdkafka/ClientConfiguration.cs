using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Log = Streams.Kafka.Diagnostics.Log;

namespace Streams.Kafka.Librdkafka;

/// <summary>Settings of a Confluent.Kafka client: what this adapter needs, under the user's settings, under what it insists on.</summary>
internal sealed class ClientConfiguration
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>Sets defaults, which <see cref="Add"/> may overrule.</summary>
    public ClientConfiguration Defaults(params ReadOnlySpan<(string Key, string Value)> values)
    {
        foreach (var (key, value) in values) _values[key] = value;
        return this;
    }

    /// <summary>Takes settings over by their Kafka names.</summary>
    public ClientConfiguration Add(IReadOnlyDictionary<string, string> values)
    {
        foreach (var (key, value) in values) _values[key] = value;
        return this;
    }

    /// <summary>Settings without which the adapter would not keep its contract; one that the user has set to something else is a fault.</summary>
    /// <exception cref="ConfigException">The user has set one differently.</exception>
    public ClientConfiguration Insist(IReadOnlyDictionary<string, string> userValues, params ReadOnlySpan<(string Key, string Value)> values)
    {
        foreach (var (key, value) in values)
        {
            if (userValues.TryGetValue(key, out var asked) && !asked.Equals(value, StringComparison.OrdinalIgnoreCase))
                throw new ConfigException($"{key} is '{asked}', but the application needs it to be '{value}'; remove the setting.");
            _values[key] = value;
        }

        return this;
    }

    /// <summary>Builds a client.</summary>
    /// <exception cref="ConfigException">The native client does not know a setting or refuses a value; the message is its own.</exception>
    public T Build<T>(Func<IEnumerable<KeyValuePair<string, string>>, T> build)
    {
        try
        {
            return build(_values);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new ConfigException($"The Kafka client refuses its settings: {e.Message}", e);
        }
    }

    public static void LogMessage(ILogger logger, string clientId, LogMessage message) =>
        Log.ClientMessage(logger, clientId, message.Facility, message.Message);
}
