using System.Net;
using Broker.Lite.Coordination;
using Broker.Lite.Diagnostics;
using Broker.Lite.Metadata;
using Broker.Lite.Monitoring;
using Broker.Lite.Network;
using Broker.Lite.Requests;
using Broker.Lite.Security;
using Broker.Lite.Security.Acls;
using Broker.Lite.Security.Quotas;
using Broker.Lite.Security.Sasl;
using Broker.Lite.Security.Tls;
using Microsoft.Extensions.Logging;

namespace Broker.Lite;

/// <summary>
/// A whole broker: topics, logs, consumer groups, and a listener if it has a port. The same object is the process and the library.
/// </summary>
/// <remarks>Thread-safe. It ends with <see cref="DisposeAsync"/>, which leaves the data folder as after a clean shutdown.</remarks>
public sealed class BrokerServer : IAsyncDisposable
{
    private readonly BrokerState _state;
    private readonly RequestDispatcher _dispatcher;
    private readonly LoopTimers _timers;
    private readonly PartitionStore _store;
    private readonly BrokerOptions _options;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly BrokerMetrics _metrics = new();
    private readonly Authorizer? _authorizer;
    private readonly LagMonitor _lag;
    private readonly List<Listener> _listeners = [];
    private readonly List<IDisposable> _listenerSecurity = [];
    private int _disposed;

    private BrokerServer(BrokerOptions options)
    {
        _options = options;
        _logger = options.LoggerFactory.CreateLogger("Broker.Lite");
        var file = new MetadataFile(options.DataDirectory);
        _store = PartitionStore.Open(options.DataDirectory, TopicCatalog.StoredValues(file, options.Settings), options.TimeProvider, _logger);
        try
        {
            var catalog = TopicCatalog.Open(file, _store, options.Settings, options.NewId, _logger);
            var config = catalog.View.Config;
            var loop = new BrokerLoop(_logger);
            _timers = new LoopTimers(loop, options.TimeProvider);
            var groups = new GroupDirectory();
            var journal = new OffsetsTopic(catalog, options.TimeProvider, _logger);
            journal.Replay(groups);
            var transactionJournal = new TransactionTopic(catalog, options.TimeProvider, _logger);
            var transactions = transactionJournal.Replay();

            var groupOptions = GroupOptionsOf(config) with { AnswersInside = options.AnswersInside };
            var coordinator = new GroupCoordinator(groups, groupOptions, _timers, options.TimeProvider, journal, options.NewId, _logger);
            var offsets = new GroupOffsets(groups, coordinator, groupOptions, options.TimeProvider, journal, _logger);
            var security = SecurityStore.Open(options.DataDirectory);
            _authorizer = Authorizer.Create(config, security);
            _state = new BrokerState
            {
                Security = security,
                BrokerId = config.Int(BrokerConfigKeys.BrokerId),
                Time = options.TimeProvider,
                Loop = loop,
                Catalog = catalog,
                Groups = groups,
                Coordinator = coordinator,
                Consumers = new ConsumerGroupCoordinator(
                    groups, ConsumerGroupOptionsOf(config), catalog, _timers, options.TimeProvider, journal, options.NewId, _logger),
                Offsets = offsets,
                Transactions = new TransactionCoordinator(
                    TransactionOptionsOf(config), catalog, journal, offsets, transactionJournal, transactions, _timers, options.TimeProvider, _logger),
            };
            loop.Post(_state.Transactions.Resume);
            loop.Post(_state.Consumers.Resume);
            _dispatcher = new RequestDispatcher(HandlersFor(_state, config.Int(BrokerConfigKeys.FetchMaxBytes)), options.Interceptor, () => catalog.View);
            _store.StartMaintenance(() => catalog.View.Config);
            _lag = new LagMonitor(_state, _timers, _metrics);
            CreateGauges(catalog);
            ScheduleOffsetExpiry(groupOptions.OffsetRetentionCheckIntervalMs);
        }
        catch
        {
            _timers?.Dispose();
            _store.Dispose();
            throw;
        }
    }

