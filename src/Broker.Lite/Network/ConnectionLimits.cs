using System.Globalization;
using System.Net;
using Broker.Lite.Metadata;
using Broker.Lite.Security;

namespace Broker.Lite.Network;

/// <summary>How many connections are open, over all listeners and from each address, and how many may be. Thread-safe.</summary>
internal sealed class ConnectionLimits(int maxTotal, int maxPerAddress, IReadOnlyDictionary<IPAddress, int> overrides)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private int _total;

    /// <summary>The number of open connections.</summary>
    public int Total => Volatile.Read(ref _total);

    /// <summary>Reads the limits; what is wrong with them is added to the faults.</summary>
    public static ConnectionLimits Of(ListenerSettings settings, List<string> faults)
    {
        var overrides = new Dictionary<IPAddress, int>();
        foreach (var entry in settings.List(SecurityConfigKeys.MaxConnectionsPerIpOverrides))
        {
            var colon = entry.LastIndexOf(':');
            if (colon > 0
                && IPAddress.TryParse(entry.AsSpan(0, colon), out var address)
                && int.TryParse(entry.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                overrides[address] = count;
            }
            else
            {
                faults.Add($"{SecurityConfigKeys.MaxConnectionsPerIpOverrides}: '{entry}' is not address:count");
            }
        }

        return new ConnectionLimits((int)settings.Number(BrokerConfigKeys.MaxConnections), (int)settings.Number(SecurityConfigKeys.MaxConnectionsPerIp), overrides);
    }

    /// <summary>Counts a connection if it may be; else says why not.</summary>
    public string? TryEnter(IPAddress address)
    {
        lock (_gate)
        {
            if (_total >= maxTotal)
                return $"{maxTotal} connections are open";
            var open = _byAddress.GetValueOrDefault(address);
            var allowed = overrides.TryGetValue(address, out var own) ? own : maxPerAddress;
            if (open >= allowed)
                return $"{open} connections from this address are open";
            _byAddress[address] = open + 1;
            _total++;
            return null;
        }
    }

    public void Leave(IPAddress address)
    {
        lock (_gate)
        {
            _total--;
            if (--_byAddress[address] == 0)
                _byAddress.Remove(address);
        }
    }
}
