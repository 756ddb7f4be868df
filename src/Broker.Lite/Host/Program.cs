using System.Net.Sockets;
using System.Runtime.InteropServices;
using Broker.Lite.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Host;

/// <summary>
/// The broker as a process: reads the command line, starts a <see cref="BrokerServer"/>, and stops it on SIGTERM or SIGINT.
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
        var command = CommandLine.Parse(args);
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
            return Ok;
        }

        using var loggers = new TextLoggerFactory(errors, command.LogLevel, TimeProvider.System);
        try
        {
            return await ServeAsync(command.Options with { LoggerFactory = loggers }, output, loggers.CreateLogger("Broker.Lite.Host")).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or InvalidDataException or ArgumentException)
        {
            await errors.WriteLineAsync(e.Message).ConfigureAwait(false);
            return Failed;
        }
    }

    private static async Task<int> ServeAsync(BrokerOptions options, TextWriter output, ILogger logger)
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

        var broker = await BrokerServer.StartAsync(options).ConfigureAwait(false);
        await using (broker.ConfigureAwait(false))
        {
            // Scripts wait for exactly this line.
            await output.WriteLineAsync($"ready {broker.EndPoint}").ConfigureAwait(false);
            await output.FlushAsync().ConfigureAwait(false);
            var ended = await Task.WhenAny(stop.Task, broker.Completion).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
        }

        return Ok;
    }
}