    /// <summary>The address the broker listens on, with the port that was picked: its first listener's; null without any.</summary>
    public IPEndPoint? EndPoint => _listeners.Count == 0 ? null : _listeners[0].EndPoint;

    /// <summary>The addresses of all listeners by name, with the ports that were picked. The plain one of <see cref="BrokerOptions.Port"/> is called PLAINTEXT.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> EndPoints => _listeners.ToDictionary(listener => listener.Name, listener => listener.EndPoint, StringComparer.Ordinal);

    /// <summary>The cluster's id: made when the data folder was first used, kept with it.</summary>
    public string ClusterId => _state.View.ClusterId;

    /// <summary>Completes when the broker has stopped; faulted if its listener failed for good.</summary>
    public Task Completion => _listeners.Count == 0 ? _stopped.Task : WatchAsync();

    /// <summary>For tests: what the handlers work on.</summary>
    internal BrokerState State => _state;

    /// <summary>What the broker counts.</summary>
    internal BrokerMetrics Metrics => _metrics;

    /// <summary>How far behind consumer groups are.</summary>
    internal LagMonitor Lag => _lag;

    /// <summary>Whether it listens on all its addresses and is not stopping.</summary>
    internal bool IsReady => Volatile.Read(ref _disposed) == 0 && _listeners.TrueForAll(listener => !listener.Completion.IsCompleted);

    /// <summary>For tests: the handlers there are.</summary>
    internal RequestDispatcher Dispatcher => _dispatcher;

    /// <summary>Starts a broker: recovers its data and, if it has a port, listens. When this completes it serves.</summary>
    /// <param name="options">What to start with.</param>
    /// <param name="cancellationToken">Gives up before the start has begun; a recovery is not interrupted.</param>
    /// <exception cref="ArgumentException">The options are wrong; the message lists all faults.</exception>
    /// <exception cref="IOException">The data folder cannot be used, or is in use by another broker.</exception>
    /// <exception cref="InvalidDataException">
    /// The metadata in the data folder is damaged, or a certificate, key or user file of a listener is not what it should be.
    /// </exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be listened on.</exception>
    public static Task<BrokerServer> StartAsync(BrokerOptions options, CancellationToken cancellationToken = default) =>
        StartAsync(options, prepare: null, cancellationToken);

