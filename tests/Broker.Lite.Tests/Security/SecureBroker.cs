using System.Globalization;
using Broker.Lite.Host.Client;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Tests.Security;

/// <summary>A broker with one listener, and clients of it over sockets.</summary>
internal sealed class SecureBroker : IAsyncDisposable
{
    private readonly List<WireConnection> _connections = [];

    private SecureBroker(BrokerServer server, ManualClock clock, LogLines log)
    {
        Server = server;
        Clock = clock;
        Log = log;
    }

    public BrokerServer Server { get; }

    public ManualClock Clock { get; }

    public LogLines Log { get; }

    public int Port => Server.EndPoint!.Port;

    public static async Task<SecureBroker> StartAsync(string protocol, params (string Key, string Value)[] settings) => await StartAsync(null, protocol, settings);

    public static async Task<SecureBroker> StartAsync(string? folder, string protocol, params (string Key, string Value)[] settings)
    {
        var all = settings.ToDictionary(setting => setting.Key, setting => setting.Value);
        all.TryAdd("listeners", $"{protocol}://127.0.0.1:0");
        all.TryAdd("connection.failed.authentication.delay.ms", "0");
        var log = new LogLines();
        var clock = new ManualClock();
        return new SecureBroker(await BrokerServer.StartAsync(new BrokerOptions { DataDirectory = folder, Settings = all, TimeProvider = clock, LoggerFactory = log }), clock, log);
    }

    public async Task<WireConnection> ConnectAsync(params (string Key, string Value)[] settings)
    {
        var all = settings.ToDictionary(setting => setting.Key, setting => setting.Value);
        all.TryAdd("bootstrap.servers", "127.0.0.1:" + Port.ToString(CultureInfo.InvariantCulture));
        all.TryAdd("request.timeout.ms", "20000");
        var client = new ClientSettings(all);
        var connection = await WireConnection.OpenAsync(client.Bootstrap[0], client, TestContext.Current.CancellationToken);
        _connections.Add(connection);
        return connection;
    }

    public static Task<TResponse> CallAsync<TResponse>(WireConnection connection, IRequest<TResponse> request)
        where TResponse : IApiMessage, IApiSchema, new() => connection.SendAsync(_ => request, TestContext.Current.CancellationToken);

    /// <summary>The request with the ids of its topics, which late versions ask by.</summary>
    public FetchRequest WithIds(FetchRequest request)
    {
        foreach (var topic in request.Topics)
            topic.TopicId = Server.State.View.Find(topic.Topic)!.Id;
        return request;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
            await connection.DisposeAsync();
        await Server.DisposeAsync();
    }

    /// <summary>Keeps every log entry, at every level, as text.</summary>
    internal sealed class LogLines : ILoggerFactory, ILogger
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
                _lines.Add(formatter(state, exception) + exception);
        }

        public void Dispose()
        {
        }
    }
}
