using System.Net;
using Broker.Lite.Metadata;
using Broker.Lite.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Lite;

/// <summary>What a <see cref="BrokerServer"/> is started with. Immutable; checked as a whole by <see cref="Validate"/>.</summary>
public sealed record BrokerOptions
{
    /// <summary>
    /// TCP port to listen on, without encryption or authentication; 0 lets the system pick one, null starts no such listener. More
    /// listeners, with TLS and SASL, are described by the setting <c>listeners</c>; without any the broker is used inside a process
    /// through <see cref="BrokerServer.Connect"/>. Default: null.
    /// </summary>
    public int? Port { get; init; }

    /// <summary>Address to listen on. Default: 127.0.0.1, reachable from this machine only.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>
    /// Host name clients are told to connect to (Kafka: <c>advertised.listeners</c>). Default: null, the address each client came in on.
    /// </summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>Port clients are told to connect to. Default: null, the port each client came in on.</summary>
    public int? AdvertisedPort { get; init; }

    /// <summary>
    /// Folder for logs and metadata (Kafka: <c>log.dirs</c>), created if missing and used by one broker at a time. Default: null,
    /// everything is kept in memory and gone at the end.
    /// </summary>
    public string? DataDirectory { get; init; }

    /// <summary>
    /// Broker settings under Kafka's own names, such as <c>auto.create.topics.enable</c>; unknown names and values out of range are
    /// refused by
    /// <see cref="Validate"/>. Default: none.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The clock, for time-outs as well as for timestamps. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where new topic, member and cluster ids come from. Default: random ones.</summary>
    public Func<Guid> NewId { get; init; } = Guid.NewGuid;

    /// <summary>Sees every request before its handler; for tests. Default: null.</summary>
    public RequestInterceptor? Interceptor { get; init; }

    /// <summary>
    /// Whether group members that wait are answered inside the call, or the clock's tick, that ends their wait, instead of on the thread pool: for a simulation, which
    /// decides itself what comes next. Whoever is answered there must not call the broker.
    /// </summary>
    internal bool AnswersInside { get; init; }

    /// <summary>Where logs go. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Checks everything and reports all faults together.</summary>
    /// <exception cref="ArgumentException">At least one value is wrong; the message lists all that are.</exception>
    public void Validate()
    {
        var plain = Settings.Where(setting => !SecurityConfigKeys.IsPrefixed(setting.Key));
        var faults = ConfigRules.Faults(BrokerConfigKeys.All, plain.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).ToList();
        var listeners = ListenerDefinition.Parse(Settings, faults);
        if (listeners.Count > 0 && Port is not null)
            faults.Add($"{nameof(Port)} and {SecurityConfigKeys.Listeners} cannot both be given");
        if (Port is < 0 or > IPEndPoint.MaxPort)
            faults.Add($"{nameof(Port)} must be from 0 to {IPEndPoint.MaxPort}, not {Port}");
        if (AdvertisedPort is < 1 or > IPEndPoint.MaxPort)
            faults.Add($"{nameof(AdvertisedPort)} must be from 1 to {IPEndPoint.MaxPort}, not {AdvertisedPort}");
        if (AdvertisedHost is not null && Uri.CheckHostName(AdvertisedHost) == UriHostNameType.Unknown)
            faults.Add($"{nameof(AdvertisedHost)} is no host name: '{AdvertisedHost}'");
        if (DataDirectory is not null && string.IsNullOrWhiteSpace(DataDirectory))
            faults.Add($"{nameof(DataDirectory)} is empty");
        if (Settings.ContainsKey(BrokerConfigKeys.LogDirs))
            faults.Add($"{BrokerConfigKeys.LogDirs} is set through {nameof(DataDirectory)}");
        if (faults.Count > 0)
            throw new ArgumentException("The broker cannot start: " + string.Join("; ", faults));
    }
}