    /// <summary>The same, with something to do before anybody can connect.</summary>
    internal static async Task<BrokerServer> StartAsync(BrokerOptions options, Func<BrokerServer, Task>? prepare, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        var broker = new BrokerServer(options);
        try
        {
            if (prepare is not null)
                await prepare(broker).ConfigureAwait(false);
            broker.Listen();
        }
        catch
        {
            await broker.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        Log.BrokerStarted(
            broker._logger, broker._state.BrokerId, broker.ClusterId, broker._state.View.Topics.Count, options.DataDirectory ?? "memory");
        return broker;
    }

    /// <summary>Connects from inside the process. Any number of connections may be made; they need no closing.</summary>
    /// <param name="clientId">The client's name for itself, which member ids begin with.</param>
    public LocalConnection Connect(string clientId = "local")
    {
        ArgumentNullException.ThrowIfNull(clientId);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        var host = _options.AdvertisedHost ?? (EndPoint?.Address ?? IPAddress.Loopback).ToString();
        return new LocalConnection(_dispatcher, clientId, (host, _options.AdvertisedPort ?? EndPoint?.Port ?? 0), _stopping.Token);
    }

    /// <summary>
    /// Stops: no new connections, parked requests are given up, requests in progress finish, logs are flushed and marked as cleanly
    /// closed. Again: nothing.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            await _stopped.Task.ConfigureAwait(false);
            return;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_listeners.Select(listener => listener.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _state.Loop.InvokeAsync(() =>
        {
            _timers.Dispose();
            _store.Dispose();
        }).ConfigureAwait(false);
        foreach (var security in _listenerSecurity)
            security.Dispose();
        _metrics.Dispose();
        Log.BrokerStopped(_logger);
        _stopped.TrySetResult();
    }

    private static GroupOptions GroupOptionsOf(BrokerConfig config) => new()
    {
        MinSessionTimeoutMs = config.Int(BrokerConfigKeys.GroupMinSessionTimeoutMs),
        MaxSessionTimeoutMs = config.Int(BrokerConfigKeys.GroupMaxSessionTimeoutMs),
        InitialRebalanceDelayMs = config.Int(BrokerConfigKeys.GroupInitialRebalanceDelayMs),
        MaxSize = config.Int(BrokerConfigKeys.GroupMaxSize),
        OffsetMetadataMaxBytes = config.Int(BrokerConfigKeys.OffsetMetadataMaxBytes),
        OffsetRetentionMs = config.Int(BrokerConfigKeys.OffsetsRetentionMinutes) * 60_000L,
        OffsetRetentionCheckIntervalMs = config.Long(BrokerConfigKeys.OffsetsRetentionCheckIntervalMs),
    };

    private static ConsumerGroupOptions ConsumerGroupOptionsOf(BrokerConfig config) => new()
    {
        MaxSize = config.Int(BrokerConfigKeys.ConsumerGroupMaxSize),
    };

    private static TransactionOptions TransactionOptionsOf(BrokerConfig config) => new()
    {
        MaxTimeoutMs = config.Int(BrokerConfigKeys.TransactionMaxTimeoutMs),
        IdExpirationMs = config.Int(BrokerConfigKeys.TransactionIdExpirationMs),
        IdExpirationCheckIntervalMs = config.Int(BrokerConfigKeys.TransactionIdExpirationCheckIntervalMs),
    };

    private RequestHandler[] HandlersFor(BrokerState state, int fetchMaxBytes) =>
    [
        new ApiVersionsHandler(() => _dispatcher),
        new MetadataHandler(state),
        new ProduceHandler(state),
        new FetchHandler(
            state,
            fetchMaxBytes,
            new FetchSessions(state.View.Config.Int(BrokerConfigKeys.MaxFetchSessions), _options.TimeProvider, _options.NewId)),
        new ListOffsetsHandler(state),
        new CreateTopicsHandler(state),
        new DeleteTopicsHandler(state),
        new CreatePartitionsHandler(state),
        new DeleteRecordsHandler(state),
        new DescribeConfigsHandler(state),
        new AlterConfigsHandler(state),
        new IncrementalAlterConfigsHandler(state),
        new DescribeClusterHandler(state),
        new SaslHandshakeHandler(),
        new SaslAuthenticateHandler(state, _logger),
        new DescribeUserScramCredentialsHandler(state),
        new AlterUserScramCredentialsHandler(state, _logger),
        new DescribeAclsHandler(state),
        new CreateAclsHandler(state, _logger),
        new DeleteAclsHandler(state, _logger),
        new DescribeClientQuotasHandler(state),
        new AlterClientQuotasHandler(state, _logger),
        new FindCoordinatorHandler(state),
        new JoinGroupHandler(state),
        new SyncGroupHandler(state),
        new HeartbeatHandler(state),
        new LeaveGroupHandler(state),
        new OffsetCommitHandler(state),
        new OffsetFetchHandler(state),
        new OffsetDeleteHandler(state),
        new ListGroupsHandler(state),
        new DescribeGroupsHandler(state),
        new DeleteGroupsHandler(state),
        new ConsumerGroupHeartbeatHandler(state),
        new ConsumerGroupDescribeHandler(state),
        new InitProducerIdHandler(state),
        new AddPartitionsToTxnHandler(state),
        new AddOffsetsToTxnHandler(state),
        new TxnOffsetCommitHandler(state),
        new EndTxnHandler(state),
        new DescribeTransactionsHandler(state),
        new ListTransactionsHandler(state),
        new DescribeProducersHandler(state),
        new OffsetForLeaderEpochHandler(state),
        new DescribeLogDirsHandler(state, _options.DataDirectory),
        new AlterReplicaLogDirsHandler(state, _options.DataDirectory),
        new DescribeTopicPartitionsHandler(state),
        new ElectLeadersHandler(state),
        new AlterPartitionReassignmentsHandler(state),
        new ListPartitionReassignmentsHandler(),
        new UpdateFeaturesHandler(),
    ];

    private void CreateGauges(TopicCatalog catalog)
    {
        var meter = _metrics.Meter;
        meter.CreateObservableGauge("kafka.broker.topics", () => catalog.View.Topics.Count, "{topic}", "Topics.");
        meter.CreateObservableGauge("kafka.broker.partitions", () => catalog.View.Topics.Values.Sum(topic => topic.Partitions.Length), "{partition}", "Partitions.");
        meter.CreateObservableGauge("kafka.broker.process.memory", () => Environment.WorkingSet, "By", "Memory the process holds.");
    }

    private async Task WatchAsync()
    {
        var ended = await Task.WhenAny(_listeners.Select(listener => listener.Completion)).ConfigureAwait(false);
        await ended.ConfigureAwait(false); // throws if accepting failed
        await _stopped.Task.ConfigureAwait(false);
    }

    private void Listen()
    {
        var faults = new List<string>();
        var definitions = ListenerDefinition.Parse(_options.Settings, faults).ToList();
        var limits = ConnectionLimits.Of(new ListenerSettings("", _options.Settings), faults);
        if (faults.Count > 0)
            throw new ArgumentException("The broker cannot start: " + string.Join("; ", faults));
        if (_options.Port is { } port)
        {
            definitions.Add(new ListenerDefinition
            {
                Name = SecurityProtocol.Plaintext.Name(),
                Protocol = SecurityProtocol.Plaintext,
                EndPoint = new IPEndPoint(_options.Address, port),
                AdvertisedHost = _options.AdvertisedHost,
                AdvertisedPort = _options.AdvertisedPort,
            });
        }

        var config = _state.View.Config;
        var services = new ServerServices
        {
            Dispatcher = _dispatcher,
            Memory = new RequestMemory(config.Long(BrokerConfigKeys.QueuedMaxRequestBytes)),
            Limits = limits,
            Quotas = new QuotaMeters(_state.Security, config, _options.TimeProvider),
            Authorizer = _authorizer,
            Metrics = _metrics,
            Time = _options.TimeProvider,
            Logger = _logger,
        };
        // Every certificate and key is read before the first address is opened: a broker listens on all of them or does not start.
        var listeners = definitions.ConvertAll(definition => OptionsOf(definition, config));
        foreach (var options in listeners)
            _listeners.Add(new Listener(options, services));
        _metrics.Meter.CreateObservableGauge("kafka.broker.connections.open", () => limits.Total, "{connection}", "Open connections.");
    }

    private ListenerOptions OptionsOf(ListenerDefinition definition, BrokerConfig config)
    {
        var settings = new ListenerSettings(definition.Name, _options.Settings);
        TlsServer? tls = null;
        SaslServer? sasl = null;
        if (definition.Protocol.HasTls())
            _listenerSecurity.Add(tls = TlsServer.Load(definition.Name, settings));
        if (definition.Protocol.HasSasl())
            _listenerSecurity.Add(sasl = SaslServer.Load(definition.Name, settings, _state.Security, _options.TimeProvider));
        return new ListenerOptions
        {
            Definition = definition,
            Tls = tls,
            Sasl = sasl,
            MaxConnections = (int)settings.Number(BrokerConfigKeys.MaxConnections),
            MaxRequestBytes = config.Int(BrokerConfigKeys.SocketRequestMaxBytes),
            MaxIdle = TimeSpan.FromMilliseconds(Math.Min(config.Long(BrokerConfigKeys.ConnectionsMaxIdleMs), int.MaxValue)),
            FailedAuthenticationDelay = TimeSpan.FromMilliseconds(config.Int(SecurityConfigKeys.FailedAuthenticationDelayMs)),
        };
    }

    private void ScheduleOffsetExpiry(long intervalMs) => _state.Loop.Post(() => _timers.Schedule(intervalMs, () =>
    {
        _state.Offsets.Expire();
        ScheduleOffsetExpiry(intervalMs);
    }));
}
