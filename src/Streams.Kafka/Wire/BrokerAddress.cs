using System.Globalization;
using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>Host and port of a broker.</summary>
internal readonly record struct BrokerAddress(string Host, int Port)
{
    private const int DefaultPort = 9092;

    /// <summary>Reads a list as <c>bootstrap.servers</c> has it: <c>host[:port]</c>, <c>[ipv6]:port</c>, each with or without <c>protocol://</c>, comma-separated.</summary>
    /// <exception cref="ConfigException">An entry is not an address, or there is none.</exception>
    public static IReadOnlyList<BrokerAddress> ParseList(string servers)
    {
        var addresses = new List<BrokerAddress>();
        foreach (var entry in servers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            addresses.Add(Parse(entry));
        if (addresses.Count == 0) throw new ConfigException("bootstrap.servers names no broker; expected host:port[,host:port…].");
        return addresses;
    }

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static BrokerAddress Parse(string entry)
    {
        var text = entry;
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0) text = text[(scheme + 3)..];

        var colon = text.LastIndexOf(':');
        // A colon inside brackets belongs to an IPv6 address, not to a port.
        if (text.EndsWith(']')) colon = -1;
        var host = (colon < 0 ? text : text[..colon]).TrimStart('[').TrimEnd(']');
        var port = DefaultPort;
        var portIsBad = colon >= 0 && (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535);
        if (host.Length == 0 || portIsBad) throw new ConfigException($"bootstrap.servers: '{entry}' is not host:port.");
        return new BrokerAddress(host, port);
    }
}
