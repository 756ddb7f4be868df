using Broker.Lite.Metadata;

namespace Broker.Lite.Security;

/// <summary>
/// The settings one listener goes by: those for it and the mechanism, then those for it, then the broker's, then defaults. Immutable.
/// </summary>
internal sealed class ListenerSettings(string listener, IReadOnlyDictionary<string, string> settings)
{
    private readonly string _prefix = SecurityConfigKeys.ListenerPrefix + listener.ToLowerInvariant() + ".";

    /// <summary>The value in force; empty when it was not set and has no default.</summary>
    public string Text(string key, string? mechanism = null) =>
        TextFor(mechanism is null ? null : mechanism.ToLowerInvariant() + "." + key)
        ?? TextFor(key)
        ?? (settings.TryGetValue(key, out var value) ? value : BrokerConfigKeys.All[key].Default);

    public string[] List(string key) => ConfigKey.Elements(Text(key));

    public long Number(string key) => long.Parse(Text(key), System.Globalization.CultureInfo.InvariantCulture);

    private string? TextFor(string? key) => key is not null && settings.TryGetValue(_prefix + key, out var value) ? value : null;
}
