using System.Net.Sockets;
using System.Runtime.InteropServices;
using Broker.Lite.Diagnostics;
using Broker.Lite.Host.Commands;
using Broker.Lite.Security.Sasl;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Host;

/// <summary>
/// The program: <c>run</c>, or nothing, is the broker, which stops on SIGTERM or SIGINT; other commands are a client of any Kafka broker.
/// </summary>
internal static class Program
{
    private const int Ok = 0;
    private const int Failed = 1;
    private const int WrongUsage = 2;

#pragma warning disable RS0030 // The one place that may touch the console: everything below gets a TextWriter.
    public static Task<int> Main(string[] args) => RunAsync(args, Console.Out, Console.Error);
#pragma warning restore RS0030

    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        if (args.Length > 0 && ToolCommands.IsKnown(args[0]))
            return await ToolCommands.RunAsync(args, output, errors).ConfigureAwait(false);
        var command = CommandLine.Parse(args is ["run", .. var rest] ? rest : args, Environment.GetEnvironmentVariables());
        if (command.Faults.Count > 0)
        {
            foreach (var fault in command.Faults)
                await errors.WriteLineAsync(fault).ConfigureAwait(false);
            await errors.WriteLineAsync(CommandLine.Usage).ConfigureAwait(false);
            return WrongUsage;
        }

        if (command.ShowHelp)
        {
            await output.WriteLineAsync(CommandLine.Usage).ConfigureAwait(false);
            if (args is not ["run", ..])
                await output.WriteLineAsync(ToolCommands.Usage).ConfigureAwait(false);
            return Ok;
        }

        using var loggers = new TextLoggerFactory(errors, command.LogLevel, TimeProvider.System, command.LogsJson);
        try
        {
            return await ServeAsync(command, command.Options with { LoggerFactory = loggers }, output, loggers.CreateLogger("Broker.Lite.Host")).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or InvalidDataException or ArgumentException)
        {
            await errors.WriteLineAsync(e.Message).ConfigureAwait(false);
            return Failed;
        }
    }

    private static async Task<int> ServeAsync(CommandLine command, BrokerOptions options, TextWriter output, ILogger logger)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true; // the process ends by returning, after the logs are closed
            Log.Stopping(logger, context.Signal.ToString());
            stop.TrySetResult();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);

        if (command.WithoutEffect.Count > 0)
            Log.SettingsWithoutEffect(logger, string.Join(", ", command.WithoutEffect));
        var broker = await BrokerServer.StartAsync(options, starting => AddUsersAsync(starting, command.Users), CancellationToken.None).ConfigureAwait(false);
        await using (broker.ConfigureAwait(false))
        {
            using var metrics = new PrometheusText(command.Http is null ? null : broker.Metrics.Meter);
            var http = command.Http is null ? null : new HttpServer(command.Http, MonitoringPages.Of(broker, metrics), options.TimeProvider);
            if (http is not null)
                Log.ServingMetrics(logger, http.EndPoint.ToString());
            // Scripts wait for exactly this line.
            await output.WriteLineAsync($"ready {broker.EndPoint}").ConfigureAwait(false);
            await output.FlushAsync().ConfigureAwait(false);
            var ended = await Task.WhenAny(stop.Task, broker.Completion).ConfigureAwait(false);
            if (http is not null)
                await http.DisposeAsync().ConfigureAwait(false);
            await ended.ConfigureAwait(false);
        }

        return Ok;
    }

    private static Task AddUsersAsync(BrokerServer broker, IReadOnlyList<ScramUser> users) => broker.State.Loop.InvokeAsync(() =>
    {
        var view = broker.State.Security.View;
        var missing = users.Where(user => view.FindScram(user.Name, user.Mechanism) is null).ToList();
        if (missing.Count == 0)
            return;
        var scram = view.Scram.ToBuilder();
        foreach (var user in missing)
            scram[(user.Name, user.Mechanism.Name)] = ScramCredential.FromPassword(user.Mechanism, user.Password, user.Iterations);
        broker.State.Security.Change(view with { Scram = scram.ToImmutable() });
    });
}
