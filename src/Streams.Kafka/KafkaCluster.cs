using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core;
using Streams.Kafka.Administration;
using Streams.Kafka.Consuming;
using Streams.Kafka.Groups;
using Streams.Kafka.OAuth;
using Streams.Kafka.Producing;
using Streams.Kafka.Librdkafka;
using Streams.Kafka.Wire;

namespace Streams.Kafka;

/// <summary>
/// An Apache Kafka cluster, or any broker that speaks its protocol, over TCP or TLS: records go through Confluent.Kafka or through connections of this library's own, as do groups
/// and administration always.
/// </summary>
/// <remarks>
/// <para>Nothing is connected before it is needed. Disposing closes the administrators' connections; consumers, producers and coordinators are disposed by whoever made them.</para>
/// <para>Client settings are librdkafka's (<c>socket.keepalive.enable</c>, <c>security.protocol</c>, <c>sasl.username</c> …) and go to all clients; security settings apply to this library's own
/// connections too, as do <c>request.timeout.ms</c>, <c>default.api.timeout.ms</c> and <c>socket.connection.setup.timeout.ms</c> (milliseconds; defaults 30 s, 60 s, 10 s), which the others ignore.</para>
/// <para><c>client.library</c> chooses who carries records: <c>confluent</c> (default), Confluent.Kafka on librdkafka, with all of its settings; or <c>managed</c>, this library's own consumer and
/// producer, which need no native library, take Kafka's common settings and refuse others, and use a fraction of the processor's time (docs/adr/0062-managed-clients.md).</para>
/// </remarks>
public sealed class KafkaCluster : ICluster
{
    private const string ClientLibrary = "client.library";

    private readonly string _bootstrapServers;
    private readonly Dictionary<string, string> _clientConfig;
    private readonly bool _isManaged;
    private readonly WireSettings _settings;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly BrokerPool _adminBrokers;

    /// <summary>Names a cluster.</summary>
    /// <param name="bootstrapServers"><c>host:port</c>, one or more, comma-separated. Kafka: <c>bootstrap.servers</c>.</param>
    /// <param name="clientConfig">Further settings for all clients by librdkafka's names; none by default.</param>
    /// <param name="logger">Where clients' problems are told; nowhere by default.</param>
    /// <param name="timeProvider">Clock of time limits and pauses; the system's by default.</param>
    /// <exception cref="ConfigException">An address, a time or a security setting is wrong.</exception>
    public KafkaCluster(
        string bootstrapServers, IReadOnlyDictionary<string, string>? clientConfig = null, ILogger? logger = null, TimeProvider? timeProvider = null)
        : this(null, bootstrapServers, clientConfig, logger ?? NullLogger.Instance, timeProvider ?? TimeProvider.System)
    {
    }

