using System.Globalization;
using System.Net;

namespace Broker.Lite.Security;

/// <summary>One entry of <c>listeners</c>, with its protocol and what its clients are told to connect to.</summary>
internal sealed record ListenerDefinition
{
    public required string Name { get; init; }

    public required SecurityProtocol Protocol { get; init; }

    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Null: the address each client came in on.</summary>
    public string? AdvertisedHost { get; init; }

    public int? AdvertisedPort { get; init; }

    /// <summary>Reads the listeners that settings name, and adds to <paramref name="faults"/> whatever is wrong with them.</summary>
    public static IReadOnlyList<ListenerDefinition> Parse(IReadOnlyDictionary<string, string> settings, List<string> faults)
    {
        var any = new ListenerSettings("", settings);
        var protocols = ParseMap(any.List(SecurityConfigKeys.ProtocolMap), faults);
        var advertised = ParseAll(SecurityConfigKeys.AdvertisedListeners, any.List(SecurityConfigKeys.AdvertisedListeners), faults);
        var result = new List<ListenerDefinition>();
        foreach (var (name, host, port) in ParseAll(SecurityConfigKeys.Listeners, any.List(SecurityConfigKeys.Listeners), faults))
        {
            if (result.Exists(listener => listener.Name == name))
                faults.Add($"{SecurityConfigKeys.Listeners} has two listeners named {name}");
            else if (!protocols.TryGetValue(name, out var protocol))
                faults.Add($"{SecurityConfigKeys.ProtocolMap} does not say what protocol listener {name} has");
            else if (AddressOf(host) is not { } address)
                faults.Add($"{SecurityConfigKeys.Listeners}: '{host}' is no IP address of this machine; leave it empty to listen on all");
            else
            {
                var tell = advertised.Find(entry => entry.Name == name);
                result.Add(new ListenerDefinition
                {
                    Name = name,
                    Protocol = protocol,
                    EndPoint = new IPEndPoint(address, port),
                    AdvertisedHost = tell.Name is null ? null : tell.Host,
                    AdvertisedPort = tell.Name is null ? null : tell.Port,
                });
            }
        }

        foreach (var (name, host, port) in advertised)
        {
            if (!result.Exists(listener => listener.Name == name))
                faults.Add($"{SecurityConfigKeys.AdvertisedListeners} names {name}, which is not among the listeners");
            if (host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown || AddressOf(host) is { } address && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) || port == 0)
                faults.Add($"{SecurityConfigKeys.AdvertisedListeners}: nobody can connect to {name}://{host}:{port.ToString(CultureInfo.InvariantCulture)}");
        }

        foreach (var key in settings.Keys.Where(SecurityConfigKeys.IsPrefixed))
        {
            if (!SecurityConfigKeys.TrySplit(key, out var listener, out _, out var plain))
                faults.Add($"Unknown configuration key {key}");
            else if (!result.Exists(entry => entry.Name.Equals(listener, StringComparison.OrdinalIgnoreCase)))
                faults.Add($"{key} is about listener '{listener}', which is not among the listeners");
            else if (Metadata.BrokerConfigKeys.All[plain].Fault(settings[key]) is { } fault)
                faults.Add($"{key}: {fault}");
        }

        return result;
    }

    private static List<(string Name, string Host, int Port)> ParseAll(string key, string[] entries, List<string> faults)
    {
        var result = new List<(string, string, int)>();
        foreach (var entry in entries)
        {
            var scheme = entry.IndexOf("://", StringComparison.Ordinal);
            var colon = entry.LastIndexOf(':');
            if (scheme > 0
                && colon >= scheme + 3
                && int.TryParse(entry.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                && port <= IPEndPoint.MaxPort)
            {
                result.Add((entry[..scheme].ToUpperInvariant(), entry[(scheme + 3)..colon].TrimStart('[').TrimEnd(']'), port));
            }
            else
            {
                faults.Add($"{key}: '{entry}' is not NAME://host:port");
            }
        }

        return result;
    }

    private static Dictionary<string, SecurityProtocol> ParseMap(string[] entries, List<string> faults)
    {
        // Kafka's own protocol names stand for themselves, also in a map that gives only other names.
        var map = new Dictionary<string, SecurityProtocol>(SecurityProtocols.ByName, StringComparer.OrdinalIgnoreCase);
        foreach (var entry in entries)
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && SecurityProtocols.ByName.TryGetValue(entry[(colon + 1)..], out var protocol))
                map[entry[..colon]] = protocol;
            else
                faults.Add($"{SecurityConfigKeys.ProtocolMap}: '{entry}' is not NAME:PROTOCOL with one of {string.Join(", ", SecurityProtocols.ByName.Keys)}");
        }

        return map;
    }

    private static IPAddress? AddressOf(string host) => host switch
    {
        "" => IPAddress.Any,
        "localhost" => IPAddress.Loopback,
        _ => IPAddress.TryParse(host, out var address) ? address : null,
    };
}
