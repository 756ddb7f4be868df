using Broker.Lite;
using Streams.Core;

namespace Streams.Embedded;

/// <summary>
/// A Broker.Lite inside this process as the cluster an application runs on: no sockets, no serialised requests, no other program.
/// </summary>
/// <remarks>
/// The broker starts with the first use and stops with <see cref="DisposeAsync"/>; applications that share the cluster are closed before. With a
/// listener (<see cref="StartAsync"/> and a port in the options) other processes reach the same topics with any Kafka client. Thread-safe.
/// </remarks>
public sealed class EmbeddedCluster : ICluster
{
    private readonly Lazy<BrokerServer> _broker;
    private readonly bool _ownsBroker;
    private readonly TimeProvider _time;

    private EmbeddedCluster(Func<BrokerServer> start, string description, bool ownsBroker, TimeProvider time)
    {
        _broker = new Lazy<BrokerServer>(start);
        _ownsBroker = ownsBroker;
        _time = time;
        Description = description;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <summary>The broker; started by the first look.</summary>
    public BrokerServer Broker => _broker.Value;

    /// <summary>A broker that keeps its data in a folder, which is made when missing. One process at a time uses it.</summary>
    public static EmbeddedCluster At(string dataDirectory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(dataDirectory);
        return With(new BrokerOptions { DataDirectory = dataDirectory });
    }

    /// <summary>A broker that keeps everything in memory, for tests and trials: all is gone at the end.</summary>
    public static EmbeddedCluster InMemory(TimeProvider? timeProvider = null) => With(new BrokerOptions { TimeProvider = timeProvider ?? TimeProvider.System });

    /// <summary>A broker with options of its own; a port lets other processes in.</summary>
    public static EmbeddedCluster With(BrokerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();

        // Starting is work for the disk, not a wait for anybody else, so the first caller may block for it.
        return new EmbeddedCluster(
            () => Task.Run(() => BrokerServer.StartAsync(options, CancellationToken.None)).GetAwaiter().GetResult(),
            options.DataDirectory is { } folder ? $"an embedded broker at '{Path.GetFullPath(folder)}'" : "an embedded broker in memory",
            ownsBroker: true,
            options.TimeProvider);
    }

    /// <summary>A broker that somebody else started and will stop.</summary>
    public static EmbeddedCluster Over(BrokerServer broker)
    {
        ArgumentNullException.ThrowIfNull(broker);
        return new EmbeddedCluster(() => broker, "a broker in this process", ownsBroker: false, TimeProvider.System);
    }

    /// <summary>Starts the broker now instead of with the first use.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default) => Task.Run(() => _ = _broker.Value, cancellationToken);

    /// <inheritdoc/>
    public IRecordConsumer CreateConsumer(ConsumerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        RefuseProperties(options.Properties, "consumer");
        return new EmbeddedConsumer(Connect(options.ClientId), options);
    }

    /// <inheritdoc/>
    public IRecordProducer CreateProducer(ProducerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        RefuseProperties(options.Properties, "producer");
        return new EmbeddedProducer(Connect(options.ClientId), options, _time);
    }

    /// <inheritdoc/>
    public IClusterAdmin CreateAdmin(string clientId) => new EmbeddedAdmin(Connect(clientId));

    /// <inheritdoc/>
    public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => new EmbeddedGroupCoordinator(Connect(clientId), groupId);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_ownsBroker && _broker.IsValueCreated) await _broker.Value.DisposeAsync().ConfigureAwait(false);
    }

    private BrokerConnection Connect(string clientId) => new(Broker.Connect(clientId));

    private static void RefuseProperties(IReadOnlyDictionary<string, string> properties, string prefix)
    {
        // Where this client is may be known all the same, for standbys to be kept apart by: there is one broker, and it is near.
        var refused = properties.Keys.Where(key => key != "client.rack").ToList();
        if (refused.Count > 0)
            throw new ConfigException($"{string.Join(", ", refused.Select(key => $"{prefix}.{key}"))}: there is no Kafka client between the application and its embedded broker, so client settings have nothing to act on; remove them.");
    }
}
