using System.Globalization;
using System.Text.RegularExpressions;

namespace Broker.Lite.Metadata;

/// <summary>One configuration key: its Kafka name, type, default and what values it takes.</summary>
internal sealed record ConfigKey
{
    public required string Name { get; init; }

    public required ConfigType Type { get; init; }

    /// <summary>The value when nobody set one, as text.</summary>
    public required string Default { get; init; }

    /// <summary>One sentence for DescribeConfigs' documentation.</summary>
    public required string Doc { get; init; }

    /// <summary>Smallest number allowed; for numbers only.</summary>
    public long Min { get; init; } = long.MinValue;

    /// <summary>Largest number allowed; for numbers only.</summary>
    public long Max { get; init; } = long.MaxValue;

    /// <summary>The values allowed, for texts, truth values and each element of lists; empty if any is.</summary>
    public IReadOnlyList<string> Allowed { get; init; } = [];

    /// <summary>What a text has to match, besides; null if anything will do. A constant of ours, never from outside.</summary>
    public string? Pattern { get; init; }

    /// <summary>A number within the range that is not allowed all the same; null if there is none.</summary>
    public int? Hole { get; init; }

    /// <summary>For topic keys: the broker key that gives the default, if there is one.</summary>
    public string? BrokerKey { get; init; }

    /// <summary>For broker keys: true if it can be changed only by a restart.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Says what is wrong with a value, or null if it is fine.</summary>
    public string? Fault(string? value)
    {
        if (value is null)
            return $"{Name} needs a value";
        switch (Type)
        {
            case ConfigType.Boolean:
                if (!bool.TryParse(value, out _))
                    return $"{Name} must be true or false, not '{value}'";
                return Allowed.Count == 0 || Allowed.Contains(value, StringComparer.OrdinalIgnoreCase) ? null : $"{Name} must be {string.Join(", ", Allowed)} here, not '{value}'";
            case ConfigType.Int:
                return int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i)
                    ? RangeFault(i)
                    : $"{Name} must be a 32-bit integer, not '{value}'";
            case ConfigType.Long:
                return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var l)
                    ? RangeFault(l)
                    : $"{Name} must be a 64-bit integer, not '{value}'";
            case ConfigType.Double:
                return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) && d >= Min && (Max == long.MaxValue || d <= Max)
                    ? null
                    : $"{Name} must be a number from {Min} to {Max}, not '{value}'";
            case ConfigType.List:
                var elements = Elements(value);
                var unknown = Allowed.Count == 0 ? null : elements.FirstOrDefault(element => !Allowed.Contains(element));
                return unknown is null ? null : $"{Name} cannot contain '{unknown}', only {string.Join(", ", Allowed)}";
            case ConfigType.String when Pattern is not null:
                return Regex.IsMatch(value, Pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking) ? null : $"{Name} cannot be '{value}'";
            case ConfigType.String:
                return Allowed.Count == 0 || Allowed.Contains(value) ? null : $"{Name} must be one of {string.Join(", ", Allowed)}, not '{value}'";
            default:
                return null;
        }
    }

    /// <summary>The elements of a list value.</summary>
    public static string[] Elements(string value) =>
        value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private string? RangeFault(long value) =>
        value >= Min && value <= Max && value != Hole ? null : $"{Name} must be from {Min} to {Max}{(Hole is { } hole ? $" and not {hole}" : "")}, not {value}";
}
