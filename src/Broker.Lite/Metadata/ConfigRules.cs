namespace Broker.Lite.Metadata;

/// <summary>Validation of sets of configuration values against tables of keys.</summary>
internal static class ConfigRules
{
    /// <summary>Says everything that is wrong with the values: unknown keys, values out of range, combinations that cannot be.</summary>
    public static IEnumerable<string> Faults(IReadOnlyDictionary<string, ConfigKey> keys, IEnumerable<KeyValuePair<string, string?>> values)
    {
        foreach (var (name, value) in values)
        {
            if (!keys.TryGetValue(name, out var key))
                yield return $"Unknown configuration key {name}";
            else if (key.Fault(value) is { } fault)
                yield return fault;
        }
    }
}
