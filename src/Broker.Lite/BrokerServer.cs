using System.Net;
using Broker.Lite.Coordination;
using Broker.Lite.Diagnostics;
using Broker.Lite.Metadata;
using Broker.Lite.Network;
using Broker.Lite.Requests;
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
    private Listener? _listener;
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

            var groupOptions = GroupOptionsOf(config);
            var coordinator = new GroupCoordinator(groups, groupOptions, _timers, options.TimeProvider, journal, options.NewId, _logger);
            var offsets = new GroupOffsets(groups, coordinator, groupOptions, options.TimeProvider, journal, _logger);
            _state = new BrokerState
            {
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
            _dispatcher = new RequestDispatcher(HandlersFor(_state, config.Int(BrokerConfigKeys.FetchMaxBytes)), options.Interceptor);
            _store.StartMaintenance(() => catalog.View.Config);
            ScheduleOffsetExpiry(groupOptions.OffsetRetentionCheckIntervalMs);
        }
        catch
        {
            _timers?.Dispose();
            _store.Dispose();
            throw;
        }
    }

    /// <summary>The address the broker listens on, with the port that was picked; null without listener.</summary>
    public IPEndPoint? EndPoint => _listener?.EndPoint;

    /// <summary>The cluster's id: made when the data folder was first used, kept with it.</summary>
    public string ClusterId => _state.View.ClusterId;

    /// <summary>Completes when the broker has stopped; faulted if its listener failed for good.</summary>
    public Task Completion => _listener is null ? _stopped.Task : WatchAsync(_listener);

    /// <summary>For tests: what the handlers work on.</summary>
    internal BrokerState State => _state;

    /// <summary>Starts a broker: recovers its data and, if it has a port, listens. When this completes it serves.</summary>
    /// <param name="options">What to start with.</param>
    /// <param name="cancellationToken">Gives up before the start has begun; a recovery is not interrupted.</param>
    /// <exception cref="ArgumentException">The options are wrong; the message lists all faults.</exception>
    /// <exception cref="IOException">The data folder cannot be used, or is in use by another broker.</exception>
    /// <exception cref="InvalidDataException">The metadata in the data folder is damaged.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be listened on.</exception>
    public static async Task<BrokerServer> StartAsync(BrokerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        var broker = new BrokerServer(options);
        try
        {
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
        if (_listener is not null)
            await _listener.DisposeAsync().ConfigureAwait(false);
        await _state.Loop.InvokeAsync(() =>
        {
            _timers.Dispose();
            _store.Dispose();
        }).ConfigureAwait(false);
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
        SessionTimeoutMs = config.Int(BrokerConfigKeys.ConsumerGroupSessionTimeoutMs),
        HeartbeatIntervalMs = config.Int(BrokerConfigKeys.ConsumerGroupHeartbeatIntervalMs),
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

    private async Task WatchAsync(Listener listener)
    {
        await listener.Completion.ConfigureAwait(false); // throws if accepting failed
        await _stopped.Task.ConfigureAwait(false);
    }

    private void Listen()
    {
        if (_options.Port is not { } port)
            return;
        var config = _state.View.Config;
        _listener = new Listener(
            new ListenerOptions
            {
                EndPoint = new IPEndPoint(_options.Address, port),
                AdvertisedHost = _options.AdvertisedHost,
                AdvertisedPort = _options.AdvertisedPort,
                MaxConnections = config.Int(BrokerConfigKeys.MaxConnections),
                MaxRequestBytes = config.Int(BrokerConfigKeys.SocketRequestMaxBytes),
                MaxQueuedRequestBytes = config.Long(BrokerConfigKeys.QueuedMaxRequestBytes),
                MaxIdle = TimeSpan.FromMilliseconds(Math.Min(config.Long(BrokerConfigKeys.ConnectionsMaxIdleMs), int.MaxValue)),
            },
            _dispatcher,
            _options.TimeProvider,
            _logger);
    }

    private void ScheduleOffsetExpiry(long intervalMs) => _state.Loop.Post(() => _timers.Schedule(intervalMs, () =>
    {
        _state.Offsets.Expire();
        ScheduleOffsetExpiry(intervalMs);
    }));
}
