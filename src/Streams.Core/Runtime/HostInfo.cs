using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Streams.Core;

/// <summary>Where an instance can be asked: what its <see cref="StreamsConfig.ApplicationServer"/> says. Source: Kafka's <c>HostInfo</c>.</summary>
/// <param name="Host">Name or address; IPv6 without brackets.</param>
/// <param name="Port">Port, 1 to 65535; 0 only in <see cref="Unavailable"/>.</param>
public sealed record HostInfo(string Host, int Port)
{
    /// <summary>Stands for an instance that did not say where it can be asked.</summary>
    public static HostInfo Unavailable { get; } = new("unavailable", 0);

    /// <summary>Reads <c>host:port</c> or <c>[ipv6]:port</c>; false when the text is neither.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out HostInfo? host)
    {
        host = null;
        if (text is null) return false;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535) return false;
        var name = text[..colon];
        if (name.StartsWith('[') && name.EndsWith(']')) name = name[1..^1];
        else if (name.Contains(':', StringComparison.Ordinal)) return false;
        if (name.Length == 0 || name.Any(char.IsWhiteSpace)) return false;
        host = new HostInfo(name, port);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}") : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
