using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Broker.Lite.Host.Client;
using Kafka.Protocol;

namespace Broker.Lite.Host.Commands;

/// <summary>All commands of the tool: finds the one asked for, runs it, and turns failures into one line and an exit code.</summary>
internal static class ToolCommands
{
    private const int Ok = 0;
    private const int Failed = 1;
    private const int WrongUsage = 2;

    private static readonly ToolCommand[] _commands =
        [.. TopicCommands.All, .. ConfigCommands.All, .. GroupCommands.All, .. RecordCommands.All, .. AclCommands.All, .. UserCommands.All, .. QuotaCommands.All, .. PerfCommands.All];

    public static string Usage { get; } =
        "Commands for any Kafka broker (--help tells more of each):" + Environment.NewLine + string.Join(Environment.NewLine, _commands.Select(command => $"  broker {command.Name,-26} {FirstLine(command)}"));

    public static bool IsKnown(string word) => Array.Exists(_commands, command => command.Name.Split(' ')[0] == word);

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, stop));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, stop));
#pragma warning disable RS0030 // A command reads records from its standard input.
        return await RunAsync(args, Console.In, output, errors, TimeProvider.System, stop.Token).ConfigureAwait(false);
#pragma warning restore RS0030
    }

    internal static async Task<int> RunAsync(string[] args, TextReader input, TextWriter output, TextWriter errors, TimeProvider time, CancellationToken cancellationToken)
    {
        var command = Array.Find(_commands, candidate => candidate.Name.Split(' ') is var words && args.Length >= words.Length && args.AsSpan(0, words.Length).SequenceEqual(words));
        if (command is null)
        {
            var family = _commands.Where(candidate => candidate.Name.Split(' ')[0] == args[0]).ToList();
            var asksForHelp = args.Contains("--help");
            foreach (var member in family)
                await (asksForHelp ? output : errors).WriteLineAsync($"  broker {member.Name,-26} {FirstLine(member)}").ConfigureAwait(false);
            return asksForHelp ? Ok : WrongUsage;
        }

        var rest = args[command.Name.Split(' ').Length..];
        if (rest.Contains("--help"))
        {
            await output.WriteLineAsync($"Usage: broker {command.Name} [options]{Environment.NewLine}{command.Help}{Environment.NewLine}{ToolArguments.CommonHelp}").ConfigureAwait(false);
            return Ok;
        }

        ToolArguments arguments;
        ClientSettings settings;
        try
        {
            arguments = new ToolArguments(rest, command.WithValue, command.Flags);
            settings = arguments.ClientSettings();
        }
        catch (ToolException e)
        {
            await errors.WriteLineAsync(e.Message).ConfigureAwait(false);
            return WrongUsage;
        }

        try
        {
            var cluster = new ClusterClient(settings);
            await using (cluster.ConfigureAwait(false))
                await command.Run(new ToolContext(arguments, cluster, input, output, time), cancellationToken).ConfigureAwait(false);
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            return Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            return Ok;
        }
        catch (Exception e) when (e is ToolException or ProtocolException or IOException or SocketException or CryptographicException or UnauthorizedAccessException)
        {
            await errors.WriteLineAsync(e.Message).ConfigureAwait(false);
            return Failed;
        }
    }

    private static string FirstLine(ToolCommand command) => command.Help.Split('\n')[0].Trim();

    private static void Stop(PosixSignalContext context, CancellationTokenSource stop)
    {
        context.Cancel = true;
        stop.Cancel();
    }
}