    /// <summary>Names a cluster whose brokers are shown tokens: <c>sasl.mechanism</c> OAUTHBEARER.</summary>
    /// <param name="bootstrapServers"><c>host:port</c>, one or more, comma-separated. Kafka: <c>bootstrap.servers</c>.</param>
    /// <param name="clientConfig">Settings for all clients by librdkafka's names, <c>security.protocol</c> and <c>sasl.mechanism</c> among them.</param>
    /// <param name="tokenProvider">
    /// Gives tokens to all clients, one call at a time and from any thread; asked again when four fifths of a token's time are over, and after a while when it throws. Tokens of an OpenID Connect
    /// endpoint need none: <c>sasl.oauthbearer.method</c> = oidc.
    /// </param>
    /// <param name="logger">Where clients' problems are told; nowhere by default.</param>
    /// <param name="timeProvider">Clock of time limits, pauses and the tokens' ends; the system's by default.</param>
    /// <exception cref="ConfigException">An address, a time or a security setting is wrong, or the settings would not ask for tokens.</exception>
    public KafkaCluster(
        string bootstrapServers,
        IReadOnlyDictionary<string, string> clientConfig,
        Func<CancellationToken, Task<OAuthBearerToken>> tokenProvider,
        ILogger? logger = null,
        TimeProvider? timeProvider = null)
        : this(tokenProvider ?? throw new ArgumentNullException(nameof(tokenProvider)), bootstrapServers, clientConfig, logger ?? NullLogger.Instance, timeProvider ?? TimeProvider.System)
    {
    }

    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "Confluent.Kafka.Impl.NativeMethods.NativeMethods", "Confluent.Kafka")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "Confluent.Kafka.Impl.NativeMethods.NativeMethods_Alpine", "Confluent.Kafka")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "Confluent.Kafka.Impl.NativeMethods.NativeMethods_Centos6", "Confluent.Kafka")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "Confluent.Kafka.Impl.NativeMethods.NativeMethods_Centos7", "Confluent.Kafka")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "Confluent.Kafka.Impl.NativeMethods.NativeMethods_Centos8", "Confluent.Kafka")]
    [UnconditionalSuppressMessage("Trimming", "IL2036", Justification = "Confluent.Kafka looks for its native functions by reflection, in one class per build of librdkafka; which classes there are differs between the versions that are supported.")]
    private KafkaCluster(
        Func<CancellationToken, Task<OAuthBearerToken>>? tokenProvider, string bootstrapServers, IReadOnlyDictionary<string, string>? clientConfig, ILogger logger, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(bootstrapServers);
        _bootstrapServers = bootstrapServers;
        _clientConfig = new Dictionary<string, string>(clientConfig ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        _logger = logger;
        _time = timeProvider;
        var defaults = new WireSettings { Bootstrap = BrokerAddress.ParseList(bootstrapServers), ClientId = "" };
        _settings = defaults with
        {
            Security = SecuritySettings.From(_clientConfig, tokenProvider, _time),
            RequestTimeout = TakeMilliseconds("request.timeout.ms", defaults.RequestTimeout),
            ApiTimeout = TakeMilliseconds("default.api.timeout.ms", defaults.ApiTimeout),
            ConnectTimeout = TakeMilliseconds("socket.connection.setup.timeout.ms", defaults.ConnectTimeout),
        };
        _isManaged = TakeIsManaged();
        if (_isManaged) SecuritySettings.RemoveFrom(_clientConfig);
        if (_isManaged || _settings.Security.Tokens is not null) BearerSettings.RemoveFrom(_clientConfig);
        _adminBrokers = new BrokerPool(_settings with { ClientId = "admin" }, _time);
    }

    /// <inheritdoc/>
    public string Description => $"Kafka at {_bootstrapServers} ({_settings.Security})";

    /// <inheritdoc/>
    public IRecordConsumer CreateConsumer(ConsumerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (_isManaged) return new ManagedConsumer(options, new ClientSettings($"Consumer {options.ClientId}", _clientConfig, options.Properties), _settings, _time, NewRandom(), _logger);
        return new KafkaRecordConsumer(options, _clientConfig, _bootstrapServers, _settings.Security.Tokens, _time, _logger);
    }

    /// <inheritdoc/>
    public IRecordProducer CreateProducer(ProducerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (_isManaged) return new ManagedProducer(options, new ClientSettings($"Producer {options.ClientId}", _clientConfig, options.Properties), _settings, _time, NewRandom(), _logger);
        return new KafkaRecordProducer(options, _clientConfig, _bootstrapServers, _settings.Security.Tokens, CreateAdmin(options.ClientId), _settings.ApiTimeout, _time, _logger);
    }

    /// <inheritdoc/>
    public IClusterAdmin CreateAdmin(string clientId)
    {
        ArgumentNullException.ThrowIfNull(clientId);
        return new KafkaAdmin(_adminBrokers, new Retry(_settings, _time, NewRandom(), _logger));
    }

    /// <inheritdoc/>
    public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId)
    {
        ArgumentNullException.ThrowIfNull(clientId);
        ArgumentException.ThrowIfNullOrEmpty(groupId);
        return new GroupCoordinatorClient(_settings with { ClientId = clientId }, groupId, _time, NewRandom(), _logger);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _adminBrokers.DisposeAsync().ConfigureAwait(false);
        _settings.Security.Tokens?.Dispose();
    }

    // Jitter only has to differ between instances that lost the same broker at the same moment.
    private static Random NewRandom() => new(RandomNumberGenerator.GetInt32(int.MaxValue));

    private bool TakeIsManaged()
    {
        if (!_clientConfig.Remove(ClientLibrary, out var library)) return false;
        return library.ToUpperInvariant() switch
        {
            "CONFLUENT" => false,
            "MANAGED" => true,
            _ => throw new ConfigException($"{ClientLibrary} is '{library}': confluent and managed are allowed."),
        };
    }

    // Taken out: librdkafka has these names only in part, and with other defaults.
    private TimeSpan TakeMilliseconds(string key, TimeSpan fallback)
    {
        if (!_clientConfig.Remove(key, out var text)) return fallback;
        if (!int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var milliseconds) || milliseconds == 0)
            throw new ConfigException($"{key} is '{text}', not a number of milliseconds above 0.");
        return TimeSpan.FromMilliseconds(milliseconds);
    }
}
