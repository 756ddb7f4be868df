using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Dsl;
using Streams.Kafka;

namespace Chaos;

/// <summary>The application under test: a count, a windowed join, and a count behind a repartition topic. Runs until it is told to end, by SIGTERM or the end of its input.</summary>
internal static class CountingApplication
{
    public const string ApplicationId = "chaos";

    /// <summary>Exit code of an application that ended with an error, which nothing that happens here may cause.</summary>
    public const int Failed = 3;

    public static Topology Build()
    {
        var builder = new StreamsBuilder();
        var clicks = builder.Stream<string, string>(Workload.Clicks);
        var views = builder.Stream<string, string>(Workload.Views);
        clicks.GroupByKey().Count(Materialized.As("click-counts")).ToStream().MapValues(count => count.ToString(CultureInfo.InvariantCulture)).To(Workload.Counts);

        // Nothing is ever late: whether a pair is found must not depend on who comes first after a restart.
        clicks.Join(
            views,
            (click, view) => click + ":" + view,
            JoinWindows.OfTimeDifferenceAndGrace(Workload.Window, TimeSpan.FromHours(12)),
            StreamJoined.As("pairs")).To(Workload.Pairs);
        views.GroupBy((_, value) => Workload.Group(value), Grouped.As("group")).Count(Materialized.As("group-counts")).ToStream()
            .MapValues(count => count.ToString(CultureInfo.InvariantCulture)).To(Workload.Groups);
        return builder.Build();
    }

    public static async Task<int> RunAsync(string[] args)
    {
        var (bootstrap, stateDirectory, guarantee, sessionMs, standbys) = (args[0], args[1], args[2], int.Parse(args[3], CultureInfo.InvariantCulture), int.Parse(args[4], CultureInfo.InvariantCulture));
        using var loggers = new LineLoggerFactory(Console.Error);
        var config = new StreamsConfig
        {
            ApplicationId = ApplicationId,
            BootstrapServers = bootstrap,
            ClientProperties = ClientLibrary.OfThisProcess,
            StateDirectory = stateDirectory,
            ProcessingGuarantee = guarantee == "exactly-once" ? ProcessingGuarantee.ExactlyOnce : ProcessingGuarantee.AtLeastOnce,
            CommitInterval = TimeSpan.FromMilliseconds(200),
            TransactionTimeout = TimeSpan.FromMilliseconds(sessionMs),
            SessionTimeout = TimeSpan.FromMilliseconds(sessionMs),
            HeartbeatInterval = TimeSpan.FromMilliseconds(sessionMs / 10),
            RebalanceTimeout = TimeSpan.FromSeconds(10),
            NumStreamThreads = 2,
            NumStandbyReplicas = standbys,
            ProbingRebalanceInterval = TimeSpan.FromSeconds(5),

            // Every update is forwarded, so that the judge sees each one.
            StateStoreCacheMaxBytes = 0,
            LoggerFactory = loggers,
        };
        if (args is [_, _, _, _, _, var step, var call])
        {
            // It is to die at a step of a commit, so it commits often.
            var killing = new KillingCluster(new KafkaCluster(bootstrap, ClientLibrary.OfThisProcess), Enum.Parse<CommitStep>(step), int.Parse(call, CultureInfo.InvariantCulture), Console.Error);
            config = config with { BootstrapServers = null, Cluster = killing, CommitInterval = TimeSpan.FromMilliseconds(20) };
        }

        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        _ = Task.Run(() =>
        {
            // The parent holds the other end: when it is gone, so is the reason to run.
            while (Console.In.Read() >= 0)
            {
            }

            Environment.Exit(1);
        });
        try
        {
            await using var app = new KafkaStreams(args[^1] switch { "async" => AsyncApplication.Build(), "global" => GlobalApplication.Build(), _ => Build() }, config);
            await app.RunAsync(stop.Token).ConfigureAwait(false);
            return 0;
        }
        catch (StreamsException failure)
        {
            await Console.Error.WriteLineAsync("FAILED: " + failure).ConfigureAwait(false);
            return Failed;
        }
    }

    private sealed class LineLoggerFactory(TextWriter output) : ILoggerFactory
    {
        private readonly Lock _gate = new();

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => new LineLogger(this);

        public void Dispose()
        {
        }

        private void Write(LogLevel level, string text, Exception? failure)
        {
            var line = $"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {level} {text}{(failure is null ? "" : " | " + failure.GetType().Name + ": " + failure.Message)}";
            lock (_gate) output.WriteLine(line);
        }

        private sealed class LineLogger(LineLoggerFactory factory) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (IsEnabled(logLevel)) factory.Write(logLevel, formatter(state, exception), exception);
            }
        }
    }
}
